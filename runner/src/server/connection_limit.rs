//! How many connections may be open: in all, and from one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::config::settings::Limits;
use crate::memory::container;
use crate::request::client_address::is_proxy;
use crate::request::rate_limit::subscriber;

pub struct ConnectionLimit {
    max: u32,
    max_per_address: u32,
    /// Their connections are those of many clients.
    proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    /// By subscriber. Those without a connection are not in it.
    by_address: HashMap<IpAddr, u32>,
}

impl ConnectionLimit {
    /// The limits of the settings. Connections from `proxies` count only towards the sum.
    pub fn new(limits: &Limits, proxies: &[IpNet]) -> Arc<Self> {
        let max = limits.max_connections(container::memory_limit());
        let max_per_address = limits.max_connections_per_address(max);
        Arc::new(Self { max, max_per_address, proxies: proxies.to_vec(), open: Mutex::default() })
    }

    /// Whether three quarters of the places are taken.
    pub fn is_crowded(&self) -> bool {
        self.lock().all >= self.max / 4 * 3
    }

    /// A place for a connection of `client`, if there is one.
    pub fn place(self: &Arc<Self>, client: SocketAddr) -> Option<Place> {
        let address = if is_proxy(&self.proxies, client) { None } else { Some(subscriber(client.ip())) };
        let mut open = self.lock();
        if open.all >= self.max {
            return None;
        }
        if let Some(address) = address {
            let count = open.by_address.entry(address).or_default();
            if *count >= self.max_per_address {
                return None;
            }
            *count += 1;
        }
        open.all += 1;
        drop(open);
        Some(Place { limit: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an open connection. Dropping it frees the place.
pub struct Place {
    limit: Arc<ConnectionLimit>,
    address: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limit.lock();
        open.all -= 1;
        if let Some(address) = self.address
            && let Entry::Occupied(mut count) = open.by_address.entry(address)
        {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(max: u32, max_per_address: u32) -> Arc<ConnectionLimit> {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Arc::new(ConnectionLimit { max, max_per_address, proxies, open: Mutex::default() })
    }

    #[test]
    fn one_address_does_not_take_every_place() {
        let limit = limit(5, 2);
        let place = |address: &str| limit.place(SocketAddr::new(address.parse().unwrap(), 9));
        let first = place("192.0.2.1").unwrap();
        let _second = place("192.0.2.1").unwrap();
        assert!(place("192.0.2.1").is_none());
        let _other = place("2001:db8::1").unwrap();
        let _same_subscriber = place("2001:db8::2").unwrap();
        assert!(place("2001:db8::3").is_none());
        let _last = place("192.0.2.2").unwrap();
        assert!(place("192.0.2.3").is_none(), "all places are taken");
        drop(first);
        let again = place("192.0.2.1");
        assert!(again.is_some());
        drop(again);
        assert_eq!(limit.lock().by_address.len(), 3);
    }

    #[test]
    fn a_trusted_proxy_has_many_clients() {
        let limit = limit(3, 1);
        let places: Vec<_> = (0..4).map(|_| limit.place("10.0.0.1:9".parse().unwrap())).collect();
        assert_eq!(places.iter().flatten().count(), 3);
        drop(places);
        assert!(limit.lock().by_address.is_empty());
    }
}
