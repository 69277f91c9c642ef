//! Listening, accepting, draining: HTTP/1.1 in, instances behind it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;

use crate::handler::{Handler, Peer};
use crate::metrics::Metrics;
use crate::transport::{Exchange, Transport, Unheard};

/// Time to let other work go on when a connection cannot be accepted, for example because all file descriptors are in
/// use: one that closes meanwhile makes room.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often that is logged.
const COMPLAINT: Duration = Duration::from_secs(5);

/// Connections that the kernel has completed when the service stops to accept are still taken within this.
const LAST_CALL: Duration = Duration::from_millis(100);

/// Connections made a moment before that are given this long to say something: who has just connected is about to ask.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// The most headers of a request, and bytes of its head, give or take what one read brings: what other servers commonly
/// take (nginx 4 x 8 KiB, Node.js 16 KiB, Apache 100 headers) and some more.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;

/// The whole answer to a client there is no connection for.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";

/// Serves until `stop` completes, goes on for the drain delay, then lets requests in flight finish, for at most the grace
/// period.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handler: Arc<Handler>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let limits = handler.limits.clone();
    let (unheard, mut heard) = mpsc::channel(1);
    let server = Server::new(handler, tls, unheard);
    {
        let stop = async {
            stop.await;
            server.handler.stopping.store(true, Ordering::Relaxed);
            tracing::info!("stopping: new requests are taken for another {:?}", limits.drain_delay);
            tokio::time::sleep(limits.drain_delay).await;
        };
        tokio::select! {
            () = server.accept(&listener) => {}
            () = stop => {}
        }
    }
    _ = tokio::time::timeout(LAST_CALL, async {
        // As long as there is one at once.
        while let Ok(Ok((stream, client))) = tokio::time::timeout(LAST_CALL / 10, listener.accept()).await {
            server.take(stream, client);
        }
    })
    .await;
    drop(listener);
    let Server { connections, unheard, .. } = server;
    drop(unheard);
    tracing::info!(connections = connections.count(), "stopping: requests in flight may finish");
    let finish = async {
        // Nothing is ever sent; it ends with the last connection that has not been heard of.
        _ = tokio::time::timeout(FIRST_WORD, heard.recv()).await;
        connections.shutdown().await;
    };
    tokio::time::timeout(limits.grace_period, finish)
        .await
        .with_context(|| format!("requests were still running after {:?} and were cut off", limits.grace_period))
}

struct Server {
    handler: Arc<Handler>,
    tls: Option<TlsAcceptor>,
    http: http1::Builder,
    connections: GracefulShutdown,
    unheard: Unheard,
    room: Arc<Semaphore>,
}

impl Server {
    fn new(handler: Arc<Handler>, tls: Option<TlsAcceptor>, unheard: Unheard) -> Self {
        let mut http = http1::Builder::new();
        // How long a head may take is the transport's business, which knows a waiting connection from a slow one.
        http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
        let room = Arc::new(Semaphore::new(handler.limits.max_connections as usize));
        Self { handler, tls, http, connections: GracefulShutdown::new(), unheard, room }
    }

    /// Takes connections, for ever.
    async fn accept(&self, listener: &TcpListener) {
        let mut told: Option<Instant> = None;
        loop {
            match listener.accept().await {
                Ok((stream, client)) => self.take(stream, client),
                Err(error) => {
                    if told.is_none_or(|told| told.elapsed() > COMPLAINT) {
                        tracing::warn!("cannot accept a connection: {error}");
                        told = Some(Instant::now());
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, client: SocketAddr) {
        let metrics = &self.handler.metrics;
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            metrics.connections_refused.inc();
            // If there is no room for it in the socket's buffer, there is none.
            _ = stream.try_write(FULL);
            return;
        };
        let open = Open::new(metrics.clone(), room);
        // A response goes out in one or two writes; waiting for more to send with them (Nagle) would only delay it. That
        // a socket refuses the option is no reason to refuse the client.
        _ = stream.set_nodelay(true);
        let conversation = Conversation {
            handler: self.handler.clone(),
            http: self.http.clone(),
            watcher: self.connections.watcher(),
            unheard: self.unheard.clone(),
        };
        let tls = self.tls.clone();
        tokio::spawn(async move {
            let ended = match tls {
                None => conversation.run(stream, Peer { address: client, secure: false }).await,
                Some(tls) => conversation.run_secure(&tls, stream, client).await,
            };
            if let Err(error) = ended {
                tracing::debug!(%client, "connection closed: {error}");
            }
            drop(open);
        });
    }
}

/// The requests and answers on one connection.
struct Conversation {
    handler: Arc<Handler>,
    http: http1::Builder,
    watcher: Watcher,
    unheard: Unheard,
}

type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Conversation {
    /// Until either side ends it.
    async fn run<S: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: S, peer: Peer) -> Ended {
        let Self { handler, http, watcher, unheard } = self;
        let exchange = Exchange::new();
        let transport = Transport::new(stream, unheard, exchange.clone(), handler.metrics.clone(), &handler.limits);
        let service = service_fn(move |request| {
            let (handler, exchange) = (handler.clone(), exchange.clone());
            async move { Ok::<_, Infallible>(handler.handle(request, peer, exchange).await) }
        });
        Ok(watcher.watch(http.serve_connection(TokioIo::new(transport), service)).await?)
    }

    /// The same, once the client has agreed on a key, for which it has the time of a request's head.
    async fn run_secure(self, tls: &TlsAcceptor, stream: TcpStream, client: SocketAddr) -> Ended {
        let limit = self.handler.limits.header_timeout;
        let stream = tokio::time::timeout(limit, tls.accept(stream)).await??;
        self.run(stream, Peer { address: client, secure: true }).await
    }
}

/// An open connection.
struct Open {
    metrics: Arc<Metrics>,
    _room: OwnedSemaphorePermit,
}

impl Open {
    fn new(metrics: Arc<Metrics>, room: OwnedSemaphorePermit) -> Self {
        metrics.connections.inc();
        Self { metrics, _room: room }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}
