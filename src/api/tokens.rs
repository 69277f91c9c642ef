//! API tokens.

use wiki_types::{MadeToken, Scope, Tokens, rules};

use crate::auth::tokens::{MAX_DAYS, MAX_NAME};
use crate::auth::{Context, identity, tokens};
use crate::input::idempotency::Purpose;
use crate::input::lists;
use crate::store;
use crate::store::tokens::NewToken;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// List your tokens
///
/// The latest first, without the tokens themselves: those are shown once.
#[cfg_attr(test, utoipa::path(
    get, path = "/tokens", operation_id = "listTokens", tag = "Access",
    params(("user_id" = Option<String>, Query, description = "The owner, if that is not you. For administrators.")),
    responses((status = 200, description = "All tokens.", body = Tokens, headers(("Cache-Control"))), (status = 403)),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let user_id = identity::subject(cx.identity, lists::user_id(cx.request))?;
    let tokens = store::tokens::of_user(cx.db, user_id)?;
    Ok(response::no_store(response::json(&Tokens { tokens, next: None })))
}

/// Make a token
///
/// No other response ever has the `token` itself. Sent again with the same `Idempotency-Key`, as after a timeout, the request
/// makes a token in place of the first.
#[cfg_attr(test, utoipa::path(
    post, path = "/tokens", operation_id = "createToken", tag = "Access", request_body = wiki_types::NewToken,
    params(("Idempotency-Key", Header)),
    responses((status = 201, description = "The token.", body = MadeToken, headers(("Cache-Control"))), (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let name = body.required_text("name", rules::line::<MAX_NAME>).unwrap_or_default();
    let scope = body.required_text("scope", Scope::rule).and_then(|scope| scope.parse().ok()).unwrap_or(Scope::Read);
    let expires_time = body.within_days("expires_time", MAX_DAYS);
    body.finish()?;
    let expires_time = expires_time.unwrap_or_else(|| tokens::default_expiry(cx.identity));
    let key = Purpose::Token.header(cx.request, cx.identity.user_id())?;
    let (listed, token) = tokens::create(cx.db, cx.identity, &NewToken { name, scope, expires_time }, key)?;
    let location = format!("/tokens/{}", listed.id);
    Ok(response::secret(response::created(&location, &MadeToken { listed, token })))
}

/// Revoke a token
///
/// One of yours; for administrators, anyone's.
#[cfg_attr(test, utoipa::path(
    delete, path = "/tokens/{id}", operation_id = "revokeToken", tag = "Access",
    responses((status = 204, description = "The token no longer works.")),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    tokens::revoke(cx.db, cx.identity, id)?;
    Ok(response::no_content())
}
