//! All pages.

use askama::Template;
use wiki_types::PostSummary;

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::Linked;
use crate::site::{self, address, tree};
use crate::store::pages::Order;
use crate::web::request::query;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "pages.html")]
pub struct Pages {
    pub pages: Vec<PostSummary>,
    pub sort: Sort,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// The order of the list, as the page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The default.
    Title,
    /// `?sort=-updated`: the latest edit first.
    Updated,
}

impl Sort {
    /// What the template calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Updated => "updated",
        }
    }
}

/// `GET /wiki/-/pages`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    if query(cx.request, "view").as_deref() == Some("tree") {
        return tree::show(cx);
    }
    let (sort, order) = match query(cx.request, "sort").as_deref() {
        Some("-updated") => (Sort::Updated, Order::LATEST),
        // Another order is ignored, so that an address that was mistyped still leads somewhere.
        given => (Sort::Title, given.and_then(Order::named).unwrap_or(Order::TITLE)),
    };
    let list = lists::posts(cx.request, cx.db, lists::filter(cx.request)?, order)?;
    site::show(cx, &Pages { pages: list.items, sort, next: list.next })
}
