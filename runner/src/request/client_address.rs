//! The address of a client, also behind trusted proxies.

use std::net::SocketAddr;

use http::HeaderMap;
use http::header::HeaderName;
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client whose request came from `peer`.
///
/// If `peer` is one of the trusted `proxies`, the address is taken from X-Forwarded-For: the last one there that is not
/// itself a trusted proxy. Anything before it may have been written by the client.
pub fn client_address(proxies: &[IpNet], peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
    let trusts = |address: SocketAddr| is_proxy(proxies, address);
    if !trusts(peer) {
        return peer;
    }
    // By bytes, so that an invalid value in front does not make the rest unreadable.
    let values = headers.get_all(FORWARDED_FOR).iter().map(|value| value.as_bytes());
    let forwarded: Vec<&[u8]> = values.flat_map(|value| value.split(|byte| *byte == b',')).collect();
    let mut client = peer;
    for text in forwarded.into_iter().rev() {
        let Some(address) = std::str::from_utf8(text).ok().and_then(|text| parse(text.trim())) else { break };
        client = address;
        if !trusts(address) {
            break;
        }
    }
    client
}

/// Whether `address` is one of the trusted `proxies`.
pub fn is_proxy(proxies: &[IpNet], address: SocketAddr) -> bool {
    proxies.iter().any(|net| net.contains(&address.ip().to_canonical()))
}

/// Parses an address with or without a port; proxies write both.
fn parse(text: &str) -> Option<SocketAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse().ok().or_else(|| Some(SocketAddr::new(bare.parse().ok()?, 0)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let proxies = ["10.0.0.0/8", "::1/128"].map(|proxy| proxy.parse().unwrap());
        for (peer, forwarded, expected) in [
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
            let value = |value: &&str| (FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            let headers = forwarded.iter().map(value).collect();
            let address = client_address(&proxies, SocketAddr::new(peer.parse().unwrap(), 9), &headers);
            assert_eq!(address.ip().to_string(), expected, "{peer} {forwarded:?}");
        }
    }
}
