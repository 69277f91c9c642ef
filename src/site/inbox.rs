//! The inbox: what the viewer is told.

use askama::Template;
use http::StatusCode;
use wiki_types::{ChangeKind, InboxEntry, InboxKind};

use crate::auth::Context;
use crate::input::lists;
use crate::markdown;
use crate::site::tasks::DueWords;
use crate::site::{self, address, parts, tasks};
use crate::store::inbox;
use crate::web::forms::Form;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "inbox.html")]
pub struct InboxView {
    /// The entries, latest first.
    pub entries: Vec<Entry>,
    /// How many are unread in all parts of the list.
    pub unread: i64,
    /// Whether only those are listed.
    pub only_unread: bool,
    /// The address of the list itself, to come back to.
    pub here: &'static str,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// An entry as it is shown.
#[derive(Debug)]
pub struct Entry {
    pub entry: InboxEntry,
    /// What the task says, without Markdown.
    pub task: String,
    /// When it is due, for people.
    pub due: Option<DueWords>,
}

impl Entry {
    /// An entry as it is shown.
    pub(super) fn new(entry: InboxEntry) -> Self {
        let text = entry.task_text.as_deref().map(|text| markdown::plain(text).text.trim().to_owned());
        let task = text.filter(|text| !text.is_empty()).unwrap_or_else(|| match entry.task_text {
            Some(_) => "Untitled".to_owned(),
            None => "A task that is gone".to_owned(),
        });
        let due = entry.seen.as_ref().map(|due| tasks::words(due, entry.is_done));
        Self { entry, task, due }
    }

    /// The page, as it is now.
    fn page(&self) -> String {
        match self.entry.page_deleted {
            true => address::deleted_page(self.entry.post_id),
            false => address::page(&self.entry.page_slug),
        }
    }

    /// What changed since the last version that the viewer was told of; none if there is nothing to compare, or to see.
    fn differences(&self) -> Option<String> {
        let (first, last) = self.entry.first_version.zip(self.entry.version)?;
        let has_other = self.entry.changes > 1 || self.entry.change.is_some_and(ChangeKind::writes);
        let is_shown = has_other && first > 1 && !self.entry.page_deleted;
        is_shown.then(|| address::compare(&self.entry.page_slug, first - 1, last))
    }

    /// What happened to the page, as a verb.
    fn verb(&self) -> &'static str {
        match self.entry.change {
            Some(ChangeKind::Created) => "created",
            Some(ChangeKind::Renamed) => "renamed",
            Some(ChangeKind::Deleted) => "deleted",
            Some(ChangeKind::Restored) => "restored",
            Some(ChangeKind::Edited) | None => "edited",
        }
    }

    /// How many changes it stands for, if there were several.
    fn several(&self) -> Option<String> {
        (self.entry.changes > 1).then(|| parts::counted(&self.entry.changes, "change", "changes"))
    }

    /// What a button says of the entry, for those who do not see what it stands beside.
    fn name(&self) -> &str {
        if self.entry.task_id.is_some() { &self.task } else { &self.entry.page_title }
    }
}

impl InboxView {
    /// The number of the latest entry on the page, if any is unread.
    fn latest(&self) -> Option<i64> {
        self.entries.first().filter(|_| self.unread > 0).map(|entry| entry.entry.id)
    }

    /// The entries of each day.
    fn days(&self) -> impl Iterator<Item = &[Entry]> {
        self.entries.chunk_by(|one, other| one.entry.time.day() == other.entry.time.day())
    }
}

/// `GET /wiki/-/inbox`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let list = lists::inbox(cx.request, cx.db, user_id)?;
    let unread = inbox::count_unread(cx.db, user_id)?;
    let only_unread = query(cx.request, "unread").as_deref() == Some("true");
    let here = if only_unread { address::UNREAD } else { address::INBOX };
    let entries = list.items.into_iter().map(Entry::new).collect();
    site::show_once(cx, StatusCode::OK, &InboxView { entries, unread, only_unread, here, next: list.next })
}

/// `POST /wiki/-/inbox`: marks an entry as read, or all up to one
pub fn mark_read(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let form = Form::read(cx.request)?;
    let ids = form.number("id").map(|id| vec![id]);
    inbox::mark_read(cx.db, user_id, ids, form.number("up_to"))?;
    Ok(response::see_other(address::local(form.text("next")).unwrap_or(address::INBOX)))
}
