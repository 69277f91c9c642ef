//! Who may read and write a page and everything below it, for those who administer its space.

use askama::Template;
use http::StatusCode;
use wiki_types::{Access, FieldError, Post, SpaceRole};

use crate::auth::Context;
use crate::errors;
use crate::input::spaces::check_set;
use crate::site::access_form::AccessForm;
use crate::site::parts::Linked;
use crate::site::{self, address, missing, parts};
use crate::store::access::{self, PageAccess};
use crate::store::pages::{self, tree};
use crate::store::spaces::{self, FIRST};
use crate::web::forms::Form;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "page_access.html")]
pub struct PageAccessView {
    pub page: Post,
    /// The name of its space.
    pub space: String,
    /// The title of the page that it is below.
    pub parent: Option<String>,
    /// Whether it has a list of its own, or is to have one.
    pub is_own: bool,
    pub form: AccessForm,
    pub errors: Vec<FieldError>,
    /// Whether something was just saved.
    pub saved: bool,
}

/// `GET /wiki/{slug}/access`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let saved = query(cx.request, "saved").is_some();
    site::show_once_of(cx, page.post_id, StatusCode::OK, &PageAccessView { saved, ..view(cx, page)? })
}

fn view(cx: &Context, page: Post) -> Result<PageAccessView, Problem> {
    let PageAccess { own, role } = access::of_page(cx.db, page.post_id)?.ok_or_else(errors::page_not_found)?;
    if role < SpaceRole::Administer {
        return Err(errors::not_administered());
    }
    let is_own = own.is_some();
    let access = own.unwrap_or(Access { everybody: SpaceRole::Read, entries: Vec::new() });
    let parent = match page.parent_id {
        Some(_) => tree::ancestry(cx.db, page.post_id)?.into_iter().rev().nth(1).map(|parent| parent.title),
        None => None,
    };
    let space = spaces::find(cx.db, page.space_id)?.ok_or_else(errors::space_not_found)?.name;
    // Where the space has no list, that of the page says who may change it.
    let form = AccessForm::of(cx.db, access, page.space_id == FIRST)?;
    Ok(PageAccessView { page, space, parent, is_own, form, errors: Vec::new(), saved: false })
}

/// `POST /wiki/{slug}/access`
pub fn save(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let sent = Form::read(cx.request)?;
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let mut view = view(cx, page)?;
    let access = match sent.text("own") {
        "no" => None,
        "yes" => {
            view.is_own = true;
            let (access, errors) = view.form.read(&sent, cx.db)?;
            view.errors = errors;
            Some(access)
        }
        _ => {
            view.errors = vec![FieldError::new("own", "Choose whether the page has access of its own")];
            None
        }
    };
    if !view.errors.is_empty() {
        return site::show_once_of(cx, view.page.post_id, StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    let set = access::set_of_page(cx.db, view.page.post_id, access.as_ref(), &cx.identity.actor())?;
    match check_set(set, errors::page_not_found) {
        Ok(()) => Ok(response::see_other(&format!("{}?saved=yes", view.page.of("access")))),
        Err(problem) if !problem.errors.is_empty() => {
            let view = PageAccessView { errors: problem.errors, ..view };
            site::show_once_of(cx, view.page.post_id, problem.status, &view)
        }
        Err(problem) => Err(problem),
    }
}
