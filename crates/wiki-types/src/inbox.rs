//! The inbox: what a person is told, of pages they watch, tasks of theirs and texts that mention them.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::words;
use crate::rules::Wrong;
use crate::{Due, Suggestion, Time};

/// What an entry of the inbox tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InboxKind {
    /// A page has your username after an `@`.
    Mention,
    /// A task was assigned to you.
    Assigned,
    /// A task is due in the time that its `remind:` says.
    Reminder,
    /// A task is due.
    Due,
    /// A task is overdue.
    Overdue,
    /// A page that you watch has changed.
    Changed,
}

words!(
    InboxKind,
    Mention = "mention",
    Assigned = "assigned",
    Reminder = "reminder",
    Due = "due",
    Overdue = "overdue",
    Changed = "changed"
);

/// An entry of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "kind": "changed", "time": "2026-11-22T10:00:00.000000Z", "read_time": null, "post_id": 1,
    "page_title": "Hello", "page_slug": "hello", "page_deleted": false, "user_id": 2, "user_name": "Bob", "version": 4,
    "first_version": 3, "changes": 2, "comment": "More words", "task_id": null, "task_text": null, "due": null,
})))]
pub struct InboxEntry {
    /// Its number. Later entries have larger ones; an entry that has something new gets another.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// What it tells: that a page mentions you (`mention`), that a task was `assigned` to you, a `reminder` of one, that one is
    /// `due` or `overdue`, or that a page which you watch has `changed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: InboxKind,
    /// When it happened.
    pub time: Time,
    /// When you marked it as read; null if it is unread.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub read_time: Option<Time>,
    /// The page.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub post_id: i64,
    /// The title of that page.
    pub page_title: String,
    /// The page's name in URLs.
    pub page_slug: String,
    /// Whether the page is deleted now.
    pub page_deleted: bool,
    /// Who did it; null if that is not known, and for what is due.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// Their name; null if they were deleted.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_name: Option<String>,
    /// The version of the page that mentions you, or the last one that changed it; null for tasks.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub version: Option<i64>,
    /// The first version that you had not been told of: what changed since is the difference to the one before.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub first_version: Option<i64>,
    /// How many changes it stands for. What happens to a page until you read about it is one entry.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub changes: i64,
    /// The comment of that version; null for tasks.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub comment: Option<String>,
    /// The task; null for pages.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub task_id: Option<i64>,
    /// What the task says now; null for pages, and if the task is gone or its page is deleted.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub task_text: Option<String>,
    /// When the task is due now.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub due: Option<Due>,
    /// What the version did, which only the component knows.
    #[serde(skip)]
    pub change: Option<crate::ChangeKind>,
    /// Whether the task is done, which only the component knows.
    #[serde(skip)]
    pub is_done: bool,
    /// When the task is due, as the reader sees it, which only the component knows.
    #[serde(skip)]
    pub seen: Option<crate::SeenDue>,
}

/// A part of an inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inbox {
    /// The items of this part.
    pub entries: Vec<InboxEntry>,
    /// The address of the next part; null in the last one.
    #[cfg_attr(feature = "openapi", schema(format = "uri-reference", required = true))]
    pub next: Option<String>,
    /// How many entries are unread in all parts.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub unread: i64,
}

/// Which entries have been read: some, or all up to one. Give at least one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "up_to": 17 })))]
pub struct InboxReading {
    /// The numbers of entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<i64>>,
    /// The number of the latest entry you have seen: it and all before it are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
}

/// How much is unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "unread": 0 })))]
pub struct Unread {
    /// How many entries of the inbox are unread.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub unread: i64,
}

/// Whether you gave a page a star.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "starred": true })))]
pub struct Star {
    /// Whether it is in your sidebar.
    pub starred: bool,
}

/// The pages that you gave a star.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "starred": [{ "title": "On-call rota", "slug": "on-call-rota" }],
})))]
pub struct Starred {
    /// The pages, by title.
    pub starred: Vec<Suggestion>,
}

/// Whether you watch a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "watching": true, "below": false })))]
pub struct Watch {
    /// Whether its changes come to your inbox.
    pub watching: bool,
    /// Whether you watch it with everything below.
    #[serde(default)]
    pub below: bool,
}

/// How you want to watch a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "below": true })))]
pub struct WatchChange {
    /// Whether you watch it with everything below. Left out, that stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<bool>,
}
