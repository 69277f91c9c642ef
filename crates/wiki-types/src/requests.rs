//! The bodies of requests.
//!
//! The component reads them member by member, so that a client learns everything that is wrong at once; a test compares
//! its reader with these types. Null is the same as absent, except in [`UserChange`].

use serde::{Deserialize, Serialize};

use crate::{Role, Scope, Time};

/// An edit of a page. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Edit, example = json!({
    "content": "# Hello\n\nSecond thoughts.", "comment": "say more", "version": 1,
})))]
pub struct PostEdit {
    /// The Markdown, at most 1 MiB of UTF-8. It is kept byte for byte.
    pub content: String,
    /// The title.
    pub title: Option<String>,
    /// The name in URLs, unique: letters and digits of any script in lower case, with single hyphens between them.
    pub slug: Option<String>,
    /// All tags, without commas; none is only one or two points. They are kept in lower case.
    pub tags: Option<Vec<String>>,
    /// The reason for the edit, in one line.
    pub comment: Option<String>,
    /// The author of the edit. By default, the sender, or the page's creator.
    pub user_id: Option<i64>,
    /// The version that was edited, unless If-Match names it.
    pub version: Option<i64>,
}

/// Where a redirect leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "post_id": 1 })))]
pub struct RedirectTarget {
    /// The page's number.
    pub post_id: i64,
}

/// A version to go back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "version": 1 })))]
pub struct Reversion {
    /// The version whose title, content and tags the page gets.
    pub version: i64,
    /// The author of the edit. By default, the sender, or the page's creator.
    pub user_id: Option<i64>,
    /// The reason for the edit, in one line.
    pub comment: Option<String>,
}

/// A new user. A username or a name is required.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "username": "ada", "email": "ada@example.com",
})))]
pub struct NewUser {
    /// A short name for URLs and mentions, unique without regard to case.
    pub username: Option<String>,
    /// The name shown to readers. By default, the username.
    pub name: Option<String>,
    /// The email address, unique without regard to case; at most 254 bytes of UTF-8.
    pub email: Option<String>,
    /// The password of an account, which signs in with the username; at most 256 bytes, and no common one. For
    /// administrators.
    pub password: Option<String>,
    /// The role of the account; `editor` by default. For administrators.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub role: Option<Role>,
}

/// A change of a user. What is absent stays as it is; null clears a username, an email or a time zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "name": "Docker Test", "email": null,
})))]
pub struct UserChange {
    /// A short name for URLs and mentions, unique without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub username: Option<Option<String>>,
    /// The name shown to readers. It cannot be cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false))]
    pub name: Option<String>,
    /// The email address, unique without regard to case; at most 254 bytes of UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub email: Option<Option<String>>,
    /// The password of the account, which signs in with the username; at most 256 bytes, and no common one. For
    /// administrators.
    pub password: Option<String>,
    /// The role of the account; `editor` by default. For administrators.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub role: Option<Role>,
    /// The time zone of the account, as the IANA database names it: `Europe/Berlin`. Without one, it is that of the wiki.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub time_zone: Option<Option<String>>,
}

/// A new password, with the current one as proof of who sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "current": "correct horse", "new": "battery staple",
})))]
pub struct PasswordChange {
    /// The current password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub current: String,
    /// The new password; at most 256 bytes, and no common one.
    pub new: String,
    /// Whether to revoke your tokens, too. Absent or null means false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_tokens: Option<bool>,
}

/// A new token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "name": "nightly import", "scope": "write",
})))]
pub struct NewToken {
    /// What the token is for, to recognise it.
    pub name: String,
    /// What the token may do, within the role of its owner: `read` pages, `write` pages, or everything, the account
    /// included (`admin`).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub scope: Scope,
    /// When the token expires, within 366 days. By default, in 90 days.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_time: Option<Time>,
}
