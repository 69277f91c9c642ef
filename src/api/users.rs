//! Users: who wrote what.

use http::StatusCode;
use serde_json::Value;
use wiki_types::{User, UserSuggestions, rules, settings};

use crate::api::search::MAX_SUGGESTIONS;
use crate::auth::{Context, Identity};
use crate::errors;
use crate::input::idempotency::Purpose;
use crate::input::lists::{self, MAX_QUERY};
use crate::input::users::{self, Terms};
use crate::store;
use crate::store::users::{Deleted, UserRecord};
use crate::web::json::{Body, check};
use crate::web::request::query;
use crate::web::{Problem, Response, etag, response};

/// Create a user
///
/// With an `Idempotency-Key`, the same request can be sent again, as after a timeout: within a week it makes no second user,
/// and is answered with the user as they are now.
#[cfg_attr(test, utoipa::path(
    post, path = "/users", operation_id = "createUser", tag = "Users", request_body = wiki_types::NewUser,
    params(("Idempotency-Key", Header)),
    responses((status = 201, description = "The new user.", body = User, headers(("ETag"))), (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    if !body.has("username") && !body.has("name") {
        body.reject::<()>("username", "is required, unless there is a name");
    }
    let username = body.text("username", rules::username);
    let name = body.text("name", rules::name);
    let email = body.text("email", users::email);
    let terms = Terms::read(&mut body, cx.identity)?;
    if terms.password.is_some() && username.is_none() {
        body.reject::<()>("username", "is required for an account, to sign in with");
    }
    if terms.role.is_some() && terms.password.is_none() {
        body.reject::<()>("password", "is required for an account, and only an account has a role");
    }
    body.finish()?;
    let key = Purpose::User.header(cx.request, cx.identity.user_id())?;
    let record = users::create(cx, username, name, email, terms, key)?;
    let location = format!("/users/{}", record.user.id);
    let tag = tag(&record, cx.identity);
    Ok(response::tagged(response::created(&location, &shown_to(record, cx.identity)), &tag))
}

/// List users
///
/// Oldest first.
#[cfg_attr(test, utoipa::path(
    get, path = "/users", operation_id = "listUsers", tag = "Users",
    params(("limit", Query), ("cursor", Query), ("username", Query)),
    responses((status = 200, description = "Users.", body = wiki_types::Users, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let page = lists::users(cx.request, cx.db)?;
    Ok(page.map(|record| shown_to(record, cx.identity)).response(cx.request, "users"))
}

/// Suggest people while somebody types
///
/// At most ten who have a username: those whose username begins so, in any case, then those whose name or a word of it does.
#[cfg_attr(test, utoipa::path(
    get, path = "/users/suggestions", operation_id = "suggestUsers", tag = "Users",
    params(("q" = Option<String>, Query, description = "The text so far.", min_length = 0, example = "ad")),
    responses((status = 200, description = "People.", body = wiki_types::UserSuggestions), (status = 304)),
))]
pub fn suggestions(cx: &Context) -> Result<Response, Problem> {
    let typed = query(cx.request, "q").unwrap_or_default();
    let typed = typed.trim();
    let suggestions = match typed {
        "" => Vec::new(),
        _ => {
            check("q", typed, rules::line::<MAX_QUERY>)?;
            store::users::suggestions(cx.db, typed, MAX_SUGGESTIONS)?
        }
    };
    Ok(response::tagged_by_content(cx.request, response::json(&UserSuggestions { suggestions })))
}

/// Read a user
#[cfg_attr(test, utoipa::path(
    get, path = "/users/{id}", operation_id = "readUser", tag = "Users",
    responses((status = 200, description = "The user.", body = User, headers(("ETag")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let record = store::users::find(cx.db, id)?.ok_or_else(errors::user_not_found)?;
    let tag = tag(&record, cx.identity);
    Ok(response::unless_known(cx.request, &tag, || response::json(&shown_to(record, cx.identity))))
}

/// Change a user
///
/// Users change themselves. Administrators change anyone, and give roles and passwords. A change that changes nothing
/// makes no version.
#[cfg_attr(test, utoipa::path(
    patch, path = "/users/{id}", operation_id = "updateUser", tag = "Users", request_body = wiki_types::UserChange,
    responses((status = 200, description = "The user as it is now.", body = User, headers(("ETag")),
        example = json!({ "name": "Docker Test", "email": null })), (status = 409), (status = 412)),
))]
pub fn update(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    let mut body = Body::read(cx.request)?;
    let username = body.nullable_text("username", rules::username);
    let name = body.nullable_text("name", rules::name);
    if name == Some(None) {
        body.reject::<()>("name", "cannot be cleared; give another name instead");
    }
    let email = body.nullable_text("email", users::email);
    let terms = Terms::read(&mut body, cx.identity)?;
    let time_zone = body.nullable_text("time_zone", settings::time_zone);
    body.finish()?;
    let change = users::Change { username, name: name.flatten(), email, terms, time_zone };
    let record = users::change(cx, id, seen, change).map_err(|refusal| match refusal {
        users::Refusal::Stale(current) => stale(*current, cx.identity),
        users::Refusal::Problem(problem) => problem,
    })?;
    let tag = tag(&record, cx.identity);
    Ok(response::tagged(response::json(&shown_to(record, cx.identity)), &tag))
}

/// Delete a user
///
/// What they wrote stays; their name, username and email go.
#[cfg_attr(test, utoipa::path(
    delete, path = "/users/{id}", operation_id = "deleteUser", tag = "Users",
    responses((status = 204, description = "The user is deleted."), (status = 409), (status = 412)),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    users::check_may_try(cx.identity, id)?;
    match store::users::delete(cx.db, id, seen, users::manages(cx.identity, id), &cx.identity.actor())? {
        Deleted::Deleted => Ok(response::no_content()),
        Deleted::Stale(current) => Err(stale(current, cx.identity)),
        Deleted::NotAllowed => Err(errors::user_not_yours()),
        Deleted::LastAdministrator => Err(errors::last_administrator()),
        Deleted::Gone => Err(errors::user_not_found()),
    }
}

/// The user as `identity` may see them.
fn shown_to(record: UserRecord, identity: &Identity) -> User {
    let in_full = users::manages(identity, record.user.id);
    let mut user = record.user;
    user.role = user.role.filter(|_| in_full && record.has_account);
    user.time_zone = user.time_zone.filter(|_| in_full);
    user.email = user.email.filter(|_| in_full || identity.mode == wiki_types::Mode::Open);
    user
}

/// The entity tag of a user, who is not shown the same to everyone.
fn tag(record: &UserRecord, identity: &Identity) -> String {
    etag::etag(record.version, if users::manages(identity, record.user.id) { "full" } else { "" })
}

fn stale(current: UserRecord, identity: &Identity) -> Problem {
    let version = current.version;
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "The user was changed meanwhile. Compare with \"current\" and send the change again with its ETag.",
    )
    .with("current", serde_json::to_value(shown_to(current, identity)).unwrap_or(Value::Null))
    .with("version", version)
}
