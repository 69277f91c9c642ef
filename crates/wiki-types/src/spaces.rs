//! Spaces, groups, and who may read and write in which.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Time;
use crate::access::words;
use crate::rules::Wrong;

/// What somebody may do in a space, or with a page and everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpaceRole {
    /// Nothing: not even see it.
    None,
    /// Read pages.
    Read,
    /// Read and write pages.
    Write,
    /// Change the space and who may do what in it as well.
    Administer,
}

words!(SpaceRole, None = "none", Read = "read", Write = "write", Administer = "administer");

impl SpaceRole {
    /// The number that the database keeps for it.
    pub fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Read => 1,
            Self::Write => 2,
            Self::Administer => 3,
        }
    }

    /// The role with this number; the least, for one that there is not.
    pub fn numbered(number: i64) -> Self {
        Self::ALL.iter().copied().find(|role| role.number() == number).unwrap_or(Self::None)
    }
}

/// A space: pages that belong together, with rights of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "space_id": 2, "slug": "people", "name": "People", "description": "Holidays, hiring, salaries", "icon": "🧑‍🤝‍🧑", "pages": 12,
    "role": "write", "version": 1, "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct Space {
    /// The space's number. The first one has the number 1; every page that has no other space is in it.
    pub space_id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it is for, in one line; or empty.
    pub description: String,
    /// An emoji, or empty.
    pub icon: String,
    /// How many pages there are in it that you may read.
    pub pages: i64,
    /// What you may do in it, as far as your account and the wiki's mode allow.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(read|write|administer)$"))]
    pub role: SpaceRole,
    /// Its version: one more with every change.
    pub version: i64,
    /// When it was created.
    pub created_time: Time,
}

/// A role of a user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "user_id": 7, "name": "Ada", "role": "write" })))]
pub struct AccessEntry {
    /// The user; left out for a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// The group; left out for a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<i64>,
    /// The name of the user or group. A request need not have it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What they may do.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(read|write|administer)$"))]
    pub role: SpaceRole,
}

/// Who may read and write in a space, or a page and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "everybody": "read", "entries": [{ "user_id": 7, "name": "Ada", "role": "write" }]
})))]
pub struct Access {
    /// What everybody may do whom the wiki lets in; everybody who may write, if it is `write`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(none|read|write)$"))]
    pub everybody: SpaceRole,
    /// The users and groups that may do more than that, each once; at most 500.
    #[serde(default)]
    pub entries: Vec<AccessEntry>,
}

/// A group of users, who get roles together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "group_id": 1, "name": "Operations", "description": "Who is on call", "members": 5, "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct Group {
    /// The group's number.
    pub group_id: i64,
    /// Its name, unique in any case.
    pub name: String,
    /// Who is in it, in words; or empty.
    pub description: String,
    /// How many users are in it.
    pub members: i64,
    /// When it was created.
    pub created_time: Time,
}

/// A user who is in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "user_id": 7, "name": "Ada" })))]
pub struct Member {
    /// The user's number.
    pub user_id: i64,
    /// Their name, or their username.
    pub name: String,
}

/// The users of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Members {
    /// All of them, by name.
    pub members: Vec<Member>,
}

/// All groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Groups {
    /// By name.
    pub groups: Vec<Group>,
}

/// The spaces of a wiki.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spaces {
    /// Those that you may read, by name; the first one comes first.
    pub spaces: Vec<Space>,
}

/// A page in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "post_id": 4, "title": "Deploying", "slug": "deploying", "children": 3
})))]
pub struct TreePage {
    /// The page's number.
    pub post_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// How many pages are right below it that you may read.
    pub children: i64,
}

/// A part of the pages right below a page, or at the top of a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Children {
    /// In their order.
    pub children: Vec<TreePage>,
    /// The address of the next part; null in the last one.
    #[cfg_attr(feature = "openapi", schema(format = "uri-reference", required = true))]
    pub next: Option<String>,
}

/// The largest place among siblings that a request may name: more than there are pages in any wiki.
pub const MAX_POSITION: i64 = 1_000_000_000;

/// Where to move a page to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "parent_id": 4, "position": 0 })))]
pub struct Move {
    /// The page to move it below. By default, none: it comes to the top of its space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<i64>,
    /// The space to move it to. By default, that of the parent, which it has to be, or the one it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_id: Option<i64>,
    /// Its place among its siblings there, from 0. By default, the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000_000))]
    pub position: Option<i64>,
}

/// A new space.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "name": "People", "everybody": "none" })))]
pub struct NewSpace {
    /// Its name, of at most 100 characters.
    pub name: String,
    /// Its name in URLs. By default, made from the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What it is for, in at most 300 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An emoji, of at most 16 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// What everybody may do in it. By default, `write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^(none|read|write)$"))]
    pub everybody: Option<SpaceRole>,
}

/// A change of a space. What is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "description": "Holidays and hiring" })))]
pub struct SpaceChange {
    /// Its name, of at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What it is for, in at most 300 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An emoji, of at most 16 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// A new group, or a change of one.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = GroupFields, example = json!({ "name": "Operations" })))]
pub struct GroupChange {
    /// Its name, of at most 100 characters. A new group needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who is in it, in at most 300 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A rule for the icons of spaces: an emoji, which is a few characters at most.
///
/// # Errors
/// What to change.
pub fn icon(text: &str) -> Result<(), Wrong> {
    crate::rules::line::<16>(text)?;
    if text.chars().any(|char| char.is_ascii_graphic()) { Err("must be an emoji, or empty".into()) } else { Ok(()) }
}
