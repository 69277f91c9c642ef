//! Revisions: every state a page has had.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Time;
use crate::access::words;
use crate::rules::Wrong;

/// What a revision did to its page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is the first.
    Created,
    /// It changed the text or the tags.
    #[default]
    Edited,
    /// It changed the title or the slug, and perhaps the text as well.
    Renamed,
    /// It deleted the page, whose text stayed as it was.
    Deleted,
    /// It restored the page, whose text stayed as it was.
    Restored,
}

words!(
    ChangeKind,
    Created = "created",
    Edited = "edited",
    Renamed = "renamed",
    Deleted = "deleted",
    Restored = "restored"
);

impl ChangeKind {
    /// Whether a revision of this kind may have another text than the one before.
    pub fn writes(self) -> bool {
        !matches!(self, Self::Deleted | Self::Restored)
    }
}

/// A revision in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Entry, example = json!({
    "post_id": 1, "version": 1, "kind": "created", "user_id": 1, "author": "ada", "title": "Hello",
    "comment": "", "size": 20, "delta": 20, "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct RevisionEntry {
    /// The page.
    pub post_id: i64,
    /// The version it made, from 1.
    pub version: i64,
    /// What it did: `created`, `edited`, `renamed` (the title or the slug changed), `deleted` or `restored`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = true))]
    pub kind: ChangeKind,
    /// Who did it; null if a page was deleted or restored by somebody who is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// The author's name; null if they were deleted, or are not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub author: Option<String>,
    /// The page's title in this version.
    pub title: String,
    /// The title before, if this version changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_title: Option<String>,
    /// Why it was written.
    pub comment: String,
    /// Bytes of the content.
    pub size: i64,
    /// Bytes more than in the version before.
    pub delta: i64,
    /// When it was written.
    pub created_time: Time,
    /// The slug the page has now, which only the component knows: the API leads to a page by its number.
    #[serde(skip)]
    pub page: String,
    /// Whether the page is deleted now, which only the component knows.
    #[serde(skip)]
    pub is_page_deleted: bool,
}

/// A revision with everything the page was at the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "post_id": 1, "version": 1, "kind": "created", "user_id": 1, "author": "ada", "title": "Hello",
    "comment": "", "size": 20, "delta": 20, "created_time": "2026-11-22T10:00:00.000000Z", "slug": "hello",
    "content": "# Hello\n\nFirst page.", "tags": [],
})))]
pub struct Revision {
    /// Who wrote what, when and why.
    #[serde(flatten)]
    pub entry: RevisionEntry,
    /// The page's name in URLs then.
    pub slug: String,
    /// Its Markdown.
    pub content: String,
    /// Its tags.
    pub tags: Vec<String>,
}
