//! Spaces, and who may read and write in them.

use wiki_types::{Access, Space, SpaceRole, Spaces, TreePage};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::input::spaces::{self as input, check_set};
use crate::store::pages::tree::Level;
use crate::store::spaces::{self, Deleted, Saved};
use crate::web::json::Body;
use crate::web::{Problem, Response, etag, response};

/// List the spaces
///
/// Those that you may read: the first one, then the others by name.
#[cfg_attr(test, utoipa::path(
    get, path = "/spaces", operation_id = "listSpaces", tag = "Spaces",
    responses((status = 200, description = "The spaces.", body = Spaces, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let spaces = spaces::all(cx.db)?;
    Ok(response::tagged_by_content(cx.request, response::json(&Spaces { spaces })))
}

/// Create a space
///
/// For administrators.
#[cfg_attr(test, utoipa::path(
    post, path = "/spaces", operation_id = "createSpace", tag = "Spaces", request_body = wiki_types::NewSpace,
    responses((status = 201, description = "The new space.", body = Space, headers(("ETag"))), (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let (space, slug) = input::new_space(Body::read(cx.request)?)?;
    let id = saved(spaces::create(cx.db, &space, &slug, &cx.identity.actor())?, &slug)?;
    let space = find(cx, id)?;
    Ok(response::tagged(response::created(&format!("/spaces/{id}"), &space), &tag(&space)))
}

/// Read a space
#[cfg_attr(test, utoipa::path(
    get, path = "/spaces/{id}", operation_id = "readSpace", tag = "Spaces",
    responses((status = 200, description = "The space.", body = Space, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(&find(cx, id)?)))
}

/// Change a space
///
/// For those who administer it.
#[cfg_attr(test, utoipa::path(
    patch, path = "/spaces/{id}", operation_id = "changeSpace", tag = "Spaces", request_body = wiki_types::SpaceChange,
    responses((status = 200, description = "The space as it is now.", body = Space, headers(("ETag"))), (status = 409),
        (status = 412)),
))]
pub fn change(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    let change = input::space_change(Body::read(cx.request)?)?;
    let slug = change.slug.clone().unwrap_or_default();
    saved(spaces::change(cx.db, id, seen, &change, &cx.identity.actor())?, &slug)?;
    let space = find(cx, id)?;
    Ok(response::tagged(response::json(&space), &tag(&space)))
}

/// Delete a space
///
/// Once it has no pages any more: move or delete them first. If one of them is restored, the space comes back. For administrators.
#[cfg_attr(test, utoipa::path(
    delete, path = "/spaces/{id}", operation_id = "deleteSpace", tag = "Spaces",
    responses((status = 204, description = "The space is deleted."), (status = 409)),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    match spaces::delete(cx.db, id, &cx.identity.actor())? {
        Deleted::Deleted => Ok(response::no_content()),
        Deleted::Gone => Err(errors::space_not_found()),
        Deleted::InUse => Err(errors::space_in_use()),
        Deleted::First => Err(errors::first_space_stays()),
    }
}

/// List the pages at the top of a space
///
/// In their order. `children` says how many pages are right below each.
#[cfg_attr(test, utoipa::path(
    get, path = "/spaces/{id}/children", operation_id = "listTopPages", tag = "Spaces",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Pages.", body = wiki_types::Children, headers(("ETag")))),
))]
pub fn children(cx: &Context, id: i64) -> Result<Response, Problem> {
    let page = lists::level(cx.request, cx.db, Level::Top(id))?;
    if page.items.is_empty() {
        find(cx, id)?;
    }
    Ok(page.map(|(page, _): (TreePage, _)| page).response(cx.request, "children"))
}

/// Read who may do what in a space
///
/// For those who administer it.
#[cfg_attr(test, utoipa::path(
    get, path = "/spaces/{id}/access", operation_id = "readSpaceAccess", tag = "Spaces",
    responses((status = 200, description = "The rights.", body = Access, headers(("Cache-Control")))),
))]
pub fn access(cx: &Context, id: i64) -> Result<Response, Problem> {
    if find(cx, id)?.role < SpaceRole::Administer {
        return Err(errors::not_administered());
    }
    // The first space has no list: the mode of the wiki says who may do what.
    let access = spaces::access(cx.db, id)?.unwrap_or(Access { everybody: SpaceRole::Write, entries: Vec::new() });
    Ok(response::no_store(response::json(&access)))
}

/// Set who may do what in a space
///
/// Replaces all that was said before. Roles are never more than the wiki's mode and the role of an account allow: a reader stays
/// a reader. Administrators of the wiki may do everything in every space. For those who administer the space.
#[cfg_attr(test, utoipa::path(
    put, path = "/spaces/{id}/access", operation_id = "setSpaceAccess", tag = "Spaces", request_body = Access,
    responses((status = 200, description = "The rights as they are now.", body = Access, headers(("Cache-Control")))),
))]
pub fn set_access(cx: &Context, id: i64) -> Result<Response, Problem> {
    let wanted = input::access(Body::read(cx.request)?)?;
    check_set(spaces::set_access(cx.db, id, &wanted, &cx.identity.actor())?, errors::space_not_found)?;
    let access = spaces::access(cx.db, id)?.ok_or_else(errors::space_not_found)?;
    Ok(response::no_store(response::json(&access)))
}

fn find(cx: &Context, id: i64) -> Result<Space, Problem> {
    spaces::find(cx.db, id)?.ok_or_else(errors::space_not_found)
}

fn tag(space: &Space) -> String {
    etag::etag(space.version, "space")
}

/// The number of a space that was saved.
fn saved(saved: Saved, slug: &str) -> Result<i64, Problem> {
    match saved {
        Saved::Saved(id) => Ok(id),
        Saved::SlugTaken => Err(Problem::taken("slug", slug)),
        Saved::Gone => Err(errors::space_not_found()),
        Saved::Forbidden => Err(errors::not_administered()),
        Saved::Stale => Err(errors::stale("space")),
    }
}
