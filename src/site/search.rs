//! The search form, and what was found.

use askama::Template;
use wiki_types::{SearchResult, rules};

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::Linked;
use crate::site::{self, address};
use crate::web::json::check;
use crate::web::request::query;
use crate::web::{Problem, Response};

#[derive(Debug, Default, Template)]
#[template(path = "search.html")]
pub struct Search {
    /// What to search for. Without it, there is only the form.
    pub query: String,
    /// Search only pages with this tag.
    pub tag: Option<String>,
    /// What was found, best first.
    pub results: Vec<SearchResult>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/-/search`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let tag = query(cx.request, "tag").filter(|tag| !tag.is_empty());
    if let Some(tag) = &tag {
        // Even without a search: the form shows it.
        check("tag", tag, rules::tag)?;
    }
    let query = query(cx.request, "q").unwrap_or_default();
    // A query that is too long is cut.
    let query: String = query.trim().chars().filter(|c| !c.is_control()).take(lists::MAX_QUERY).collect();
    let mut view = Search { query, tag, ..Search::default() };
    if !view.query.is_empty() {
        let list = lists::search(cx.request, cx.db, &view.query)?;
        (view.results, view.next) = (list.items, list.next);
    }
    site::show(cx, &view)
}
