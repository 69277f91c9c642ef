//! Posts, which are the wiki's pages.

use http::StatusCode;
use serde_json::Value;
use wiki_types::{Post, rules};

use crate::auth::Context;
use crate::errors;
use crate::input::lists::MAX_QUERY;
use crate::input::{draft, lists};
use crate::store::pages::{self, Created, Deleted, Restored, Saved};
use crate::store::search;
use crate::web::json::{Body, check};
use crate::web::request::query;
use crate::web::response::{self, MARKDOWN};
use crate::web::{Problem, Response, etag};

/// `GET /posts`, newest first unless `?sort=` says otherwise; those that match `?q=`
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let mut filter = lists::filter(cx.request)?;
    if let Some(wanted) = query(cx.request, "q") {
        check("q", &wanted, rules::line::<MAX_QUERY>)?;
        filter = search::matching(filter, &wanted);
    }
    Ok(lists::posts(cx.request, cx.db, filter, lists::order(cx.request)?)?.response(cx.request, "posts"))
}

/// `POST /posts`: by the user that is named, or by the sender
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let draft = draft::read(Body::read(cx.request)?)?;
    let author = cx.identity.author(draft.user_id)?;
    let user_id = author.ok_or_else(|| Problem::invalid_field("user_id", "is required"))?;
    let slug = draft.slug.clone();
    match pages::create(cx.db, user_id, draft)? {
        Created::Created(post) => {
            let response = response::created(&format!("/posts/{}", post.post_id), &post);
            Ok(response::tagged(response, &tag(&post)))
        }
        Created::NoSuchUser => Err(errors::user_not_found()),
        Created::SlugTaken => Err(slug_taken(slug.as_deref())),
    }
}

/// `GET /posts/{id}` as JSON
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let post = find(cx, id)?;
    Ok(response::unless_known(cx.request, &tag(&post), || response::json(&post)))
}

/// `GET /posts/{id}` as Markdown
pub fn read_markdown(cx: &Context, id: i64) -> Result<Response, Problem> {
    let post = find(cx, id)?;
    let tag = etag::etag(post.version, "md");
    let body = || response::bytes(StatusCode::OK, MARKDOWN, post.content.into_bytes());
    Ok(response::unless_known(cx.request, &tag, body))
}

/// `PUT /posts/{id}`: replaces the content, and the title, slug and tags that are given
///
/// Needs the version the client saw, in If-Match or the body.
pub fn update(cx: &Context, id: i64) -> Result<Response, Problem> {
    let header = etag::if_match(cx.request.headers())?;
    let mut draft = draft::read(Body::read(cx.request)?)?;
    draft.user_id = cx.identity.author(draft.user_id)?;
    let seen = match (&header, draft.version) {
        (Some(tags), None) => etag::versions(tags),
        (Some(tags), Some(version)) => {
            Some(etag::versions(tags).unwrap_or(vec![version]).into_iter().filter(|seen| *seen == version).collect())
        }
        (None, Some(version)) => Some(vec![version]),
        (None, None) => return Err(precondition_required()),
    };
    let saved = pages::save(cx.db, id, seen, &draft, cx.identity.administers())?;
    respond(saved, draft.slug.as_deref(), header.is_some())
}

/// The response to an edit. `by_header` is whether the client said in If-Match which version it saw.
pub(super) fn respond(saved: Saved, slug: Option<&str>, by_header: bool) -> Result<Response, Problem> {
    match saved {
        Saved::Saved(post) | Saved::Unchanged(post) => Ok(with_tag(&post)),
        Saved::Stale(current) => Err(stale(*current, by_header)),
        Saved::Protected => Err(errors::page_protected()),
        Saved::Gone => Err(errors::page_not_found()),
        Saved::NoSuchUser => Err(errors::user_not_found()),
        Saved::SlugTaken => Err(slug_taken(slug)),
    }
}

/// `DELETE /posts/{id}`: the page can no longer be read, but is kept with its history
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    match pages::delete(cx.db, id, seen, cx.identity.administers(), &cx.identity.actor())? {
        Deleted::Deleted => Ok(response::no_content()),
        Deleted::Stale(current) => Err(stale(*current, true)),
        Deleted::Protected => Err(errors::page_protected()),
        Deleted::Gone => Err(errors::page_not_found()),
    }
}

/// `POST /posts/{id}/restore`: a deleted page as it was, under another slug if its own is in use by now
pub fn restore(cx: &Context, id: i64) -> Result<Response, Problem> {
    match pages::restore(cx.db, id, cx.identity.administers(), &cx.identity.actor())? {
        Restored::Restored(post) | Restored::NotDeleted(post) => Ok(with_tag(&post)),
        Restored::Protected => Err(errors::page_protected()),
        Restored::Gone => Err(errors::page_not_found()),
    }
}

/// `PUT /posts/{id}/protection`: from now on, only administrators change the page
pub fn protect(cx: &Context, id: i64) -> Result<Response, Problem> {
    set_protection(cx, id, true)
}

/// `DELETE /posts/{id}/protection`: every writer may change the page again
pub fn unprotect(cx: &Context, id: i64) -> Result<Response, Problem> {
    set_protection(cx, id, false)
}

fn set_protection(cx: &Context, id: i64, protected: bool) -> Result<Response, Problem> {
    let post = pages::set_protection(cx.db, id, protected, &cx.identity.actor())?;
    Ok(with_tag(&post.ok_or_else(errors::page_not_found)?))
}

fn find(cx: &Context, id: i64) -> Result<Post, Problem> {
    pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)
}

fn with_tag(post: &Post) -> Response {
    response::tagged(response::json(post), &tag(post))
}

/// The entity tag of a page's JSON.
fn tag(post: &Post) -> String {
    etag::etag(post.version, if post.protected { "protected" } else { "" })
}

fn precondition_required() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_REQUIRED,
        "Say which version you edited, so that no edit is lost: send its ETag in If-Match, or \"version\" in the body.",
    )
}

/// The page is at another version: 412 if the client named the one it saw in If-Match, 409 if in the body.
fn stale(current: Post, by_header: bool) -> Problem {
    let status = if by_header { StatusCode::PRECONDITION_FAILED } else { StatusCode::CONFLICT };
    let detail = format!(
        "The page was edited meanwhile; it is now at version {}. Merge your text with \"current\" and send it again.",
        current.version
    );
    Problem::new(status, detail)
        .with("version", current.version)
        .with("current", serde_json::to_value(current).unwrap_or(Value::Null))
}

fn slug_taken(slug: Option<&str>) -> Problem {
    Problem::taken("slug", slug.unwrap_or_default())
}
