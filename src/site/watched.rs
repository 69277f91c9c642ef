//! The pages that the viewer watches.

use askama::Template;
use http::StatusCode;
use wiki_types::PostSummary;

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::Linked;
use crate::site::{self, address};
use crate::store::pages::{Filter, Order};
use crate::store::watches;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "watched.html")]
pub struct Watched {
    /// The pages, the latest edit first.
    pub pages: Vec<PostSummary>,
    /// The numbers of those that are watched with everything below.
    pub below: Vec<i64>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/-/watched`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let list = lists::posts(cx.request, cx.db, Filter::living().watched_by(user_id), Order::LATEST)?;
    let below = watches::with_below(cx.db, user_id, list.items.iter().map(|page| page.post_id).collect())?;
    site::show_once(cx, StatusCode::OK, &Watched { pages: list.items, below, next: list.next })
}
