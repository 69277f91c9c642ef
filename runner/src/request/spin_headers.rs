//! The headers that Spin promises a guest.

use std::borrow::Cow;
use std::net::SocketAddr;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, Version};

use super::problem::Problem;

pub const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
pub const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// The host and port that the client requested, from the request line or the Host header (RFC 9112, 3.2 and 3.3). `local` is
/// where it connected to, for HTTP/1.0, which may name no host.
pub fn host<B>(request: &Request<B>, local: SocketAddr) -> Result<Cow<'_, str>, Problem> {
    let refused = |detail| Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    let mut headers = request.headers().get_all(HOST).iter();
    let (header, second) = (headers.next(), headers.next());
    if second.is_some() {
        // Guest and proxy could each believe another one.
        return refused("The request has more than one Host header.");
    }
    let header = header.map(|value| value.to_str().ok().filter(|host| is_host(host)));
    let authority = request.uri().authority().map(|authority| Some(authority.as_str()).filter(|host| is_host(host)));
    match (authority, header) {
        (Some(None), _) | (_, Some(None)) => refused("The host must be a name or an address, with or without a port."),
        (Some(Some(host)), _) | (None, Some(Some(host))) => Ok(host.into()),
        (None, None) if request.version() < Version::HTTP_11 => Ok(local.to_string().into()),
        (None, None) => refused("The request needs a Host header."),
    }
}

/// Whether `text` is `host` or `host:port`. A user's name in front would be taken for the host by some.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let port = text.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    // The library reads the number as Rust does, which allows a plus sign in front.
    let is_number = |port: &str| !port.starts_with('+') && authority.port_u16().is_some();
    let has_valid_port = port.is_none_or(|port| port.is_empty() || is_number(port));
    !text.contains('@') && !authority.host().is_empty() && has_valid_port
}

/// The URL that the client requested of `host`.
pub fn full_url(host: &str, uri: &Uri, secure: bool) -> Result<HeaderValue, Problem> {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let scheme = if secure { "https" } else { "http" };
    HeaderValue::try_from(format!("{scheme}://{host}{path}"))
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The path of the request is not valid."))
}

/// Removes the client's own `spin-*` headers: the guest trusts that they come from its host. `spin_*` as well: where headers
/// become variables, as in CGI, the two are the same (RFC 3875, 4.1.18).
pub fn remove_forged(headers: &mut HeaderMap) {
    let is_forged = |name: &&HeaderName| ["spin-", "spin_"].iter().any(|prefix| name.as_str().starts_with(prefix));
    let forged: Vec<HeaderName> = headers.keys().filter(is_forged).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_forge_what_the_host_says() {
        let mut headers = HeaderMap::new();
        for name in ["spin-client-addr", "spin-anything", "spin_client_addr", "spin_x-y", "x-spin", "spinning", "host"]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("a"));
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("b"));
        }
        remove_forged(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["host", "spinning", "x-spin"]);
    }

    #[test]
    fn the_full_url_comes_from_the_host_header() {
        let local = SocketAddr::from(([127, 0, 0, 1], 8000));
        let url = |builder: http::request::Builder| {
            let request = builder.body(()).unwrap();
            let host = host(&request, local).map_err(|problem| problem.status)?;
            full_url(&host, request.uri(), false).map_err(|problem| problem.status)
        };
        for (host, expected) in [
            ("wiki.example:8000", "http://wiki.example:8000/a?b=c"),
            ("[::1]", "http://[::1]/a?b=c"),
            ("[::1]:80", "http://[::1]:80/a?b=c"),
            ("wiki.example:", "http://wiki.example:/a?b=c"),
        ] {
            assert_eq!(url(Request::get("/a?b=c").header(HOST, host)).unwrap(), expected);
        }
        assert_eq!(url(Request::get("http://other.example/a")).unwrap(), "http://other.example/a");
        for host in
            ["", "a b", "a/b", "me@a", "me:pw@a", "@a", "a:b", "a:80x", "a:+80", "a:65536", ":80", "[::1]:x", "[::1"]
        {
            assert_eq!(url(Request::get("/").header(HOST, host)).unwrap_err(), StatusCode::BAD_REQUEST, "{host:?}");
            let both = Request::get("http://other.example/").header(HOST, host);
            assert_eq!(url(both).unwrap_err(), StatusCode::BAD_REQUEST, "{host:?}");
        }
        assert_eq!(url(Request::get("http://me@other.example/")).unwrap_err(), StatusCode::BAD_REQUEST);
        assert_eq!(url(Request::get("/")).unwrap_err(), StatusCode::BAD_REQUEST);
        assert_eq!(url(Request::get("/").version(Version::HTTP_10)).unwrap(), "http://127.0.0.1:8000/");
        for target in ["/", "http://a.example/"] {
            let two = Request::get(target).header(HOST, "a.example").header(HOST, "b.example");
            assert_eq!(url(two).unwrap_err(), StatusCode::BAD_REQUEST, "{target}");
        }
    }
}
