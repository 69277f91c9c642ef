//! Requests and responses part by part: `wasi:http/incoming-handler`, which every host knows.
//!
//! Everything here is synchronous and reads or writes a body in as few host calls as it can: crossing the component
//! boundary is what a small request costs most.

use std::cell::RefCell;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use spin_sdk::http::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;
use spin_sdk::wit::wasi::http0_2_0::types::IncomingBody;

use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::store::Db;
use crate::store::blobs::Span;
use crate::wasi::{announce, request, respond, stream};
use crate::web::body::Incoming;
use crate::web::{Problem, Response};

#[http_component]
fn handle(incoming: IncomingRequest, outparam: ResponseOutparam) {
    // The SDK prints a method as it is written in HTTP.
    let method = incoming.method().to_string();
    let request = request(&method, incoming.path_with_query().as_deref().unwrap_or("/"), headers(&incoming));
    let length = |headers: &HeaderMap| headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    let announced = request.as_ref().ok().and_then(|request| length(request.headers()));
    let body = RequestBody { incoming: &incoming, announced, stream: RefCell::default() };
    let (response, db) = respond(request, &body);
    write(response, &db, outparam);
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

/// The body of a request. Its stream is opened when the first part is read.
struct RequestBody<'a> {
    incoming: &'a IncomingRequest,
    /// How long the client says it is.
    announced: Option<u64>,
    /// The stream before the body it belongs to: they are given back in this order.
    stream: RefCell<Option<(InputStream, IncomingBody)>>,
}

impl Incoming for RequestBody<'_> {
    fn next(&self) -> Result<Option<Vec<u8>>, Problem> {
        const PART: u64 = 64 * 1024;
        let broken = || Problem::bad_request("The body of the request ended before it was complete.");
        let mut stream = self.stream.borrow_mut();
        let (stream, _) = match &mut *stream {
            Some(open) => open,
            closed => {
                let body = self.incoming.consume().map_err(|()| broken())?;
                closed.insert((body.stream().map_err(|()| broken())?, body))
            }
        };
        loop {
            match stream.blocking_read(PART) {
                Ok(part) if part.is_empty() => {}
                Ok(part) => return Ok(Some(part)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(_)) => return Err(broken()),
            }
        }
    }

    fn announced(&self) -> Option<u64> {
        self.announced
    }
}

/// Sends `response`. A client that has gone away meanwhile is not an error.
fn write(mut response: Response, db: &Db, outparam: ResponseOutparam) {
    let span: Option<Span> = response.extensions_mut().remove();
    let (mut parts, body) = response.into_parts();
    announce(&mut parts.headers, &body);
    let resource = OutgoingResponse::new(fields(&parts.headers));
    if resource.set_status_code(parts.status.as_u16()).is_err() {
        // Cannot happen: `StatusCode` is always within the range the interface takes.
        _ = resource.set_status_code(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
    }
    let outgoing = if body.is_empty() && span.is_none() { None } else { resource.body().ok() };
    outparam.set(resource);
    if let Some(outgoing) = outgoing
        && outgoing.write().is_ok_and(|output| send(&output, &body, span, db))
    {
        _ = OutgoingBody::finish(outgoing, None);
    }
}

/// Sends a body and, part by part, the bytes of a file. Returns whether all were sent: the client sees that a body is not complete
/// if it is not finished.
fn send(output: &OutputStream, body: &[u8], span: Option<Span>, db: &Db) -> bool {
    if stream::send(output, body).is_err() {
        return false;
    }
    let Some(mut span) = span else { return true };
    loop {
        match span.next(db) {
            Ok(None) => return true,
            Ok(Some(part)) => {
                // A slow client takes up no connection to the database.
                db.release();
                if stream::send(output, &part).is_err() {
                    return false;
                }
            }
            Err(error) => {
                eprintln!("a file was not sent to its end: {error:?}");
                return false;
            }
        }
    }
}

fn fields(headers: &HeaderMap) -> Fields {
    let entries: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    // The only reason to refuse is a header the host keeps for itself, and the wiki sets none of those.
    Fields::from_list(&entries).unwrap_or_else(|_| Fields::new())
}
