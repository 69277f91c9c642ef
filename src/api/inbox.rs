//! The inbox: what you are told.

use wiki_types::rules::MAX_LIMIT;
use wiki_types::{Inbox, Unread};

use crate::auth::Context;
use crate::input::lists;
use crate::store::inbox;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// Read your inbox
///
/// Latest first: pages that mention you or that you watch have changed, and tasks of yours were assigned, are due or overdue. What
/// you did yourself is not there. What is read stays for 90 days.
#[cfg_attr(test, utoipa::path(
    get, path = "/inbox", operation_id = "readInbox", tag = "Inbox",
    params(("limit", Query), ("cursor", Query), ("unread", Query)),
    responses((status = 200, description = "Entries.", body = Inbox, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let page = lists::inbox(cx.request, cx.db, user_id)?;
    let unread = inbox::count_unread(cx.db, user_id)?;
    let inbox = Inbox { entries: page.items, next: page.next, unread };
    Ok(response::tagged_by_content(cx.request, response::json(&inbox)))
}

/// Mark entries as read
///
/// Those in `ids`, and all up to the one with the number `up_to`. Numbers that are not in your inbox are ignored.
#[cfg_attr(test, utoipa::path(
    post, path = "/inbox/read", operation_id = "markInboxRead", tag = "Inbox", request_body = wiki_types::InboxReading,
    responses((status = 200, description = "How much is still unread.", body = Unread, headers(("Cache-Control")))),
))]
pub fn mark_read(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let mut body = Body::read(cx.request)?;
    let is_empty = !body.has("ids") && !body.has("up_to");
    let ids = body.integers("ids", MAX_LIMIT);
    let up_to = body.integer("up_to");
    if is_empty {
        body.reject::<()>("ids", "is required, unless there is up_to");
    }
    body.finish()?;
    let unread = inbox::mark_read(cx.db, user_id, ids, up_to)?;
    Ok(response::no_store(response::json(&Unread { unread })))
}
