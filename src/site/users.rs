//! All users.

use askama::Template;
use wiki_types::User;

use crate::auth::Context;
use crate::input::lists;
use crate::site::{self, address};
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "users.html")]
pub struct Users {
    pub users: Vec<User>,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// `GET /wiki/-/users`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let list = lists::users(cx.request, cx.db)?.map(|record| record.user);
    site::show(cx, &Users { users: list.items, next: list.next })
}
