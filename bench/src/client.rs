//! Single requests, for checks and for what is measured one by one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;

/// Time a single request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its media type.
    pub content_type: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The beginning of the body as text, for an error.
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

/// One connection that stays open.
pub struct Client(reqwest::Client);

impl Client {
    /// A client without a connection yet.
    pub fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(LIMIT).no_proxy().pool_max_idle_per_host(1).build();
        Ok(Self(client.context("cannot make an HTTP client")?))
    }

    /// `GET`, with an `Accept` header if that is not empty.
    pub async fn get(&self, url: &str, accept: &str) -> anyhow::Result<Answer> {
        self.send(self.0.get(url).header("accept", if accept.is_empty() { "*/*" } else { accept })).await
    }

    /// Sends JSON, based on a version if one is given.
    pub async fn send_json(
        &self,
        method: Method,
        url: &str,
        json: String,
        seen: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let request = self.0.request(method, url).header("content-type", "application/json").body(json);
        self.send(if let Some(seen) = seen { request.header("if-match", seen) } else { request }).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let response = request.send().await.context("no answer")?;
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        Ok(Answer { status, content_type, body: response.bytes().await.context("no body")?.into() })
    }
}

/// Whether `GET /health` is answered 200. By hand, because a client library would take a share of the milliseconds that
/// are measured with it.
pub fn is_healthy(mut stream: TcpStream) -> io::Result<bool> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 200 "))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn only_200_is_healthy() {
        for (answer, healthy) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 x\r\n\r\n", false), ("", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 128];
                let read = stream.read(&mut asked).unwrap();
                assert!(read > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(is_healthy(TcpStream::connect(address).unwrap()).unwrap(), healthy, "{answer:?}");
            server.join().unwrap();
        }
    }
}
