//! Users: who wrote what.

use serde::{Deserialize, Serialize};

use crate::{Role, Time};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "username": "ada", "name": "ada", "email": "ada@example.com",
    "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct User {
    /// The user's number.
    pub id: i64,
    /// A short name for URLs and mentions.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub username: Option<String>,
    /// The name shown to readers.
    pub name: String,
    /// The email address. Unless the wiki is open, only the user and administrators see it.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub email: Option<String>,
    /// When they joined.
    pub created_time: Time,
    /// The role of the account: `reader`, `editor` or `administrator`. Only the user and administrators see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub role: Option<Role>,
    /// The time zone of the account, unless it is that of the wiki. Only the user and administrators see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub time_zone: Option<String>,
}
