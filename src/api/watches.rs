//! Watches: whose inbox gets the changes of which page.

use wiki_types::WatchChange;

use crate::auth::Context;
use crate::errors;
use crate::store::watches;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// Read whether you watch a page
///
/// You also watch it if you watch a page above with everything below, unless you stopped watching this one.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/watch", operation_id = "readWatch", tag = "Inbox",
    responses((status = 200, description = "Whether you watch it.", body = wiki_types::Watch, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let watch = watches::find(cx.db, id, cx.identity.account()?.user_id)?.ok_or_else(errors::page_not_found)?;
    Ok(response::no_store(response::json(&watch)))
}

/// Watch a page
///
/// Its changes come to your inbox from now on, but for your own. You also watch what you create, edit, or have a task in, unless
/// you stopped watching it.
///
/// With `below`, the same holds for all pages below it, also for those that come there later. The body may be left out.
#[cfg_attr(test, utoipa::path(
    put, path = "/posts/{id}/watch", operation_id = "watchPost", tag = "Inbox", request_body = Option<WatchChange>,
    responses((status = 204, description = "You watch it.")),
))]
pub fn watch(cx: &Context, id: i64) -> Result<Response, Problem> {
    let change = if cx.request.body().is_empty() { WatchChange::default() } else { change(Body::read(cx.request)?)? };
    set(cx, id, true, change.below)
}

fn change(mut body: Body) -> Result<WatchChange, Problem> {
    let change = WatchChange { below: body.flag("below") };
    body.finish()?;
    Ok(change)
}

/// Stop watching a page
///
/// And everything below it, if you did. Editing it later does not make you watch it again, nor does watching a page above.
#[cfg_attr(test, utoipa::path(
    delete, path = "/posts/{id}/watch", operation_id = "unwatchPost", tag = "Inbox",
    responses((status = 204, description = "You do not watch it.")),
))]
pub fn unwatch(cx: &Context, id: i64) -> Result<Response, Problem> {
    set(cx, id, false, None)
}

fn set(cx: &Context, id: i64, is_on: bool, below: Option<bool>) -> Result<Response, Problem> {
    match watches::set(cx.db, id, cx.identity.account()?.user_id, is_on, below)? {
        true => Ok(response::no_content()),
        false => Err(errors::page_not_found()),
    }
}
