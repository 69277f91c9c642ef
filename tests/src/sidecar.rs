//! A Dapr sidecar with a broker behind it, as far as the wiki speaks with one. It breaks on demand.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{Client, EVENTS_TOKEN};

/// The name of the broker, as the wiki has it by default.
const PUBSUB: &str = "wasiki-pubsub";

/// An event that the sidecar has taken.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its topic.
    pub topic: String,
    /// The key by which the broker keeps events in order.
    pub key: String,
    /// The event.
    pub event: Value,
}

/// What is wrong with the sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It takes every event.
    Nothing,
    /// It answers with this status, and takes nothing.
    Answers(u16),
    /// It takes the event, and answers with this status all the same, every other time.
    TakesAndAnswers(u16),
    /// It takes every event but those of this key.
    Refuses(String),
}

/// A sidecar. Its broker delivers what it took when it is told to.
#[derive(Debug, Clone)]
pub struct Sidecar {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    token: String,
    requests: usize,
    published: Vec<Published>,
}

impl Sidecar {
    /// A sidecar that wants this token to be sent, or none if it is empty.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let state = State { fault: Fault::Nothing, token: token.to_owned(), requests: 0, published: Vec::new() };
        let sidecar = Self { address, state: Arc::new(Mutex::new(state)) };
        let shared = sidecar.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sidecar = shared.clone();
                let service = service_fn(move |request: http::Request<Incoming>| {
                    let sidecar = sidecar.clone();
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                        let status = sidecar.answer(&parts.uri, &parts.headers, &body);
                        let response = Response::builder().status(status).body(Full::<Bytes>::default());
                        Ok::<_, Infallible>(response.expect("a status alone is a response"))
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        sidecar
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is wrong with it from now on.
    pub fn breaks(&self, fault: Fault) {
        self.state().fault = fault;
    }

    /// What it has taken, in this order.
    pub fn published(&self) -> Vec<Published> {
        self.state().published.clone()
    }

    /// Delivers what it has taken from number `from` on to a consumer, as Dapr does: again until the consumer has it.
    ///
    /// # Panics
    /// When the consumer does not take an event at the third time.
    pub async fn deliver(&self, from: usize, wiki: &Client, consumer: &str) -> usize {
        let events = self.published().split_off(from);
        for published in &events {
            let deliver = || {
                wiki.post(&format!("/-/consumers/{consumer}"))
                    .header("dapr-api-token", EVENTS_TOKEN)
                    .body("application/cloudevents+json", published.event.to_string())
            };
            let mut status = 0;
            for _ in 0..3 {
                status = deliver().await.status();
                if status < 300 {
                    break;
                }
            }
            assert!(status < 300, "{consumer} answered {status} to {published:?}");
        }
        from + events.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status that Dapr answers with: 204 for what it has published.
    fn answer(&self, uri: &http::Uri, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let mut state = self.state();
        state.requests += 1;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !state.token.is_empty() && header("dapr-api-token") != state.token {
            return StatusCode::UNAUTHORIZED;
        }
        let segments: Vec<String> = uri.path().split('/').skip(1).map(crate::database::percent_decoded).collect();
        let ["v1.0", "publish", PUBSUB, topic] = *segments.iter().map(String::as_str).collect::<Vec<_>>() else {
            return StatusCode::NOT_FOUND;
        };
        let key = uri.query().and_then(|query| query.strip_prefix("metadata.partitionKey="));
        let event: Option<Value> = serde_json::from_slice(body).ok();
        let (Some(key), Some(event)) = (key.map(crate::database::percent_decoded), event) else {
            return StatusCode::BAD_REQUEST;
        };
        if header("content-type") != "application/cloudevents+json" {
            return StatusCode::BAD_REQUEST;
        }
        let published = Published { topic: topic.to_owned(), key, event };
        let status = match &state.fault {
            Fault::Answers(status) => Err(*status),
            Fault::TakesAndAnswers(status) if state.requests.is_multiple_of(2) => {
                let status = *status;
                state.published.push(published);
                return StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            }
            Fault::Refuses(key) if *key == published.key => Err(400),
            _ => Ok(()),
        };
        match status {
            Ok(()) => {
                state.published.push(published);
                StatusCode::NO_CONTENT
            }
            Err(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}
