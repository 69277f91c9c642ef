//! The audit trail, for administrators.

use askama::Template;
use http::StatusCode;
use wiki_types::AuditEntry;

use crate::auth::Context;
use crate::input::lists;
use crate::site::{self, address};
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

impl Audit {
    /// The page of an entry, or the notice in its place.
    fn page_of(entry: &AuditEntry) -> Option<String> {
        let (id, slug) = (entry.post_id?, entry.page.as_ref()?);
        Some(if entry.is_page_deleted { address::deleted_page(id) } else { address::page(slug) })
    }

    /// An event in words.
    fn words(event: &str) -> &str {
        match event {
            "sign_in" => "signed in",
            "sign_in_failed" => "failed sign-in",
            "sign_in_refused" => "sign-in refused after too many attempts",
            "sign_in_abandoned" => "abandoned sign-in",
            "sign_out" => "signed out",
            "account_created" => "account created",
            "password_changed" => "password changed",
            "role_changed" => "role changed",
            "username_changed" => "username changed",
            "name_changed" => "name changed",
            "email_changed" => "email changed",
            "time_zone_changed" => "time zone changed",
            "mail_changed" => "mail changed",
            "user_deleted" => "user deleted",
            "token_created" => "token created",
            "token_revoked" => "token revoked",
            "session_revoked" => "session ended",
            "page_renamed" => "page renamed",
            "page_deleted" => "page deleted",
            "page_restored" => "page restored",
            "page_protected" => "page protected",
            "page_unprotected" => "page unprotected",
            "webhook_created" => "webhook created",
            "webhook_changed" => "webhook changed",
            "webhook_secret_rotated" => "secret of a webhook changed",
            "webhook_deleted" => "webhook deleted",
            "webhook_tested" => "test event sent",
            "webhook_delivery_resent" => "event sent again",
            "webhook_disabled" => "webhook turned off",
            "settings_changed" => "settings changed",
            "space_created" => "space created",
            "space_changed" => "space changed",
            "space_access_changed" => "access to a space changed",
            "space_deleted" => "space deleted",
            "page_access_narrowed" => "access to a page set",
            "page_access_restored" => "access to a page reset",
            "group_created" => "group created",
            "group_changed" => "group changed",
            "group_deleted" => "group deleted",
            "group_joined" => "added to a group",
            "group_left" => "removed from a group",
            "event_retried" => "event handed on again",
            "event_discarded" => "event discarded",
            other => other,
        }
    }
}

/// `GET /wiki/-/audit`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let list = lists::audit(cx.request, cx.db)?;
    site::show_once(cx, StatusCode::OK, &Audit { entries: list.items, next: list.next })
}
