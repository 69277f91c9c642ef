//! A space: what it is for, and the pages at its top.

use askama::Template;
use wiki_types::{Space, SpaceRole, TreePage};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::site::frame::Frame;
use crate::site::parts::Linked;
use crate::site::{address, parts};
use crate::store::navigation::Location;
use crate::store::pages::tree::Level;
use crate::store::spaces;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "space.html")]
pub struct SpaceView {
    pub space: Space,
    /// The pages at its top, in their order.
    pub pages: Vec<TreePage>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

impl SpaceView {
    /// Whether the reader may write pages, as far as the space says.
    fn is_writable(&self) -> bool {
        self.space.role >= SpaceRole::Write
    }

    /// Whether the reader may change the space, and who may do what in it.
    fn administers(&self) -> bool {
        self.space.role == SpaceRole::Administer
    }
}

/// `GET /wiki/-/spaces/{slug}`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let space = known(cx, slug)?;
    let list = lists::level(cx.request, cx.db, Level::Top(space.space_id))?;
    let pages = list.map(|(page, _): (TreePage, _)| page);
    Frame::at(cx, Location::Space(space.space_id))?.show(cx, &SpaceView { space, pages: pages.items, next: pages.next })
}

/// The space with this slug. 404 if there is none that the sender may see.
pub(super) fn known(cx: &Context, slug: &str) -> Result<Space, Problem> {
    spaces::find_by_slug(cx.db, slug)?.ok_or_else(errors::space_not_found)
}

/// The same, for those who administer it: 403 for others who may see it.
pub(super) fn administered(cx: &Context, slug: &str) -> Result<Space, Problem> {
    let space = known(cx, slug)?;
    if space.role == SpaceRole::Administer { Ok(space) } else { Err(errors::not_administered()) }
}
