//! All pages, as a tree: a space, level by level.

use askama::Template;
use wiki_types::{Space, TreePage};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::site::frame::Frame;
use crate::site::{address, parts};
use crate::store::navigation::Location;
use crate::store::pages::tree::{self, Level};
use crate::store::spaces;
use crate::web::request::{positive, query};
use crate::web::{Problem, Response};

/// The most pages below each that are listed with it.
const BELOW: usize = 30;

#[derive(Debug, Template)]
#[template(path = "tree.html")]
pub struct Tree {
    /// The spaces that the viewer may read.
    pub spaces: Vec<Space>,
    /// The one that is shown.
    pub space: Space,
    /// The pages at its top, in their order.
    pub pages: Vec<Branch>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// A page with those right below it.
#[derive(Debug)]
pub struct Branch {
    pub page: TreePage,
    pub below: Vec<TreePage>,
}

impl Branch {
    /// Whether there are more pages below than are listed.
    fn is_cut(&self) -> bool {
        usize::try_from(self.page.children).is_ok_and(|children| children > self.below.len())
    }
}

/// `GET /wiki/-/pages?view=tree`: the first space, or the one with the number `?space=`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let spaces = spaces::all(cx.db)?;
    let wanted = query(cx.request, "space").map_or(spaces::FIRST, |id| positive(&id).unwrap_or(0));
    let space = spaces.iter().find(|space| space.space_id == wanted).cloned().ok_or_else(errors::space_not_found)?;
    let level = lists::level(cx.request, cx.db, Level::Top(space.space_id))?;
    let with_children =
        level.items.iter().filter(|(page, _)| page.children > 0).map(|(page, _)| page.post_id).collect();
    let below = tree::below_each(cx.db, with_children, BELOW)?;
    let branch = |(page, _): (TreePage, _)| {
        let below = below.iter().filter(|(parent, _)| *parent == page.post_id).map(|(_, page)| page.clone()).collect();
        Branch { page, below }
    };
    let page = level.map(branch);
    Frame::at(cx, Location::Space(space.space_id))?
        .show(cx, &Tree { spaces, space, pages: page.items, next: page.next })
}
