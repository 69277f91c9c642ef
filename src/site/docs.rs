//! The description of the API for people, who can try it out there.

use askama::Template;

use crate::auth::Context;
use crate::site::address;
use crate::site::frame::Frame;
use crate::store::navigation::Location;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "docs.html")]
struct Docs;

/// `GET /docs`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let page = response::html_with_drawings(Frame::at(cx, Location::Elsewhere)?.render(&Docs)?);
    Ok(response::tagged_by_content(cx.request, page))
}
