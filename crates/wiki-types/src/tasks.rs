//! Tasks: the items of checklists in pages.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::words;
use crate::rules::Wrong;
use crate::{Due, SeenDue, Time};

/// The most characters of a task's text that the API takes.
pub const MAX_TASK: usize = 500;

/// How important a task is. One that says nothing is between `medium` and `low`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// 🔺
    Highest,
    /// ⏫
    High,
    /// 🔼
    Medium,
    /// 🔽
    Low,
    /// ⏬
    Lowest,
}

words!(Priority, Highest = "highest", High = "high", Medium = "medium", Low = "low", Lowest = "lowest");

/// A task: an item of a checklist in a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "post_id": 1, "page_title": "Hello", "page_slug": "hello", "line": 3, "text": "Renew the certificate",
    "done": false, "due": "2026-12-04", "scheduled": null, "assignee": "ada", "assignee_id": null, "priority": null,
    "repeat": "3mo", "remind": "2d", "done_time": null, "done_by": null, "done_by_name": null, "version": 1,
    "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct Task {
    /// The task's number. It stays the same when the task's line is moved or edited.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// The page it is in.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub post_id: i64,
    /// The title of that page.
    pub page_title: String,
    /// The page's name in URLs.
    pub page_slug: String,
    /// The line of the page, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub line: i64,
    /// What is to be done: the Markdown of the line without the members that follow.
    pub text: String,
    /// Whether it is done.
    pub done: bool,
    /// When it is due: a day, or a time; null if it has no date.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub due: Option<Due>,
    /// The day it is planned for.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub scheduled: Option<Due>,
    /// The username after `@`, in lower case, whether or not there is such a user.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub assignee: Option<String>,
    /// The user with that username.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub assignee_id: Option<i64>,
    /// `highest`, `high`, `medium`, `low` or `lowest`; null if the task says nothing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub priority: Option<Priority>,
    /// How it recurs, as it can be written after `repeat:`; a `!` at its end counts from completion.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub repeat: Option<String>,
    /// How long before it is due to be reminded of it, as it can be written after `remind:`.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub remind: Option<String>,
    /// When it was done; null if it is not.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub done_time: Option<Time>,
    /// Who ticked it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub done_by: Option<i64>,
    /// Their name; null if they were deleted.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub done_by_name: Option<String>,
    /// The version of the task, from 1: changes of the rest of its page do not count.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub version: i64,
    /// When it was first in a page.
    pub created_time: Time,
    /// When it is due, as the reader sees it, which only the component knows.
    #[serde(skip)]
    pub seen: Option<SeenDue>,
}

/// A new task. A text is required.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "text": "Renew the certificate", "due": "2026-12-04", "assignee": "ada", "user_id": 1,
})))]
pub struct NewTask {
    /// What is to be done, as it is written in a page: in one line, where `due:2026-12-04`, `@ada`, `repeat:3mo` and the like
    /// count.
    pub text: String,
    /// When it is due: a day, or a time as RFC 3339 writes it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub due: Option<Due>,
    /// The username of the one who shall do it.
    pub assignee: Option<String>,
    /// The page to add it to. By default, the author's own page of tasks, which is made if there is none.
    pub post_id: Option<i64>,
    /// The author. By default, the sender, if they have an account. Unless the wiki is open, only administrators name
    /// another user.
    pub user_id: Option<i64>,
}

/// A change of a task. What is absent stays as it is; null clears a date or an assignee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "done": true })))]
pub struct TaskChange {
    /// Whether it is done. Completing a task that recurs adds the next one below it.
    pub done: Option<bool>,
    /// When it is due: a day, or a time as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub due: Option<Option<Due>>,
    /// The username of the one who shall do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub assignee: Option<Option<String>>,
    /// What is to be done, in one line. It cannot be cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false))]
    pub text: Option<String>,
    /// The author of the edit. By default, the sender, or the page's creator.
    pub user_id: Option<i64>,
}
