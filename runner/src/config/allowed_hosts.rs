//! The hosts a guest may connect to: the manifest's `allowed_outbound_hosts`, in Spin's syntax.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use ipnet::IpNet;

/// The hosts one component may reach. An empty list permits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Lower case; `None` is any.
    scheme: Option<String>,
    host: Host,
    /// The end is excluded, as in Spin.
    ports: Range<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// Subdomains of this domain: `*.example.com` is `example.com`, in lower case.
    Below(String),
    /// Lower case.
    Named(String),
    /// An address or a network. Does not permit names that resolve to addresses in it.
    Network(IpNet),
    /// `self`: the application's own routes, which need no connection.
    Own,
}

impl AllowedHosts {
    /// Parses entries of the form `scheme://host[:port]`, with their templates expanded.
    ///
    /// The scheme may be `*`; the host `*`, `*.example.com`, an address (IPv6 in brackets) or a network (`10.0.0.0/8`); the
    /// port `*` or a range that excludes its end (`8000..9000`). The default port is that of the scheme.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self> {
        entries
            .iter()
            .map(|entry| {
                Entry::parse(entry.as_ref().trim())
                    .with_context(|| format!("allowed_outbound_hosts: {:?} is not an allowed host", entry.as_ref()))
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Whether a connection to `host` at `port` for the protocol `scheme` is permitted.
    ///
    /// `host` is a name or an address, IPv6 with or without brackets. The path of a Unix socket is never permitted.
    pub fn permits(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.permitting(scheme, host, port).next().is_some()
    }

    /// Whether an entry without a wildcard permits it: one with this name, address or network.
    pub fn names(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.permitting(scheme, host, port).any(|entry| matches!(entry.host, Host::Named(_) | Host::Network(_)))
    }

    /// Whether an entry has this scheme. One with any scheme has not.
    pub fn has_scheme(&self, scheme: &str) -> bool {
        self.0.iter().any(|entry| entry.scheme.as_deref() == Some(scheme))
    }

    fn permitting(&self, scheme: &str, host: &str, port: u16) -> impl Iterator<Item = &Entry> {
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_host = !host.is_empty() && !host.starts_with('/');
        self.0.iter().filter(move |entry| {
            is_host
                && entry.ports.contains(&u32::from(port))
                && entry.scheme.as_ref().is_none_or(|allowed| allowed.eq_ignore_ascii_case(scheme))
                && entry.host.covers(host)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self> {
        if text == "insecure:allow-all" {
            bail!("write \"*://*:*\" to allow every host");
        }
        let (scheme, rest) = text.split_once("://").context("it needs a scheme, as in \"https://example.com\"")?;
        let scheme = match scheme {
            "*" => None,
            _ if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
                let scheme = scheme.to_ascii_lowercase();
                // Both are names of the same protocol; hosts are checked under the shorter one.
                Some(if scheme == "postgresql" { "postgres".to_owned() } else { scheme })
            }
            _ => bail!("the scheme {scheme:?} is neither a word nor \"*\""),
        };
        let (host, port) = split_port(rest.trim_end_matches('/'))?;
        let ports = if port.is_empty() {
            let port =
                scheme.as_deref().and_then(default_port).context("it needs a port: the scheme has no default")?;
            port..port + 1
        } else {
            parse_ports(port)?
        };
        Ok(Self { host: Host::parse(host.trim().trim_end_matches('/'))?, scheme, ports })
    }
}

/// The host and the port, which may be empty, of `host[:[port]]`.
///
/// Behind brackets, a port begins with the first colon. Where an IPv6 address or network stands without them, it is behind the last
/// one, because `postgres://{{ db_host }}:{{ db_port }}` comes out that way.
fn split_port(text: &str) -> Result<(&str, &str)> {
    if !text.starts_with('[') {
        return Ok(text.rsplit_once(':').unwrap_or((text, "")));
    }
    let end = text.find(']').context("the bracket is not closed")?;
    Ok(match text[end..].find(':') {
        Some(colon) => (&text[..end + colon], &text[end + colon + 1..]),
        None => (text, ""),
    })
}

fn parse_ports(text: &str) -> Result<Range<u32>> {
    let number = |text: &str| text.parse::<u16>().ok().map(u32::from);
    let ports = match text.split_once("..") {
        _ if text == "*" => Some(0..1 << 16),
        Some((start, end)) => number(start).zip(number(end)).map(|(start, end)| start..end),
        None => number(text).map(|port| port..port + 1),
    };
    let ports = ports.with_context(|| format!("the port {text:?} is neither a number, a range nor \"*\""))?;
    ensure!(!ports.is_empty(), "the range of ports {text:?} is empty");
    Ok(ports)
}

fn default_port(scheme: &str) -> Option<u32> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text == "self" || text == "self.alt" {
            return Ok(Self::Own);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address = match address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => {
                let address = address.parse::<Ipv6Addr>().ok().context("only an IPv6 address stands in brackets")?;
                Some(address.into())
            }
            None => address.parse::<IpAddr>().ok(),
        };
        match (address, bits) {
            (Some(address), None) => return Ok(Self::Network(address.into())),
            (Some(address), Some(bits)) => {
                let network = bits.parse().ok().and_then(|bits| IpNet::new(address, bits).ok());
                return Ok(Self::Network(network.context("the network's prefix is not a number of its bits")?));
            }
            (None, Some(_)) => bail!("a host has no path"),
            (None, None) => {}
        }
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') || !b.is_ascii();
        ensure!(!name.is_empty() && name.bytes().all(valid), "{text:?} is not a host");
        let name = name.to_ascii_lowercase();
        Ok(match url::Host::parse(&name) {
            _ if below => Self::Below(name),
            // An IPv4 address in another spelling, such as 127.1.
            Ok(url::Host::Ipv4(address)) => Self::Network(IpAddr::from(address).into()),
            _ => Self::Named(name),
        })
    }

    fn covers(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Own => false,
            Self::Named(name) => name.eq_ignore_ascii_case(host),
            Self::Below(domain) => {
                host.len().checked_sub(domain.len()).and_then(|split| host.split_at_checked(split)).is_some_and(
                    |(label, tail)| label.len() > 1 && label.ends_with('.') && tail.eq_ignore_ascii_case(domain),
                )
            }
            Self::Network(network) => host.parse::<IpAddr>().is_ok_and(|address| network.contains(&address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permits(entry: &str, scheme: &str, host: &str, port: u16) -> bool {
        AllowedHosts::parse(&[entry]).unwrap().permits(scheme, host, port)
    }

    #[test]
    fn an_entry_permits_its_scheme_host_and_port_only() {
        assert!(permits("postgres://db.example:5433", "postgres", "db.example", 5433));
        assert!(permits("postgres://db.example:5433", "postgres", "DB.Example", 5433));
        assert!(!permits("postgres://db.example:5433", "postgres", "db.example", 5432));
        assert!(!permits("postgres://db.example:5433", "https", "db.example", 5433));
        assert!(!permits("postgres://db.example:5433", "postgres", "db.example.com", 5433));
        assert!(!permits("postgres://db.example:5433", "postgres", "xdb.example", 5433));
    }

    #[test]
    fn schemes_have_default_ports() {
        assert!(permits("http://a.example", "http", "a.example", 80));
        assert!(permits("https://a.example/", "https", "a.example", 443));
        assert!(permits("postgres://a.example", "postgres", "a.example", 5432));
        assert!(permits("postgresql://a.example", "postgres", "a.example", 5432));
        assert!(!permits("https://a.example", "https", "a.example", 80));
    }

    #[test]
    fn wildcards_permit_what_they_cover() {
        assert!(permits("*://*:*", "anything", "anywhere", 0));
        assert!(permits("*://*:*", "anything", "::1", 65535));
        assert!(permits("https://*.example.com", "https", "a.b.EXAMPLE.com", 443));
        assert!(!permits("https://*.example.com", "https", "example.com", 443));
        assert!(!permits("https://*.example.com", "https", ".example.com", 443));
        assert!(!permits("https://*.example.com", "https", "badexample.com", 443));
        assert!(permits("http://h:8000..9000", "http", "h", 8000));
        assert!(permits("http://h:8000..9000", "http", "h", 8999));
        assert!(!permits("http://h:8000..9000", "http", "h", 9000));
    }

    #[test]
    fn addresses_and_networks() {
        assert!(permits("postgres://127.0.0.1:5432", "postgres", "127.0.0.1", 5432));
        assert!(!permits("postgres://127.0.0.1:5432", "postgres", "127.0.0.2", 5432));
        assert!(permits("postgres://10.0.0.0/8:5432", "postgres", "10.200.3.4", 5432));
        assert!(permits("postgres://10.0.0.0/8", "postgres", "10.200.3.4", 5432));
        assert!(!permits("postgres://10.0.0.0/8:5432", "postgres", "11.0.0.1", 5432));
        assert!(!permits("postgres://10.0.0.0/8:5432", "postgres", "ten.example", 5432));
        assert!(permits("postgres://0.0.0.0/0:5432", "postgres", "8.8.8.8", 5432));
        assert!(!permits("postgres://0.0.0.0/0:5432", "postgres", "::1", 5432));
    }

    #[test]
    fn ipv6_with_and_without_brackets() {
        for entry in ["postgres://[::1]:5432", "postgres://[::1]", "postgres://::1:5432"] {
            for host in ["::1", "[::1]", "0:0:0:0:0:0:0:1"] {
                assert!(permits(entry, "postgres", host, 5432), "{entry} {host}");
            }
            assert!(!permits(entry, "postgres", "::2", 5432));
        }
        assert!(permits("postgres://[fd00::1]:1..3", "postgres", "fd00::1", 2));
    }

    #[test]
    fn networks_and_ports_in_every_spelling_of_spin() {
        for entry in [
            "http://ff00::/8:80",
            "http://ff00::/8:80/",
            "http://ff00::1/8:",
            "http://ff00::/8:*",
            "http://ff00::/8:80..81",
            "*://ff00::/8:80",
            "http://[ff00::]/8",
            "http://[ff00::]/8/",
            "http://[ff00::]/8:",
            "http://[ff00::]/8:80",
            "http://[ff00::]:80/",
        ] {
            assert!(permits(entry, "http", "ff00::", 80), "{entry}");
            assert!(!permits(entry, "http", "fe00::1", 80), "{entry}");
            let is_network = !entry.contains("]:");
            assert_eq!(permits(entry, "http", "[ff02::1]", 80), is_network, "{entry}");
        }
        for entry in [
            "http://h:",
            "http://h:/",
            "http://h",
            "http://h//",
            "http:// h :80",
            " http://h:80/ ",
            "http://H:+80",
            "http://h/:80",
        ] {
            assert!(permits(entry, "http", "h", 80) && !permits(entry, "http", "h", 81), "{entry}");
        }
        for entry in
            ["http://127.1", "http://2130706433:80", "http://0x7f.0.0.1:80", "http://127.0.0.0/8:", "http://[::1]:"]
        {
            let address = if entry.contains("::1") { "::1" } else { "127.0.0.1" };
            assert!(permits(entry, "http", address, 80) && !permits(entry, "http", "10.0.0.1", 80), "{entry}");
        }
    }

    #[test]
    fn a_unix_socket_is_never_permitted() {
        assert!(!permits("*://*:*", "postgres", "/var/run/postgresql", 5432));
        assert!(!permits("*://*:*", "postgres", "", 5432));
    }

    #[test]
    fn self_is_no_host_to_connect_to() {
        assert!(!permits("http://self", "http", "self", 80));
    }

    #[test]
    fn nothing_is_permitted_by_an_empty_list() {
        assert!(!AllowedHosts::default().permits("http", "localhost", 80));
    }

    #[test]
    fn malformed_entries_are_refused_by_name() {
        for entry in [
            "",
            "*",
            "example.com",
            "example.com:80",
            "://example.com",
            "ht tp://x",
            "http://",
            "http://a/b",
            "http://a:b",
            "http://a:99999",
            "http://a:9..9",
            "http://a:9..",
            "*://a",
            "redis2://a",
            "http://a.*.b",
            "http://*a",
            "http://[::1",
            "http://[a]:1",
            "http://[::1]x",
            "http://10.0.0.0/33:80",
            "http://::/129:80",
            "http://[::]/129",
            "http://[10.0.0.0]/8",
            "http://[::1/8]",
            "http://[::1]8/8",
            "http://h/8",
            "other://h:",
            "postgres://::1",
            "insecure:allow-all",
            "http://a b",
            "http://a@b",
        ] {
            let error = format!("{:#}", AllowedHosts::parse(&[entry]).unwrap_err());
            assert!(error.contains(&format!("{entry:?}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(entry in ".{0,40}", host in ".{0,40}", port: u16) {
            if let Ok(hosts) = AllowedHosts::parse(&[&entry]) {
                hosts.permits("http", &host, port);
            }
        }

        #[test]
        fn a_network_permits_exactly_its_addresses(network: u32, bits in 0u8..=32, address: u32) {
            let entry = format!("http://{}/{bits}:80", std::net::Ipv4Addr::from(network));
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
            let host = std::net::Ipv4Addr::from(address).to_string();
            prop_assert_eq!(permits(&entry, "http", &host, 80), network & mask == address & mask);
        }
    }
}
