//! Security headers on every response, and whether caches may keep it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use crate::web::response::Response;

/// For responses that are not pages: they load nothing and are never framed.
const NOTHING_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Two years, as the browsers' preload lists ask for (RFC 6797; hstspreload.org).
const TLS_ONLY: &str = "max-age=63072000; includeSubDomains";

/// What the security headers depend on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience {
    /// Whether the client's connection is by TLS.
    pub secure: bool,
    /// Whether the response was made for one person.
    pub personal: bool,
    /// Whether only signed-in people may read it at all.
    pub confidential: bool,
}

/// `response` with the security headers, and with `Cache-Control`.
pub fn secured(mut response: Response, audience: Audience) -> Response {
    let is_not_modified = response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !is_not_modified {
        // A browser would apply the policy of a 304 to its copy of a page.
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING_POLICY));
    }
    // Other sites learn that a reader came from this wiki, but not from which page.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if audience.secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_ONLY));
    }
    let kept = match headers.get(CACHE_CONTROL) {
        // A cache may keep what does not say how long: a page that is not found, for hours.
        None => Some("no-store"),
        // Only the person's own browser may keep it; of a private wiki, not even that.
        Some(value) if value == "no-cache" && audience.personal => {
            Some(if audience.confidential { "no-store" } else { "private, no-cache" })
        }
        Some(_) => None,
    };
    if let Some(kept) = kept {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    }
    response
}
