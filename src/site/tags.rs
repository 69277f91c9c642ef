//! All tags.

use askama::Template;
use wiki_types::Tag;

use crate::auth::Context;
use crate::input::lists;
use crate::site::{self, address, parts};
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "tags.html")]
pub struct Tags {
    /// The tags, by name.
    pub tags: Vec<Tag>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/-/tags`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let list = lists::tags(cx.request, cx.db)?;
    site::show(cx, &Tags { tags: list.items, next: list.next })
}
