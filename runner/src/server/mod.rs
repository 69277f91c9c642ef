//! The application's server: accepts connections of clients, and drains them when it stops.

pub mod accept;
mod connection;
mod connection_limit;
mod timed_stream;
pub mod tls;

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use self::connection::Connections;
use crate::request::Handler;

/// Time limit for accepting the connections that are in the listen backlog when the server stops.
const BACKLOG_TIMEOUT: Duration = Duration::from_millis(100);

/// Time for which the server, when it stops, waits for the first byte on connections that are still silent: a client that
/// has just connected is about to send a request.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until `stop` completes and for the drain delay after that. Then requests in flight may finish within the grace
/// period, and so may `others`, which are the runner's own.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handler: Arc<Handler>,
    stop: impl Future<Output = ()>,
    others: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let limits = handler.limits.clone();
    let (awaiting_first_byte, mut first_bytes) = mpsc::channel(1);
    let connections = Connections::new(handler.clone(), tls, awaiting_first_byte);
    let stop = async {
        stop.await;
        handler.draining.store(true, Ordering::Relaxed);
        tracing::info!("stopping: new requests are accepted for another {:?}", limits.drain_delay);
        tokio::time::sleep(limits.drain_delay).await;
    };
    let open = |stream, client| {
        connections.open(stream, client);
        ready(())
    };
    tokio::select! {
        () = accept::accept(&listener, open) => {}
        () = stop => {}
    }
    accept_backlog(&listener, &connections).await;
    drop(listener);

    let shutdown = connections.into_shutdown();
    tracing::info!(connections = shutdown.count(), "stopping: requests in flight may finish");
    let finish = async {
        // Nothing is ever sent. The channel closes with the last silent connection.
        _ = tokio::time::timeout(FIRST_BYTE_TIMEOUT, first_bytes.recv()).await;
        shutdown.shutdown().await;
        others.await;
    };
    tokio::time::timeout(limits.grace_period, finish)
        .await
        .with_context(|| format!("requests were still running after {:?} and were aborted", limits.grace_period))
}

/// Accepts the connections that the kernel has completed: their clients may have sent requests already.
async fn accept_backlog(listener: &TcpListener, connections: &Connections) {
    _ = tokio::time::timeout(BACKLOG_TIMEOUT, async {
        while let Ok(Ok((stream, client))) = tokio::time::timeout(BACKLOG_TIMEOUT / 10, listener.accept()).await {
            connections.open(stream, client);
        }
    })
    .await;
}
