//! Requests and responses in one piece, from hosts that know `wasiki:http/buffered-handler`.

use std::cell::Cell;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use spin_sdk::wit_bindgen;

use self::exports::wasiki::http::buffered_handler::{Guest, Request, Response};
use crate::store::blobs::{CHUNK, Span};
use crate::store::{Db, Error};
use crate::wasi;
use crate::web::Problem;
use crate::web::body::Incoming;

wit_bindgen::generate!({
    inline: "package wiki:buffered; world buffered { export wasiki:http/buffered-handler@0.1.0; }",
    path: "wit/deps/wasiki-http-0.1.0",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

struct Handler;
export!(Handler);

/// Bytes of a response beyond which it is streamed, although it is then made again: in one piece, component and host both have it
/// in memory. The largest page has half of them.
const LONG: usize = 4 << 20;
/// The same for a file, of which little is done again: one part of it.
const LONG_FILE: u64 = CHUNK as u64;

impl Guest for Handler {
    fn handle(request: Request) -> Option<Response> {
        let Request { method, path_with_query, headers, body, .. } = request;
        let request = wasi::request(&method, &path_with_query, parse(headers));
        let is_safe = request.as_ref().is_ok_and(|request| request.method().is_safe());
        let (mut response, db) = wasi::respond(request, &Whole::new(body));
        let span: Option<Span> = response.extensions_mut().remove();
        let is_long = response.body().len() > LONG || span.as_ref().is_some_and(|span| span.length() > LONG_FILE);
        // What is safe may be done again (RFC 9110, 9.2.1), and files are read by such requests only.
        if is_safe && is_long {
            return None;
        }
        let (mut head, mut body) = response.into_parts();
        if let Some(span) = span {
            // Streaming it fails in the same way, and shows the client that it is not complete.
            append(&mut body, span, &db).ok()?;
        }
        wasi::announce(&mut head.headers, &body);
        Some(Response { status: head.status.as_u16(), headers: print(&head.headers), body })
    }
}

/// Headers from a line each.
fn parse(lines: Vec<u8>) -> HeaderMap {
    let lines = Bytes::from(lines);
    let mut headers = HeaderMap::with_capacity(lines.len() / 32);
    let mut rest = lines.clone();
    while let Some(end) = memchr::memchr(b'\n', &rest) {
        let line = rest.split_to(end + 1);
        if let Some(colon) = memchr::memchr(b':', &line)
            // The host parsed both already: a name or value that fails here was never on the wire.
            && let Ok(name) = HeaderName::from_bytes(&line[..colon])
            && let Ok(value) = HeaderValue::from_maybe_shared(line.slice(colon + 2..end))
        {
            headers.append(name, value);
        }
    }
    headers
}

/// A line for each header.
fn print(headers: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::with_capacity(headers.len() * 64);
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            lines.extend_from_slice(part);
        }
    }
    lines
}

/// Appends the bytes of a file to `body`.
fn append(body: &mut Vec<u8>, mut span: Span, db: &Db) -> Result<(), Error> {
    while let Some(part) = span.next(db)? {
        body.extend_from_slice(&part);
    }
    Ok(())
}

/// A body that is all there.
struct Whole {
    bytes: Cell<Vec<u8>>,
    length: u64,
}

impl Whole {
    fn new(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, bytes: Cell::new(bytes) }
    }
}

impl Incoming for Whole {
    fn next(&self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(Some(self.bytes.take()).filter(|bytes| !bytes.is_empty()))
    }

    fn announced(&self) -> Option<u64> {
        Some(self.length)
    }
}
