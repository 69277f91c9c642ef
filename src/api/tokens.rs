//! API tokens.

use serde_json::json;
use wiki_types::{Scope, Time, rules};

use crate::auth::tokens::{DEFAULT_DAYS, MAX_DAYS, MAX_NAME};
use crate::auth::{Context, identity, tokens};
use crate::input::lists;
use crate::store;
use crate::store::tokens::NewToken;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// `GET /tokens`: the sender's own, or those of `?user_id=` for administrators; the latest first
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let user_id = identity::subject(cx.identity, lists::user_id(cx.request))?;
    let tokens = store::tokens::of_user(cx.db, user_id)?;
    Ok(response::no_store(response::json(&json!({ "tokens": tokens, "next": null }))))
}

/// `POST /tokens`: the only response that ever holds the token itself
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let name = body.required_text("name", rules::line::<MAX_NAME>).unwrap_or_default();
    let scope = body.required_text("scope", Scope::rule).and_then(|scope| scope.parse().ok()).unwrap_or(Scope::Read);
    let expires_time = body.within_days("expires_time", MAX_DAYS);
    body.finish()?;
    let expires_time = expires_time.unwrap_or_else(|| Time::in_days(DEFAULT_DAYS));
    let (token, credential) = tokens::create(cx.db, cx.identity, &NewToken { name, scope, expires_time })?;
    let mut body = serde_json::to_value(&token).map_err(Problem::internal)?;
    body["token"] = credential.into();
    Ok(response::no_store(response::created(&format!("/tokens/{}", token.id), &body)))
}

/// `DELETE /tokens/{id}`: the token no longer works
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    tokens::revoke(cx.db, cx.identity, id)?;
    Ok(response::no_content())
}
