//! Comparisons: what changed between two texts, line by line.

use serde::{Deserialize, Serialize};

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
