//! The connections of clients. Each passes through these layers, from the socket up:
//!
//! 1. the limits of open connections, with a response of 503 beyond them ([`super::connection_limit`])
//! 2. TLS, if a certificate is configured ([`super::tls`])
//! 3. byte counts and timeouts ([`super::timed_stream`])
//! 4. HTTP/1.1, with limits for the head of a request (hyper)
//! 5. the state of the connection, which tells layer 3 which timeout applies ([`ConnectionState`])
//! 6. the request itself ([`Handler`])

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::connection_limit::{ConnectionLimit, Place};
use super::timed_stream::{AwaitingFirstByte, ConnectionState, TimedStream};
use crate::request::{Handler, Peer};
use crate::telemetry::metrics::Metrics;

/// Limits for the head of a request: bytes, give or take what one read brings, and headers. The common limits of other servers
/// (Node.js 16 KiB, Apache 8 KiB a line and 100 headers). Each connection may have as much, and what the connections of a
/// container take follows from it (`Limits::max_connections`).
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 100;

/// The response beyond the limits of open connections.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";

/// Bytes of responses that the kernel keeps for a connection before it sends them. Otherwise it keeps megabytes for a client
/// that does not read, which are part of the container's memory and nowhere counted. What is on its way is not limited, and so
/// neither is the speed.
#[cfg(target_os = "linux")]
const MAX_UNSENT: u32 = 64 << 10;

/// Serve the client even if the socket refuses the option.
#[cfg(target_os = "linux")]
fn limit_unsent(stream: &TcpStream) {
    _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT);
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent(_: &TcpStream) {}

/// All connections of a server.
pub struct Connections {
    handler: Arc<Handler>,
    tls: Option<TlsAcceptor>,
    http: http1::Builder,
    shutdown: GracefulShutdown,
    awaiting_first_byte: AwaitingFirstByte,
    limit: Arc<ConnectionLimit>,
}

impl Connections {
    pub fn new(handler: Arc<Handler>, tls: Option<TlsAcceptor>, awaiting_first_byte: AwaitingFirstByte) -> Self {
        let mut http = http1::Builder::new();
        // hyper's timeout for the head also runs on an idle connection. `TimedStream` has two separate timeouts.
        http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
        let limit = ConnectionLimit::new(&handler.limits, &handler.trusted_proxies);
        Self { handler, tls, http, shutdown: GracefulShutdown::new(), awaiting_first_byte, limit }
    }

    /// Serves a new connection in a task of its own.
    pub fn open(&self, stream: TcpStream, client: SocketAddr) {
        let metrics = &self.handler.metrics;
        let Some(place) = self.limit.place(client) else {
            metrics.connections_refused.inc();
            // A new socket has an empty send buffer: if this fails, the client is gone.
            _ = stream.try_write(REFUSAL);
            return;
        };
        let open = OpenConnection::new(metrics.clone(), place);
        // Unknown only if the client is gone already.
        let local = stream.local_addr().unwrap_or(client);
        // A response takes one or two writes, which Nagle's algorithm would only delay. Serve the client even if the socket
        // refuses the option.
        _ = stream.set_nodelay(true);
        limit_unsent(&stream);
        let connection = Connection {
            handler: self.handler.clone(),
            http: self.http.clone(),
            watcher: self.shutdown.watcher(),
            awaiting_first_byte: self.awaiting_first_byte.clone(),
            limit: self.limit.clone(),
        };
        let tls = self.tls.clone();
        tokio::spawn(async move {
            let result = match tls {
                None => connection.serve(stream, Peer { address: client, local, secure: false }).await,
                Some(tls) => connection.serve_tls(&tls, stream, Peer { address: client, local, secure: true }).await,
            };
            if let Err(error) = result {
                tracing::debug!(%client, "connection closed: {error}");
            }
            drop(open);
        });
    }

    /// Stops opening connections. The result closes those that are open once their requests have finished.
    pub fn into_shutdown(self) -> GracefulShutdown {
        self.shutdown
    }
}

struct Connection {
    handler: Arc<Handler>,
    http: http1::Builder,
    watcher: Watcher,
    awaiting_first_byte: AwaitingFirstByte,
    limit: Arc<ConnectionLimit>,
}

type ServeResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Connection {
    /// Serves requests until either side closes the connection.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: S, peer: Peer) -> ServeResult {
        let Self { handler, http, watcher, awaiting_first_byte, limit } = self;
        let state = ConnectionState::new();
        let metrics = handler.metrics.clone();
        let stream = TimedStream::new(stream, state.clone(), awaiting_first_byte, metrics, limit, &handler.limits);
        let service = service_fn(move |request| {
            let handler = handler.clone();
            let guard = state.start_request();
            async move { Ok::<_, Infallible>(handler.handle(request, peer, guard).await) }
        });
        Ok(watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await?)
    }

    /// As `serve`, after a TLS handshake. The timeout for the head of a request also applies to the handshake.
    async fn serve_tls(self, tls: &TlsAcceptor, stream: TcpStream, peer: Peer) -> ServeResult {
        let limit = self.handler.limits.header_timeout;
        let stream = tokio::time::timeout(limit, tls.accept(stream)).await??;
        self.serve(stream, peer).await
    }
}

/// Counts a connection as open while it lives.
struct OpenConnection {
    metrics: Arc<Metrics>,
    _place: Place,
}

impl OpenConnection {
    fn new(metrics: Arc<Metrics>, place: Place) -> Self {
        metrics.connections.inc();
        Self { metrics, _place: place }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}
