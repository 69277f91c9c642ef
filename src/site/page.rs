//! A page.

use askama::Template;

use crate::auth::Context;
use crate::errors;
use crate::markdown::Rendered;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, missing};
use crate::store::pages::{self, PageView};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "page.html")]
pub struct Page {
    pub view: PageView,
    pub text: Rendered,
}

/// `GET /wiki/{slug}`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    match pages::view_by_slug(cx.db, slug)? {
        Some(view) => show_view(cx, view),
        None => missing::show(cx, slug),
    }
}

/// `GET /posts/{id}` for browsers
pub fn show_by_id(cx: &Context, id: i64) -> Result<Response, Problem> {
    show_view(cx, pages::view(cx.db, id)?.ok_or_else(errors::page_not_found)?)
}

fn show_view(cx: &Context, view: PageView) -> Result<Response, Problem> {
    let text = parts::rendered(&view.post.content, &view.post.title, &view.existing_links);
    site::show(cx, &Page { view, text })
}

/// `POST /wiki/{slug}/protection`: sets whether only administrators may change the page
pub fn protect(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(post) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let protected = form.text("protected") == "yes";
    let post = pages::set_protection(cx.db, post.post_id, protected, &cx.identity.actor())?;
    Ok(response::see_other(&address::page(&post.ok_or_else(errors::page_not_found)?.slug)))
}
