//! The revisions of a page.

use askama::Template;
use wiki_types::{Post, RevisionEntry};

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, missing};
use crate::store::pages;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "history.html")]
pub struct History {
    pub page: Post,
    /// Its revisions, newest first.
    pub revisions: Vec<RevisionEntry>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/{slug}/history`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let list = lists::revisions_of(cx.request, cx.db, page.post_id)?;
    site::show_of(cx, page.post_id, &History { page, revisions: list.items, next: list.next })
}
