//! The front page: the page with the slug `home`, spaces, what changed, and what the viewer has to do with.

use std::rc::Rc;

use askama::Template;
use wiki_types::{Space, Time};

use crate::auth::Context;
use crate::markdown::Rendered;
use crate::site::changes::Changed;
use crate::site::frame::Frame;
use crate::site::parts::{self, Linked};
use crate::site::tasks::Row;
use crate::site::{address, missing, page};
use crate::store::drafts::{self, Listed};
use crate::store::navigation::Location;
use crate::store::pages::{self, PageView};
use crate::store::{links, revisions, spaces, tasks};
use crate::web::{Problem, Response};

/// Changes that are looked at.
const CHANGES: usize = 100;
/// Changed pages that are shown.
const CHANGED: usize = 10;
/// Drafts, tasks and missing pages that are shown, each.
const BESIDE: usize = 5;

#[derive(Debug, Template)]
#[template(path = "front.html")]
pub struct Front {
    /// What the wiki is called.
    pub name: String,
    pub home: Option<Home>,
    /// The spaces, if there are several.
    pub spaces: Vec<Space>,
    /// The pages that changed last. None: the wiki is empty.
    pub changed: Vec<Changed>,
    /// Whether all of them changed within a week.
    pub is_of_this_week: bool,
    pub own: Own,
}

/// The page that stands on the front page.
#[derive(Debug)]
pub struct Home {
    pub page: PageView,
    pub text: Rc<Rendered>,
}

/// What the viewer has to do with. Strangers see nothing of it.
#[derive(Debug, Default)]
pub struct Own {
    pub drafts: Vec<Listed>,
    pub tasks: Vec<Row>,
    /// Titles of pages that are linked and do not exist, with their slugs and how many pages link there.
    pub unwritten: Vec<(String, String, i64)>,
}

impl Front {
    fn is_empty(&self) -> bool {
        self.home.is_none() && self.changed.is_empty()
    }
}

impl Own {
    fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.tasks.is_empty() && self.unwritten.is_empty()
    }

    fn of(cx: &Context) -> Result<Self, Problem> {
        let Some(user_id) = cx.identity.user_id() else { return Ok(Self::default()) };
        let filter = tasks::Filter::default().assigned_to_user(user_id).done(false);
        let unwritten = links::unwritten(cx.db, BESIDE)?.into_iter();
        Ok(Self {
            drafts: drafts::of_user(cx.db, user_id, BESIDE)?,
            tasks: tasks::list(cx.db, filter, BESIDE)?.into_iter().map(Row::new).collect(),
            unwritten: unwritten.map(|(slug, links)| (missing::guessed(&slug), slug, links)).collect(),
        })
    }
}

/// `GET /wiki`, and `GET /` for browsers
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let page = pages::view_by_slug(cx.db, address::HOME, cx.identity.user_id())?;
    let mut changes = revisions::latest(cx.db, None, None, CHANGES)?;
    let week_ago = Time::in_days(-7);
    let this_week = changes.iter().filter(|change| change.created_time > week_ago).count();
    let is_of_this_week = this_week > 0;
    if is_of_this_week {
        changes.truncate(this_week);
    }
    let mut changed = Changed::pages(changes);
    changed.truncate(CHANGED);
    let own = Own::of(cx)?;
    let frame = Frame::at(cx, page.as_ref().map_or(Location::Elsewhere, |page| Location::Page(page.post.post_id)))?;
    let spaces = if frame.sidebar.spaces.is_empty() { Vec::new() } else { spaces::all(cx.db)? };
    let home = page.map(|page| page::text(cx, &page).map(|text| Home { page, text })).transpose()?;
    let name = frame.settings.name.clone();
    frame.show(cx, &Front { name, home, spaces, changed, is_of_this_week, own })
}
