//! Comparisons: what changed between two texts, line by line.

use serde::{Deserialize, Serialize};

use crate::RevisionEntry;

/// What changed from one version of a page to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "post_id": 1,
    "from": {
        "post_id": 1, "version": 1, "user_id": 1, "author": "ada", "title": "Hello", "comment": "", "size": 20,
        "delta": 20, "created_time": "2026-11-22T10:00:00.000000Z",
    },
    "to": {
        "post_id": 1, "version": 2, "user_id": 1, "author": "ada", "title": "Hello", "comment": "say more",
        "size": 24, "delta": 4, "created_time": "2026-11-22T10:00:00.000000Z",
    },
    "truncated": false,
    "hunks": [{ "lines": [
        { "kind": "removed", "from_line": 1,
          "parts": [{ "text": "The quick " }, { "text": "brown", "changed": true }, { "text": " fox." }] },
        { "kind": "added", "to_line": 1,
          "parts": [{ "text": "The quick " }, { "text": "red", "changed": true }, { "text": " fox." }] },
    ] }],
})))]
pub struct Comparison {
    /// The page.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub post_id: i64,
    /// The older version; null if the newer one is the first.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub from: Option<RevisionEntry>,
    /// The newer version.
    pub to: RevisionEntry,
    /// Whether the hunks end before the last change.
    pub truncated: bool,
    /// How the lines end, if that changed. It does not make a line a changed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = LineEnds, required = false))]
    pub line_ends: Option<LineEnds>,
    /// What changed, in order.
    pub hunks: Vec<Hunk>,
}

/// How the lines of two texts end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineEnds {
    /// In the older text.
    pub from: LineEnd,
    /// In the newer text.
    pub to: LineEnd,
}

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LineEnd {
    /// With a line feed, as on Unix.
    Lf,
    /// With a carriage return and a line feed, as on Windows.
    Crlf,
    /// Some in one way, some in the other.
    Mixed,
}

/// Lines that changed, with some around them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hunk {
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Line {
    /// What became of it.
    pub kind: Kind,
    /// Its number in the older text, from 1; none if it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = usize, minimum = 1, required = false))]
    pub from_line: Option<usize>,
    /// Its number in the newer text, from 1; none if it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = usize, minimum = 1, required = false))]
    pub to_line: Option<usize>,
    /// Its text without the line's end, in parts that changed and parts that did not.
    pub parts: Vec<Part>,
    /// Whether it ends the text without an end of line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_newline: bool,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Kind {
    /// In both texts.
    Unchanged,
    /// Only in the older.
    Removed,
    /// Only in the newer.
    Added,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part {
    /// The piece itself.
    pub text: String,
    /// Whether it differs from the line's counterpart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}
