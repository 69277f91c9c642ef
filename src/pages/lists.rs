//! Views that list: pages, changes, tags, search results, users.

use askama::Template;

use crate::audit;
use crate::pages::address;
use crate::pages::parts::{self, Change, Listed, Name, Tag};
use crate::time::Time;

/// All pages.
#[derive(Debug, Template)]
#[template(path = "pages.html")]
pub struct Pages {
    /// The pages.
    pub pages: Vec<Listed>,
    /// What they are sorted by.
    pub sort: Sort,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// What a list of pages is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// `?sort=title`, which needs not be said.
    Title,
    /// `?sort=-updated`: what was edited last comes first.
    Updated,
}

/// The latest changes to all pages, newest first.
#[derive(Debug, Template)]
#[template(path = "changes.html")]
pub struct Changes {
    /// The changes.
    pub changes: Vec<Change>,
    /// Where the list goes on.
    pub next: Option<String>,
}

impl Changes {
    /// The changes of each day.
    fn days(&self) -> impl Iterator<Item = &[Change]> {
        self.changes.chunk_by(|one, other| one.time.day() == other.time.day())
    }
}

/// All tags.
#[derive(Debug, Template)]
#[template(path = "tags.html")]
pub struct Tags {
    /// The tags, by name.
    pub tags: Vec<Tag>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// The pages that have a tag.
#[derive(Debug, Template)]
#[template(path = "tag.html")]
pub struct Tagged {
    /// The tag.
    pub tag: String,
    /// The pages.
    pub pages: Vec<Listed>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// The search form and what was found.
#[derive(Debug, Template)]
#[template(path = "search.html")]
pub struct Search {
    /// What was searched for. Empty: nothing yet.
    pub query: String,
    /// Only pages with this tag were.
    pub tag: Option<String>,
    /// What was found, best first.
    pub results: Vec<Found>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// A page that was found.
#[derive(Debug)]
pub struct Found {
    /// The page.
    pub page: Name,
    /// Where it says what was searched for, in pieces.
    pub snippet: Vec<Piece>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was last edited.
    pub updated: Time,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its text.
    pub text: String,
    /// Whether this is what was searched for.
    pub matched: bool,
}

/// What happened to accounts and pages, newest first.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    /// What happened.
    pub entries: Vec<audit::Entry>,
    /// Where the list goes on.
    pub next: Option<String>,
}

impl Audit {
    /// What happened, in words.
    fn words(event: &str) -> &str {
        match event {
            "sign_in" => "signed in",
            "sign_in_failed" => "tried to sign in with a wrong password",
            "sign_out" => "signed out",
            "account_created" => "account created",
            "password_changed" => "password changed",
            "role_changed" => "role changed",
            "user_deleted" => "user deleted",
            "token_created" => "token created",
            "token_revoked" => "token revoked",
            "session_revoked" => "session ended",
            "page_deleted" => "page deleted",
            "page_restored" => "page restored",
            "page_protected" => "page protected",
            "page_unprotected" => "page no longer protected",
            other => other,
        }
    }
}

/// All users.
#[derive(Debug, Template)]
#[template(path = "users.html")]
pub struct Users {
    /// The users.
    pub users: Vec<Member>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// A user in the list.
#[derive(Debug)]
pub struct Member {
    /// Their number.
    pub id: i64,
    /// What they are called.
    pub name: String,
    /// Their name at signing in, if they have one.
    pub username: Option<String>,
    /// When they came.
    pub joined: Time,
}

/// A user: their pages and their latest changes.
#[derive(Debug, Template)]
#[template(path = "user.html")]
pub struct User {
    /// The user.
    pub member: Member,
    /// Pages they created.
    pub pages: Vec<Listed>,
    /// What they changed last, newest first.
    pub changes: Vec<Change>,
    /// Where the list of pages goes on.
    pub more_pages: Option<String>,
    /// Where the list of changes goes on.
    pub more_changes: Option<String>,
}
