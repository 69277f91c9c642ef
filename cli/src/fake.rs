//! For tests: a server that answers each request as it was told, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http::{Http, Settings};
use crate::retry::Retry;

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// With a status and a body.
    Status(u16, &'static str),
    /// With a status, further lines of the head, each with its end, and a body.
    With(u16, &'static str, &'static str),
    /// With a redirect to an address.
    Redirect(&'static str),
    /// Not at all: the connection is closed.
    HangUp,
    /// With an answer that breaks off.
    Half,
}

/// The server; it serves one connection after the other, and one request on each.
pub struct Fake {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// A server that gives these answers, in this order.
    pub fn start<const N: usize>(replies: [Reply; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        std::thread::spawn(move || {
            for reply in replies {
                let Ok((stream, _)) = listener.accept() else { return };
                answer(&stream, reply, &seen);
            }
        });
        Self { url, requests }
    }

    /// A client of an address where nothing listens.
    pub fn nowhere() -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        drop(listener);
        Http::new(Self { url, requests: Arc::default() }.settings())
    }

    /// What a client of it needs to know; it does not wait long.
    pub fn settings(&self) -> Settings {
        Settings {
            url: self.url.clone(),
            token: None,
            timeout: Duration::from_secs(10),
            retry: Retry { more: 4, first: Duration::from_millis(1) },
            jobs: 2,
        }
    }

    /// A client of it.
    pub fn http(&self) -> Http {
        Http::new(self.settings())
    }

    /// What it was asked: heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(mut stream: &TcpStream, reply: Reply, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        request.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    _ = reader.read_exact(&mut body);
    request.push_str(&String::from_utf8_lossy(&body));
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let head = |status: u16, more: &str, length: usize| {
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n")
    };
    let text = match reply {
        Reply::Status(status, body) => head(status, "retry-after: 0\r\n", body.len()) + body,
        Reply::With(status, more, body) => head(status, more, body.len()) + body,
        Reply::Redirect(to) => head(308, &format!("location: {to}\r\n"), 0),
        Reply::Half => head(200, "", 100) + "half",
        Reply::HangUp => String::new(),
    };
    _ = stream.write_all(text.as_bytes());
}
