//! Groups of users.

use wiki_types::{Group, Groups, Members};

use crate::auth::Context;
use crate::errors;
use crate::input::spaces::group_change;
use crate::store::groups::{self, Membership, Saved};
use crate::web::json::Body;
use crate::web::request::positive;
use crate::web::{Problem, Response, response};

/// List the groups
///
/// By name.
#[cfg_attr(test, utoipa::path(
    get, path = "/groups", operation_id = "listGroups", tag = "Spaces",
    responses((status = 200, description = "The groups.", body = Groups, headers(("Cache-Control")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(&Groups { groups: groups::all(cx.db)? })))
}

/// Create a group
///
/// For administrators.
#[cfg_attr(test, utoipa::path(
    post, path = "/groups", operation_id = "createGroup", tag = "Spaces", request_body = wiki_types::GroupChange,
    responses((status = 201, description = "The new group.", body = Group, headers(("Cache-Control"))), (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let fields = group_change(Body::read(cx.request)?, true)?;
    let (name, description) = (fields.name.unwrap_or_default(), fields.description.unwrap_or_default());
    let id = saved(groups::create(cx.db, &name, &description, &cx.identity.actor())?, &name)?;
    Ok(response::no_store(response::created(&format!("/groups/{id}"), &find(cx, id)?)))
}

/// Read a group
#[cfg_attr(test, utoipa::path(
    get, path = "/groups/{id}", operation_id = "readGroup", tag = "Spaces",
    responses((status = 200, description = "The group.", body = Group, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(&find(cx, id)?)))
}

/// Change a group
///
/// For administrators.
#[cfg_attr(test, utoipa::path(
    patch, path = "/groups/{id}", operation_id = "changeGroup", tag = "Spaces", request_body = wiki_types::GroupChange,
    responses((status = 200, description = "The group as it is now.", body = Group, headers(("Cache-Control"))),
        (status = 409)),
))]
pub fn change(cx: &Context, id: i64) -> Result<Response, Problem> {
    let change = group_change(Body::read(cx.request)?, false)?;
    let name = change.name.clone().unwrap_or_default();
    saved(groups::change(cx.db, id, &change, &cx.identity.actor())?, &name)?;
    Ok(response::no_store(response::json(&find(cx, id)?)))
}

/// Delete a group
///
/// With the roles that it has in spaces. For administrators.
#[cfg_attr(test, utoipa::path(
    delete, path = "/groups/{id}", operation_id = "deleteGroup", tag = "Spaces",
    responses((status = 204, description = "The group is deleted.")),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    match groups::delete(cx.db, id, &cx.identity.actor())? {
        true => Ok(response::no_content()),
        false => Err(errors::group_not_found()),
    }
}

/// List the users of a group
///
/// By name.
#[cfg_attr(test, utoipa::path(
    get, path = "/groups/{id}/members", operation_id = "listGroupMembers", tag = "Spaces",
    responses((status = 200, description = "The users.", body = Members, headers(("Cache-Control")))),
))]
pub fn members(cx: &Context, id: i64) -> Result<Response, Problem> {
    let members = groups::members(cx.db, id)?;
    if members.is_empty() {
        find(cx, id)?;
    }
    Ok(response::no_store(response::json(&Members { members })))
}

/// Add a user to a group
///
/// For administrators.
#[cfg_attr(test, utoipa::path(
    put, path = "/groups/{id}/members/{user_id}", operation_id = "addGroupMember", tag = "Spaces",
    responses((status = 204, description = "The user is in the group.")),
))]
pub fn add(cx: &Context, id: i64, user_id: &str) -> Result<Response, Problem> {
    set_member(cx, id, user_id, true)
}

/// Remove a user from a group
///
/// For administrators.
#[cfg_attr(test, utoipa::path(
    delete, path = "/groups/{id}/members/{user_id}", operation_id = "removeGroupMember", tag = "Spaces",
    responses((status = 204, description = "The user is not in the group.")),
))]
pub fn remove(cx: &Context, id: i64, user_id: &str) -> Result<Response, Problem> {
    set_member(cx, id, user_id, false)
}

fn set_member(cx: &Context, id: i64, user_id: &str, is_member: bool) -> Result<Response, Problem> {
    let user_id = positive(user_id).ok_or_else(errors::user_not_found)?;
    match groups::set_member(cx.db, id, user_id, is_member, &cx.identity.actor())? {
        Membership::Set => Ok(response::no_content()),
        Membership::NoSuchGroup => Err(errors::group_not_found()),
        Membership::NoSuchUser => Err(errors::user_not_found()),
    }
}

fn find(cx: &Context, id: i64) -> Result<Group, Problem> {
    groups::find(cx.db, id)?.ok_or_else(errors::group_not_found)
}

fn saved(saved: Saved, name: &str) -> Result<i64, Problem> {
    match saved {
        Saved::Saved(id) => Ok(id),
        Saved::NameTaken => Err(Problem::taken("name", name)),
        Saved::Gone => Err(errors::group_not_found()),
    }
}
