//! Where a request comes from: refuses what another site makes a browser send, and tells the wiki's own address.

use std::net::{Ipv6Addr, SocketAddr};

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::uri::{Scheme, Uri};
use http::{Method, StatusCode};

use crate::problem::Problem;
use crate::request::Request;
use crate::{json, sessions};

/// Says since 2023, in every browser, where a request was made (W3C Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The address a host was called at: Spin and wiki-runner both give it.
const FULL_URL: &str = "spin-full-url";

/// The address of the client: Spin and wiki-runner both give it.
const CLIENT_ADDR: &str = "spin-client-addr";

/// What a proxy in front says of the connection it took.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// 403 when a browser sends a change on behalf of another site (cross-site request forgery).
///
/// Whoever sends neither Sec-Fetch-Site nor Origin is no browser, and has nothing that another site could make use of: a
/// form with a session's cookie and neither is refused, too. (What is no form, another site's page cannot send unasked:
/// Fetch Standard, 4.10.)
pub fn check(request: &Request) -> Result<(), Problem> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let allowed = match (header(SEC_FETCH_SITE), header(ORIGIN.as_str())) {
        // "none": the person themselves, from the address bar or a bookmark.
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => host_of(origin).is_some_and(|host| Some(host) == own_host(request)),
        (None, None) => !is_form(request) || sessions::credential(request).is_none(),
    };
    if allowed {
        Ok(())
    } else {
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Another site asked for this change, so it was not made. Open the wiki itself and try again there.",
        ))
    }
}

fn is_form(request: &Request) -> bool {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    *request.method() == Method::POST && !json::is_json(media_type)
}

fn host_of(origin: &str) -> Option<String> {
    Some(origin.parse::<Uri>().ok()?.authority()?.to_string())
}

/// The host that `request` was sent to, with its port if it is not the scheme's own. Not every host passes the header on
/// (WASI HTTP forbids it to some): then the address it was called at has it.
fn own_host(request: &Request) -> Option<String> {
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
    request.headers().get(FORWARDED_PROTO).is_some_and(|proto| proto == "https")
        || full_url(request).is_some_and(|url| url.scheme() == Some(&Scheme::HTTPS))
}

fn full_url(request: &Request) -> Option<Uri> {
    request.headers().get(FULL_URL)?.to_str().ok()?.parse().ok()
}

/// What stands for whoever has `address`: of IPv6, each gets 2⁶⁴ (RFC 6177).
pub fn subscriber(address: &str) -> String {
    match address.parse() {
        Ok(Ipv6Addr::UNSPECIFIED) | Err(_) => address.to_owned(),
        Ok(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// The address of the client, as the host says: without its port, which says nothing of who it is.
pub fn address(request: &Request) -> String {
    let address = request.headers().get(CLIENT_ADDR).and_then(|value| value.to_str().ok()).unwrap_or_default();
    address.parse().map_or_else(|_| address.to_owned(), |address: SocketAddr| address.ip().to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::default();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn only_the_wiki_itself_and_programs_may_change_things() {
        for (headers, allowed) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://wiki"), ("host", "wiki")], false),
            (&[("origin", "http://wiki:8000"), ("host", "wiki:8000")], true),
            (&[("origin", "http://evil"), ("host", "wiki")], false),
            (&[("origin", "null"), ("host", "wiki")], false),
            (&[("origin", "http://wiki")], false),
            (&[("origin", "http://wiki:8000"), ("spin-full-url", "http://wiki:8000/posts")], true),
            (&[("origin", "http://evil"), ("spin-full-url", "http://wiki:8000/posts")], false),
        ] {
            assert_eq!(check(&request(headers)).is_ok(), allowed, "{headers:?}");
        }
    }

    #[test]
    fn a_form_with_a_session_says_where_it_comes_from() {
        let sent = |method: Method, headers: &[(&'static str, &str)]| {
            let mut request = request(headers);
            *request.method_mut() = method;
            check(&request).is_ok()
        };
        let (cookie, form) = (("cookie", "session=1_x"), ("content-type", "application/x-www-form-urlencoded"));
        assert!(!sent(Method::POST, &[cookie, form]));
        assert!(!sent(Method::POST, &[cookie]));
        assert!(sent(Method::POST, &[form]));
        assert!(sent(Method::POST, &[cookie, ("content-type", "application/json")]));
        assert!(sent(Method::DELETE, &[cookie]));
        assert!(sent(Method::POST, &[cookie, form, ("sec-fetch-site", "same-origin")]));
        assert!(sent(Method::POST, &[cookie, form, ("origin", "http://wiki"), ("host", "wiki")]));
    }

    #[test]
    fn ipv6_addresses_of_one_subscriber_count_as_one() {
        for (address, whose) in [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::4", "2001:db8:1:2::/64"),
            ("somewhere", "somewhere"),
        ] {
            assert_eq!(subscriber(address), whose);
        }
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
    fn the_base_is_what_the_client_called() {
        let full = ("spin-full-url", "http://127.0.0.1:8000/feed.atom");
        assert_eq!(base(&request(&[full])), "http://127.0.0.1:8000");
        assert_eq!(base(&request(&[full, ("host", "wiki.example")])), "http://wiki.example");
        let proxied = [full, ("host", "wiki.example"), ("x-forwarded-proto", "https")];
        assert_eq!(base(&request(&proxied)), "https://wiki.example");
        assert_eq!(base(&Request::default()), "http://localhost");
    }
}
