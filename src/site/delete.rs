//! Deleting a page.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, Post, rules};

use crate::auth::Context;
use crate::errors;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, author, deleted, missing};
use crate::store::links;
use crate::store::pages::tree::{self, Level};
use crate::store::pages::{self, Deleted, Note};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

/// The most pages below a page that are counted.
const MAX_COUNTED: usize = 100;

/// The question before a page is deleted.
#[derive(Debug, Template)]
#[template(path = "delete.html")]
pub struct Delete {
    pub page: Post,
    /// How many pages link to it.
    pub backlinks: i64,
    /// How many pages are right below it.
    pub below: usize,
    pub reason: String,
    pub author: String,
    pub errors: Vec<FieldError>,
    /// The version the person saw, if the page was edited since.
    pub seen: Option<i64>,
}

impl Delete {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }

    /// What becomes of the pages below it.
    fn below(&self) -> Option<String> {
        match self.below {
            0 => None,
            1 => Some("The page below it moves up".to_owned()),
            many if many > MAX_COUNTED => Some("The pages below it move up".to_owned()),
            many => Some(format!("The {many} pages below it move up")),
        }
    }

    fn show(cx: &Context, status: StatusCode, mut view: Self) -> Result<Response, Problem> {
        view.backlinks = links::count(cx.db, view.page.post_id)?;
        view.below = tree::level(cx.db, Level::Below(view.page.post_id), None, MAX_COUNTED + 1)?.len();
        site::show_once_of(cx, view.page.post_id, status, &view)
    }
}

/// `GET /wiki/{slug}/delete`: asks first
pub fn ask(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let author = author::remembered(cx.request);
    let view = Delete { page, backlinks: 0, below: 0, reason: String::new(), author, errors: Vec::new(), seen: None };
    Delete::show(cx, StatusCode::OK, view)
}

/// `POST /wiki/{slug}/delete`
pub fn delete(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(post) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let version = form.number("version").ok_or_else(|| Problem::invalid_field("version", "is missing"))?;
    let (reason, author) = (form.text("reason").trim().to_owned(), form.text("author").trim().to_owned());
    let mut errors = Vec::new();
    if let Err(message) = rules::comment(&reason) {
        errors.push(FieldError::new("reason", message));
    }
    if !author.is_empty()
        && let Err(message) = author::check(cx, &author)
    {
        errors.push(FieldError::new("author", message));
    }
    let view = Delete { page: post, backlinks: 0, below: 0, reason, author, errors, seen: None };
    if !view.errors.is_empty() {
        return Delete::show(cx, StatusCode::UNPROCESSABLE_ENTITY, view);
    }
    let note = Note { user_id: author::known(cx, &view.author)?, comment: view.reason.clone() };
    let (seen, may_override) = (Some(vec![version]), cx.identity.administers());
    match pages::delete(cx.db, view.page.post_id, seen, &note, may_override, &cx.identity.actor())? {
        // The address now says that the page was deleted, and offers to restore it. So it does if another request
        // deleted the page first.
        Deleted::Deleted | Deleted::Gone => {
            let response = response::see_other(&address::page(&view.page.slug));
            Ok(if view.author.is_empty() { response } else { author::remembering(cx, response, &view.author) })
        }
        Deleted::Stale(current) => {
            Delete::show(cx, StatusCode::CONFLICT, Delete { page: *current, seen: Some(version), ..view })
        }
        Deleted::Refused(refusal) => Err(errors::page_refused(refusal)),
        Deleted::NoSuchUser => Err(errors::user_not_found()),
    }
}

/// `POST /wiki/{slug}/restore`: the page that was deleted last at this address
pub fn restore(cx: &Context, slug: &str) -> Result<Response, Problem> {
    if pages::find_by_slug(cx.db, slug)?.is_some() {
        return Ok(response::see_other(&address::page(slug)));
    }
    match pages::last_deleted(cx.db, slug)? {
        Some(page) => deleted::restore(cx, page.post_id),
        None => missing::show(cx, slug),
    }
}
