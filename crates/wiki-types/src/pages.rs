//! Pages, which the API calls posts, and their tags.

use serde::{Deserialize, Serialize};

use crate::{Time, rules};

/// A page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Post {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its Markdown.
    pub content: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version, from 1.
    pub version: i64,
    /// When it was created.
    pub created_time: Time,
    /// When it was last edited.
    pub updated_time: Time,
    /// Whether only administrators may change it. Left out if every writer may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

/// A page in a list: its size in place of its content, which may be a mebibyte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Summary))]
pub struct PostSummary {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version, from 1.
    pub version: i64,
    /// When it was created.
    pub created_time: Time,
    /// When it was last edited.
    pub updated_time: Time,
    /// The bytes of its content.
    pub size: i64,
}

/// The body of a request that creates or edits a page. Members that are `None` are left out: they stay as they are, or the
/// wiki chooses them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PostDraft<'a> {
    /// Who writes.
    pub user_id: i64,
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// The name in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<&'a str>,
    /// The Markdown.
    pub content: &'a str,
    /// All tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<&'a [String]>,
    /// Why the edit was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
    /// When the page was created, as RFC 3339 writes it. Now, if left out; edits cannot change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_time: Option<&'a str>,
}

impl PostDraft<'_> {
    /// Whether an edit with this draft changes nothing in `post`. The slug is not compared.
    pub fn matches(&self, post: &Post) -> bool {
        self.content == post.content && self.matches_title_and_tags(&post.title, &post.tags)
    }

    /// Whether an edit with this draft leaves these, a page's title and tags, as they are.
    pub fn matches_title_and_tags(&self, title: &str, tags: &[String]) -> bool {
        self.title.is_none_or(|wanted| wanted == title)
            && self.tags.is_none_or(|wanted| rules::normal_tags(wanted) == tags)
    }
}

/// A tag in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tag {
    /// The tag itself.
    pub name: String,
    /// How many pages have it.
    pub posts: i64,
}
