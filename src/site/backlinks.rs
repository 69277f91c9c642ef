//! The pages that link to a page.

use askama::Template;
use wiki_types::{Post, PostSummary};

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::Linked;
use crate::site::{self, address, missing};
use crate::store::pages;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "backlinks.html")]
pub struct Backlinks {
    /// The page they link to.
    pub page: Post,
    pub pages: Vec<PostSummary>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/{slug}/backlinks`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let list = lists::backlinks(cx.request, cx.db, page.post_id)?;
    site::show_of(cx, page.post_id, &Backlinks { page, pages: list.items, next: list.next })
}
