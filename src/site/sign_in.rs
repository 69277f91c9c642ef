//! Signing in and out.

use askama::Template;
use http::StatusCode;

use crate::auth::{Context, accounts, sessions};
use crate::site::{self, address};
use crate::web::forms::Form;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

#[derive(Debug, Default, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    pub username: String,
    /// Where to go afterwards, if not to the front page.
    pub next: Option<String>,
    /// Why the last attempt failed.
    pub refusal: Option<String>,
}

/// `GET /wiki/-/sign-in`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let next = query(cx.request, "next").and_then(|next| address::local(&next).map(str::to_owned));
    if cx.identity.account.is_some() {
        return Ok(response::see_other(next.as_deref().unwrap_or(address::FRONT)));
    }
    site::show_once(cx, StatusCode::OK, &SignIn { next, ..SignIn::default() })
}

/// `POST /wiki/-/sign-in`
pub fn sign_in(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let (username, next) = (form.text("username").trim(), address::local(form.text("next")));
    let signed_in = match accounts::sign_in(cx, username, form.text("password")) {
        Ok(signed_in) => signed_in,
        Err(problem) if matches!(problem.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS) => {
            // Without control characters, which cannot be typed and which HTML cannot hold.
            let username = username.chars().filter(|c| !c.is_control()).collect();
            let next = next.map(str::to_owned);
            let view = SignIn { username, next, refusal: Some(problem.for_people().to_owned()) };
            return Ok(response::with_hints(&problem, site::show_once(cx, problem.status, &view)?));
        }
        Err(problem) => return Err(problem),
    };
    // The browser's previous session ends.
    end(cx)?;
    let next = if signed_in.password_is_given { address::ACCOUNT } else { next.unwrap_or(address::FRONT) };
    Ok(response::with_cookie(response::see_other(next), &sessions::kept(cx.request, &signed_in.credential)))
}

/// `POST /wiki/-/sign-out`
pub fn sign_out(cx: &Context) -> Result<Response, Problem> {
    end(cx)?;
    Ok(response::with_cookie(response::see_other(address::FRONT), &sessions::no_cookie(cx.request)))
}

/// Ends the session that the request belongs to, unless it was ended from elsewhere meanwhile.
fn end(cx: &Context) -> Result<(), Problem> {
    match cx.identity.session {
        Some(id) => sessions::end(cx.db, cx.identity, id).map(drop),
        None => Ok(()),
    }
}
