//! Accounts: sessions, tokens and the audit trail.

use serde::{Deserialize, Serialize};

use crate::{Role, Scope, Time};

/// The account a request belongs to, as `GET /account` returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "user_id": 1, "username": "ada", "name": "Ada", "role": "editor", "scope": "read", "password_is_given": false,
    "time_zone": "Europe/Berlin",
})))]
pub struct Account {
    /// The number of its user.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub user_id: i64,
    /// The name to sign in with.
    pub username: String,
    /// The name shown to readers.
    pub name: String,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: Role,
    /// The scope of the token that was sent; null for a session.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub scope: Option<Scope>,
    /// Whether an administrator chose the password. The owner must then choose another before anything else.
    pub password_is_given: bool,
    /// The time zone its owner is shown times in; null for that of the wiki.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub time_zone: Option<String>,
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "address": "192.0.2.7", "agent": "Mozilla/5.0", "created_time": "2026-11-22T10:00:00.000000Z",
    "used_time": "2026-11-22T10:00:00.000000Z", "current": true,
})))]
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

/// An entry of the audit chain: an event, and a hash of it and of all before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "number": 1, "hash": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "entry": "{\"specversion\":\"1.0\",…}",
})))]
pub struct ChainEntry {
    /// Its number, counted from 1 without a gap.
    pub number: i64,
    /// SHA-256 of the hash of the entry before as 32 bytes (zeros for the first), the number in decimal, a line break and
    /// the text of the entry, in hexadecimal.
    pub hash: String,
    /// The event as text, to be hashed as it is.
    pub entry: String,
}

/// A token, as its owner sees it: without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "name": "nightly import", "scope": "write", "created_time": "2026-11-22T10:00:00.000000Z",
    "expires_time": "2027-02-20T10:00:00.000000Z", "used_time": null,
})))]
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

/// A token that was just made, with what a program sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "name": "nightly import", "scope": "write", "created_time": "2026-11-22T10:00:00.000000Z",
    "expires_time": "2027-02-20T10:00:00.000000Z", "used_time": null,
    "token": "wasiki_1_0000000000000000000000000000000000000000000",
})))]
pub struct MadeToken {
    /// The token as it is listed.
    #[serde(flatten)]
    pub listed: Token,
    /// The token itself. No other response has it.
    #[cfg_attr(feature = "openapi", schema(pattern = "^wasiki_[0-9]+_[A-Za-z0-9_-]{43}$"))]
    pub token: String,
}

/// An event in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "time": "2026-11-22T10:00:00.000000Z", "event": "page_deleted", "actor_id": 1, "actor": "Ada",
    "address": "192.0.2.7", "user_id": null, "user": null, "post_id": 1, "details": "Hello",
})))]
pub struct AuditEntry {
    /// Its number; later ones are larger.
    pub id: i64,
    /// When it happened.
    pub time: Time,
    /// What happened: `sign_in`, `sign_in_failed`, `sign_in_refused` (too many attempts; of many in a minute, one is here),
    /// `sign_in_abandoned` (the client did not wait), `sign_out`, `account_created`, `password_changed`, `role_changed`,
    /// `username_changed`, `name_changed`, `email_changed`, `time_zone_changed`, `mail_changed`, `user_deleted`, `token_created`,
    /// `token_revoked`, `session_revoked`, `settings_changed`, `space_created`, `space_changed`, `space_access_changed`,
    /// `space_deleted`, `page_access_narrowed`, `page_access_restored`, `group_created`, `group_changed`, `group_deleted`,
    /// `group_joined`, `group_left`, `page_renamed`, `page_deleted`, `page_restored`, `page_protected`, `page_unprotected`,
    /// `webhook_created`, `webhook_changed`, `webhook_secret_rotated`, `webhook_deleted`, `webhook_tested`,
    /// `webhook_delivery_resent`, `webhook_disabled` (by the wiki itself), `event_retried` or `event_discarded`.
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
    /// Details: a role, a token's name, a page's title; of a change, the old and the new value.
    pub details: String,
    /// The slug the page has now, which only the component knows.
    #[serde(skip)]
    pub page: Option<String>,
    /// Whether the page is deleted now, which only the component knows.
    #[serde(skip)]
    pub is_page_deleted: bool,
}
