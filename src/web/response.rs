//! Responses: JSON, HTML, problem details, redirects, and how long caches may keep them.
//!
//! Headers are set here and in [`headers`](crate::web::headers), and nowhere else.

use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::web::etag;
use crate::web::problem::Problem;
use crate::web::request::Request;

/// A response with its whole body.
pub type Response = http::Response<Vec<u8>>;

/// RFC 8259.
pub const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
/// RFC 7763.
pub const MARKDOWN: &str = "text/markdown; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// The text format Prometheus scrapes.
pub const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Atom (RFC 4287).
pub const ATOM: &str = "application/atom+xml; charset=utf-8";

/// iCalendar (RFC 5545).
pub const CALENDAR: &str = "text/calendar; charset=utf-8";

/// A page loads nothing from elsewhere but the images its authors chose, runs only the wiki's own scripts, and cannot be
/// framed by another site.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' http: https:; \
                                  frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `body` with `content_type` and a status.
pub fn bytes(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// `value` as JSON with status 200.
pub fn json(value: &impl Serialize) -> Response {
    json_with(StatusCode::OK, value)
}

fn json_with(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => bytes(status, JSON, body),
        // Only a type whose own `Serialize` fails gets here, and the wiki has none.
        Err(error) => problem(&Problem::internal(error)),
    }
}

/// 201: something new, with its address.
pub fn created(location: &str, value: &impl Serialize) -> Response {
    set(json_with(StatusCode::CREATED, value), LOCATION, location)
}

/// 204: done, without a body.
pub fn no_content() -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// 204 to OPTIONS: the methods of a resource.
pub fn allow(methods: &str) -> Response {
    set(no_content(), ALLOW, methods)
}

/// An HTML page with status 200.
pub fn html(body: String) -> Response {
    html_with(StatusCode::OK, body)
}

/// An HTML page with a status.
pub fn html_with(status: StatusCode, body: String) -> Response {
    set(bytes(status, HTML, body.into_bytes()), CONTENT_SECURITY_POLICY, CONTENT_POLICY)
}

/// An HTML document for a frame of a page: it runs the wiki's scripts, sets styles, and has no part in the wiki's origin.
pub fn html_in_sandbox(body: String) -> Response {
    let policy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                  frame-ancestors 'self'; sandbox allow-scripts";
    set(html(body), CONTENT_SECURITY_POLICY, policy)
}

/// An HTML page whose style sheet contains images as `data:` URLs.
pub fn html_with_drawings(body: String) -> Response {
    let policy = CONTENT_POLICY.replace("img-src 'self' http: https:", "img-src 'self' data:");
    set(html(body), CONTENT_SECURITY_POLICY, &policy)
}

/// `response`, whose body is compressed with gzip.
pub fn gzipped(response: Response) -> Response {
    set(varying_by_encoding(response), CONTENT_ENCODING, "gzip")
}

/// Tells caches that the response depends on which encodings the client takes.
pub fn varying_by_encoding(response: Response) -> Response {
    set(response, VARY, "Accept-Encoding")
}

/// 302: at `location` now, and perhaps elsewhere later.
pub fn found(location: &str) -> Response {
    redirect(StatusCode::FOUND, location)
}

/// 303: the form was accepted, and the result is at `location`.
pub fn see_other(location: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, location)
}

fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    // A client may send what is not ASCII as it is, and an address that goes back to it must be a valid one.
    set(response, LOCATION, &utf8_percent_encode(location, CONTROLS).to_string())
}

/// `response` with a cookie.
pub fn with_cookie(response: Response, cookie: &str) -> Response {
    set(response, SET_COOKIE, cookie)
}

/// `response` with a cookie beside those that it has.
pub fn with_another_cookie(mut response: Response, cookie: &str) -> Response {
    // Made by this crate, as in `set`.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// Lets caches keep the response for a year without asking: its URL changes with its content.
pub fn immutable(response: Response) -> Response {
    set(response, CACHE_CONTROL, "public, max-age=31536000, immutable")
}

/// Tells caches that the response depends on what the client accepts.
pub fn negotiated(response: Response) -> Response {
    set(response, VARY, "Accept")
}

/// Tells caches to keep nothing.
pub fn no_store(response: Response) -> Response {
    set(response, CACHE_CONTROL, "no-store")
}

/// For a response that shows a secret: caches keep nothing of it, and nobody compresses it on its way. The length of what is
/// compressed along with a secret tells something of it to whoever watches the connection.
pub fn secret(response: Response) -> Response {
    set(response, CACHE_CONTROL, "no-store, no-transform")
}

/// The head of a file's response, or of a part of it. The body is sent part by part.
pub fn file(file: &FileHead, part: Option<(u64, u64)>) -> Response {
    let mut response = Response::new(Vec::new());
    let (from, to) = part.unwrap_or((0, file.size));
    if part.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response = set(response, CONTENT_RANGE, &format!("bytes {from}-{}/{}", to.saturating_sub(1), file.size));
    }
    response.headers_mut().insert(CONTENT_LENGTH, (to - from).into());
    response = set(response, CONTENT_TYPE, &file.content_type);
    response = set(response, CONTENT_SECURITY_POLICY, file.policy);
    kept(set(response, CONTENT_DISPOSITION, &file.disposition), file)
}

/// 304: the client has the file.
pub fn file_not_modified(file: &FileHead) -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    kept(response, file)
}

/// 416: the file has no such part.
pub fn range_not_satisfiable(file: &FileHead) -> Response {
    let detail = format!("The file has {} bytes: there is no such part of it.", file.size);
    let response = problem(&Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, detail));
    set(response, CONTENT_RANGE, &format!("bytes */{}", file.size))
}

fn kept(response: Response, file: &FileHead) -> Response {
    let response = set(set(response, ETAG, &file.etag), CACHE_CONTROL, file.cache_control);
    set(response, ACCEPT_RANGES, "bytes")
}

/// What the head of a file's response says.
#[derive(Debug)]
pub struct FileHead {
    /// Its bytes in all.
    pub size: u64,
    /// Its media type.
    pub content_type: String,
    /// The value of Content-Disposition.
    pub disposition: String,
    /// The Content-Security-Policy.
    pub policy: &'static str,
    /// Its strong entity tag, with quotes.
    pub etag: String,
    /// How long caches keep it.
    pub cache_control: &'static str,
}

/// `response` with the entity tag of the version it shows.
pub fn tagged(response: Response, etag: &str) -> Response {
    // A copy may be kept, but whether it is still current must be asked: pages change at any time.
    set(set(response, ETAG, etag), CACHE_CONTROL, "no-cache")
}

/// `response`, tagged, or 304 when the client has this version already.
pub fn unless_known(request: &Request, etag: &str, response: impl FnOnce() -> Response) -> Response {
    if etag::none_match_names(request.headers(), etag) {
        let mut not_modified = Response::new(Vec::new());
        *not_modified.status_mut() = StatusCode::NOT_MODIFIED;
        return tagged(not_modified, etag);
    }
    tagged(response(), etag)
}

/// `response` with an entity tag of its content, for what has no version, such as a list.
pub fn tagged_by_content(request: &Request, response: Response) -> Response {
    let tag = etag::of_content(response.body());
    unless_known(request, &tag, || response)
}

/// A problem as RFC 9457 writes it.
pub fn problem(problem: &Problem) -> Response {
    let mut members = Map::new();
    members.insert("type".into(), json!("about:blank"));
    members.insert("title".into(), json!(problem.status.canonical_reason().unwrap_or("Error")));
    members.insert("status".into(), json!(problem.status.as_u16()));
    members.insert("detail".into(), json!(problem.detail));
    if !problem.errors.is_empty() {
        members.insert("errors".into(), json!(problem.errors));
    }
    members.extend(problem.extra.clone());
    let body = Value::Object(members).to_string().into_bytes();
    with_hints(problem, bytes(problem.status, PROBLEM, body))
}

/// `response` with headers that say what a client can do about `problem`.
pub fn with_hints(problem: &Problem, response: Response) -> Response {
    let mut response = no_store(response);
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if let Some(challenge) = problem.challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    match &problem.allow {
        Some(methods) => set(response, ALLOW, methods),
        None => response,
    }
}

/// The response to `method`: for HEAD, what GET would send, without the body.
pub fn for_method(method: &Method, mut response: Response) -> Response {
    if method == Method::HEAD {
        let length = response.body().len();
        // A body that is sent part by part has its length already.
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
        response.body_mut().clear();
        response.extensions_mut().clear();
    }
    response
}

fn set(mut response: Response, name: HeaderName, value: &str) -> Response {
    // Values are made by this crate from numbers and percent-encoded text, so they always are valid.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let response = problem(&Problem::invalid_field("name", "must not be blank").with("version", 3));
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "about:blank",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "name: must not be blank.",
                "errors": [{"field": "name", "message": "must not be blank"}],
                "version": 3,
            })
        );
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        let mut request = Request::default();
        request.headers_mut().insert(http::header::IF_NONE_MATCH, "\"7\"".parse().unwrap());
        assert_eq!(unless_known(&request, "\"7\"", || json(&1)).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(unless_known(&request, "\"8\"", || json(&1)).status(), StatusCode::OK);
    }

    #[test]
    fn head_keeps_the_length_and_drops_the_body() {
        let response = for_method(&Method::HEAD, json(&"four"));
        assert_eq!((response.headers()[CONTENT_LENGTH].as_bytes(), response.body().len()), (&b"6"[..], 0));
    }
}
