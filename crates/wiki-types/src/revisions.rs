//! Revisions: every state a page has had.

use serde::{Deserialize, Serialize};

use crate::Time;

/// A revision in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Entry, example = json!({
    "post_id": 1, "version": 1, "user_id": 1, "author": "dockertest", "title": "Hello", "comment": "", "size": 20,
    "delta": 20, "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct RevisionEntry {
    /// The page.
    pub post_id: i64,
    /// The version it made, from 1.
    pub version: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// The author's name; null if they were deleted.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub author: Option<String>,
    /// The page's title in this version.
    pub title: String,
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
}

/// A revision with everything the page was at the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "post_id": 1, "version": 1, "user_id": 1, "author": "dockertest", "title": "Hello", "comment": "", "size": 20,
    "delta": 20, "created_time": "2026-11-22T10:00:00.000000Z", "slug": "hello", "content": "# Hello\n\nFirst page.",
    "tags": [],
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
