//! A page.

use std::rc::Rc;

use askama::Template;
use memchr::memmem;
use wiki_types::Post;

use crate::auth::Context;
use crate::errors;
use crate::markdown::Rendered;
use crate::site::frame::Frame;
use crate::site::parts::{self, Linked, Viewer};
use crate::site::rendered_page::rendered_page;
use crate::site::{address, missing};
use crate::store::pages::{self, PageView, Place};
use crate::store::{revisions, tasks, watches};
use crate::web::forms::Form;
use crate::web::request::{positive, query};
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "page.html")]
pub struct Page {
    pub view: PageView,
    /// Where it is in the tree.
    pub place: Place,
    pub text: Rc<Rendered>,
    /// The save that led here.
    pub saved: Option<JustSaved>,
}

/// What the page says after it was saved.
#[derive(Debug)]
pub struct JustSaved {
    /// The version that was saved.
    pub version: i64,
    /// The version of somebody else that it contains as well.
    pub merged: Option<Merged>,
}

/// Somebody else's edit that was saved meanwhile, in other places.
#[derive(Debug)]
pub struct Merged {
    /// The version.
    pub version: i64,
    /// Their name; none if they were deleted.
    pub author: Option<String>,
}

/// `GET /wiki/{slug}`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(view) = pages::view_by_slug(cx.db, slug, cx.identity.user_id())? else { return missing::show(cx, slug) };
    let saved = just_saved(cx, &view.post)?;
    show_view(cx, view, saved)
}

/// What the address says of the save that led here: `?saved=` and `&merged=`, each a version.
fn just_saved(cx: &Context, post: &Post) -> Result<Option<JustSaved>, Problem> {
    let version =
        |name: &str| query(cx.request, name).as_deref().and_then(positive).filter(|version| *version <= post.version);
    let Some(saved) = version("saved") else { return Ok(None) };
    let merged = match version("merged").filter(|merged| *merged < saved) {
        Some(version) => revisions::find(cx.db, post.post_id, version)?,
        None => None,
    };
    let merged = merged.map(|merged| Merged { version: merged.entry.version, author: merged.entry.author });
    Ok(Some(JustSaved { version: saved, merged }))
}

/// `GET /posts/{id}` for browsers
pub fn show_by_id(cx: &Context, id: i64) -> Result<Response, Problem> {
    show_view(cx, pages::view(cx.db, id, cx.identity.user_id())?.ok_or_else(errors::page_not_found)?, None)
}

fn show_view(cx: &Context, view: PageView, saved: Option<JustSaved>) -> Result<Response, Problem> {
    // Before its text is rendered: that needs no connection.
    let (frame, place) = Frame::around(cx, &view)?;
    let text = text(cx, &view)?;
    frame.show(cx, &Page { view, place, text, saved })
}

/// The text of a page, for the sender of a request. Who has ticked its tasks, and when they are due where the sender is, is looked up
/// only if that may be something.
pub(super) fn text(cx: &Context, view: &PageView) -> Result<Rc<Rendered>, Problem> {
    let has = |mark: &str| memmem::find(view.post.content.as_bytes(), mark.as_bytes()).is_some();
    let has_ticks = has("[x]") || has("[X]");
    let ticked = if has_ticks { tasks::ticked(cx.db, view.post.post_id, view.post.version)? } else { Vec::new() };
    let has_times = cx.identity.zone().is_some() && has_times(&view.post.content);
    let elsewhere = if has_times { tasks::elsewhere(cx.db, view.post.post_id, view.post.version)? } else { Vec::new() };
    let pictures = parts::pictures(cx.db, &view.post.content, Some(view.post.post_id))?;
    // Others need not wait for a text to be rendered.
    cx.db.release();
    let edits = Viewer::of(cx.request, cx.identity).edits(&view.post.protected);
    Ok(rendered_page(view, edits, ticked, elsewhere, pictures))
}

/// Whether a text may say a time of day, as in `2026-12-04T15:00`.
fn has_times(content: &str) -> bool {
    content
        .as_bytes()
        .windows(3)
        .any(|bytes| matches!(bytes, [before, b'T', after] if before.is_ascii_digit() && after.is_ascii_digit()))
}

/// `POST /wiki/{slug}/protection`: sets whether only administrators may change the page
pub fn protect(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(post) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let protected = form.text("protected") == "yes";
    let post = pages::set_protection(cx.db, post.post_id, protected, &cx.identity.actor())?;
    Ok(response::see_other(&address::page(&post.ok_or_else(errors::page_not_found)?.slug)))
}

/// `POST /wiki/{slug}/watch`: watches the page, with or without everything below, or no longer
pub fn watch(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let form = Form::read(cx.request)?;
    let Some(post) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let (is_on, below) = match form.text("watch") {
        "yes" => (true, None),
        "below" => (true, Some(true)),
        "only" => (true, Some(false)),
        _ => (false, None),
    };
    watches::set(cx.db, post.post_id, user_id, is_on, below)?;
    Ok(response::see_other(address::local(form.text("next")).unwrap_or(&address::page(&post.slug))))
}
