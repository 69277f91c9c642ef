//! Deleting a page, and restoring it.

use askama::Template;
use http::StatusCode;
use wiki_types::Post;

use crate::auth::Context;
use crate::errors;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, missing};
use crate::store::links;
use crate::store::pages::{self, Deleted, Restored};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

/// The question before a page is deleted.
#[derive(Debug, Template)]
#[template(path = "delete.html")]
pub struct Delete {
    pub page: Post,
    /// How many pages link to it.
    pub backlinks: i64,
}

/// `GET /wiki/{slug}/delete`: asks first
pub fn ask(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let backlinks = links::count(cx.db, page.post_id)?;
    site::show_once(cx, StatusCode::OK, &Delete { page, backlinks })
}

/// `POST /wiki/{slug}/delete`
pub fn delete(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(post) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let version = form.number("version").ok_or_else(|| Problem::invalid_field("version", "is missing"))?;
    let (seen, may_override) = (Some(vec![version]), cx.identity.administers());
    match pages::delete(cx.db, post.post_id, seen, may_override, &cx.identity.actor())? {
        // The address now says that the page was deleted, and offers to restore it. So it does if another request
        // deleted the page first.
        Deleted::Deleted | Deleted::Gone => Ok(response::see_other(&address::page(&post.slug))),
        Deleted::Stale(current) => Err(Problem::new(
            StatusCode::CONFLICT,
            format!("The page has changed: it is now at version {}. Read it, then delete it again.", current.version),
        )),
        Deleted::Protected => Err(errors::page_protected()),
    }
}

/// `POST /wiki/{slug}/restore`
pub fn restore(cx: &Context, slug: &str) -> Result<Response, Problem> {
    Form::read(cx.request)?;
    if pages::find_by_slug(cx.db, slug)?.is_some() {
        return Ok(response::see_other(&address::page(slug)));
    }
    let Some(deleted) = pages::last_deleted(cx.db, slug)? else { return missing::show(cx, slug) };
    match pages::restore(cx.db, deleted.id, cx.identity.administers(), &cx.identity.actor())? {
        Restored::Restored(post) | Restored::NotDeleted(post) => Ok(response::see_other(&address::page(&post.slug))),
        Restored::Protected => Err(errors::page_protected()),
        Restored::Gone => Err(errors::page_not_found()),
    }
}
