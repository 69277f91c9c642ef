//! The accept loop of every listener.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

/// Pause after a connection could not be accepted, for example because all file descriptors are in use. Meanwhile another
/// connection may close and free one.
const PAUSE: Duration = Duration::from_millis(50);

/// Least time between two warnings about that.
const WARNING_INTERVAL: Duration = Duration::from_secs(5);

/// Accepts connections and passes each to `serve`, forever.
pub async fn accept<F: Future<Output = ()>>(listener: &TcpListener, mut serve: impl FnMut(TcpStream, SocketAddr) -> F) {
    let mut warned: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((stream, client)) => serve(stream, client).await,
            Err(error) => {
                if warned.is_none_or(|warned| warned.elapsed() > WARNING_INTERVAL) {
                    let local = listener.local_addr().ok().map(tracing::field::display);
                    tracing::warn!(local, "cannot accept a connection: {error}");
                    warned = Some(Instant::now());
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
