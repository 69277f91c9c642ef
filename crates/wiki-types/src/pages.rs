//! Pages, which the API calls posts, and their tags.

use serde::{Deserialize, Serialize};

use crate::Time;

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

/// A tag in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tag {
    /// The tag itself.
    pub name: String,
    /// How many pages have it.
    pub posts: i64,
}
