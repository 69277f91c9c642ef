//! Signing in and out.

use askama::Template;
use http::StatusCode;

use crate::auth::{Context, accounts, sessions};
use crate::site::parts::typed;
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

impl SignIn {
    /// The form that was sent, with all of it but the password, and why nobody was signed in.
    pub fn again(form: &Form, problem: &Problem) -> Self {
        Self {
            username: typed(form.text("username").trim()),
            next: address::local(form.text("next")).map(str::to_owned),
            refusal: Some(problem.for_people().to_owned()),
        }
    }
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
    let signed_in = accounts::sign_in(cx, form.text("username").trim(), form.text("password"))?;
    // The browser's previous session ends.
    end(cx)?;
    let next = match signed_in.password_is_given {
        true => address::ACCOUNT,
        false => address::local(form.text("next")).unwrap_or(address::FRONT),
    };
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
