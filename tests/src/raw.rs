//! Requests that no HTTP library would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Time for the service to answer and close.
const LIMIT: Duration = Duration::from_secs(20);

/// What came back on the wire.
#[derive(Debug)]
pub struct Raw {
    /// The status code of the first answer; nothing if the service closed without one.
    pub status: Option<u16>,
    /// Everything that came, head and body.
    pub text: String,
}

/// A connection to the service at `url`, to say anything on.
///
/// # Errors
/// When nobody listens there, or this process may open no more files.
pub async fn connect(url: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(url.strip_prefix("http://").expect("a service's URL begins with http://")).await
}

/// Sends `request` as it stands to the service at `url` (`http://host:port`) and reads until it closes.
///
/// The request should say `Connection: close`.
///
/// # Panics
/// When the service cannot be reached, or neither answers nor closes within 20 s.
pub async fn send_raw(url: &str, request: impl AsRef<[u8]>) -> Raw {
    let mut stream = connect(url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    let mut answer = Vec::new();
    let exchange = async {
        // A service may answer and close before it has read everything: that is no failure of the test.
        _ = stream.write_all(request.as_ref()).await;
        _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(LIMIT, exchange).await.unwrap_or_else(|_| panic!("{url} did not close within {LIMIT:?}"));
    let text = String::from_utf8_lossy(&answer).into_owned();
    Raw { status: text.split(' ').nth(1).and_then(|code| code.parse().ok()), text }
}
