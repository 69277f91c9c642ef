//! The files of a page: what there is, how to show it in a text, and one more.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, File, Post};

use crate::auth::Context;
use crate::errors;
use crate::input::{files, lists};
use crate::site::edit::markdown_of;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, missing};
use crate::store::pages;
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "files.html")]
pub struct FilesView {
    pub page: Post,
    pub files: Vec<Shown>,
    /// The most that a file may have, for people.
    pub limit: String,
    pub errors: Vec<FieldError>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// A file in the list.
#[derive(Debug)]
pub struct Shown {
    pub file: File,
    /// Its size, for people.
    pub size: String,
    /// What shows it in a text.
    pub markdown: String,
}

impl Shown {
    /// A file as the list shows it.
    pub fn new(file: File) -> Self {
        let size = files::readable_size(u64::try_from(file.size).unwrap_or_default());
        Self { size, markdown: markdown_of(&file), file }
    }
}

impl FilesView {
    fn error(&self) -> Option<&str> {
        parts::error(&self.errors, "file")
    }
}

/// `GET /wiki/{slug}/files`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let view = view(cx, page, Vec::new())?;
    site::show_of(cx, view.page.post_id, &view)
}

fn view(cx: &Context, page: Post, errors: Vec<FieldError>) -> Result<FilesView, Problem> {
    let list = lists::files(cx.request, cx.db, page.post_id)?;
    let limit = files::readable_size(cx.services.config()?.max_file_size);
    Ok(FilesView { page, files: list.items.into_iter().map(Shown::new).collect(), limit, errors, next: list.next })
}

/// `POST /wiki/{slug}/files`: adds a file
pub fn add(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let refuse = |page, status, message: String| {
        let view = view(cx, page, vec![FieldError::new("file", message)])?;
        site::show_once_of(cx, view.page.post_id, status, &view)
    };
    let Some(file) = cx.file.as_ref().filter(|file| !file.name.is_empty()) else {
        return refuse(page, StatusCode::UNPROCESSABLE_ENTITY, "Choose a file first.".to_owned());
    };
    let id = page.post_id;
    match files::changeable(cx, id).and_then(|_| files::keep(cx, Some(id), cx.identity.user_id(), file)) {
        Ok(_) => Ok(response::see_other(&page.of("files"))),
        Err(problem) if problem.status.is_client_error() => refuse(page, problem.status, files::sentence(&problem)),
        Err(problem) => Err(problem),
    }
}

/// `POST /wiki/{slug}/files/delete`: deletes a file
pub fn delete(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let id = form.number("id").ok_or_else(errors::file_not_found)?;
    files::delete(cx, id)?;
    Ok(response::see_other(&address::of_page(slug, "files")))
}
