//! The HTML a person sees. Handlers fill in a view and [`render`] it; a view calls nobody.
//!
//! Every text in a view is plain text and is escaped by its template, except a field called `html`, which is trusted.

pub mod account;
pub mod address;
pub mod assets;
pub mod docs;
pub mod feed;
pub mod history;
pub mod html;
pub mod lists;
pub mod parts;
pub mod problem;
pub mod read;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
pub mod write;

use std::any::Any;

use askama::Template;

use crate::pages::parts::Viewer;
use crate::problem::Problem;

/// The document a view makes for somebody: HTML, or Atom for [`feed::Feed`]. Templates find them as `viewer`.
pub fn render(view: &impl Template, viewer: &Viewer) -> Result<String, Problem> {
    let viewer: &dyn Any = viewer;
    // Writing to a string cannot fail, and no value in a view fails to be written.
    view.render_with_values(&("viewer", viewer)).map_err(Problem::internal)
}
