//! The latest changes to all pages.

use askama::Template;
use wiki_types::RevisionEntry;

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::{self, Linked};
use crate::site::{self, address};
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "changes.html")]
pub struct Changes {
    /// The changes, newest first.
    pub changes: Vec<RevisionEntry>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

impl Changes {
    /// The changes of each day.
    fn days(&self) -> impl Iterator<Item = &[RevisionEntry]> {
        self.changes.chunk_by(|one, other| one.created_time.day() == other.created_time.day())
    }
}

/// `GET /wiki/-/changes`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let list = lists::changes(cx.request, cx.db)?;
    site::show(cx, &Changes { changes: list.items, next: list.next })
}
