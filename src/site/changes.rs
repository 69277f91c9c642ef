//! The latest changes to all pages, those of a page on a day together.

use askama::Template;
use wiki_types::{ChangeKind, RevisionEntry};

use crate::auth::Context;
use crate::input::lists;
use crate::site::parts::{self, Linked};
use crate::site::{self, address};
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "changes.html")]
pub struct Changes {
    /// The changes of each day, the newest first.
    pub days: Vec<(String, Vec<Changed>)>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// Changes of one page.
#[derive(Debug)]
pub struct Changed {
    /// The newest.
    pub latest: RevisionEntry,
    /// The others, newest first.
    pub others: Vec<RevisionEntry>,
}

/// Comments on the changes of a page that are shown together.
const COMMENTS: usize = 3;

impl Changed {
    /// Those of each page together, in the order of its newest.
    pub fn pages(changes: Vec<RevisionEntry>) -> Vec<Self> {
        let mut pages: Vec<Self> = Vec::new();
        for change in changes {
            match pages.iter_mut().find(|page| page.latest.post_id == change.post_id) {
                Some(page) => page.others.push(change),
                None => pages.push(Self { latest: change, others: Vec::new() }),
            }
        }
        pages
    }

    fn all(&self) -> impl Iterator<Item = &RevisionEntry> {
        std::iter::once(&self.latest).chain(&self.others)
    }

    /// How many there are, in words; none if it is one.
    pub fn several(&self) -> Option<String> {
        let count = i64::try_from(self.all().count()).unwrap_or(i64::MAX);
        (count > 1).then(|| parts::counted(&count, "change", "changes"))
    }

    /// Who made them, each once: the one of the newest first.
    pub fn authors(&self) -> Vec<&RevisionEntry> {
        let mut authors: Vec<&RevisionEntry> = Vec::new();
        for change in self.all() {
            if !authors.iter().any(|author| author.user_id == change.user_id) {
                authors.push(change);
            }
        }
        authors
    }

    /// The latest comments on them, each once.
    pub fn comments(&self) -> Vec<&str> {
        let mut comments: Vec<&str> = Vec::new();
        for comment in self.all().map(|change| change.comment.as_str()) {
            if !comment.is_empty() && !comments.contains(&comment) && comments.len() < COMMENTS {
                comments.push(comment);
            }
        }
        comments
    }

    /// What they did but for mere edits, each once.
    pub fn badges(&self) -> Vec<&'static str> {
        let mut badges: Vec<&'static str> = Vec::new();
        for badge in self.all().filter_map(|change| parts::badge(&change.kind)) {
            if !badges.contains(&badge) {
                badges.push(badge);
            }
        }
        badges
    }

    /// The title before the first of them that changed it.
    pub fn former_title(&self) -> Option<&str> {
        self.all()
            .filter_map(|change| change.former_title.as_deref())
            .last()
            .filter(|title| *title != self.latest.title)
    }

    /// How many bytes the text has more than before.
    pub fn delta(&self) -> i64 {
        self.all().map(|change| change.delta).sum()
    }

    /// What is different since before the first of them; none if nothing was written, or is to be seen.
    pub fn differences(&self) -> Option<String> {
        let before = self.all().map(|change| change.version).min()? - 1;
        let is_written = self.all().any(|change| change.kind.writes());
        let is_shown = is_written && !self.latest.is_page_deleted && self.latest.kind != ChangeKind::Deleted;
        is_shown.then(|| address::compare(&self.latest.page, before, self.latest.version))
    }
}

/// `GET /wiki/-/changes`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let list = lists::changes(cx.request, cx.db)?;
    let by_day = list.items.chunk_by(|one, other| one.created_time.day() == other.created_time.day());
    let days = by_day.map(|day| (day[0].created_time.day(), Changed::pages(day.to_vec()))).collect();
    site::show(cx, &Changes { days, next: list.next })
}
