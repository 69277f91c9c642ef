//! Requests: query, cookies, and where they come from.

use std::net::SocketAddr;

use http::HeaderValue;
use http::header::{COOKIE, HOST};
use http::uri::{Authority, Scheme, Uri};

use crate::web::Problem;

/// A request with as much of its body as it takes to answer it: all, or nothing.
pub type Request = http::Request<Vec<u8>>;

/// The URL a host was called at. Spin and wiki-runner both send it.
const FULL_URL: &str = "spin-full-url";

/// The address of the client. Spin and wiki-runner both send it.
const CLIENT_ADDR: &str = "spin-client-addr";

/// What a proxy in front says of the connection it accepted.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Headers that decide who sends a request, whether it is allowed and what it shows. None makes sense twice.
const SINGLE: [&str; 5] = ["authorization", "host", "origin", "read-after", "sec-fetch-site"];

/// 400 for a request whose host is none, or that has a header twice which can have one meaning only: what is in front of the
/// wiki may have read the other value.
pub fn check(request: &Request) -> Result<(), Problem> {
    if let Some(name) = SINGLE.iter().find(|name| request.headers().get_all(**name).iter().nth(1).is_some()) {
        return Err(Problem::bad_request(format!("The request has more than one header {name}. Send it once.")));
    }
    let host = match request.headers().get(HOST) {
        Some(host) => Some(host.to_str().unwrap_or_default().to_owned()),
        // Spin keeps the header to itself, and passes on what it says.
        None => full_url(request).and_then(|url| url.authority().map(Authority::to_string)),
    };
    match host.is_none_or(|host| is_host(&host)) {
        true => Ok(()),
        false => Err(Problem::bad_request("The header Host must be a name or an address, with or without a port.")),
    }
}

/// Whether `text` is `host` or `host:port` (RFC 9112, 3.2). A user's name in front would be taken for the host by some.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let port = text.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    // The library reads the number as Rust does, which allows a plus sign in front.
    let is_number = |port: &str| !port.starts_with('+') && authority.port_u16().is_some();
    !text.contains('@') && !authority.host().is_empty() && port.is_none_or(|port| port.is_empty() || is_number(port))
}

/// The number `text` is, if that can be an id or a version.
pub fn positive(text: &str) -> Option<i64> {
    // `parse` would take a sign, and one thing should have one URL.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

/// The value of a cookie; the first one if the browser has several of that name.
pub fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let cookies = request.headers().get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The value of a query parameter; the first one if it is given more than once.
pub fn query(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The value of a query parameter as the initial value of a form's field: without control characters, which cannot be
/// typed, and some of which HTML cannot hold.
pub fn prefilled(request: &Request, name: &str) -> Option<String> {
    query(request, name).map(|value| value.chars().filter(|c| !c.is_control()).collect())
}

/// The authority that `request` was sent to, with its port unless it is the scheme's default. Not every host passes the
/// `Host` header on (WASI HTTP forbids it to some): then the full URL has it.
pub fn own_host(request: &Request) -> Option<String> {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or_else(|| Some(full_url(request)?.authority()?.to_string()))
}

/// Scheme and host that `request` was sent to, as in `http://localhost:8000`: what a feed's addresses begin with.
pub fn base(request: &Request) -> String {
    let authority = own_host(request).unwrap_or_else(|| "localhost".to_owned());
    format!("{}://{authority}", if is_secure(request) { "https" } else { "http" })
}

/// Whether the client's connection is by TLS, to the host or to a proxy in front of it.
pub fn is_secure(request: &Request) -> bool {
    forwarded_proto(request).is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
        || full_url(request).is_some_and(|url| url.scheme() == Some(&Scheme::HTTPS))
}

/// The scheme of the client's connection, as a proxy says. Behind several proxies, each may add its own to the list: the client's
/// is the first.
fn forwarded_proto(request: &Request) -> Option<&str> {
    last(request, FORWARDED_PROTO)?.to_str().ok()?.split(',').next().map(str::trim)
}

fn full_url(request: &Request) -> Option<Uri> {
    last(request, FULL_URL)?.to_str().ok()?.parse().ok()
}

/// What the host, or the nearest proxy, says in a header. Spin appends its own headers to those that the client sent, so that
/// only the last is its own.
fn last<'a>(request: &'a Request, name: &str) -> Option<&'a HeaderValue> {
    request.headers().get_all(name).iter().next_back()
}

/// The address of the client, as the host says: without its port, which says nothing of who it is.
pub fn address(request: &Request) -> String {
    let address = last(request, CLIENT_ADDR).and_then(|value| value.to_str().ok()).unwrap_or_default();
    address.parse().map_or_else(|_| address.to_owned(), |address: SocketAddr| address.ip().to_canonical().to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request with these headers.
    pub(crate) fn request(headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::default();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn only_positive_numbers_are_ids() {
        assert_eq!(positive("1"), Some(1));
        assert_eq!(positive("9223372036854775807"), Some(i64::MAX));
        for id in ["0", "-1", "+1", "9223372036854775808", "abc", "", " 1", "1.0", "٣"] {
            assert_eq!(positive(id), None, "{id:?}");
        }
    }

    #[test]
    fn what_a_query_prefills_has_no_control_characters() {
        let request = http::Request::get("/wiki/-/new?title=a%00%0A%C2%85%20%C3%A9").body(Vec::new()).unwrap();
        assert_eq!(prefilled(&request, "title").as_deref(), Some("a é"));
        assert_eq!(prefilled(&request, "content"), None);
    }

    #[test]
    fn an_address_has_no_port() {
        for (given, address) in [
            ("192.0.2.7:4711", "192.0.2.7"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
            ("somewhere", "somewhere"),
        ] {
            assert_eq!(super::address(&request(&[("spin-client-addr", given)])), address);
        }
        assert_eq!(super::address(&request(&[])), "");
    }

    #[test]
    fn what_a_client_says_of_itself_does_not_count() {
        let claimed = [("spin-client-addr", "192.0.2.7:1"), ("spin-client-addr", "198.51.100.1:2")];
        assert_eq!(super::address(&request(&claimed)), "198.51.100.1");
        let claimed = [("spin-full-url", "https://evil/"), ("spin-full-url", "http://wiki.example/")];
        assert_eq!(base(&request(&claimed)), "http://wiki.example");
        let claimed = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert!(!is_secure(&request(&claimed)));
    }

    #[test]
    fn headers_with_two_meanings_are_refused() {
        for name in ["authorization", "host", "origin", "read-after", "sec-fetch-site"] {
            assert!(check(&request(&[(name, "a")])).is_ok(), "{name}");
            let problem = check(&request(&[(name, "a"), (name, "b")])).unwrap_err();
            assert_eq!(problem.status, http::StatusCode::BAD_REQUEST, "{name}");
        }
        assert!(check(&request(&[("cookie", "a=1"), ("cookie", "b=2")])).is_ok());
    }

    #[test]
    fn a_host_has_no_user_and_a_port_that_is_a_number() {
        for host in ["a", "a.example:80", "a:", "127.0.0.1:8000", "[::1]", "[::1]:80"] {
            assert!(check(&request(&[("host", host)])).is_ok(), "{host}");
        }
        for host in ["", "me@a", "me:pw@a:80", "a:b", "a:8o", "a:+80", "a:65536", ":80", "a b", "a/b", "[::1]:x"] {
            assert!(check(&request(&[("host", host)])).is_err(), "{host}");
        }
        for (url, allowed) in
            [("http://a.example:80/", true), ("http://me@a.example/", false), ("http://a.example:65536/", false)]
        {
            assert_eq!(check(&request(&[("spin-full-url", url)])).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn the_first_proxy_says_what_the_client_used() {
        for (proto, secure) in [
            ("https", true),
            ("HTTPS", true),
            ("https, http", true),
            ("https,http", true),
            ("http, https", false),
            ("", false),
        ] {
            assert_eq!(is_secure(&request(&[("x-forwarded-proto", proto)])), secure, "{proto}");
        }
    }

    #[test]
    fn the_base_is_what_the_client_called() {
        let full = ("spin-full-url", "http://127.0.0.1:8000/feed.atom");
        assert_eq!(base(&request(&[full])), "http://127.0.0.1:8000");
        assert_eq!(base(&request(&[full, ("host", "wiki.example")])), "http://wiki.example");
        let proxied = [full, ("host", "wiki.example"), ("x-forwarded-proto", "https")];
        assert_eq!(base(&request(&proxied)), "https://wiki.example");
        assert_eq!(base(&Request::default()), "http://localhost");
    }
}
