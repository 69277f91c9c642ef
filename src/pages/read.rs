//! Views of pages as they are: the front page, a page, and what is shown where there is none.

use askama::Template;

use crate::pages::address;
use crate::pages::parts::{self, Change, Listed, Name, Person, Rendered, Tag};
use crate::time::Time;

/// The front page.
#[derive(Debug, Template)]
#[template(path = "front.html")]
pub struct Front {
    /// The page the wiki shows first, if somebody has written it.
    pub home: Option<Home>,
    /// The latest changes, newest first. None: the wiki is empty.
    pub changes: Vec<Change>,
    /// The tags used most.
    pub tags: Vec<Tag>,
}

/// The page the wiki shows first.
#[derive(Debug)]
pub struct Home {
    /// Its name.
    pub page: Name,
    /// What it says.
    pub text: Rendered,
}

/// A page.
#[derive(Debug, Template)]
#[template(path = "page.html")]
pub struct Page {
    /// Its name.
    pub page: Name,
    /// What it says.
    pub text: Rendered,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version.
    pub version: i64,
    /// Who made that version.
    pub author: Person,
    /// When.
    pub updated: Time,
    /// Whether only administrators may change it.
    pub protected: bool,
}

/// The pages that link to a page.
#[derive(Debug, Template)]
#[template(path = "backlinks.html")]
pub struct Backlinks {
    /// The page they link to.
    pub page: Name,
    /// Those pages.
    pub pages: Vec<Listed>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// There is no such page yet.
#[derive(Debug, Template)]
#[template(path = "missing.html")]
pub struct Missing {
    /// What it would be called; the title is a guess from the slug.
    pub page: Name,
    /// Pages with a name like it.
    pub similar: Vec<Name>,
}

/// There was such a page.
#[derive(Debug, Template)]
#[template(path = "deleted.html")]
pub struct Deleted {
    /// What it was called.
    pub page: Name,
    /// When it was deleted.
    pub time: Time,
}
