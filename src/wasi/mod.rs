//! The entry points: what hosts call, to and from the types of the `http` crate.

mod buffered;
mod outbound;
mod stream;
mod streamed;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Uri};

use crate::auth::Services;
use crate::config::Config;
use crate::store::{Db, Error};
use crate::web::body::Incoming;
use crate::web::{Problem, Request, Response};
use crate::{routes, store};

/// A request without its body.
fn request(method: &str, path: &str, headers: HeaderMap) -> Result<Request, Problem> {
    let mut request = http::Request::new(Vec::new());
    *request.method_mut() =
        method.parse().map_err(|_| Problem::bad_request("The method of the request is not valid."))?;
    *request.uri_mut() =
        path.parse::<Uri>().map_err(|_| Problem::bad_request("The path of the request is not a valid URI."))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The response to `request`, whose body is `body`, and the database, which has what is still to be sent of a file.
fn respond(request: Result<Request, Problem>, body: &dyn Incoming) -> (Response, Db) {
    let db = store::open(
        || Config::load().map(|config| &*config.address).map_err(Error::Internal),
        || Config::load().ok().and_then(|config| config.replica.as_deref()),
    );
    let mut request = match request {
        Ok(request) => request,
        Err(problem) => return (routes::respond_unread(&problem), db),
    };
    let services = Services { db, config: Config::load, send: outbound::send };
    let response = routes::respond(&mut request, body, &services);
    (response, services.db)
}

/// Says how long `body` is, so that the host need not send it in chunks.
fn announce(headers: &mut HeaderMap, body: &[u8]) {
    if !body.is_empty() {
        headers.insert(CONTENT_LENGTH, body.len().into());
    }
}
