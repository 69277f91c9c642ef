//! Errors as clients see them: problem details (RFC 9457).

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::request_body::Unreceived;
use crate::guest::Failure;

/// Keeps caches from keeping the response, and browsers from treating it as anything but text.
const HEADERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "same-origin"),
];

/// The problem details of an error that its status describes sufficiently.
pub fn details(status: StatusCode, detail: &str) -> serde_json::Value {
    serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    })
}

/// Why the runner responds itself instead of a component.
pub struct Problem {
    pub status: StatusCode,
    detail: String,
    /// Seconds after which the client should try again.
    retry_after: Option<u64>,
    /// For the log only.
    pub cause: String,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None, cause: String::new() }
    }

    pub fn body_too_large(limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request body may have at most {limit} bytes."))
    }

    pub fn body_timeout() -> Self {
        let detail = "The rest of the request body did not arrive in time. Send it without long pauses.";
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
    }

    pub fn rate_limited(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let detail = format!("Too many changes from your address. Try again in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    pub fn overloaded() -> Self {
        let detail = "Too many requests are running. Try again.";
        let cause = "too many requests are running".into();
        Self { retry_after: Some(1), cause, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// The runner has no memory for the request, or the request was too slow while there was little.
    fn out_of_memory(cause: String) -> Self {
        let detail = "There is no memory for the request at the moment. Try again.";
        Self { retry_after: Some(1), cause, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub fn misdirected(host: &str) -> Self {
        let detail = format!("This server does not answer for {host}. If it should, add that to RUNNER_HOSTS.");
        Self::new(StatusCode::MISDIRECTED_REQUEST, detail)
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The request could not be answered.")
    }

    pub fn response(&self, request_id: &str) -> Response<Full<Bytes>> {
        let mut body = details(self.status, &self.detail);
        body["request_id"] = request_id.into();
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Unreceived> for Problem {
    fn from(unreceived: Unreceived) -> Self {
        match unreceived {
            Unreceived::Full(full) => Self::out_of_memory(full.to_string()),
            Unreceived::Failed => {
                Self::new(StatusCode::BAD_REQUEST, "The request body is malformed, or ended before it was complete.")
            }
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let problem = match failure {
            Failure::TimedOut(_) => Self::new(StatusCode::GATEWAY_TIMEOUT, "The request took too long."),
            Failure::OutOfMemory(_) => return Self::out_of_memory(failure.to_string()),
            Failure::Failed(_) | Failure::NoResponse(_) => Self::internal(),
        };
        Self { cause: failure.to_string(), ..problem }
    }
}
