//! The frame that a diagram is drawn in.
//!
//! What draws diagrams sets styles of its own, which the policy of pages forbids, and reads text that anyone may have written. So
//! it runs in a document with no part in the wiki's origin, its cookies or its storage, which loads nothing but its scripts.

use askama::Template;

use crate::auth::Context;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "diagram.html")]
struct Diagram;

/// `GET /wiki/-/diagram`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let document = Diagram.render().map_err(Problem::internal)?;
    Ok(response::tagged_by_content(cx.request, response::html_in_sandbox(document)))
}
