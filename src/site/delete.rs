//! Deleting a page.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, Post, rules};

use crate::auth::Context;
use crate::errors;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, author, deleted, missing};
use crate::store::links;
use crate::store::pages::tree::{self, MAX_COUNTED};
use crate::store::pages::{self, Deleted, Note};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

/// The question before a page is deleted.
#[derive(Debug, Template)]
#[template(path = "delete.html")]
pub struct Delete {
    pub page: Post,
    /// How many pages link to it.
    pub backlinks: i64,
    /// How many pages are below it, as far as they are counted and the viewer may read them.
    pub below: i64,
    /// Whether to delete them as well.
    pub deletes_below: bool,
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

    /// What is below it, in words.
    fn below(&self) -> String {
        match self.below {
            1 => "the page below".to_owned(),
            many if many > MAX_COUNTED => "all pages below".to_owned(),
            many => format!("the {} pages below", parts::count(&many)),
        }
    }

    fn show(cx: &Context, status: StatusCode, mut view: Self) -> Result<Response, Problem> {
        view.backlinks = links::count(cx.db, view.page.post_id)?;
        view.below = tree::count_below(cx.db, view.page.post_id)?;
        site::show_once_of(cx, view.page.post_id, status, &view)
    }
}

/// `GET /wiki/{slug}/delete`: asks first
pub fn ask(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let author = author::remembered(cx.request);
    let reason = String::new();
    let view =
        Delete { page, backlinks: 0, below: 0, deletes_below: false, reason, author, errors: Vec::new(), seen: None };
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
    let deletes_below = form.text("below") == "delete";
    let view = Delete { page: post, backlinks: 0, below: 0, deletes_below, reason, author, errors, seen: None };
    if !view.errors.is_empty() {
        return Delete::show(cx, StatusCode::UNPROCESSABLE_ENTITY, view);
    }
    let note = Note { user_id: author::known(cx, &view.author)?, comment: view.reason.clone() };
    let (seen, may_override) = (Some(vec![version]), cx.identity.administers());
    let delete = if deletes_below { pages::delete_tree } else { pages::delete };
    match delete(cx.db, view.page.post_id, seen, &note, may_override, &cx.identity.actor())? {
        // The address now says that the page was deleted, and offers to restore it. So it does if another request
        // deleted the page first.
        Deleted::Deleted | Deleted::Gone => {
            let response = response::see_other(&address::page(&view.page.slug));
            Ok(if view.author.is_empty() { response } else { author::remembering(cx, response, &view.author) })
        }
        Deleted::Stale(current) => {
            Delete::show(cx, StatusCode::CONFLICT, Delete { page: *current, seen: Some(version), ..view })
        }
        Deleted::Blocked(blocked) => {
            let problem = errors::below_blocked(&blocked);
            let errors = vec![FieldError::new("below", problem.detail)];
            Delete::show(cx, problem.status, Delete { errors, ..view })
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
