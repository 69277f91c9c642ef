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
pub mod diagram;
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
pub mod settings;
pub mod sign_in;
pub mod space;
pub mod space_settings;
pub mod spaces;
pub mod starred;
pub mod tagged;
pub mod tags;
pub mod tasks;
pub mod templates;
pub mod ticks;
pub mod tree;
pub mod user;
pub mod users;
pub mod watched;
pub mod webhooks;

mod author;
mod browser;
mod frame;
mod missing;
mod parts;
mod rendered_page;
#[cfg(test)]
mod samples;
mod sidebar;
#[cfg(test)]
mod tests;

use askama::Template;
use http::StatusCode;

use crate::auth::Context;
use crate::site::frame::Frame;
use crate::store::navigation::Location;
use crate::web::{Problem, Response};

/// A view that browsers may keep, and ask whether it has changed.
fn show(cx: &Context, view: &impl Template) -> Result<Response, Problem> {
    Frame::at(cx, Location::Elsewhere)?.show(cx, view)
}

/// A view that must not be kept: a form, or an answer to one.
fn show_once(cx: &Context, status: StatusCode, view: &impl Template) -> Result<Response, Problem> {
    Frame::at(cx, Location::Elsewhere)?.show_once(status, view)
}

/// The same beside the open way to page `id`.
fn show_of(cx: &Context, id: i64, view: &impl Template) -> Result<Response, Problem> {
    Frame::at(cx, Location::Page(id))?.show(cx, view)
}

/// A form about page `id`, or an answer to one.
fn show_once_of(cx: &Context, id: i64, status: StatusCode, view: &impl Template) -> Result<Response, Problem> {
    Frame::at(cx, Location::Page(id))?.show_once(status, view)
}
