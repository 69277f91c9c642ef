//! The hosts that requests may name.
//!
//! A page of another site can have its name resolve to this machine (DNS rebinding). The browser then takes the server for that
//! site, and lets the page read everything. Only the name in the request tells.

use std::net::IpAddr;
use std::str::FromStr;

use http::uri::Authority;

/// An accepted host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedHost {
    /// `*`
    Any,
    /// `*.example.com`: all names that end in this, in lower case.
    Below(String),
    /// A name in lower case, or an address.
    Named(String),
}

impl FromStr for AcceptedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.trim().to_ascii_lowercase();
        if host == "*" {
            return Ok(Self::Any);
        }
        if let Ok(address) = bare(&host).parse::<IpAddr>() {
            return Ok(Self::Named(address.to_string()));
        }
        let name = host.strip_prefix("*.").unwrap_or(&host);
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if name.is_empty() || !is_name || name.starts_with('.') {
            return Err(format!("{text:?} is not a host: write wiki.example, *.wiki.example, an address, or *"));
        }
        Ok(if name.len() < host.len() { Self::Below(format!(".{name}")) } else { Self::Named(name.to_owned()) })
    }
}

/// The hosts that one listener accepts.
#[derive(Debug, Clone)]
pub struct AcceptedHosts {
    hosts: Vec<AcceptedHost>,
    /// Whether names and addresses of this machine are accepted as well.
    local: bool,
}

impl AcceptedHosts {
    /// The hosts for clients of the listener at `address`: those given; without any, all of them, or only those of this machine
    /// if nobody else can connect.
    pub fn for_clients(given: &[AcceptedHost], address: IpAddr) -> Self {
        let local = address.to_canonical().is_loopback();
        let hosts = if given.is_empty() && !local { vec![AcceptedHost::Any] } else { given.to_vec() };
        Self { hosts, local }
    }

    /// The same for operators, who also reach it by addresses that are not known beforehand, such as a pod's.
    pub fn for_operators(given: &[AcceptedHost], address: IpAddr) -> Self {
        let given = if address.to_canonical().is_loopback() { given } else { &[AcceptedHost::Any] };
        Self::for_clients(given, address)
    }

    /// Whether `host` is accepted, which may have a port.
    pub fn accepts(&self, host: &str) -> bool {
        if self.hosts.contains(&AcceptedHost::Any) {
            return true;
        }
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = bare(authority.host()).to_ascii_lowercase();
        // A dot at the end makes a name absolute.
        let name = name.strip_suffix('.').unwrap_or(&name);
        let address = name.parse::<IpAddr>().ok();
        let name = address.map_or(name.to_owned(), |address| address.to_string());
        // Names below localhost are this machine's (RFC 6761, 6.3).
        let is_local = address.map_or(name == "localhost" || name.ends_with(".localhost"), |address| {
            address.to_canonical().is_loopback()
        });
        self.local && is_local
            || self.hosts.iter().any(|host| match host {
                AcceptedHost::Any => true,
                AcceptedHost::Below(end) => name.len() > end.len() && name.ends_with(end.as_str()),
                AcceptedHost::Named(known) => *known == name,
            })
    }
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(given: &[&str], address: &str) -> AcceptedHosts {
        let given: Vec<AcceptedHost> = given.iter().map(|host| host.parse().unwrap()).collect();
        AcceptedHosts::for_clients(&given, address.parse().unwrap())
    }

    const LOCAL: [&str; 8] = [
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "wiki.localhost",
        "127.0.0.1:8000",
        "127.1.2.3",
        "[::1]:8000",
        "[::ffff:127.0.0.1]",
    ];
    const OTHER: [&str; 7] =
        ["evil.example", "localhost.evil.example", "10.0.0.1", "notlocalhost", "[2001:db8::1]:80", "0.0.0.0", ""];

    #[test]
    fn a_loopback_listener_answers_for_this_machine() {
        for address in ["127.0.0.1", "127.0.0.53", "::1"] {
            let hosts = accepted(&[], address);
            assert!(LOCAL.iter().all(|host| hosts.accepts(host)), "{address}");
            assert!(!OTHER.iter().any(|host| hosts.accepts(host)), "{address}");
        }
    }

    #[test]
    fn any_other_listener_answers_for_everything() {
        for address in ["0.0.0.0", "10.0.0.1", "::"] {
            let hosts = accepted(&[], address);
            assert!(LOCAL.iter().chain(&OTHER[..3]).all(|host| hosts.accepts(host)), "{address}");
        }
    }

    #[test]
    fn given_hosts_are_the_only_ones_but_for_this_machine() {
        let given = ["Wiki.Example", "*.sites.example", "10.0.0.1", "[2001:DB8:0::1]"];
        for (address, local) in [("127.0.0.1", true), ("0.0.0.0", false)] {
            let hosts = accepted(&given, address);
            for host in [
                "wiki.example",
                "WIKI.example:443",
                "a.sites.example",
                "a.b.sites.example",
                "10.0.0.1",
                "[2001:db8::1]",
            ] {
                assert!(hosts.accepts(host), "{host}");
            }
            for host in ["evil.example", "wiki.example.evil", "sites.example", ".sites.example", "10.0.0.2"] {
                assert!(!hosts.accepts(host), "{host}");
            }
            assert_eq!(hosts.accepts("localhost:8000"), local);
        }
        assert!(accepted(&["*"], "127.0.0.1").accepts("evil.example"));
    }

    #[test]
    fn operators_reach_a_pod_by_its_address() {
        let given = ["wiki.example".parse().unwrap()];
        let operators = |address: &str| AcceptedHosts::for_operators(&given, address.parse().unwrap());
        assert!(operators("0.0.0.0").accepts("10.1.2.3:9090"));
        assert!(!operators("127.0.0.1").accepts("evil.example:9090"));
        assert!(operators("127.0.0.1").accepts("localhost:9090") && operators("127.0.0.1").accepts("wiki.example"));
    }

    #[test]
    fn a_host_has_no_port_and_no_scheme() {
        for text in ["", "a:80", "http://a", "*.", "**", "a b", "*.*.a", ".a", "a/b", "me@a"] {
            assert!(text.parse::<AcceptedHost>().is_err(), "{text:?}");
        }
    }
}
