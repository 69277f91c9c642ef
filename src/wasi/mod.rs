//! The entry point: WASI HTTP resources to and from the types of the `http` crate.
//!
//! Everything here is synchronous and reads or writes a body in as few host calls as it can: crossing the component
//! boundary is what a small request costs most.

mod outbound;
mod stream;

use std::cell::RefCell;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use spin_sdk::http::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;
use spin_sdk::wit::wasi::http0_2_0::types::IncomingBody;

use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::auth::Services;
use crate::config::Config;
use crate::store::blobs::Span;
use crate::store::{Db, Error};
use crate::web::body::Incoming;
use crate::web::{Problem, Request, Response};
use crate::{routes, store};

#[http_component]
fn handle(incoming: IncomingRequest, outparam: ResponseOutparam) {
    let response = match head(&incoming) {
        Ok(mut request) => {
            let db = store::open(|| Config::load().map(|config| &*config.address).map_err(Error::Internal));
            let announced = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
            let body = RequestBody { incoming: &incoming, announced, stream: RefCell::default() };
            let services = Services { db, config: Config::load, send: outbound::send };
            let response = routes::respond(&mut request, &body, &services);
            return write(response, &services.db, outparam);
        }
        Err(problem) => routes::respond_unread(&problem),
    };
    write(response, &store::open(|| Err(Error::Internal("nothing is looked up for it".to_owned()))), outparam);
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
    if !body.is_empty() {
        // So that the host need not send it in chunks.
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
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
