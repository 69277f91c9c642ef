//! The style sheets, the scripts and the icon.

use http::StatusCode;

use crate::db::Db;
use crate::negotiate::takes_gzip;
use crate::pages::assets;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::Request;

/// `GET /static/{name}`
pub fn read(request: &Request, _: &Db) -> Result<Response, Problem> {
    let path = request.uri().path();
    let found = assets::find(path).ok_or_else(|| Problem::not_found(format!("There is no file at {path}.")))?;
    if found.asset.gzipped && !takes_gzip(request.headers()) {
        // Every browser takes it; to decompress it for others would need more code than it is worth.
        return Err(Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "This file is kept compressed: ask for it with the header \"Accept-Encoding: gzip\".",
        ));
    }
    let response = reply::bytes(StatusCode::OK, found.asset.content_type, found.asset.bytes.to_vec());
    let response = if found.asset.gzipped { reply::gzipped(response) } else { response };
    // Only a name with the hash of the content can never mean anything else.
    Ok(if found.current { reply::immutable(response) } else { reply::tagged_by_content(request, response) })
}
