//! The front page.

use askama::Template;
use wiki_types::{RevisionEntry, Tag};

use crate::auth::Context;
use crate::markdown::Rendered;
use crate::site::parts::{self, Linked};
use crate::site::{self, address, page};
use crate::store::pages::{self, PageView};
use crate::store::{revisions, tags};
use crate::web::{Problem, Response};

/// The slug of the page that stands on the front page, if there is one.
pub const HOME: &str = "home";
/// Changes on the front page.
const CHANGES: usize = 20;
/// Tags on the front page.
const TAGS: usize = 30;

#[derive(Debug, Template)]
#[template(path = "front.html")]
pub struct Front {
    pub home: Option<Home>,
    /// The latest changes, newest first. None: the wiki is empty.
    pub changes: Vec<RevisionEntry>,
    /// The tags on most pages.
    pub tags: Vec<Tag>,
}

/// The page that stands on the front page.
#[derive(Debug)]
pub struct Home {
    pub page: PageView,
    pub text: Rendered,
}

/// `GET /wiki`, and `GET /` for browsers
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let page = pages::view_by_slug(cx.db, HOME, cx.identity.user_id())?;
    let changes = revisions::latest(cx.db, None, None, CHANGES)?;
    let tags = tags::most_used(cx.db, TAGS)?;
    let home = page.map(|page| page::text(cx, &page).map(|text| Home { page, text })).transpose()?;
    site::show(cx, &Front { home, changes, tags })
}
