//! How often each client address may write.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::Method;
use ipnet::Ipv6Net;

/// Checks between two sweeps, which forget addresses that have been inactive for a while. Bounds the addresses in memory to
/// this number and the recently active ones.
const SWEEP: u32 = 4096;

pub struct WriteRateLimit {
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl WriteRateLimit {
    /// Allows `rate` writes per second on average, or any number if it is 0, and bursts of `burst`.
    pub fn new(rate: u32, burst: NonZeroU32) -> Self {
        let quota = NonZeroU32::new(rate).map(|rate| Quota::per_second(rate).allow_burst(burst));
        Self { limiter: quota.map(RateLimiter::keyed), clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// Fails with the time to wait if `client` has written too much. Reading is free, and so are requests from loopback.
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
}

/// The address that represents the subscriber of `client`: with IPv6, each has a /64 (RFC 6177).
pub fn subscriber(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Net::new(address, 64).map_or(Ipv6Addr::UNSPECIFIED, |net| net.network()).into(),
        IpAddr::V4(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(rate: u32) -> WriteRateLimit {
        WriteRateLimit::new(rate, NonZeroU32::new(2).unwrap())
    }

    #[test]
    fn an_address_that_writes_too_much_waits() {
        let limit = limit(1);
        let check = |method: Method, address: &str| limit.check(&method, address.parse().unwrap()).is_ok();
        assert!(check(Method::POST, "192.0.2.1") && check(Method::DELETE, "192.0.2.1"));
        assert!(!check(Method::PUT, "192.0.2.1"));
        assert!(check(Method::GET, "192.0.2.1"), "reading is free");
        assert!(check(Method::POST, "192.0.2.2"), "another address");
        assert!(check(Method::POST, "2001:db8::1") && check(Method::POST, "2001:db8::ffff"));
        assert!(!check(Method::POST, "2001:db8::3"), "the same network");
        assert!(check(Method::POST, "2001:db8:0:1::1"), "another network");
        assert!((0..9).all(|_| check(Method::POST, "127.0.0.1")), "loopback");
        let wait = limit.check(&Method::POST, "192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn a_rate_of_0_is_no_limit() {
        let limit = limit(0);
        assert!((0..999).all(|_| limit.check(&Method::POST, "192.0.2.1".parse().unwrap()).is_ok()));
    }
}
