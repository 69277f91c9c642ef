//! Stars: the pages that you keep at hand.

use wiki_types::{Star, Starred};

use crate::auth::Context;
use crate::errors;
use crate::input::stars::given;
use crate::store::stars;
use crate::web::{Problem, Response, response};

/// List the pages that you gave a star
///
/// By title, at most 500.
#[cfg_attr(test, utoipa::path(
    get, path = "/stars", operation_id = "listStars", tag = "Stars",
    responses((status = 200, description = "The pages.", body = Starred, headers(("Cache-Control")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let starred = stars::of_user(cx.db, cx.identity.account()?.user_id)?;
    Ok(response::no_store(response::json(&Starred { starred })))
}

/// Read whether you gave a page a star
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/star", operation_id = "readStar", tag = "Stars",
    responses((status = 200, description = "Whether it has a star of yours.", body = Star, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let starred = stars::find(cx.db, id, cx.identity.account()?.user_id)?.ok_or_else(errors::page_not_found)?;
    Ok(response::no_store(response::json(&Star { starred })))
}

/// Give a page a star
///
/// It is in your sidebar from now on. Nobody else sees your stars.
#[cfg_attr(test, utoipa::path(
    put, path = "/posts/{id}/star", operation_id = "starPost", tag = "Stars",
    responses((status = 204, description = "It has a star of yours."), (status = 409)),
))]
pub fn give(cx: &Context, id: i64) -> Result<Response, Problem> {
    set(cx, id, true)
}

/// Take a star away
#[cfg_attr(test, utoipa::path(
    delete, path = "/posts/{id}/star", operation_id = "unstarPost", tag = "Stars",
    responses((status = 204, description = "It has no star of yours.")),
))]
pub fn take(cx: &Context, id: i64) -> Result<Response, Problem> {
    set(cx, id, false)
}

fn set(cx: &Context, id: i64, is_on: bool) -> Result<Response, Problem> {
    given(stars::set(cx.db, id, cx.identity.account()?.user_id, is_on)?)?;
    Ok(response::no_content())
}
