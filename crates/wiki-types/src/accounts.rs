//! Accounts: sessions, tokens and the audit trail.

use serde::{Deserialize, Serialize};

use crate::{Role, Scope, Time};

/// The account a request belongs to, as `GET /account` returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The number of its user.
    pub user_id: i64,
    /// The name to sign in with.
    pub username: String,
    /// The name shown to readers.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The scope of the token that was sent; null for a session.
    pub scope: Option<Scope>,
    /// Whether an administrator chose the password. The owner must then choose another before anything else.
    pub password_is_given: bool,
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// The address it was opened from.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
    /// When it was opened.
    pub created_time: Time,
    /// When it was last used, to five minutes.
    pub used_time: Time,
    /// Whether this request belongs to it.
    pub current: bool,
}

/// A token, as its owner sees it: without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// The name its owner gave it.
    pub name: String,
    /// What it may do: `read`, `write` or `admin`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub scope: Scope,
    /// When it was made.
    pub created_time: Time,
    /// When it expires.
    pub expires_time: Time,
    /// When it was last used, to a minute; null if never.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub used_time: Option<Time>,
}

/// An event in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its number; later ones are larger.
    pub id: i64,
    /// When it happened.
    pub time: Time,
    /// What happened: `sign_in`, `sign_in_failed`, `sign_out`, `account_created`, `password_changed`, `role_changed`,
    /// `user_deleted`, `token_created`, `token_revoked`, `session_revoked`, `page_deleted`, `page_restored`,
    /// `page_protected` or `page_unprotected`.
    pub event: String,
    /// Who did it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub actor_id: Option<i64>,
    /// The actor's name; null if they were deleted.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub actor: Option<String>,
    /// The address they did it from, as far as the host knows.
    pub address: String,
    /// The account it was about.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// The name of that user; null if they were deleted.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user: Option<String>,
    /// The page it was about.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub post_id: Option<i64>,
    /// Details: a role, a token's name, a page's title.
    pub details: String,
}
