//! The site: what people see in a browser, one feature a file, with its template of the same name beside it.
//!
//! Every text in a view is plain text, which its template escapes. A field called `html` is trusted.

pub mod access_form;
pub mod account;
pub mod address;
pub mod assets;
pub mod audit;
pub mod backlinks;
pub mod changes;
pub mod compare;
pub mod delete;
pub mod delete_space;
pub mod deleted;
pub mod docs;
pub mod drafts;
pub mod edit;
pub mod edit_user;
pub mod escape;
pub mod feed;
pub mod files;
pub mod front;
pub mod groups;
pub mod history;
pub mod inbox;
pub mod page;
pub mod page_access;
pub mod pages;
pub mod preview;
pub mod problem;
pub mod relocate;
pub mod retry;
pub mod revision;
pub mod search;
pub mod sign_in;
pub mod space;
pub mod space_settings;
pub mod spaces;
pub mod tagged;
pub mod tags;
pub mod tasks;
pub mod ticks;
pub mod tree;
pub mod user;
pub mod users;
pub mod watched;
pub mod webhooks;

mod author;
mod browser;
mod missing;
mod parts;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::any::Any;

use askama::Template;
use http::StatusCode;

use crate::auth::Context;
use crate::site::parts::Viewer;
use crate::web::{Problem, Response, response};

/// The document that `view` makes for a viewer. Templates find the viewer as `viewer`.
fn render(view: &impl Template, viewer: &Viewer) -> Result<String, Problem> {
    let viewer: &dyn Any = viewer;
    // Writing to a string cannot fail, and no value in a view fails to be written.
    view.render_with_values(&("viewer", viewer)).map_err(Problem::internal)
}

/// A view that browsers may keep, and ask whether it has changed.
fn show(cx: &Context, view: &impl Template) -> Result<Response, Problem> {
    let page = response::html(render(view, &Viewer::of(cx.request, cx.identity))?);
    Ok(response::tagged_by_content(cx.request, page))
}

/// A view that must not be kept: a form, or an answer to one.
fn show_once(cx: &Context, status: StatusCode, view: &impl Template) -> Result<Response, Problem> {
    let page = render(view, &Viewer::of(cx.request, cx.identity))?;
    Ok(response::no_store(response::html_with(status, page)))
}
