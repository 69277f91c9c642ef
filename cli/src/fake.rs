//! For tests: a server with scripted responses, which records its requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// The response to one request.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// A status and a body.
    Status(u16, &'static str),
    /// A status, more header lines, each with its line end, and a body.
    With(u16, &'static str, &'static str),
    /// A redirect to an address.
    Redirect(&'static str),
    /// None: the connection is closed.
    HangUp,
    /// A body that breaks off.
    Half,
}

impl Reply {
    /// `value` as the body. It is leaked, so that replies are `Copy`; tests are short.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::Status(status, value.to_string().leak())
    }

    /// A list that ends after `items`.
    pub fn list(key: &str, items: &[Value]) -> Self {
        Self::json(200, &json!({ key: items, "next": null }))
    }
}

pub fn user(id: i64, username: Option<&str>, name: &str) -> Value {
    let time = "2026-05-01T12:00:00Z";
    json!({"id": id, "username": username, "name": name, "email": null, "created_time": time})
}

/// The account of user 7.
pub fn account(username: &str, role: &str, scope: &str) -> Reply {
    let name = "A name";
    let account = json!({"user_id": 7, "username": username, "name": name, "role": role, "scope": scope, "password_is_given": false});
    Reply::json(200, &account)
}

/// Page 5, by user 1: title `A`, slug `a`, tag `t`.
pub fn post(version: i64, content: &str) -> Value {
    let time = "2026-05-01T12:00:00Z";
    json!({"post_id": 5, "user_id": 1, "title": "A", "slug": "a", "content": content, "tags": ["t"], "version": version,
           "created_time": time, "updated_time": time, "size": content.len()})
}

/// Serves one connection after the other, and one request on each.
pub struct Fake {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
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

    /// An address where nothing listens.
    pub fn nowhere() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        Self { url, requests: Arc::default() }
    }

    /// Heads and bodies of the requests so far.
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
