//! The audit trail.

use crate::auth::Context;
use crate::input::lists;
use crate::web::{Problem, Response};

/// Read the audit trail
///
/// Newest first. For administrators.
#[cfg_attr(test, utoipa::path(
    get, path = "/audit", operation_id = "listAudit", tag = "Access",
    params(
        ("limit", Query), ("cursor", Query),
        ("user_id" = Option<String>, Query, description = "Only what this user did, or what was done to their account. \
            Anything but a number names no user."),
    ),
    responses((status = 200, description = "Events.", body = wiki_types::Trail, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::audit(cx.request, cx.db)?.response(cx.request, "entries"))
}
