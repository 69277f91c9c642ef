//! The search form, and what was found.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, SearchResult};

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::{self, Linked};
use crate::site::{self, address};
use crate::web::request::{prefilled, query};
use crate::web::{Problem, Response};

#[derive(Debug, Default, Template)]
#[template(path = "search.html")]
pub struct Search {
    /// What to search for. Without it and filters, there is only the form.
    pub query: String,
    /// Search only pages with this tag.
    pub tag: Option<String>,
    /// The other fields of the form, as they were sent.
    pub limits: Limits,
    /// What is wrong with the filters.
    pub errors: Vec<FieldError>,
    /// What was found, best first; without words, latest edit first.
    pub results: Vec<SearchResult>,
    /// How many pages were found in all.
    pub total: i64,
    /// Whether there may be more.
    pub is_total_exact: bool,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// Which pages are searched, beside those with a tag. Empty fields limit nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The username or name of who created them.
    pub author: String,
    /// The day from which on they were edited last.
    pub since: String,
    /// The last of these days.
    pub until: String,
}

impl Search {
    /// Whether not all pages are searched.
    fn is_limited(&self) -> bool {
        self.tag.is_some() || self.limits != Limits::default()
    }

    fn is_asked(&self) -> bool {
        !self.query.is_empty() || self.is_limited()
    }

    /// What is wrong with a filter, as a sentence.
    fn sentence(error: &FieldError) -> String {
        match (&*error.field, &*error.message) {
            ("until", lists::ENDS_BEFORE) => "The last day must not be before the first.".to_owned(),
            ("author", message) => format!("Author {message}."),
            (field, message) => parts::sentence_of(field, message),
        }
    }
}

/// `GET /wiki/-/search`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let tag = query(cx.request, "tag").filter(|tag| !tag.is_empty());
    let field = |name| prefilled(cx.request, name).unwrap_or_default();
    let limits = Limits { author: field("author"), since: field("since"), until: field("until") };
    let query = query(cx.request, "q").unwrap_or_default();
    // A query that is too long is cut.
    let query: String = query.trim().chars().filter(|c| !c.is_control()).take(lists::MAX_QUERY).collect();
    let mut view = Search { query, tag, limits, ..Search::default() };
    let filter = match lists::filter_of_form(cx.request) {
        Ok(filter) => filter,
        Err(problem) => {
            view.errors = problem.errors;
            return site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &view);
        }
    };
    if view.is_asked() {
        let wanted = Some(view.query.as_str()).filter(|query| !query.is_empty());
        let found = lists::search(cx.request, cx.db, wanted, filter)?;
        (view.results, view.next) = (found.page.items, found.page.next);
        (view.total, view.is_total_exact) = (found.total, found.is_exact);
    }
    site::show(cx, &view)
}
