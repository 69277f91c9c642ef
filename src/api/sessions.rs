//! Sessions: browsers that are signed in.

use wiki_types::Sessions;

use crate::auth::{Context, identity, sessions};
use crate::input::lists;
use crate::store;
use crate::web::{Problem, Response, response};

/// List your sessions
///
/// The browsers you are signed in with, the latest first.
#[cfg_attr(test, utoipa::path(
    get, path = "/sessions", operation_id = "listSessions", tag = "Access",
    params(("user_id" = Option<String>, Query, description = "The owner, if that is not you. For administrators.")),
    responses((status = 200, description = "Sessions.", body = Sessions, headers(("Cache-Control"))), (status = 403)),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let user_id = identity::subject(cx.identity, lists::user_id(cx.request))?;
    let sessions = store::sessions::of_user(cx.db, user_id, cx.identity.session)?;
    Ok(response::no_store(response::json(&Sessions { sessions, next: None })))
}

/// Sign out one browser
///
/// One of yours; for administrators, anyone's.
#[cfg_attr(test, utoipa::path(
    delete, path = "/sessions/{id}", operation_id = "endSession", tag = "Access",
    responses((status = 204, description = "The browser is signed out.")),
))]
pub fn end(cx: &Context, id: i64) -> Result<Response, Problem> {
    let ended = sessions::end(cx.db, cx.identity, id)?;
    if ended { Ok(response::no_content()) } else { Err(Problem::not_found("Session not found")) }
}

/// Sign out everywhere
#[cfg_attr(test, utoipa::path(
    delete, path = "/sessions", operation_id = "endSessions", tag = "Access",
    responses((status = 204, description = "Every browser is signed out.")),
))]
pub fn end_all(cx: &Context) -> Result<Response, Problem> {
    store::sessions::end_others(cx.db, None, &cx.identity.actor())?;
    Ok(response::no_content())
}
