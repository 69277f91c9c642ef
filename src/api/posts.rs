//! Posts, which are the wiki's pages.

use http::StatusCode;
use serde_json::Value;
use wiki_types::{Post, rules};

use crate::auth::Context;
use crate::errors;
use crate::input::idempotency::{self, Purpose};
use crate::input::lists::MAX_QUERY;
use crate::input::{draft, lists, revisions};
use crate::store::pages::{self, Created, Deleted, Draft, Note, Restored, Saved};
use crate::store::{search, spaces};
use crate::web::json::{Body, check};
use crate::web::request::{positive, query};
use crate::web::response::{self, MARKDOWN};
use crate::web::{Problem, Response, etag};

/// List pages
///
/// Newest first unless `sort` says otherwise. Items have their `size` in bytes in place of the content. A page that was
/// renamed is found only by its current slug.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts", operation_id = "listPosts", tag = "Posts",
    params(("limit", Query), ("cursor", Query), ("sort", Query), ("space_id", Query), ("parent_id", Query), ("user_id", Query), ("author", Query), ("tag", Query),
        ("slug", Query), ("since", Query), ("until", Query), ("q", Query)),
    responses((status = 200, description = "Pages.", body = wiki_types::Posts, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let mut filter = lists::filter(cx.request)?;
    if let Some(wanted) = query(cx.request, "q") {
        check("q", &wanted, rules::line::<MAX_QUERY>)?;
        filter = search::matching(filter, &wanted);
    }
    Ok(lists::posts(cx.request, cx.db, filter, lists::order(cx.request)?)?.response(cx.request, "posts"))
}

/// List deleted pages
///
/// Latest deletion first, with who deleted them, when and why. Their contents cannot be read until they are restored.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/deleted", operation_id = "listDeletedPosts", tag = "Posts",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Deleted pages.", body = wiki_types::DeletedPosts, headers(("ETag")))),
))]
pub fn deleted(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::deleted(cx.request, cx.db)?.response(cx.request, "posts"))
}

/// Create a page
///
/// 404 means that there is no such user, space or parent. With an `Idempotency-Key`, the same request can be sent again, as after a timeout:
/// within a week it makes no second page, and is answered with the page as it is now.
#[cfg_attr(test, utoipa::path(
    post, path = "/posts", operation_id = "createPost", tag = "Posts", request_body = wiki_types::PostDraft,
    params(("Idempotency-Key", Header)),
    responses((status = 201, description = "The new page.", body = Post, headers(("ETag"))),
        (status = 404), (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let draft = draft::read(Body::read(cx.request)?)?;
    let author = cx.identity.author(draft.user_id)?;
    let user_id = author.ok_or_else(|| Problem::invalid_field("user_id", "is required"))?;
    let slug = draft.slug.clone();
    let key = Purpose::Page.header(cx.request, Some(user_id))?;
    let draft = Draft { key, owner: cx.identity.user_id(), ..draft };
    let (title, content) = (draft.title.clone(), draft.content.clone());
    match pages::create(cx.db, user_id, draft)? {
        Created::Created(post) => Ok(created(&post)),
        Created::Repeated(before) => {
            let page = pages::find(cx.db, before.post_id)?.ok_or_else(|| idempotency::deleted_since("page"))?;
            let made = revisions::find(cx.db, before.post_id, before.version)?;
            if made.content != content || title.is_some_and(|title| title != made.entry.title) {
                return Err(idempotency::used_for_another("page"));
            }
            Ok(created(&page))
        }
        Created::NoSuchUser => Err(errors::user_not_found()),
        Created::SlugTaken => Err(slug_taken(slug.as_deref())),
        Created::Unplaced(why) => Err(errors::unplaced(why)),
    }
}

fn created(post: &Post) -> Response {
    let response = response::created(&format!("/posts/{}", post.post_id), post);
    response::tagged(response, &tag(post))
}

/// Read a page
///
/// As JSON or, by `Accept`, as its Markdown or as an HTML page.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}", operation_id = "readPost", tag = "Posts",
    responses((status = 200, description = "The page.", headers(("ETag")),
        content((Post = "application/json"), (String = "text/markdown"), (String = "text/html")))),
))]
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

/// Edit a page
///
/// Replaces the content, and the title, slug and tags that are given. Needs the version you saw, in `If-Match` or in
/// the body: of any number of writers that saw the same version, exactly one wins. The others get 412, or 409 if they
/// named it in the body, with the page as it is now, so that they can show the difference and merge. An edit that
/// changes nothing makes no version.
#[cfg_attr(test, utoipa::path(
    put, path = "/posts/{id}", operation_id = "editPost", tag = "Posts", request_body = wiki_types::PostEdit,
    responses((status = 200, description = "The page as it is now.", body = Post, headers(("ETag")), example = json!({
        "content": "# Hello\n\nSecond thoughts.", "version": 2, "updated_time": "2026-11-22T10:05:00.000000Z",
    })), (status = 409), (status = 412), (status = 428)),
))]
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
    let saved = pages::save(cx.db, id, seen, &draft, cx.identity.administers(), &cx.identity.actor())?;
    respond(saved, draft.slug.as_deref(), header.is_some())
}

/// The response to an edit. `by_header` is whether the client said in If-Match which version it saw.
pub(super) fn respond(saved: Saved, slug: Option<&str>, by_header: bool) -> Result<Response, Problem> {
    match saved {
        Saved::Saved(post) | Saved::Unchanged(post) => Ok(with_tag(&post)),
        Saved::Stale(current) => Err(stale(*current, by_header)),
        Saved::Refused(refusal) => Err(errors::page_refused(refusal)),
        Saved::Gone => Err(errors::page_not_found()),
        Saved::NoSuchUser => Err(errors::user_not_found()),
        Saved::SlugTaken => Err(slug_taken(slug)),
    }
}

/// Delete a page
///
/// The page and its history are kept, but can no longer be read until it is restored. The deletion is a version of its own.
/// The pages right below it move up to where it was. With `below=true`, everything below it is deleted as well, each page as
/// a deletion of its own; if one of them may not be deleted, nothing is, and the response is 403.
/// What the sender may not read moves up.
#[cfg_attr(test, utoipa::path(
    delete, path = "/posts/{id}", operation_id = "deletePost", tag = "Posts",
    params(("below", Query), ("comment", Query), ("user_id" = Option<i64>, Query, minimum = 1, description = "Who does it. By default, the \
        sender, if they have an account. Unless the wiki is open, only administrators name another user.")),
    responses((status = 204, description = "The page is deleted."), (status = 412)),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    let delete = match query(cx.request, "below").as_deref() {
        None | Some("false") => pages::delete,
        Some("true") => pages::delete_tree,
        Some(_) => return Err(Problem::invalid_field("below", "must be true or false")),
    };
    match delete(cx.db, id, seen, &note(cx)?, cx.identity.administers(), &cx.identity.actor())? {
        Deleted::Deleted => Ok(response::no_content()),
        Deleted::Stale(current) => Err(stale(*current, true)),
        Deleted::Refused(refusal) => Err(errors::page_refused(refusal)),
        Deleted::Blocked(blocked) => Err(errors::below_blocked(&blocked)),
        Deleted::Gone => Err(errors::page_not_found()),
        Deleted::NoSuchUser => Err(errors::user_not_found()),
    }
}

/// Restore a deleted page
///
/// With its text, as a version of its own; under another slug if its own is now in use. A page that is not deleted stays as
/// it is.
#[cfg_attr(test, utoipa::path(
    post, path = "/posts/{id}/restore", operation_id = "restorePost", tag = "Posts",
    params(("comment", Query), ("user_id" = Option<i64>, Query, minimum = 1, description = "Who does it. By default, the \
        sender, if they have an account. Unless the wiki is open, only administrators name another user.")),
    responses((status = 200, description = "The page.", body = Post, headers(("ETag")))),
))]
pub fn restore(cx: &Context, id: i64) -> Result<Response, Problem> {
    match pages::restore(cx.db, id, &note(cx)?, cx.identity.administers(), &cx.identity.actor())? {
        Restored::Restored(post) | Restored::NotDeleted(post) => Ok(with_tag(&post)),
        Restored::Refused(refusal) => Err(errors::page_refused(refusal)),
        Restored::Gone => Err(errors::page_not_found()),
        Restored::NoSuchUser => Err(errors::user_not_found()),
    }
}

/// Who deletes or restores a page, and why: `?user_id=` and `?comment=`.
fn note(cx: &Context) -> Result<Note, Problem> {
    let comment = query(cx.request, "comment").unwrap_or_default();
    check("comment", &comment, rules::comment)?;
    let user_id = match query(cx.request, "user_id") {
        Some(text) => {
            Some(positive(&text).ok_or_else(|| Problem::invalid_field("user_id", "must be a user's number"))?)
        }
        None => None,
    };
    Ok(Note { user_id: cx.identity.author(user_id)?, comment })
}

/// Protect a page
///
/// From then on, only administrators change it. For administrators.
#[cfg_attr(test, utoipa::path(
    put, path = "/posts/{id}/protection", operation_id = "protectPost", tag = "Posts",
    responses((status = 200, description = "The page.", body = Post, headers(("ETag")),
        example = json!({ "protected": true }))),
))]
pub fn protect(cx: &Context, id: i64) -> Result<Response, Problem> {
    set_protection(cx, id, true)
}

/// Stop protecting a page
///
/// Every writer may change it again. For administrators.
#[cfg_attr(test, utoipa::path(
    delete, path = "/posts/{id}/protection", operation_id = "unprotectPost", tag = "Posts",
    responses((status = 200, description = "The page.", body = Post, headers(("ETag")))),
))]
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
    let place = match post.parent_id {
        Some(parent) => format!("in{parent}"),
        None if post.space_id != spaces::FIRST => format!("space{}", post.space_id),
        None => String::new(),
    };
    etag::etag(post.version, &format!("{}{place}", if post.protected { "protected" } else { "" }))
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
