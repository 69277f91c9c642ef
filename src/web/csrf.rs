//! Cross-site request forgery: refuses changes that another site makes a browser send.

use http::header::{CONTENT_TYPE, ORIGIN};
use http::uri::{Authority, Uri};
use http::{Method, StatusCode};

use crate::web::json::is_json;
use crate::web::problem::Problem;
use crate::web::request::{self, Request};

/// Where a request was made, from every browser since 2023 (W3C Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// 403 when another site makes a browser send a change. `has_session` is whether the request has a session's cookie.
///
/// A client that sends neither Sec-Fetch-Site nor Origin is not a browser, and has nothing that another site could use. A
/// form with a session's cookie and neither header is refused as well. (Another site's page cannot send anything else
/// without asking first: Fetch Standard, 4.10.)
pub fn check(request: &Request, has_session: bool) -> Result<(), Problem> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let allowed = match (header(SEC_FETCH_SITE), header(ORIGIN.as_str())) {
        // "none": the address bar or a bookmark.
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_own(origin, request),
        (None, None) => !is_form(request) || !has_session,
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
    *request.method() == Method::POST && !is_json(media_type)
}

/// Whether `origin` is the host that `request` was sent to, however it is written: upper or lower case, and with or without the
/// default port of the origin's scheme.
///
/// The scheme does not count: a proxy that ends TLS may not say so.
fn is_own(origin: &str, request: &Request) -> bool {
    let origin = origin.parse::<Uri>().ok();
    let Some((scheme, authority)) =
        origin.as_ref().and_then(|origin| Some((origin.scheme_str()?, origin.authority()?)))
    else {
        return false;
    };
    let own = request::own_host(request).and_then(|host| host.parse::<Authority>().ok());
    let default = if scheme == "https" { 443 } else { 80 };
    let parts =
        |authority: &Authority| (authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(default));
    own.is_some_and(|own| parts(&own) == parts(authority))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::request::tests::request;

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
            (&[("origin", "http://wiki.example"), ("host", "wiki.example:80")], true),
            (&[("origin", "http://wiki.example"), ("host", "Wiki.Example")], true),
            (&[("origin", "https://wiki.example"), ("host", "wiki.example:443")], true),
            (&[("origin", "https://wiki.example:443"), ("host", "wiki.example")], true),
            (&[("origin", "http://wiki.example:80"), ("host", "wiki.example:")], true),
            (&[("origin", "http://wiki.example"), ("host", "wiki.example:8000")], false),
            (&[("origin", "https://wiki.example"), ("host", "wiki.example:80")], false),
            (&[("origin", "http://evil"), ("host", "wiki")], false),
            (&[("origin", "null"), ("host", "wiki")], false),
            (&[("origin", "http://wiki")], false),
            (&[("origin", "http://wiki:8000"), ("spin-full-url", "http://wiki:8000/posts")], true),
            (&[("origin", "http://evil"), ("spin-full-url", "http://wiki:8000/posts")], false),
        ] {
            assert_eq!(check(&request(headers), false).is_ok(), allowed, "{headers:?}");
        }
    }

    #[test]
    fn a_form_with_a_session_says_where_it_comes_from() {
        let sent = |method: Method, headers: &[(&'static str, &str)]| {
            let mut request = request(headers);
            *request.method_mut() = method;
            check(&request, request.headers().contains_key("cookie")).is_ok()
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
}
