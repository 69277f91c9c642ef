//! Signing in and out.

use http::StatusCode;

use crate::browser::form::Form;
use crate::db::Db;
use crate::pages::account::SignIn;
use crate::pages::parts::Viewer;
use crate::pages::{self, address};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, query};
use crate::{access, accounts, sessions};

/// `GET /wiki/-/sign-in`
pub fn ask(request: &Request, _: &Db) -> Result<Response, Problem> {
    let next = query(request, "next").and_then(|next| address::local(&next).map(str::to_owned));
    if access::who(request).account.is_some() {
        return Ok(reply::see_other(next.as_deref().unwrap_or(address::FRONT)));
    }
    form(request, StatusCode::OK, &SignIn { next, ..SignIn::default() })
}

/// `POST /wiki/-/sign-in`
pub fn sign_in(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let (username, next) = (form.text("username").trim(), address::local(form.text("next")));
    let (cookie, password_is_given) = match accounts::sign_in(request, db, username, form.text("password")) {
        Ok(signed_in) => signed_in,
        Err(problem) if matches!(problem.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS) => {
            // Without what nobody can type and HTML cannot hold.
            let username = username.chars().filter(|c| !c.is_control()).collect();
            let next = next.map(str::to_owned);
            let view = SignIn { username, next, refusal: Some(problem.detail.clone().into_owned()) };
            return Ok(reply::with_hints(&problem, self::form(request, problem.status, &view)?));
        }
        Err(problem) => return Err(problem),
    };
    // Whoever was signed in here before is so no longer.
    end(request, db)?;
    let next = if password_is_given { address::ACCOUNT } else { next.unwrap_or(address::FRONT) };
    Ok(reply::with_cookie(reply::see_other(next), &cookie))
}

/// `POST /wiki/-/sign-out`
pub fn sign_out(request: &Request, db: &Db) -> Result<Response, Problem> {
    end(request, db)?;
    Ok(reply::with_cookie(reply::see_other(address::FRONT), &sessions::no_cookie(request)))
}

/// Ends the session `request` belongs to, if it belongs to one.
fn end(request: &Request, db: &Db) -> Result<(), Problem> {
    let who = access::who(request);
    match who.account.as_ref().and_then(access::Account::session).map(|id| sessions::revoke(db, who, id)) {
        // It was ended meanwhile, from elsewhere.
        Some(Err(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(()),
        Some(result) => result,
        None => Ok(()),
    }
}

fn form(request: &Request, status: StatusCode, view: &SignIn) -> Result<Response, Problem> {
    Ok(reply::momentary(reply::html_with(status, pages::render(view, &Viewer::of(request))?)))
}
