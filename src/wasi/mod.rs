//! The entry point: WASI HTTP resources to and from the types of the `http` crate.
//!
//! Everything here is synchronous and reads or writes a body in as few host calls as it can: crossing the component
//! boundary is what a small request costs most.

mod outbound;
mod stream;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use spin_sdk::http::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;
use wasi::io::streams::StreamError;

use crate::auth::Services;
use crate::config::Config;
use crate::store::Error;
use crate::web::{Problem, Request, Response};
use crate::{routes, store};

#[http_component]
fn handle(incoming: IncomingRequest, outparam: ResponseOutparam) {
    let response = match head(&incoming) {
        Ok(mut request) => {
            let db = store::open(|| Config::load().map(|config| &*config.address).map_err(Error::Internal));
            let announced = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
            let receive = |limit| body(&incoming, announced, limit);
            routes::respond(&mut request, receive, &Services { db, config: Config::load, send: outbound::send })
        }
        Err(problem) => routes::respond_unread(&problem),
    };
    write(response, outparam);
}

/// The request without its body.
fn head(incoming: &IncomingRequest) -> Result<Request, Problem> {
    let mut request = http::Request::new(Vec::new());
    *request.method_mut() = method(incoming.method())?;
    *request.uri_mut() = incoming
        .path_with_query()
        .as_deref()
        .unwrap_or("/")
        .parse::<Uri>()
        .map_err(|_| Problem::bad_request("The path of the request is not a valid URI."))?;
    *request.headers_mut() = headers(incoming);
    Ok(request)
}

fn method(method: spin_sdk::http::Method) -> Result<Method, Problem> {
    // The SDK prints a method as it is written in HTTP.
    method.to_string().parse().map_err(|_| Problem::bad_request("The method of the request is not valid."))
}

fn headers(incoming: &IncomingRequest) -> HeaderMap {
    let entries = incoming.headers().entries();
    let mut headers = HeaderMap::with_capacity(entries.len());
    for (name, value) in entries {
        // The host parsed both already: a name or value that fails here was never on the wire.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// The body, refused as soon as it is known to be longer than `limit`. `announced` is how long the client says it is.
fn body(incoming: &IncomingRequest, announced: Option<u64>, limit: usize) -> Result<Vec<u8>, Problem> {
    const CHUNK: u64 = 64 * 1024;
    // A client may announce more than 32 bits hold, and a `usize` has no more here.
    let announced = announced.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > limit) {
        return Err(Problem::body_too_large(limit));
    }
    let broken = || Problem::bad_request("The body of the request ended before it was complete.");
    let resource = incoming.consume().map_err(|()| broken())?;
    let stream = resource.stream().map_err(|()| broken())?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(CHUNK) {
            Ok(chunk) if body.is_empty() => {
                body = chunk;
                // At once: growing step by step takes up to three times the memory.
                body.reserve_exact(announced.unwrap_or_default().saturating_sub(body.len()));
            }
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(_)) => return Err(broken()),
        }
        if body.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
    }
}

/// Sends `response`. A client that has gone away meanwhile is not an error.
fn write(response: Response, outparam: ResponseOutparam) {
    let (mut parts, body) = response.into_parts();
    if !body.is_empty() {
        // So that the host need not send it in chunks.
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let resource = OutgoingResponse::new(fields(&parts.headers));
    if resource.set_status_code(parts.status.as_u16()).is_err() {
        // Cannot happen: `StatusCode` is always within the range the interface takes.
        _ = resource.set_status_code(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
    }
    let outgoing = if body.is_empty() { None } else { resource.body().ok() };
    outparam.set(resource);
    if let Some(outgoing) = outgoing
        && outgoing.write().is_ok_and(|output| stream::send(&output, &body).is_ok())
    {
        _ = OutgoingBody::finish(outgoing, None);
    }
}

fn fields(headers: &HeaderMap) -> Fields {
    let entries: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    // The only reason to refuse is a header the host keeps for itself, and the wiki sets none of those.
    Fields::from_list(&entries).unwrap_or_else(|_| Fields::new())
}
