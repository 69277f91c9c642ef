//! The sender's own account.

use wiki_types::rules;

use crate::auth::{Context, accounts, password};
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// Who am I?
///
/// The account that the token or the session belongs to, and what it may do.
#[cfg_attr(test, utoipa::path(
    get, path = "/account", operation_id = "readAccount", tag = "Access",
    responses((status = 200, description = "The account.", body = wiki_types::Account, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(cx.identity.account()?)))
}

/// Change your password
///
/// Needs the current one, and ends every other session. Tokens stay, unless you ask to revoke them, too.
#[cfg_attr(test, utoipa::path(
    put, path = "/account/password", operation_id = "changePassword", tag = "Access",
    request_body = wiki_types::PasswordChange, responses((status = 204, description = "The password is changed.")),
))]
pub fn change_password(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let current = body.required_text("current", rules::text).unwrap_or_default();
    let new = body.required_text("new", password::rule).unwrap_or_default();
    let revoke_tokens = body.flag("revoke_tokens").unwrap_or(false);
    body.finish()?;
    accounts::change_password(cx, &current, &new, revoke_tokens, None)?;
    Ok(response::no_content())
}
