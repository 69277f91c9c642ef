//! Moving a page: below another, to the top of a space, or to another place among its siblings.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, Move, PlacedSuggestion, Post, Space, SpaceRole, Suggestion, TreePage};

use crate::auth::Context;
use crate::errors;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, missing};
use crate::store::pages::tree::{self, Level, Moved};
use crate::store::pages::{self, Unplaced};
use crate::store::{search, spaces};
use crate::web::forms::Form;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

/// The most pages that the search on the form finds.
const FOUND: usize = 10;
/// The most siblings that the form lists.
const SIBLINGS: usize = 200;

/// The form that moves a page.
#[derive(Debug, Template)]
#[template(path = "relocate.html")]
pub struct Relocate {
    pub page: Post,
    /// The pages above it, from the top, without the page itself.
    pub above: Vec<TreePage>,
    /// What was searched for, and the pages that were found.
    pub wanted: String,
    pub found: Vec<Suggestion>,
    /// The spaces that the viewer may write in.
    pub spaces: Vec<Space>,
    /// The pages beside it, in their order, itself among them.
    pub siblings: Vec<TreePage>,
    pub errors: Vec<FieldError>,
}

impl Relocate {
    fn of(cx: &Context, page: Post, wanted: String, errors: Vec<FieldError>) -> Result<Self, Problem> {
        let mut above = tree::ancestry(cx.db, page.post_id)?;
        above.pop();
        let found = match wanted.trim() {
            "" => Vec::new(),
            typed => search::suggestions(cx.db, typed, FOUND)?,
        };
        let others = found.into_iter().filter(|found| found.slug != page.slug);
        let found = others.map(|PlacedSuggestion { title, slug, .. }| Suggestion { title, slug }).collect();
        let level = page.parent_id.map_or(Level::Top(page.space_id), Level::Below);
        let siblings = tree::level(cx.db, level, None, SIBLINGS + 1)?;
        let siblings: Vec<TreePage> = siblings.into_iter().map(|(page, _)| page).collect();
        let spaces = spaces::all(cx.db)?.into_iter().filter(|space| space.role >= SpaceRole::Write).collect();
        Ok(Self { page, above, wanted, found, spaces, siblings, errors })
    }

    /// Whether the form can order the siblings: a list of thousands is for the API.
    fn orders(&self) -> bool {
        (2..=SIBLINGS).contains(&self.siblings.len())
    }

    fn error(&self) -> Option<&str> {
        parts::error(&self.errors, "to")
    }
}

/// `GET /wiki/{slug}/move`
pub fn ask(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let wanted: String = query(cx.request, "q").unwrap_or_default().chars().take(200).collect();
    site::show_once_of(cx, page.post_id, StatusCode::OK, &Relocate::of(cx, page, wanted, Vec::new())?)
}

/// `POST /wiki/{slug}/move`: `to` is `page:` and a slug, or `space:` and a number; `place` is a number among the siblings.
pub fn relocate(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    let wanted = form.text("q").to_owned();
    let to = match destination(cx, &form, &page)? {
        Ok(to) => to,
        Err(message) => return refuse(cx, page, wanted, message),
    };
    let moved = tree::relocate(cx.db, page.post_id, to, cx.identity.administers(), &cx.identity.actor())?;
    let message = match moved {
        Moved::Moved => return Ok(response::see_other(&page.address())),
        Moved::Gone => return missing::show(cx, slug),
        Moved::Refused(refusal) => return Err(errors::page_refused(refusal)),
        Moved::Unplaced(Unplaced::ReadOnly) => "You cannot write there. Choose another place.",
        Moved::Unplaced(Unplaced::TooDeep) => {
            "There would be too many pages above one another. Choose a place further up."
        }
        Moved::Unplaced(Unplaced::NoSuchParent | Unplaced::NoSuchSpace) => "This place is gone. Choose another.",
        Moved::Circle => "A page cannot be below itself. Choose another place.",
    };
    refuse(cx, page, wanted, message)
}

/// Where the form wants the page to be, or what is wrong with that.
fn destination(cx: &Context, form: &Form, page: &Post) -> Result<Result<Move, &'static str>, Problem> {
    let position = form.number("place");
    if position.is_some() {
        let space_id = Some(page.space_id).filter(|_| page.parent_id.is_none());
        return Ok(Ok(Move { parent_id: page.parent_id, space_id, position }));
    }
    let to = form.text("to");
    if let Some(slug) = to.strip_prefix("page:") {
        let parent = pages::find_by_slug(cx.db, slug)?;
        return Ok(parent
            .map(|parent| Move { parent_id: Some(parent.post_id), ..Move::default() })
            .ok_or("This page is gone. Choose another."));
    }
    let space = to.strip_prefix("space:").and_then(|id| id.parse().ok());
    Ok(space.map(|space| Move { space_id: Some(space), ..Move::default() }).ok_or("Choose where to move the page."))
}

fn refuse(cx: &Context, page: Post, wanted: String, message: &'static str) -> Result<Response, Problem> {
    let errors = vec![FieldError::new("to", message)];
    site::show_once_of(cx, page.post_id, StatusCode::UNPROCESSABLE_ENTITY, &Relocate::of(cx, page, wanted, errors)?)
}
