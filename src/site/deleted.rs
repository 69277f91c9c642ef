//! Deleted pages: the list of them, the notice in the place of one, and the way back.

use askama::Template;
use http::StatusCode;
use wiki_types::DeletedPost;

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::site::frame::Frame;
use crate::site::{self, address, author};
use crate::store::navigation::Location;
use crate::store::pages::{self, Note, Restored};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "deleted_pages.html")]
pub struct DeletedPages {
    /// The pages, latest deletion first.
    pub pages: Vec<DeletedPost>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// What stands in the place of one page.
#[derive(Debug, Template)]
#[template(path = "deleted.html")]
pub struct Deleted {
    pub page: DeletedPost,
}

/// `GET /wiki/-/deleted`
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let list = lists::deleted(cx.request, cx.db)?;
    site::show(cx, &DeletedPages { pages: list.items, next: list.next })
}

/// `GET /wiki/-/deleted/{id}`: the notice, or the page itself once it is restored
pub fn show(cx: &Context, id: i64) -> Result<Response, Problem> {
    match pages::find_deleted(cx.db, id)? {
        Some(page) => notice(cx, page, StatusCode::OK),
        None => {
            let page = pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
            Ok(response::found(&address::page(&page.slug)))
        }
    }
}

/// The notice that a page was deleted.
pub fn notice(cx: &Context, page: DeletedPost, status: StatusCode) -> Result<Response, Problem> {
    let view = Deleted { page };
    Ok(response::html_with(status, Frame::at(cx, Location::Elsewhere)?.render(&view)?))
}

/// `POST /wiki/-/deleted/{id}`: restores the page
pub fn restore(cx: &Context, id: i64) -> Result<Response, Problem> {
    Form::read(cx.request)?;
    let note = Note { user_id: author::known(cx, &author::remembered(cx.request))?, ..Note::default() };
    match pages::restore(cx.db, id, &note, cx.identity.administers(), &cx.identity.actor())? {
        Restored::Restored(post) | Restored::NotDeleted(post) => Ok(response::see_other(&address::page(&post.slug))),
        Restored::Refused(refusal) => Err(errors::page_refused(refusal)),
        Restored::Gone => Err(errors::page_not_found()),
        Restored::NoSuchUser => Err(errors::user_not_found()),
    }
}
