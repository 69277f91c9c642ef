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

/// Read the audit chain
///
/// Every event, oldest first, each with a hash of it and of the one before. `wasiki audit verify` checks the hashes. For
/// administrators.
#[cfg_attr(test, utoipa::path(
    get, path = "/audit/chain", operation_id = "listAuditChain", tag = "Access",
    params(
        ("after" = Option<String>, Query, description = "Only entries after the one with this number.", example = "1000"),
        ("limit", Query), ("cursor", Query),
    ),
    responses((status = 200, description = "Entries.", body = wiki_types::Chain, headers(("ETag")))),
))]
pub fn chain(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::audit_chain(cx.request, cx.db)?.response(cx.request, "entries"))
}
