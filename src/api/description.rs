//! The description of the API for programs. A unit test compares it with the handlers; `cargo xtask openapi` writes it.

use http::StatusCode;

use crate::auth::Context;
use crate::web::response::{self, JSON};
use crate::web::{Problem, Response};

/// The document as it is served.
pub const DOCUMENT: &str = include_str!("../../openapi.json");

/// This description
#[cfg_attr(test, utoipa::path(
    get, path = "/openapi.json", operation_id = "readDescription", tag = "Service",
    responses((status = 200, description = "This document.", body = Object, content_type = "application/json",
        headers(("ETag")))),
))]
pub fn read(cx: &Context) -> Result<Response, Problem> {
    Ok(response::tagged_by_content(cx.request, response::bytes(StatusCode::OK, JSON, DOCUMENT.into())))
}
