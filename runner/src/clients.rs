//! Who a client is, behind which proxies, and how much it may change in which time.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::header::HeaderName;
use http::{HeaderMap, Method};
use ipnet::{IpNet, Ipv6Net};

use crate::settings;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Checks after which addresses that have done nothing for a while are forgotten: what is remembered is never more than
/// this and those that were active lately.
const SWEEP: u32 = 4096;

/// Clients by their addresses.
pub struct Clients {
    proxies: Vec<IpNet>,
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl Clients {
    /// Clients that nothing is known of yet.
    pub fn new(settings: &settings::Clients) -> Self {
        let quota =
            NonZeroU32::new(settings.write_rate).map(|rate| Quota::per_second(rate).allow_burst(settings.write_burst));
        Self {
            proxies: settings.trusted_proxies.clone(),
            limiter: quota.map(RateLimiter::keyed),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// The address a request comes from: that of `peer` or, if that is a trusted proxy, the one it says it took the request
    /// from, and so on to the first that is no trusted proxy's. What stands before that anybody may have written.
    pub fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.trusts(peer.ip()) {
            return peer;
        }
        // By bytes: what somebody wrote in front must not make the rest unreadable.
        let values = headers.get_all(FORWARDED_FOR).iter().map(|value| value.as_bytes());
        let named: Vec<&[u8]> = values.flat_map(|value| value.split(|byte| *byte == b',')).collect();
        let mut client = peer;
        for name in named.into_iter().rev() {
            let Some(address) = std::str::from_utf8(name).ok().and_then(|name| parse(name.trim())) else { break };
            client = address;
            if !self.trusts(address.ip()) {
                break;
            }
        }
        client
    }

    /// Fails with the time to wait when `client` has changed too much of late. Reading is free, and so is what comes from
    /// this machine.
    pub fn check(&self, method: &Method, client: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if method.is_safe() || client.to_canonical().is_loopback() {
            return Ok(());
        }
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&subscriber(client)).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|net| net.contains(&address.to_canonical()))
    }
}

/// The address that stands for whoever has `client`: of IPv6, each gets 2⁶⁴ (RFC 6177).
fn subscriber(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Net::new(address, 64).map_or(Ipv6Addr::UNSPECIFIED, |net| net.network()).into(),
        IpAddr::V4(address) => address.into(),
    }
}

/// An address with or without a port, as proxies write them.
fn parse(text: &str) -> Option<SocketAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse().ok().or_else(|| Some(SocketAddr::new(bare.parse().ok()?, 0)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn clients(proxies: &[&str], write_rate: u32) -> Clients {
        let trusted_proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        Clients::new(&settings::Clients { trusted_proxies, write_rate, write_burst: NonZeroU32::new(2).unwrap() })
    }

    fn address(clients: &Clients, peer: &str, forwarded: &[&str]) -> String {
        let headers =
            forwarded.iter().map(|value| (FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect();
        clients.address(SocketAddr::new(peer.parse().unwrap(), 9), &headers).ip().to_string()
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let clients = clients(&["10.0.0.0/8", "::1/128"], 0);
        for (peer, forwarded, address_) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", &["[2001:db8::1]:80"], "2001:db8::1"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["\u{ff}, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["10.0.0.3"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::1", &["198.51.100.7"], "198.51.100.7"),
        ] {
            assert_eq!(address(&clients, peer, forwarded), address_, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn an_address_that_changes_too_much_waits() {
        let clients = clients(&[], 1);
        let check = |method: Method, address: &str| clients.check(&method, address.parse().unwrap()).is_ok();
        assert!(check(Method::POST, "192.0.2.1") && check(Method::DELETE, "192.0.2.1"));
        assert!(!check(Method::PUT, "192.0.2.1"));
        assert!(check(Method::GET, "192.0.2.1"), "reading is free");
        assert!(check(Method::POST, "192.0.2.2"), "another address");
        assert!(check(Method::POST, "2001:db8::1") && check(Method::POST, "2001:db8::ffff"));
        assert!(!check(Method::POST, "2001:db8::3"), "the same network");
        assert!(check(Method::POST, "2001:db8:0:1::1"), "another network");
        assert!((0..9).all(|_| check(Method::POST, "127.0.0.1")), "this machine");
        let wait = clients.check(&Method::POST, "192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let clients = clients(&[], 0);
        assert!((0..999).all(|_| clients.check(&Method::POST, "192.0.2.1".parse().unwrap()).is_ok()));
    }
}
