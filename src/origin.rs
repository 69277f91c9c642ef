//! Where a request comes from: refuses what another site makes a browser send, and tells the wiki's own address.

use http::StatusCode;
use http::header::{HOST, ORIGIN};
use http::uri::{Scheme, Uri};

use crate::problem::Problem;
use crate::request::Request;

/// Says since 2023, in every browser, where a request was made (W3C Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The address a host was called at: Spin and wiki-runner both give it.
const FULL_URL: &str = "spin-full-url";

/// What a proxy in front says of the connection it took.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// 403 when a browser sends a change on behalf of another site (cross-site request forgery).
///
/// Whoever sends neither Sec-Fetch-Site nor Origin is no browser, and has nothing that another site could make use of.
pub fn check(request: &Request) -> Result<(), Problem> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let allowed = match (header(SEC_FETCH_SITE), header(ORIGIN.as_str())) {
        // "none": the person themselves, from the address bar or a bookmark.
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => host_of(origin).is_some_and(|host| Some(host.as_str()) == header(HOST.as_str())),
        (None, None) => true,
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

fn host_of(origin: &str) -> Option<String> {
    Some(origin.parse::<Uri>().ok()?.authority()?.to_string())
}

/// Scheme and host that `request` was sent to, as in `http://localhost:8000`: what a feed's addresses begin with.
pub fn base(request: &Request) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let full: Option<Uri> = header(FULL_URL).and_then(|url| url.parse().ok());
    let authority = full.as_ref().and_then(Uri::authority).map(ToString::to_string);
    let authority = header(HOST.as_str()).map(str::to_owned).or(authority).unwrap_or_else(|| "localhost".to_owned());
    let secure =
        header(FORWARDED_PROTO) == Some("https") || full.is_some_and(|url| url.scheme() == Some(&Scheme::HTTPS));
    format!("{}://{authority}", if secure { "https" } else { "http" })
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
        ] {
            assert_eq!(check(&request(headers)).is_ok(), allowed, "{headers:?}");
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
