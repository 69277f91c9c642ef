//! A user: the pages they created and their latest changes.

use askama::Template;
use wiki_types::{PostSummary, RevisionEntry, User};

use crate::auth::Context;
use crate::errors;
use crate::site::parts::{self, Linked};
use crate::site::{self, address};
use crate::store::pages::{self, Filter, Order};
use crate::store::{revisions, users};
use crate::web::{Problem, Response};

/// Pages, and changes, on the page of a user.
const SHOWN: usize = 20;

#[derive(Debug, Template)]
#[template(path = "user.html")]
pub struct UserView {
    pub user: User,
    /// Pages they created.
    pub pages: Vec<PostSummary>,
    /// Their latest changes, newest first.
    pub changes: Vec<RevisionEntry>,
    /// The address of all their pages, if there are more.
    pub more_pages: Option<String>,
    /// The address of all their changes, if there are more.
    pub more_changes: Option<String>,
}

/// `GET /wiki/-/users/{id}`
pub fn show(cx: &Context, id: i64) -> Result<Response, Problem> {
    let user = users::find(cx.db, id)?.ok_or_else(errors::user_not_found)?.user;
    // One more than is shown says whether there are more.
    let mut pages = pages::list(cx.db, Filter::living().by_user(id), Order::TITLE, SHOWN + 1)?;
    let mut changes = revisions::latest(cx.db, Some(id), None, SHOWN + 1)?;
    let more = |more: bool, list: &str| more.then(|| format!("{list}?user_id={id}"));
    let (more_pages, more_changes) =
        (more(pages.len() > SHOWN, address::PAGES), more(changes.len() > SHOWN, address::CHANGES));
    pages.truncate(SHOWN);
    changes.truncate(SHOWN);
    site::show(cx, &UserView { user, pages, changes, more_pages, more_changes })
}
