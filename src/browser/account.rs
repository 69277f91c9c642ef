//! One's own account: password, sessions, tokens.

use http::StatusCode;
use wiki_types::rules;

use crate::access::Scope;
use crate::accounts;
use crate::browser::form::Form;
use crate::db::Db;
use crate::pages::account::{Account, WantedToken};
use crate::pages::parts::Viewer;
use crate::pages::{self, address};
use crate::problem::{FieldError, Problem};
use crate::reply::{self, Response};
use crate::request::Request;
use crate::time::Time;
use crate::tokens::Wanted;
use crate::{access, password, sessions, tokens};

/// `GET /wiki/-/account`
pub fn show(request: &Request, db: &Db) -> Result<Response, Problem> {
    answer(request, StatusCode::OK, &view(request, db)?)
}

fn view(request: &Request, db: &Db) -> Result<Account, Problem> {
    let (account, who) = (accounts::of(request)?, access::who(request));
    Ok(Account {
        username: account.username.clone(),
        user_id: account.user_id,
        role: account.role,
        sessions: sessions::of(db, who, account.user_id)?,
        tokens: tokens::of(db, account.user_id)?,
        made: None,
        wanted: WantedToken::default(),
        changed: false,
        password_is_given: account.password_is_given,
        errors: Vec::new(),
    })
}

fn answer(request: &Request, status: StatusCode, view: &Account) -> Result<Response, Problem> {
    Ok(reply::momentary(reply::html_with(status, pages::render(view, &Viewer::of(request))?)))
}

fn wrong(field: &'static str, message: rules::Wrong) -> FieldError {
    FieldError { field: field.into(), message }
}

/// `POST /wiki/-/account/password`
pub fn change_password(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let new = form.text("new");
    let result = match password::rule(new) {
        Err(message) => Err(Problem::invalid(vec![wrong("new", message)])),
        Ok(()) => accounts::change(db, access::who(request), form.text("current"), new),
    };
    match result {
        Ok(()) => {
            let view = Account { changed: true, password_is_given: false, ..view(request, db)? };
            answer(request, StatusCode::OK, &view)
        }
        Err(problem) if !problem.errors.is_empty() => {
            answer(request, problem.status, &Account { errors: problem.errors, ..view(request, db)? })
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /wiki/-/account/sessions`: ends the one that is named, or all but this one
pub fn end_session(request: &Request, db: &Db) -> Result<Response, Problem> {
    let (form, who) = (Form::read(request)?, access::who(request));
    match form.number("id") {
        Some(id) => sessions::revoke(db, who, id)?,
        None => sessions::revoke_others(db, who, accounts::of(request)?.session())?,
    }
    Ok(reply::see_other(address::ACCOUNT))
}

/// `POST /wiki/-/account/tokens`: the answer is the only one that ever shows the token
pub fn make_token(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let asked = WantedToken {
        name: form.text("token").trim().to_owned(),
        scope: form.text("scope").parse().unwrap_or(Scope::Read),
        days: form.number("days").filter(|days| (1..tokens::MAX_DAYS).contains(days)).unwrap_or(tokens::DEFAULT_DAYS),
    };
    if let Err(message) = rules::line::<{ tokens::MAX_NAME }>(&asked.name) {
        let errors = vec![wrong("token", message)];
        let view = Account { wanted: asked, errors, ..view(request, db)? };
        return answer(request, StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    let wanted = Wanted { name: asked.name, scope: asked.scope, expires_time: Time::in_days(asked.days) };
    let (token, credential) = tokens::make(db, access::who(request), &wanted)?;
    let view = Account { made: Some((token.name, credential)), ..view(request, db)? };
    answer(request, StatusCode::CREATED, &view)
}

/// `POST /wiki/-/account/tokens/revoke`
pub fn revoke_token(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    tokens::revoke(db, access::who(request), form.number("id").unwrap_or_default())?;
    Ok(reply::see_other(address::ACCOUNT))
}
