//! Sessions: browsers that are signed in.

use serde_json::json;

use crate::auth::{Context, identity, sessions};
use crate::input::lists;
use crate::store;
use crate::web::{Problem, Response, response};

/// `GET /sessions`: the sender's own, or those of `?user_id=` for administrators; the latest first
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let user_id = identity::subject(cx.identity, lists::user_id(cx.request))?;
    let sessions = store::sessions::of_user(cx.db, user_id, cx.identity.session)?;
    Ok(response::no_store(response::json(&json!({ "sessions": sessions, "next": null }))))
}

/// `DELETE /sessions/{id}`: signs that browser out
pub fn end(cx: &Context, id: i64) -> Result<Response, Problem> {
    let ended = sessions::end(cx.db, cx.identity, id)?;
    if ended { Ok(response::no_content()) } else { Err(Problem::not_found("Session not found")) }
}

/// `DELETE /sessions`: signs every browser out, this one too
pub fn end_all(cx: &Context) -> Result<Response, Problem> {
    store::sessions::end_others(cx.db, None, &cx.identity.actor())?;
    Ok(response::no_content())
}
