//! Revisions: every state a page has had, what changed between them, and going back to one.

use serde_json::json;
use wiki_types::rules;

use crate::api::posts;
use crate::auth::Context;
use crate::input::{lists, revisions};
use crate::store::pages;
use crate::web::json::Body;
use crate::web::request::{positive, query};
use crate::web::{Problem, Response, etag, response};
use crate::{diff, errors};

/// `GET /posts/{id}/revisions`, newest first
pub fn list(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(lists::revisions_of(cx.request, cx.db, id)?.response(cx.request, "revisions"))
}

/// `GET /changes`: the revisions of all pages, newest first; those by one user with `?user_id=`
pub fn changes(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::changes(cx.request, cx.db)?.response(cx.request, "changes"))
}

/// `GET /posts/{id}/revisions/{version}`
pub fn read(cx: &Context, id: i64, version: &str) -> Result<Response, Problem> {
    let Some(version) = positive(version) else {
        pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
        return Err(errors::version_not_found(version));
    };
    let revision = revisions::find(cx.db, id, version)?;
    // A revision never changes, but its author may be renamed.
    Ok(response::tagged_by_content(cx.request, response::json(&revision)))
}

/// `GET /posts/{id}/compare`: what changed from the version `?from=` to `?to=`
///
/// Without `to`, the current version; without `from`, the one before `to`. `from=0` is the empty page before the first.
pub fn compare(cx: &Context, id: i64) -> Result<Response, Problem> {
    let given = |name, first: i64| match query(cx.request, name) {
        None => Ok(None),
        Some(text) if first == 0 && text == "0" => Ok(Some(0)),
        Some(text) => match positive(&text) {
            Some(version) => Ok(Some(version)),
            None => Err(Problem::invalid_field(name, format!("must be a version: a whole number from {first}"))),
        },
    };
    let (older, newer) = revisions::pair(cx.db, id, given("from", 0)?, given("to", 1)?)?;
    let difference = diff::difference(older.as_ref().map_or("", |older| &older.content), &newer.content);
    Ok(response::json(&json!({
        "post_id": newer.entry.post_id,
        "from": older.as_ref().map(|revision| &revision.entry),
        "to": newer.entry,
        "truncated": difference.truncated,
        "hunks": difference.hunks,
    })))
}

/// `POST /posts/{id}/revert`: makes the page what it was in `version`, as a new version
pub fn revert(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    let mut body = Body::read(cx.request)?;
    let version = body.required_integer("version").unwrap_or_default();
    let user_id = body.integer("user_id");
    let comment = body.text("comment", rules::comment);
    body.finish()?;
    let user_id = cx.identity.author(user_id)?;
    // A revision never changes: nothing is lost between reading it and saving it again.
    let draft = revisions::reversion(revisions::find(cx.db, id, version)?, user_id, comment);
    posts::respond(pages::save(cx.db, id, seen, &draft, cx.identity.administers())?, None, true)
}
