//! Revisions: every state a page has had, what changed between them, and going back to one.

use wiki_types::{Comparison, rules};

use crate::api::posts;
use crate::auth::Context;
use crate::input::{lists, revisions};
use crate::store::pages;
use crate::web::json::Body;
use crate::web::request::{positive, query};
use crate::web::{Problem, Response, etag, response};
use crate::{diff, errors};

/// List a page's revisions
///
/// Newest first.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/revisions", operation_id = "listRevisions", tag = "History",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Revisions.", body = wiki_types::Revisions, headers(("ETag")))),
))]
pub fn list(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(lists::revisions_of(cx.request, cx.db, id)?.response(cx.request, "revisions"))
}

/// List recent changes
///
/// The revisions of all pages, newest first. Of a page that is deleted, only its deletion.
#[cfg_attr(test, utoipa::path(
    get, path = "/changes", operation_id = "listChanges", tag = "History",
    params(("limit", Query), ("cursor", Query), ("user_id", Query)),
    responses((status = 200, description = "Revisions.", body = wiki_types::Changes, headers(("ETag")))),
))]
pub fn changes(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::changes(cx.request, cx.db)?.response(cx.request, "changes"))
}

/// Read a revision
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/revisions/{version}", operation_id = "readRevision", tag = "History",
    responses((status = 200, description = "The page in that version.", body = wiki_types::Revision,
        headers(("ETag")))),
))]
pub fn read(cx: &Context, id: i64, version: &str) -> Result<Response, Problem> {
    let Some(version) = positive(version) else {
        pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
        return Err(errors::version_not_found(version));
    };
    let revision = revisions::find(cx.db, id, version)?;
    // A revision never changes, but its author may be renamed.
    Ok(response::tagged_by_content(cx.request, response::json(&revision)))
}

/// Compare two versions of a page
///
/// Hunks of lines, each with its number in both versions and with the words that changed marked. It ends after 10,000
/// lines; `truncated` says so. `line_ends` is there if the ends of lines changed, which makes no line a changed one.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/compare", operation_id = "comparePost", tag = "History",
    params(
        ("from" = Option<i64>, Query, minimum = 0, example = 1,
            description = "The older version; by default, the one before `to`. 0 is the empty page before the first."),
        ("to" = Option<i64>, Query, minimum = 1, example = 1,
            description = "The newer version; by default, the current one."),
    ),
    responses((status = 200, description = "The changes.", body = Comparison)),
))]
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
    // Others need not wait for a comparison.
    cx.db.release();
    let difference = diff::difference(older.as_ref().map_or("", |older| &older.content), &newer.content);
    Ok(response::json(&Comparison {
        post_id: newer.entry.post_id,
        from: older.map(|revision| revision.entry),
        to: newer.entry,
        truncated: difference.truncated,
        line_ends: difference.line_ends,
        hunks: difference.hunks,
    }))
}

/// Go back to a version of a page
///
/// Title, content and tags become what they were, as a new version. The slug stays, so that links work. `If-Match` is
/// honoured, but not needed: no revision is lost.
#[cfg_attr(test, utoipa::path(
    post, path = "/posts/{id}/revert", operation_id = "revertPost", tag = "History",
    request_body = wiki_types::Reversion,
    responses((status = 200, description = "The page as it is now.", body = wiki_types::Post, headers(("ETag"))),
        (status = 412)),
))]
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
    let saved = pages::save(cx.db, id, seen, &draft, cx.identity.administers(), &cx.identity.actor())?;
    posts::respond(saved, None, true)
}
