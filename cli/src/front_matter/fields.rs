//! The fields of front matter, and where they are in a file.

use serde::Serialize;

/// What exports say of themselves: their content is that of a page here, byte for byte.
pub const GENERATOR: &str = "wasiki";

/// The metadata in a file. What is `None` is chosen by the wiki.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FrontMatter {
    /// [`GENERATOR`] in a file that is an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Other names of the page, which lead to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// An empty list means no tags, unlike `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// A username, or the name of a user without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When the page was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was edited last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// Whether only administrators may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// In an export: the slug of the space that the page is in, unless that is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// In an export: the slug of the page that it is below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(skip)]
    pub is_draft: bool,
    /// The address it had elsewhere.
    #[serde(skip)]
    pub permalink: Option<String>,
    /// The keys without a meaning here.
    #[serde(skip)]
    pub unknown: Vec<String>,
}

/// Where the file says what; empty for values that are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub title: Place,
    pub tags: Place,
    pub author: Place,
    pub created: Place,
    pub updated: Place,
}

/// Where a value is in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The line in which it begins, from 1.
    pub line: usize,
    /// Its key as it is written.
    pub key: String,
}
