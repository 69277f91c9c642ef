//! One request: found its component, put into the shape Spin promises a guest, answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tracing::Instrument as _;
use uuid::Uuid;
use wasmtime_wasi_http::Error;

use crate::instances::{Failure, GuestBody, Instances};
use crate::router::Router;

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A response's body: a guest's, or the runner's own words.
pub type Reply = Either<GuestBody, Full<Bytes>>;

/// Answers requests with the components of one application.
pub struct Handler {
    /// Which component answers a path.
    pub router: Router,
    /// The instances of each component, by its id.
    pub components: BTreeMap<String, Arc<Instances>>,
    /// The most bytes of a request's body.
    pub max_body: u64,
}

impl Handler {
    /// The response to `request`: a component's, or problem details (RFC 9457) that say why there is none.
    pub async fn handle(&self, request: Request<Incoming>, client: SocketAddr) -> Response<Reply> {
        let id = request_id(request.headers());
        // Whatever is logged meanwhile, by the guest too, says for which request.
        let span = tracing::info_span!("request", id);
        let (head, body) = request.into_parts();
        let body = Received::new(body);
        let whole = body.whole.clone();
        let request = Request::from_parts(head, body);
        let mut response = match self.forward(request, client, &id).instrument(span.clone()).await {
            Ok(response) => response.map(Either::Left),
            Err(problem) => {
                if problem.status.is_server_error() {
                    span.in_scope(|| tracing::error!(status = problem.status.as_u16(), "{}", problem.cause));
                }
                problem.response(&id)
            }
        };
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if !whole.load(Ordering::Relaxed) {
            // What is left of the request stands before the next one on this connection. The client must know that the
            // connection ends here, or its next request would meet a closed one (RFC 9112, 9.6).
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn forward(
        &self,
        mut request: Request<Received>,
        client: SocketAddr,
        id: &str,
    ) -> Result<Response<GuestBody>, Problem> {
        let url = full_url(&request)?;
        let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > self.max_body) {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body of a request may have at most {} bytes.", self.max_body),
            ));
        }
        let path = request.uri().path().to_owned();
        let route = self.router.find(&path);
        let route =
            route.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("No component answers {path}.")))?;
        // The router's components are this map's keys: `Handler` is made from one application.
        let instances = self.components.get(route.component_id()).ok_or_else(Problem::internal)?;

        let headers = request.headers_mut();
        remove_spin_headers(headers);
        headers.extend(route.headers());
        headers.insert(FULL_URL, url);
        if let Ok(client) = HeaderValue::try_from(client.to_string()) {
            headers.insert(CLIENT_ADDR, client);
        }
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        let limit = usize::try_from(self.max_body).unwrap_or(usize::MAX);
        let request = request.map(|body| Limited::new(body, limit).map_err(body_error).boxed_unsync());
        instances.handle(request).await.map_err(Problem::from)
    }
}

/// The URL the client asked for: what the Host header and the request line say (RFC 9112, 3.3).
fn full_url<B>(request: &Request<B>) -> Result<HeaderValue, Problem> {
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    let host = host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
    let host = host.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "The request needs a valid Host header."))?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    HeaderValue::try_from(format!("http://{host}{path}"))
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
    given.filter(fits).map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned)
}

/// A request's body that tells, after it was given away, whether all of it has been received.
struct Received {
    body: Incoming,
    whole: Arc<AtomicBool>,
}

impl Received {
    fn new(body: Incoming) -> Self {
        Self { whole: Arc::new(AtomicBool::new(body.is_end_stream())), body }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.whole.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn body_error(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<hyper::Error>() {
        Ok(error) => Error::Hyper(*error),
        Err(error) if error.is::<LengthLimitError>() => Error::HttpRequestBodySize(None),
        Err(error) => Error::InternalError(Some(error.to_string())),
    }
}

/// What a client is told when no component answered it.
struct Problem {
    status: StatusCode,
    detail: String,
    /// For the log only.
    cause: String,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), cause: String::new() }
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The request could not be answered.")
    }

    fn response(&self, id: &str) -> Response<Reply> {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "request_id": id,
        });
        let mut response = Response::new(Either::Right(Full::from(body.to_string())));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let problem = match failure {
            Failure::Overloaded => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Too many requests are running. Try again.")
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
        let url =
            |builder: http::request::Builder| full_url(&builder.body(()).unwrap()).map_err(|problem| problem.status);
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
