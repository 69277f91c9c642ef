//! The access log: a line for each request, written when its response is complete.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};

pub struct Entry {
    /// Without the query, which may contain private data.
    pub path: String,
    pub client: SocketAddr,
}

impl Entry {
    pub fn write(&self, method: &Method, status: StatusCode, component: &str, bytes: u64, time: Duration) {
        tracing::info!(
            target: "access",
            method = method.as_str(),
            path = self.path,
            status = status.as_u16(),
            bytes,
            ms = time.as_secs_f64() * 1000.0,
            client = %self.client,
            component,
            "request"
        );
    }
}
