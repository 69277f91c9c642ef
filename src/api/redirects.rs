//! Redirects: slugs that lead to a page beside its own.

use wiki_types::{Redirect, rules};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::store::redirects::{self, Deleted, Set};
use crate::web::json::{Body, check};
use crate::web::{Problem, Response, response};

/// List redirects
///
/// By slug: those that pages had before they were renamed, and those that were set. A slug that a page has is none.
#[cfg_attr(test, utoipa::path(
    get, path = "/redirects", operation_id = "listRedirects", tag = "Posts",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Redirects.", body = wiki_types::Redirects, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::redirects(cx.request, cx.db)?.response(cx.request, "redirects"))
}

/// Set a redirect
///
/// From then on, the slug leads to the page: in addresses and in links. 409 if a page has it, or it leads to another one.
#[cfg_attr(test, utoipa::path(
    put, path = "/redirects/{slug}", operation_id = "setRedirect", tag = "Posts",
    request_body = wiki_types::RedirectTarget,
    responses((status = 200, description = "The redirect.", body = Redirect, headers(("Cache-Control"))),
        (status = 409)),
))]
pub fn set(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let slug = rules::composed(slug).into_owned();
    check("slug", &slug, rules::slug)?;
    let mut body = Body::read(cx.request)?;
    let post_id = body.required_integer("post_id").unwrap_or_default();
    body.finish()?;
    match redirects::set(cx.db, &slug, post_id, cx.identity.administers())? {
        Set::Set => Ok(response::no_store(response::json(&Redirect { slug, post_id }))),
        Set::Taken => Err(Problem::taken("slug", &slug)),
        Set::Refused(refusal) => Err(errors::page_refused(refusal)),
        Set::Gone => Err(errors::page_not_found()),
    }
}

/// Delete a redirect
///
/// Links with the slug then lead to no page.
#[cfg_attr(test, utoipa::path(
    delete, path = "/redirects/{slug}", operation_id = "deleteRedirect", tag = "Posts",
    responses((status = 204, description = "The redirect is deleted.")),
))]
pub fn delete(cx: &Context, slug: &str) -> Result<Response, Problem> {
    match redirects::delete(cx.db, &rules::composed(slug), cx.identity.administers())? {
        Deleted::Deleted => Ok(response::no_content()),
        Deleted::Refused(refusal) => Err(errors::page_refused(refusal)),
        Deleted::Gone => Err(Problem::not_found("There is no such redirect")),
    }
}
