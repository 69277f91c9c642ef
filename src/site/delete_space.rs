//! Deleting a space that has no pages any more.

use askama::Template;
use http::StatusCode;
use wiki_types::Space;

use crate::auth::Context;
use crate::errors;
use crate::site::space::known;
use crate::site::{self, address, parts};
use crate::store::spaces::{self, Deleted, FIRST};
use crate::web::{Problem, Response, response};

/// The question before a space is deleted, or why it cannot be.
#[derive(Debug, Template)]
#[template(path = "delete_space.html")]
pub struct DeleteSpace {
    pub space: Space,
}

/// `GET /wiki/-/spaces/{slug}/delete`: asks first
pub fn ask(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let space = known(cx, slug)?;
    if space.space_id == FIRST {
        return Err(errors::first_space_stays());
    }
    site::show_once(cx, StatusCode::OK, &DeleteSpace { space })
}

/// `POST /wiki/-/spaces/{slug}/delete`
pub fn delete(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let space = known(cx, slug)?;
    match spaces::delete(cx.db, space.space_id, &cx.identity.actor())? {
        Deleted::Deleted | Deleted::Gone => Ok(response::see_other(address::SPACES)),
        // The number of its pages may have changed since.
        Deleted::InUse => site::show_once(cx, StatusCode::CONFLICT, &DeleteSpace { space: known(cx, slug)? }),
        Deleted::First => Err(errors::first_space_stays()),
    }
}
