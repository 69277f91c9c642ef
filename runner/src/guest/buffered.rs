//! Small requests in one piece, for components that take them so: `wasiki:http/buffered-handler`.
//!
//! With `wasi:http`, a request crosses the border to its guest some twenty times, which costs more than what most guests do.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, request};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, WasiBody};

use self::bindings::exports::wasiki::http::buffered_handler as flat;
pub use self::bindings::{Buffered, BufferedIndices};
use crate::host::HostState;

mod bindings {
    #![allow(missing_docs, reason = "generated; the WIT file documents each item")]
    #![allow(unsafe_code, reason = "generated: the types' layouts in a guest's memory")]

    wasmtime::component::bindgen!({
        inline: "
            package runner:http;
            world buffered {
                export wasiki:http/buffered-handler@0.1.0;
            }
        ",
        path: "../wit/deps/wasiki-http-0.1.0",
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// Bytes of a body beyond which its request is streamed: in one piece, it would be in memory twice. Nearly all forms are smaller.
const LARGE: u64 = 64 << 10;

/// What became of a request.
pub enum Outcome {
    /// The guest has responded, or given something that is no response.
    Done(Result<Response<WasiBody>, ErrorCode>),
    /// It is to be streamed.
    Streamed(Request<WasiBody>),
}

/// Passes `request` to the guest, if it is small and all of it is there. It came over TLS if `secure`.
pub async fn handle(
    guest: &Buffered,
    store: &mut Store<HostState>,
    request: Request<WasiBody>,
    secure: bool,
) -> wasmtime::Result<Outcome> {
    if request.body().size_hint().exact().is_none_or(|length| length > LARGE) {
        return Ok(Outcome::Streamed(request));
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await?;
    if body.trailers().is_some() {
        return Ok(Outcome::Streamed(Request::from_parts(head, body.map_err(|never| match never {}).boxed_unsync())));
    }
    let body = body.to_bytes();
    let headers = print(&head.headers);
    let flat = flat::Request {
        method: head.method.as_str(),
        secure,
        authority: authority(&head),
        path_with_query: head.uri.path_and_query().map_or("/", PathAndQuery::as_str),
        headers: &headers,
        body: &body,
    };
    Ok(match guest.wasiki_http_buffered_handler().call_handle(store, flat).await? {
        Some(response) => Outcome::Done(
            read(&head.method, response).map_err(|fault| ErrorCode::InternalError(Some(fault.to_owned()))),
        ),
        None => Outcome::Streamed(Request::from_parts(head, whole(body))),
    })
}

fn whole(body: Bytes) -> WasiBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn authority(head: &request::Parts) -> &str {
    let header = || head.headers.get(HOST)?.to_str().ok();
    head.uri.authority().map(Authority::as_str).or_else(header).unwrap_or_default()
}

/// A line for each header that a guest may see: those of the connection are the host's.
fn print(headers: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::with_capacity(headers.len() * 64);
    for (name, value) in headers.iter().filter(|(name, _)| !is_hosts(name)) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            lines.extend_from_slice(part);
        }
    }
    lines
}

/// Whether a header is the host's alone, as with `wasi:http`.
fn is_hosts(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
}

/// The response to a request with `method`, or what is wrong with it.
fn read(method: &Method, response: flat::Response) -> Result<Response<WasiBody>, &'static str> {
    let flat::Response { status, headers, body } = response;
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    let status = status.ok_or("its status is not one of a final response")?;
    let headers = parse(headers)?;
    let has_none = method == Method::HEAD || status == StatusCode::NOT_MODIFIED;
    let lengths = headers.get_all(CONTENT_LENGTH);
    if lengths.iter().any(|length| !(body.is_empty() && has_none) && length.as_bytes() != decimal(body.len())) {
        return Err("its content-length is not that of its body");
    }
    let mut response = Response::new(whole(body.into()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn decimal(number: usize) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Headers from a line each.
fn parse(lines: Vec<u8>) -> Result<HeaderMap, &'static str> {
    let mut rest = Bytes::from(lines);
    let mut headers = HeaderMap::with_capacity(rest.len() / 32);
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("a header does not end")?;
        let line = rest.split_to(end + 1);
        let colon = line.windows(2).position(|two| two == b": ").ok_or("a header has no value")?;
        let name = HeaderName::from_bytes(&line[..colon]).map_err(|_| "the name of a header is none")?;
        if is_hosts(&name) {
            return Err("it has a header that is the host's");
        }
        let value = HeaderValue::from_maybe_shared(line.slice(colon + 2..end));
        headers.append(name, value.map_err(|_| "the value of a header is none")?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &str, body: &str) -> flat::Response {
        flat::Response { status, headers: headers.into(), body: body.into() }
    }

    #[test]
    fn headers_come_back_as_they_were() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("a", ""), ("a", "b: c"), ("x-y", "\u{e9} \t"), ("connection", "close"), ("host", "h")] {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let mut kept = parse(print(&headers)).unwrap();
        for name in ["connection", "host"] {
            kept.append(name, headers[name].clone());
        }
        assert_eq!(kept, headers);
        assert!(parse(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for (status, headers, body) in [
            (0, "", ""),
            (100, "", ""),
            (101, "", ""),
            (1000, "", ""),
            (200, "a", ""),
            (200, "a: b", ""),
            (200, "a:b\n", ""),
            (200, ": b\n", ""),
            (200, "a b: c\n", ""),
            (200, "a: b\r\n", ""),
            (200, "\n", ""),
            (200, "transfer-encoding: chunked\n", ""),
            (200, "Connection: close\n", ""),
            (200, "content-length: 2\n", "abc"),
            (200, "content-length: +3\n", "abc"),
            (200, "content-length: 3\ncontent-length: 4\n", "abc"),
            (200, "content-length: 3\n", ""),
        ] {
            assert!(read(&Method::GET, response(status, headers, body)).is_err(), "{status} {headers:?} {body:?}");
        }
        for (method, status, headers, body) in [
            (Method::GET, 200, "content-length: 3\n", "abc"),
            (Method::GET, 999, "", "abc"),
            (Method::HEAD, 200, "content-length: 3\n", ""),
            (Method::GET, 304, "content-length: 3\n", ""),
        ] {
            assert!(read(&method, response(status, headers, body)).is_ok(), "{method} {status} {headers:?} {body:?}");
        }
    }
}
