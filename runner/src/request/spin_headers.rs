//! The headers that Spin promises a guest.

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};

use super::problem::Problem;

pub const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
pub const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// The URL that the client requested, from the request line and the Host header (RFC 9112, 3.3).
pub fn full_url<B>(request: &Request<B>, secure: bool) -> Result<HeaderValue, Problem> {
    if request.headers().get_all(HOST).iter().count() > 1 {
        // Guest and proxy could each believe another one (RFC 9112, 3.2).
        return Err(Problem::new(StatusCode::BAD_REQUEST, "The request has more than one Host header."));
    }
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    let host = host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
    let host = host.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "The request needs a valid Host header."))?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
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
        let url = |builder: http::request::Builder| {
            full_url(&builder.body(()).unwrap(), false).map_err(|problem| problem.status)
        };
        assert_eq!(
            url(Request::get("/a?b=c").header(HOST, "wiki.example:8000")).unwrap(),
            "http://wiki.example:8000/a?b=c"
        );
        assert_eq!(url(Request::get("http://other.example/a")).unwrap(), "http://other.example/a");
        for host in ["", "a b", "a/b"] {
            assert_eq!(url(Request::get("/").header(HOST, host)).unwrap_err(), StatusCode::BAD_REQUEST, "{host:?}");
        }
        assert_eq!(url(Request::get("/")).unwrap_err(), StatusCode::BAD_REQUEST);
        for target in ["/", "http://a.example/"] {
            let two = Request::get(target).header(HOST, "a.example").header(HOST, "b.example");
            assert_eq!(url(two).unwrap_err(), StatusCode::BAD_REQUEST, "{target}");
        }
    }
}
