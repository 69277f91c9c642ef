//! One request: found its component, put into the shape Spin promises a guest, answered.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, RETRY_AFTER,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Empty, Full};
use hyper::body::Incoming;
use tracing::{Instrument as _, Span, field};
use wasmtime_wasi_http::WasiBody;

use crate::access::{Answerer, Record, Reply};
use crate::clients::Clients;
use crate::instances::{Failure, GuestBody, Instances};
use crate::metrics::Metrics;
use crate::received::{self, Fate, Received};
use crate::router::Router;
use crate::settings::Limits;
use crate::slots::{Slot, Slots};
use crate::trace::{self, TRACEPARENT, TRACESTATE, TraceContext};
use crate::transport::Exchange;

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers requests with the components of one application.
pub struct Handler {
    /// Which component answers a path.
    pub router: Router,
    /// The instances of each component, by its id.
    pub components: BTreeMap<Arc<str>, Arc<Instances>>,
    /// Requests that may run at once, over all components.
    pub slots: Arc<Slots>,
    /// Who clients are, and what they may do.
    pub clients: Clients,
    /// What a request may use.
    pub limits: Limits,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Whether each request is logged.
    pub access_log: bool,
    /// Whether the service is about to end: clients are asked to take their further requests elsewhere.
    pub stopping: AtomicBool,
}

/// Whom a connection is to.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// Whether nobody between can read along.
    pub secure: bool,
}

/// What identifies a request in logs and traces, here and elsewhere.
struct Identity {
    id: String,
    trace: TraceContext,
    /// Whether the trace is the client's.
    is_joined: bool,
}

impl Handler {
    /// The response to `request`: a component's, or problem details (RFC 9457) that say why there is none.
    pub async fn handle(&self, request: Request<Incoming>, peer: Peer, exchange: Arc<Exchange>) -> Response<Reply> {
        let (head, body) = request.into_parts();
        let peer = Peer { address: self.clients.address(peer.address, &head.headers), ..peer };
        let (identity, span) = identify(&head);
        let path = self.access_log.then(|| head.uri.path().to_owned());
        let (metrics, method) = (self.metrics.clone(), head.method.clone());
        let mut record = Record::begin(metrics, exchange, method, path, peer.address, span.clone());

        // Two ways to say where a body ends are how requests are smuggled (RFC 9112, 11.2); what follows one that is
        // framed in the way that wins is not read.
        let mut last = head.headers.contains_key(TRANSFER_ENCODING);
        let body = Received::new(body, &self.limits);
        let outcome = body.outcome();
        let allowed = self.clients.check(&head.method, peer.address.ip());
        let request = Request::from_parts(head, body.boxed_unsync());
        let answer = match allowed {
            Ok(()) => {
                let slot = self.slots.take();
                self.forward(request, peer, &identity, &mut record.answerer, slot).instrument(span.clone()).await
            }
            Err(wait) => {
                self.metrics.rate_limited.inc();
                Err(Problem::too_many(wait))
            }
        };
        let answer = match outcome.fate() {
            Fate::TooLarge => Err(self.too_large()),
            Fate::TooSlow => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "The rest of the request's body did not come. Send it without long pauses.",
            )),
            Fate::Whole | Fate::Unfinished => answer,
        };
        // What is left of the request stands before the next one on this connection.
        last |= outcome.fate() != Fate::Whole || self.stopping.load(Ordering::Relaxed);
        let (mut head, body) = match answer {
            Ok(response) => {
                let (head, body) = response.into_parts();
                (head, Either::Left(body))
            }
            Err(problem) => {
                if problem.status.is_server_error() {
                    span.in_scope(|| tracing::error!(status = problem.status.as_u16(), "{}", problem.cause));
                }
                let (head, body) = problem.response(&identity.id).into_parts();
                (head, Either::Right(body))
            }
        };
        if let Ok(id) = HeaderValue::try_from(identity.id) {
            head.headers.insert(REQUEST_ID, id);
        }
        if last {
            // The client must know, or its next request would meet a closed connection (RFC 9112, 9.6).
            head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        record.status = head.status;
        Response::from_parts(head, Reply::new(body, record))
    }

    /// The status the application answers a `GET` of `path` with, asked by the runner itself.
    pub async fn ask(&self, path: &str) -> StatusCode {
        let request = Request::get(path).header(HOST, "localhost").body(empty());
        let Ok(request) = request else { return StatusCode::BAD_REQUEST };
        let (head, body) = request.into_parts();
        let (identity, span) = identify(&head);
        let peer = Peer { address: (Ipv4Addr::LOCALHOST, 0).into(), secure: false };
        let request = Request::from_parts(head, body);
        let (mut answerer, slot) = (Answerer::default(), self.slots.take_reserved());
        match self.forward(request, peer, &identity, &mut answerer, slot).instrument(span).await {
            Ok(response) => response.status(),
            Err(problem) => problem.status,
        }
    }

    async fn forward(
        &self,
        mut request: Request<WasiBody>,
        peer: Peer,
        identity: &Identity,
        answerer: &mut Answerer,
        slot: impl Future<Output = Option<Slot>>,
    ) -> Result<Response<GuestBody>, Problem> {
        let url = full_url(&request, peer.secure)?;
        let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > self.limits.max_body.as_u64()) {
            return Err(self.too_large());
        }
        let path = request.uri().path().to_owned();
        let found = self.router.find(&path);
        let found =
            found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("No component answers {path}.")))?;
        *answerer = Answerer { component: found.component_id().clone(), route: found.route().clone() };
        // The router's components are this map's keys: `Handler` is made from one application.
        let instances = self.components.get(found.component_id()).ok_or_else(Problem::internal)?;

        let headers = request.headers_mut();
        remove_spin_headers(headers);
        if !identity.is_joined {
            // What vendors add to a trace is nothing without it.
            headers.remove(TRACESTATE);
        }
        headers.extend(found.headers());
        headers.insert(FULL_URL, url);
        for (name, value) in [
            (CLIENT_ADDR, HeaderValue::try_from(peer.address.to_string()).ok()),
            (REQUEST_ID, HeaderValue::try_from(&identity.id).ok()),
            (TRACEPARENT, identity.trace.header()),
        ] {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, received::ahead(body).await);
        let slot = slot.await.ok_or(Failure::Overloaded)?;
        Ok(instances.handle(request, peer.secure, slot).await?)
    }

    fn too_large(&self) -> Problem {
        let most = self.limits.max_body.as_u64();
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body of a request may have at most {most} bytes."))
    }
}

fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// The request's id and trace, those of the client if it gave some, and the span for what happens because of it.
fn identify(head: &http::request::Parts) -> (Identity, Span) {
    let id = request_id(&head.headers);
    let given = TraceContext::of(&head.headers);
    let is_joined = given.is_some();
    let span = tracing::info_span!(
        target: trace::TARGET, "request", id,
        otel.name = field::Empty, otel.kind = field::Empty, url.path = field::Empty
    );
    #[cfg(feature = "otlp")]
    if let Some(trace) = crate::otlp::join(&span, given) {
        span.record("otel.name", head.method.as_str());
        span.record("otel.kind", "server");
        span.record("url.path", head.uri.path());
        return (Identity { id, trace, is_joined }, span);
    }
    let trace = given.map_or_else(TraceContext::new, TraceContext::child);
    (Identity { id, trace, is_joined }, span)
}

/// The URL the client asked for: what the Host header and the request line say (RFC 9112, 3.3).
fn full_url<B>(request: &Request<B>, secure: bool) -> Result<HeaderValue, Problem> {
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    let host = host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
    let host = host.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "The request needs a valid Host header."))?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let scheme = if secure { "https" } else { "http" };
    HeaderValue::try_from(format!("{scheme}://{host}{path}"))
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The request's path is not valid."))
}

/// A client must not be able to say what only the host knows.
fn remove_spin_headers(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with("spin-")).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
}

/// The client's id for this request, if it is one, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let fits = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    // It only tells requests apart; a source of unpredictable numbers would cost a call of the kernel.
    given.filter(fits).map_or_else(|| format!("{:032x}", fastrand::u128(..)), str::to_owned)
}

/// What keeps browsers from making anything of such an answer but text.
const GUARDS: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "same-origin"),
];

/// Problem details (RFC 9457) of a kind that the status alone says.
pub fn details(status: StatusCode, detail: &str) -> serde_json::Value {
    serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    })
}

/// What a client is told when no component answered it.
struct Problem {
    status: StatusCode,
    detail: String,
    /// Seconds after which it makes sense to try again.
    retry_after: Option<u64>,
    /// For the log only.
    cause: String,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None, cause: String::new() }
    }

    fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let detail = format!("Too many changes come from your address. Try again in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The request could not be answered.")
    }

    fn response(&self, id: &str) -> Response<Full<Bytes>> {
        let mut body = details(self.status, &self.detail);
        body["request_id"] = id.into();
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in GUARDS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let problem = match failure {
            Failure::Overloaded => {
                let busy = "Too many requests are running. Try again.";
                Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, busy) }
            }
            Failure::TimedOut(_) => Self::new(StatusCode::GATEWAY_TIMEOUT, "The request took longer than it may."),
            Failure::Failed(_) | Failure::NoResponse(_) => Self::internal(),
        };
        Self { cause: failure.to_string(), ..problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_forge_what_the_host_says() {
        let mut headers = HeaderMap::new();
        for name in ["spin-client-addr", "spin-anything", "x-spin", "host"] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("a"));
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("b"));
        }
        remove_spin_headers(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["host", "x-spin"]);
    }

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
    }
}
