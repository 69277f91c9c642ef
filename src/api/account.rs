//! The sender's own account.

use wiki_types::rules;

use crate::auth::{Context, accounts, password};
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// `GET /account`: whose account the request belongs to, and what it may do
pub fn read(cx: &Context) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(cx.identity.account()?)))
}

/// `PUT /account/password`: needs the current one, and ends every other session
pub fn change_password(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let current = body.required_text("current", rules::text).unwrap_or_default();
    let new = body.required_text("new", password::rule).unwrap_or_default();
    body.finish()?;
    accounts::change_password(cx, &current, &new)?;
    Ok(response::no_content())
}
