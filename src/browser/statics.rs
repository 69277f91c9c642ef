//! The style sheet, the script and the icon.

use http::StatusCode;

use crate::db::Db;
use crate::pages::assets;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::Request;

/// `GET /static/{name}`
pub fn read(request: &Request, _: &Db) -> Result<Response, Problem> {
    let path = request.uri().path();
    let found = assets::find(path).ok_or_else(|| Problem::not_found(format!("There is no file at {path}.")))?;
    let response = reply::bytes(StatusCode::OK, found.asset.content_type, found.asset.bytes.to_vec());
    // Only a name with the hash of the content can never mean anything else.
    Ok(if found.current { reply::immutable(response) } else { reply::tagged_by_content(request, response) })
}
