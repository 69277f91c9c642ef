//! The pages with a tag.

use askama::Template;
use wiki_types::{PostSummary, rules};

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::Linked;
use crate::site::{self, address};
use crate::store::pages::{Filter, Order};
use crate::web::json::check;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "tagged.html")]
pub struct Tagged {
    pub tag: String,
    pub pages: Vec<PostSummary>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/-/tags/{tag}`
pub fn show(cx: &Context, tag: &str) -> Result<Response, Problem> {
    check("tag", tag, rules::tag)?;
    let list = lists::posts(cx.request, cx.db, Filter::living().tagged(tag), Order::TITLE)?;
    site::show(cx, &Tagged { tag: rules::normal_tag(tag), pages: list.items, next: list.next })
}
