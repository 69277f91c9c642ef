//! What identifies a request in logs and traces: its id and its trace context.

use http::{HeaderMap, HeaderName, request};
use tracing::{Span, field};

use crate::telemetry::trace::{self, TraceContext};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub struct Identity {
    pub id: String,
    pub trace: TraceContext,
    /// Whether the trace is the client's.
    pub is_joined: bool,
    /// The span for everything that happens because of the request.
    pub span: Span,
}

impl Identity {
    /// The identity that the client gave the request, or a new one.
    pub fn of(head: &request::Parts) -> Self {
        let id = request_id(&head.headers);
        let parent = TraceContext::of(&head.headers);
        let span = tracing::info_span!(
            target: trace::TARGET, "request", id,
            otel.name = field::Empty, otel.kind = field::Empty, url.path = field::Empty
        );
        let exported = export(&span, parent, head);
        let trace = exported.unwrap_or_else(|| parent.map_or_else(TraceContext::new, TraceContext::child));
        Self { id, trace, is_joined: parent.is_some(), span }
    }
}

/// Prepares `span` for the collector of traces, if there is one.
#[cfg(feature = "otlp")]
fn export(span: &Span, parent: Option<TraceContext>, head: &request::Parts) -> Option<TraceContext> {
    let trace = crate::telemetry::otlp::join(span, parent)?;
    span.record("otel.name", head.method.as_str());
    span.record("otel.kind", "server");
    span.record("url.path", head.uri.path());
    Some(trace)
}

#[cfg(not(feature = "otlp"))]
fn export(_: &Span, _: Option<TraceContext>, _: &request::Parts) -> Option<TraceContext> {
    None
}

/// The client's id for the request, if it is well formed, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let fits = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    // It need not be unpredictable, which would cost a system call.
    given.filter(fits).map_or_else(|| format!("{:032x}", fastrand::u128(..)), str::to_owned)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_id_is_kept_only_if_it_is_one() {
        let id =
            |value: &[u8]| request_id(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(value).unwrap())]));
        assert_eq!(id(b"abc-123_x.y"), "abc-123_x.y");
        for bad in [&b""[..], b"a b", b"a\"b", b"\xff", &[b'a'; 129]] {
            assert_eq!(id(bad).len(), 32);
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
