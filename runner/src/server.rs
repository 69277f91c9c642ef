//! Listening, accepting, draining: HTTP/1.1 in, instances behind it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::handler::Handler;
use crate::settings::Limits;

/// Time to let other work go on when a connection cannot be accepted, for example because all file descriptors are in
/// use: one that closes meanwhile makes room.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` completes, then lets requests in flight finish, for at most the grace period.
pub async fn serve(
    listener: TcpListener,
    handler: Arc<Handler>,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // A response goes out in one or two writes; waiting for more to send with them (Nagle) would only delay it. That
        // a socket refuses the option is no reason to refuse the client.
        _ = stream.set_nodelay(true);
        let handler = handler.clone();
        let service = service_fn(move |request| {
            let handler = handler.clone();
            async move { Ok::<_, Infallible>(handler.handle(request, client).await) }
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%client, "connection closed: {error}");
            }
        });
    }
    drop(listener);
    let remaining = connections.count();
    tracing::info!(connections = remaining, "stopping: requests in flight may finish");
    tokio::time::timeout(limits.grace_period, connections.shutdown())
        .await
        .with_context(|| format!("requests were still running after {:?} and were cut off", limits.grace_period))
}
