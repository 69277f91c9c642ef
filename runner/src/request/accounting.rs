//! What is recorded of every request: metrics and, if enabled, a line in the access log.

use std::sync::Arc;
use std::time::Instant;

use http::{Method, StatusCode};
use tracing::Span;

use super::access_log;
use crate::telemetry::metrics::Metrics;

/// Counts a request as in flight while it lives, and records it when it is dropped.
pub struct Accounting {
    metrics: Arc<Metrics>,
    started: Instant,
    method: Method,
    pub target: Target,
    /// 499 until there is a response: the client went away, in nginx's notation.
    pub status: StatusCode,
    /// Bytes of the response body.
    pub sent: u64,
    access_log: Option<access_log::Entry>,
    /// The span of the request. What is logged meanwhile belongs to it.
    pub span: Span,
}

/// The component that handles a request and the route that led to it. Both empty if no route matched.
#[derive(Default)]
pub struct Target {
    pub component: Arc<str>,
    pub route: Arc<str>,
}

impl Accounting {
    /// To be called once the head of a request has been received.
    pub fn start(metrics: Arc<Metrics>, method: Method, access_log: Option<access_log::Entry>, span: Span) -> Self {
        metrics.in_flight.inc();
        Self {
            metrics,
            started: Instant::now(),
            method,
            target: Target::default(),
            status: StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
            sent: 0,
            access_log,
            span,
        }
    }
}

impl Drop for Accounting {
    fn drop(&mut self) {
        let time = self.started.elapsed();
        self.metrics.in_flight.dec();
        let Target { component, route } = &self.target;
        self.metrics.request(component, route, &self.method, self.status, time);
        if let Some(entry) = &self.access_log {
            let _entered = self.span.enter();
            entry.write(&self.method, self.status, component, self.sent, time);
        }
    }
}
