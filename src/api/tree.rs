//! The tree of pages, and who may read and write a part of it.

use http::StatusCode;
use wiki_types::{SpaceRole, TreePage};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::input::spaces::{self as input, check_set};
use crate::store::access;
use crate::store::pages;
use crate::store::pages::tree::{self, Level, Moved};
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// List the pages below a page
///
/// Those right below it, in their order. `children` says how many pages are right below each.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/children", operation_id = "listChildren", tag = "Posts",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Pages.", body = wiki_types::Children, headers(("ETag")))),
))]
pub fn children(cx: &Context, id: i64) -> Result<Response, Problem> {
    let page = lists::level(cx.request, cx.db, Level::Below(id))?;
    if page.items.is_empty() {
        pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
    }
    Ok(page.map(|(page, _): (TreePage, _)| page).response(cx.request, "children"))
}

/// Move a page
///
/// With everything below it: below another page, to the top of a space, or to another place among its siblings. Its address stays as
/// it is. What may be read there by others may then be read by them here, unless the page narrows that for itself.
#[cfg_attr(test, utoipa::path(
    post, path = "/posts/{id}/move", operation_id = "movePost", tag = "Posts", request_body = wiki_types::Move,
    responses((status = 200, description = "The page.", body = wiki_types::Post, headers(("ETag"))), (status = 409)),
))]
pub fn relocate(cx: &Context, id: i64) -> Result<Response, Problem> {
    let to = input::place(Body::read(cx.request)?)?;
    match tree::relocate(cx.db, id, to, cx.identity.administers(), &cx.identity.actor())? {
        Moved::Moved => {}
        Moved::Gone => return Err(errors::page_not_found()),
        Moved::Refused(refusal) => return Err(errors::page_refused(refusal)),
        Moved::Unplaced(why) => return Err(errors::unplaced(why)),
        Moved::Circle => {
            return Err(Problem::new(StatusCode::CONFLICT, "A page cannot be below itself."));
        }
    }
    crate::api::posts::read(cx, id)
}

/// Read who may read and write a page
///
/// What the page narrows for itself and everything below it: 404 where it narrows nothing. For those who administer the space or,
/// of pages in the first space, the wiki.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/access", operation_id = "readPostAccess", tag = "Posts",
    responses((status = 200, description = "The rights.", body = wiki_types::Access, headers(("Cache-Control")))),
))]
pub fn read_access(cx: &Context, id: i64) -> Result<Response, Problem> {
    let access = access::of_page(cx.db, id)?.ok_or_else(errors::page_not_found)?;
    if access.role < SpaceRole::Administer {
        return Err(errors::not_administered());
    }
    let own = access
        .own
        .ok_or_else(|| Problem::not_found("The page has no rights of its own: its place says who may read it."))?;
    Ok(response::no_store(response::json(&own)))
}

/// Narrow who may read and write a page
///
/// For the page and everything below it. Nobody may do more than its place allows; those who administer the space keep their rights.
/// For those who administer the space or, of pages in the first space, the wiki.
#[cfg_attr(test, utoipa::path(
    put, path = "/posts/{id}/access", operation_id = "setPostAccess", tag = "Posts", request_body = wiki_types::Access,
    responses((status = 200, description = "The rights as they are now.", body = wiki_types::Access, headers(("Cache-Control")))),
))]
pub fn set_access(cx: &Context, id: i64) -> Result<Response, Problem> {
    let wanted = input::access(Body::read(cx.request)?)?;
    check_set(access::set_of_page(cx.db, id, Some(&wanted), &cx.identity.actor())?, errors::page_not_found)?;
    read_access(cx, id)
}

/// Let a page's place say who may read and write it
#[cfg_attr(test, utoipa::path(
    delete, path = "/posts/{id}/access", operation_id = "deletePostAccess", tag = "Posts",
    responses((status = 204, description = "The page narrows nothing any more.")),
))]
pub fn delete_access(cx: &Context, id: i64) -> Result<Response, Problem> {
    check_set(access::set_of_page(cx.db, id, None, &cx.identity.actor())?, errors::page_not_found)?;
    Ok(response::no_content())
}
