//! Events that could not be handed on.

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::store::undelivered;
use crate::web::{Problem, Response, response};

/// List events that could not be handed on
///
/// The latest first: those that wait for another attempt, and dead ones, of which nobody makes one by themselves. For
/// administrators.
#[cfg_attr(test, utoipa::path(
    get, path = "/events/undelivered", operation_id = "listUndelivered", tag = "Events",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Events.", body = wiki_types::Undelivered, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::undelivered(cx.request, cx.db)?.response(cx.request, "events"))
}

/// Hand an event on again
///
/// Soon, as if it had not failed before. One that a consumer could not use is handed to that one.
#[cfg_attr(test, utoipa::path(
    post, path = "/events/undelivered/{id}/retry", operation_id = "retryUndelivered", tag = "Events",
    responses((status = 204, description = "Another attempt is made soon.")),
))]
pub fn retry(cx: &Context, id: i64) -> Result<Response, Problem> {
    let found = undelivered::retry(cx.db, id, &cx.identity.actor())?;
    if found { Ok(response::no_content()) } else { Err(errors::event_not_found()) }
}

/// Discard an event
///
/// It is never handed on. In the log it stays.
#[cfg_attr(test, utoipa::path(
    delete, path = "/events/undelivered/{id}", operation_id = "discardUndelivered", tag = "Events",
    responses((status = 204, description = "It is discarded.")),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    let found = undelivered::delete(cx.db, id, &cx.identity.actor())?;
    if found { Ok(response::no_content()) } else { Err(errors::event_not_found()) }
}
