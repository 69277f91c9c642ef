//! Pages, which the API calls posts, and their tags.

use serde::{Deserialize, Serialize};

use crate::{Time, rules};

/// A page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "post_id": 1, "user_id": 1, "title": "Hello", "slug": "hello", "content": "# Hello\n\nFirst page.", "tags": [],
    "version": 1, "created_time": "2026-11-22T10:00:00.000000Z", "updated_time": "2026-11-22T10:00:00.000000Z",
    "space_id": 1, "parent_id": null,
})))]
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
    /// The space it is in.
    #[serde(default = "first_space")]
    pub space_id: i64,
    /// The page it is below; null at the top of its space.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub parent_id: Option<i64>,
}

/// The space of the pages that have no other, as in wikis that know no spaces.
fn first_space() -> i64 {
    1
}

/// A page in a list: its size in place of its content, which may be a mebibyte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Summary, example = json!({
    "post_id": 1, "user_id": 1, "title": "Hello", "slug": "hello", "tags": [], "version": 1,
    "created_time": "2026-11-22T10:00:00.000000Z", "updated_time": "2026-11-22T10:00:00.000000Z", "size": 20,
    "space_id": 1, "parent_id": null,
})))]
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
    /// The space it is in.
    #[serde(default = "first_space")]
    pub space_id: i64,
    /// The page it is below; null at the top of its space.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub parent_id: Option<i64>,
}

/// A new page, or an edit of one. Members that are `None` are left out: they stay as they are, or have a default.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    as = NewPost, description = "A new page.", example = json!({ "user_id": 1, "content": "# Hello\n\nFirst page." }),
))]
pub struct PostDraft<'a> {
    /// The author. By default, the sender, if they have an account. Unless the wiki is open, only administrators name
    /// another user.
    pub user_id: i64,
    /// The title. By default, the first heading or the first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// The name in URLs, unique: letters with their marks and digits of any script in lower case, with single hyphens
    /// between them. By default, made from the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<&'a str>,
    /// The space to create it in. By default, that of its parent, or the first space. Edits cannot change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_id: Option<i64>,
    /// The page to create it below. By default, none: it is at the top of its space. Edits cannot change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<i64>,
    /// The Markdown, at most 1 MiB of UTF-8. It is kept byte for byte.
    pub content: &'a str,
    /// All tags, without commas; none is only one or two points. They are kept in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub tags: Option<&'a [String]>,
    /// The reason for the edit, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
    /// When the page was created, as RFC 3339 writes it; from 1970 on, and not in the future. By default, `updated_time`, or
    /// now. Edits cannot change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_time: Option<&'a str>,
    /// When the page was last edited, which is not before it was created. By default, when it was created. Edits cannot
    /// change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_time: Option<&'a str>,
}

impl PostDraft<'_> {
    /// Whether an edit with this draft changes nothing in `post`. The slug is not compared.
    pub fn matches(&self, post: &Post) -> bool {
        self.content == post.content && self.matches_title_and_tags(&post.title, &post.tags)
    }

    /// Whether an edit with this draft leaves these, a page's title and tags, as they are.
    pub fn matches_title_and_tags(&self, title: &str, tags: &[String]) -> bool {
        self.title.is_none_or(|wanted| rules::composed(wanted) == title)
            && self.tags.is_none_or(|wanted| rules::normal_tags(wanted) == tags)
    }
}

/// A page that was deleted, with who deleted it, when and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "post_id": 1, "title": "Hello", "slug": "hello", "version": 2, "deleted_time": "2026-11-22T10:10:00.000000Z",
    "deleted_by": 1, "deleted_by_name": "ada", "comment": "out of date",
})))]
pub struct DeletedPost {
    /// The page's number.
    pub post_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs, which another page may have by now.
    pub slug: String,
    /// The version that deleted it.
    pub version: i64,
    /// When it was deleted.
    pub deleted_time: Time,
    /// Who deleted it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub deleted_by: Option<i64>,
    /// Their name; null if they were deleted, or are not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub deleted_by_name: Option<String>,
    /// Why it was deleted.
    pub comment: String,
    /// Whether only administrators may restore it. Left out if every writer may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

/// A slug that leads to a page beside its own, as those do that it had before it was renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "slug": "a-former-name", "post_id": 1
})))]
pub struct Redirect {
    /// The slug.
    pub slug: String,
    /// The page.
    pub post_id: i64,
}

/// A tag in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "name": "rust", "posts": 3
})))]
pub struct Tag {
    /// The tag itself.
    pub name: String,
    /// How many pages have it.
    pub posts: i64,
}
