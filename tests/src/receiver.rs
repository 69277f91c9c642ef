//! A server that others send requests to: it keeps them, and answers as a test says.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Received {
    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// A header.
    pub header: Option<(&'static str, &'static str)>,
    /// The body.
    pub body: &'static str,
    /// Time before the answer.
    pub pause: Duration,
}

impl Reply {
    /// An empty answer with this status, at once.
    pub const fn of(status: u16) -> Self {
        Self { status, header: None, body: "", pause: Duration::ZERO }
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    replies: VecDeque<Reply>,
    always: Option<Reply>,
}

/// A server on this machine. It answers 204, until told otherwise.
pub struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Receiver {
    /// One at a port of its own.
    ///
    /// # Panics
    /// When the machine has no port left.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&shared), request));
                    _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        };
        Self { url, state, task: tokio::spawn(serve).abort_handle() }
    }

    /// The address of `path` on it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Answers the next request this way; after several calls, those after it.
    pub fn reply(&self, reply: Reply) {
        self.lock().replies.push_back(reply);
    }

    /// Answers every request this way, from now on.
    pub fn always(&self, reply: Reply) {
        self.lock().always = Some(reply);
    }

    /// What it has received so far.
    pub fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let reply = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        state.received.push(Received { target, headers: head.headers, body });
        state.replies.pop_front().or(state.always).unwrap_or(Reply::of(204))
    };
    tokio::time::sleep(reply.pause).await;
    let mut response = hyper::Response::new(Full::new(Bytes::from_static(reply.body.as_bytes())));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    if let Some((name, value)) = reply.header {
        response.headers_mut().insert(name, ::http::HeaderValue::from_static(value));
    }
    Ok(response)
}
