//! An old revision, and the form that goes back to it.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, Post, Revision, rules};

use crate::auth::Context;
use crate::errors;
use crate::input::revisions;
use crate::markdown::Rendered;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, author, missing, preview};
use crate::store::pages::{self, Saved};
use crate::web::forms::Form;
use crate::web::request::positive;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "revision.html")]
pub struct RevisionView {
    /// The page as it is now.
    pub page: Post,
    pub revision: Revision,
    pub text: Rendered,
    pub revert: Revert,
}

/// The form that goes back to a revision.
#[derive(Debug, Default)]
pub struct Revert {
    pub comment: String,
    pub author: String,
    pub errors: Vec<FieldError>,
}

impl RevisionView {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.revert.errors, field)
    }
}

/// `GET /wiki/{slug}/history/{version}`
pub fn show(cx: &Context, slug: &str, version: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let version = positive(version).ok_or_else(|| errors::version_not_found(version))?;
    let revert = Revert { author: author::remembered(cx.request), ..Revert::default() };
    site::show_once_of(cx, page.post_id, StatusCode::OK, &view(cx, page, version, revert)?)
}

fn view(cx: &Context, page: Post, version: i64, revert: Revert) -> Result<RevisionView, Problem> {
    let revision = revisions::find(cx.db, page.post_id, version)?;
    let text = preview::of(cx.db, &revision.content, &revision.entry.title)?;
    Ok(RevisionView { page, revision, text, revert })
}

/// `POST /wiki/{slug}/revert`
pub fn revert(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(page) = pages::find_by_name(cx.db, slug)? else { return missing::show(cx, slug) };
    let version = form.number("version").unwrap_or_default();
    let mut revert = Revert {
        comment: form.text("comment").trim().to_owned(),
        author: form.text("author").trim().to_owned(),
        errors: Vec::new(),
    };
    let checks = [("author", author::check(cx, &revert.author)), ("comment", rules::comment(&revert.comment))];
    for (field, check) in checks {
        if let Err(message) = check {
            revert.errors.push(FieldError::new(field, message));
        }
    }
    if !revert.errors.is_empty() {
        let view = view(cx, page, version, revert)?;
        return site::show_once_of(cx, view.page.post_id, StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    let user_id = author::user_id(cx, &revert.author)?;
    let comment = Some(revert.comment).filter(|comment| !comment.is_empty());
    let draft = revisions::reversion(revisions::find(cx.db, page.post_id, version)?, Some(user_id), comment);
    match pages::save(cx.db, page.post_id, None, &draft, cx.identity.administers(), &cx.identity.actor())? {
        Saved::Saved(post) | Saved::Unchanged(post) => {
            Ok(author::remembering(cx, response::see_other(&address::page(&post.slug)), &revert.author))
        }
        Saved::Refused(refusal) => Err(errors::page_refused(refusal)),
        Saved::NoSuchUser => Err(errors::user_not_found()),
        // Any version may be replaced, and the slug stays.
        Saved::Gone | Saved::Stale(_) | Saved::SlugTaken => Err(errors::page_not_found()),
    }
}
