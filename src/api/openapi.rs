//! The description of the API: `/openapi.json` for programs, `/docs` for people, who can try everything out there.
//!
//! The document is made by a test, from [`ROUTES`](crate::routes::ROUTES), the types the handlers answer with and the
//! limits they check, and kept in `openapi.json` in the repository's root, so that a change to the API shows in review
//! and serving it costs nothing. `cargo xtask openapi` renews it.

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod document;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod responses;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod tests;

use http::StatusCode;

use crate::db::Db;
use crate::pages;
use crate::pages::docs::Docs;
use crate::pages::parts::Viewer;
use crate::problem::Problem;
use crate::reply::{self, JSON, Response};
use crate::request::Request;

/// The document as it is served.
const DOCUMENT: &str = include_str!("../openapi.json");

/// `GET /openapi.json`
pub fn document(request: &Request, _: &Db) -> Result<Response, Problem> {
    Ok(reply::tagged_by_content(request, reply::bytes(StatusCode::OK, JSON, DOCUMENT.into())))
}

/// `GET /docs`
pub fn docs(request: &Request, _: &Db) -> Result<Response, Problem> {
    Ok(reply::tagged_by_content(request, reply::html_with_drawings(pages::render(&Docs, &Viewer::of(request))?)))
}
