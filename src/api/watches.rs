//! Watches: whose inbox gets the changes of which page.

use wiki_types::Watch;

use crate::auth::Context;
use crate::errors;
use crate::store::watches;
use crate::web::{Problem, Response, response};

/// Read whether you watch a page
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/watch", operation_id = "readWatch", tag = "Inbox",
    responses((status = 200, description = "Whether you watch it.", body = Watch, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let watching = watches::find(cx.db, id, cx.identity.account()?.user_id)?.ok_or_else(errors::page_not_found)?;
    Ok(response::no_store(response::json(&Watch { watching })))
}

/// Watch a page
///
/// Its changes come to your inbox from now on, but for your own. You also watch what you create, edit, or have a task in, unless
/// you stopped watching it.
#[cfg_attr(test, utoipa::path(
    put, path = "/posts/{id}/watch", operation_id = "watchPost", tag = "Inbox",
    responses((status = 204, description = "You watch it.")),
))]
pub fn watch(cx: &Context, id: i64) -> Result<Response, Problem> {
    set(cx, id, true)
}

/// Stop watching a page
///
/// Editing it later does not make you watch it again.
#[cfg_attr(test, utoipa::path(
    delete, path = "/posts/{id}/watch", operation_id = "unwatchPost", tag = "Inbox",
    responses((status = 204, description = "You do not watch it.")),
))]
pub fn unwatch(cx: &Context, id: i64) -> Result<Response, Problem> {
    set(cx, id, false)
}

fn set(cx: &Context, id: i64, is_on: bool) -> Result<Response, Problem> {
    match watches::set(cx.db, id, cx.identity.account()?.user_id, is_on)? {
        true => Ok(response::no_content()),
        false => Err(errors::page_not_found()),
    }
}
