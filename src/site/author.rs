//! Authors: the user a form writes as, and the name a browser remembers for people without an account.

use percent_encoding::percent_decode_str;
use wiki_types::rules;
use wiki_types::rules::Wrong;

use crate::auth::Context;
use crate::site::address;
use crate::store::users;
use crate::web::forms::Form;
use crate::web::{Problem, Request, Response, request, response};

/// The cookie with the name that an anonymous person writes under.
const COOKIE: &str = "author";

/// The name the person wrote under last time.
pub fn remembered(request: &Request) -> String {
    request::cookie(request, COOKIE)
        .and_then(|value| percent_decode_str(value).decode_utf8().ok())
        .map(|name| name.into_owned())
        .unwrap_or_default()
}

/// The name in a form's field or, where it has none, the one that the person wrote under last time.
pub fn of_form(cx: &Context, form: &Form) -> String {
    let typed = form.text("author").trim();
    if typed.is_empty() { remembered(cx.request) } else { typed.to_owned() }
}

/// Fails unless `name` can be an author's, or the sender has an account and needs none.
pub fn check(cx: &Context, name: &str) -> Result<(), Wrong> {
    if cx.identity.account.is_some() { Ok(()) } else { rules::name(name) }
}

/// The user who writes: the sender, else the user of this name.
pub fn user_id(cx: &Context, name: &str) -> Result<i64, Problem> {
    match cx.identity.user_id() {
        Some(user_id) => Ok(user_id),
        None => Ok(users::find_or_create(cx.db, name)?),
    }
}

/// The user who does something that needs no author: the sender, else the user of this name, else nobody who is known.
pub fn known(cx: &Context, name: &str) -> Result<Option<i64>, Problem> {
    if cx.identity.account.is_none() && rules::name(name).is_err() {
        return Ok(None);
    }
    user_id(cx, name).map(Some)
}

/// `response` with a cookie that remembers the name of a person without an account for a year.
pub fn remembering(cx: &Context, response: Response, name: &str) -> Response {
    if cx.identity.account.is_some() {
        return response;
    }
    response::with_cookie(response, &cookie(name))
}

fn cookie(name: &str) -> String {
    let (value, path) = (address::escaped(name), address::FRONT);
    format!("{COOKIE}={value}; Path={path}; Max-Age=31536000; SameSite=Strict; HttpOnly")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_its_cookie() {
        for name in ["Ada", "Zoë; Ltd=\"x\"", "日本\r\n", ""] {
            let mut request = Request::default();
            let sent = format!("other=1; {}", cookie(name).split(';').next().unwrap());
            request.headers_mut().insert(http::header::COOKIE, sent.parse().unwrap());
            assert_eq!(remembered(&request), name);
        }
        assert_eq!(remembered(&Request::default()), "");
    }
}
