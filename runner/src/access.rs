//! One request from its head to the end of its answer: counted, and logged if that is wanted.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use tracing::Span;

use crate::instances::GuestBody;
use crate::metrics::Metrics;
use crate::transport::Exchange;

/// What is known of a request. Dropping it ends the request.
pub struct Record {
    metrics: Arc<Metrics>,
    exchange: Arc<Exchange>,
    begun: Instant,
    method: Method,
    /// The path without its query, which may hold what is nobody's business. Only for the log.
    path: Option<String>,
    client: SocketAddr,
    /// Who answers.
    pub answerer: Answerer,
    /// The answer's status. Until there is one it is 499: the client went away, as nginx writes it.
    pub status: StatusCode,
    sent: u64,
    /// What is logged meanwhile is logged as a part of this.
    pub span: Span,
}

/// Who answers a request; nobody at first.
#[derive(Default)]
pub struct Answerer {
    /// The component; empty if there is none.
    pub component: Arc<str>,
    /// The route that led there.
    pub route: Arc<str>,
}

/// The status of requests whose clients went away.
fn abandoned() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

impl Record {
    /// A request of which the head is here. `path` is given if it is to be logged.
    pub fn begin(
        metrics: Arc<Metrics>,
        exchange: Arc<Exchange>,
        method: Method,
        path: Option<String>,
        client: SocketAddr,
        span: Span,
    ) -> Self {
        exchange.begin();
        metrics.in_flight.inc();
        Self {
            metrics,
            exchange,
            begun: Instant::now(),
            method,
            path,
            client,
            answerer: Answerer::default(),
            status: abandoned(),
            sent: 0,
            span,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let time = self.begun.elapsed();
        self.exchange.end();
        self.metrics.in_flight.dec();
        let Answerer { component, route } = &self.answerer;
        self.metrics.request(component, route, &self.method, self.status, time);
        if let Some(path) = &self.path {
            let _entered = self.span.enter();
            tracing::info!(
                target: "access",
                method = self.method.as_str(),
                path,
                status = self.status.as_u16(),
                bytes = self.sent,
                ms = time.as_secs_f64() * 1000.0,
                client = %self.client,
                component = &**component,
                "request"
            );
        }
    }
}

/// A response's body, a guest's or the runner's own words, with the request it answers.
pub struct Reply {
    body: Either<GuestBody, Full<Bytes>>,
    record: Record,
}

impl Reply {
    /// `body` as the answer to what `record` is of.
    pub fn new(body: Either<GuestBody, Full<Bytes>>, record: Record) -> Self {
        Self { body, record }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self { body, record } = &mut *self;
        // The guest may still be at work, and what it logs belongs to this request.
        let _entered = record.span.enter();
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            record.sent += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
