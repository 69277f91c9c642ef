//! The viewer's own account: mail, password, sessions, tokens.

use askama::Template;
use http::StatusCode;
use wiki_types::settings::MAX_TIME_ZONE;
use wiki_types::{FieldError, Mail, Role, Scope, Session, Time, Token, rules, settings};

use crate::auth::tokens::{DEFAULT_DAYS, MAX_DAYS, MAX_NAME};
use crate::auth::{self, Context, accounts, password, sessions, tokens};
use crate::errors;
use crate::input::idempotency::Purpose;
use crate::input::users::{self, Change, Refusal};
use crate::site::{self, address, browser, parts};
use crate::store::tokens::NewToken;
use crate::store::{self, digests};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountView {
    pub account: wiki_types::Account,
    /// Sessions, the latest first.
    pub sessions: Vec<Session>,
    /// Tokens, the latest first.
    pub tokens: Vec<Token>,
    /// The token that was just made: its name, and the credential that is shown this once.
    pub made: Option<(String, String)>,
    pub new_token: TokenForm,
    pub mail: MailForm,
    /// Whether the wiki sends mail at all.
    pub sends_mail: bool,
    /// The time zone that was typed, or is theirs; empty for that of the wiki.
    pub zone: String,
    /// The time zone of the wiki.
    pub zone_of_wiki: String,
    /// Whether the password was just changed.
    pub changed: bool,
    /// The key of the forms on this page: sent again, each does nothing twice.
    pub key: String,
    pub errors: Vec<FieldError>,
}

/// The form that makes a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenForm {
    pub name: String,
    pub scope: Scope,
    /// Days until it expires.
    pub days: i64,
}

impl Default for TokenForm {
    fn default() -> Self {
        Self { name: String::new(), scope: Scope::Read, days: DAYS[1].0 }
    }
}

/// The form for what is unread by mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailForm {
    /// The address, or nothing.
    pub email: String,
    pub mail: Mail,
}

/// How often there may be mail.
const MAILS: [(Mail, &str); 3] =
    [(Mail::Never, "Never"), (Mail::Hourly, "Once an hour at most"), (Mail::Daily, "Once a day at most")];

/// The choices for how long a token is valid: days, and what the form calls them.
const DAYS: [(i64, &str); 4] = [(7, "7 days"), (90, "90 days"), (180, "half a year"), (365, "a year")];

/// What a token of each scope may do.
const SCOPES: [(Scope, &str); 3] = [
    (Scope::Read, "Read pages"),
    (Scope::Write, "Read and write pages"),
    (Scope::Admin, "Everything you may, this account included"),
];

impl AccountView {
    /// The name of a browser.
    fn browser(agent: &str) -> String {
        browser::name(agent)
    }

    /// What the time zone is for.
    fn zone_hint(&self) -> String {
        format!("Of your tasks, as in Europe/Berlin. Leave it empty for that of the wiki, {}.", self.zone_of_wiki)
    }

    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }
}

/// `GET /wiki/-/account`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &view(cx)?)
}

fn view(cx: &Context) -> Result<AccountView, Problem> {
    let account = cx.identity.account()?;
    let user = store::users::find(cx.db, account.user_id)?.ok_or_else(errors::user_not_found)?.user;
    Ok(AccountView {
        account: account.clone(),
        sessions: store::sessions::of_user(cx.db, account.user_id, cx.identity.session)?,
        tokens: store::tokens::of_user(cx.db, account.user_id)?,
        made: None,
        new_token: TokenForm::default(),
        mail: MailForm { email: user.email.unwrap_or_default(), mail: digests::find(cx.db, account.user_id)? },
        sends_mail: digests::are_sent(cx.db)?,
        zone: user.time_zone.unwrap_or_default(),
        zone_of_wiki: store::settings::find(cx.db)?.time_zone,
        changed: false,
        key: auth::unique()?,
        errors: Vec::new(),
    })
}

/// `POST /wiki/-/account/password`
pub fn change_password(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let new = form.text("new");
    let result = match password::rule(new) {
        Err(message) => Err(Problem::invalid_field("new", message)),
        Ok(()) => {
            let key = Purpose::Password.field(&form, cx.identity.user_id());
            let revoke_tokens = form.text("revoke_tokens") == "yes";
            accounts::change_password(cx, form.text("current"), new, revoke_tokens, key)
        }
    };
    match result {
        Ok(()) => {
            let mut view = AccountView { changed: true, ..view(cx)? };
            view.account.password_is_given = false;
            site::show_once(cx, StatusCode::OK, &view)
        }
        Err(problem) if !problem.errors.is_empty() => {
            site::show_once(cx, problem.status, &AccountView { errors: problem.errors, ..view(cx)? })
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /wiki/-/account/mail`: sets the address, and how often what is unread is sent there
pub fn set_mail(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let email = form.text("email").trim().to_owned();
    let wanted = form.text("mail");
    let mail = wanted.parse::<Mail>().unwrap_or_default();
    let checks = [
        ("email", if email.is_empty() { Ok(()) } else { users::email(&email) }),
        ("mail", Mail::rule(wanted)),
        ("email", if email.is_empty() && mail != Mail::Never { Err(NEEDS_ADDRESS.into()) } else { Ok(()) }),
    ];
    let errors = checks.into_iter().filter_map(|(field, check)| Some(FieldError::new(field, check.err()?)));
    let errors: Vec<FieldError> = errors.collect();
    let result = if errors.is_empty() { save_mail(cx, &email, mail) } else { Err(Problem::invalid(errors)) };
    match result {
        Ok(()) => Ok(response::see_other(address::ACCOUNT)),
        Err(problem) if !problem.errors.is_empty() => {
            let view = AccountView { mail: MailForm { email, mail }, errors: problem.errors, ..view(cx)? };
            site::show_once(cx, problem.status, &view)
        }
        Err(problem) => Err(problem),
    }
}

/// What is missing without an address.
const NEEDS_ADDRESS: &str = "is needed to send you mail";

fn save_mail(cx: &Context, email: &str, mail: Mail) -> Result<(), Problem> {
    let email = Some(email.to_owned()).filter(|email| !email.is_empty());
    change(cx, Change { email: Some(email), ..Change::default() })?;
    digests::set(cx.db, mail, &cx.identity.actor())?;
    Ok(())
}

/// Changes the viewer's own user.
fn change(cx: &Context, change: Change) -> Result<(), Problem> {
    let changed = users::change(cx, cx.identity.account()?.user_id, None, change);
    changed.map(drop).map_err(|refusal| match refusal {
        Refusal::Problem(problem) => problem,
        // Any version may be changed.
        Refusal::Stale(_) => Problem::internal("a change of any version was refused for its version"),
    })
}

/// `POST /wiki/-/account/time-zone`: sets the time zone that the viewer is shown times in
pub fn set_zone(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let zone = form.text("time_zone").trim().to_owned();
    let rule = if zone.is_empty() { Ok(()) } else { settings::time_zone(&zone) };
    let time_zone = Some(Some(zone.clone()).filter(|zone| !zone.is_empty()));
    let result = match rule {
        Ok(()) => change(cx, Change { time_zone, ..Change::default() }),
        Err(message) => Err(Problem::invalid_field("time_zone", message)),
    };
    match result {
        Ok(()) => Ok(response::see_other(&format!("{}#_zone", address::ACCOUNT))),
        Err(problem) if !problem.errors.is_empty() => {
            let view = AccountView { zone: parts::typed(&zone), errors: problem.errors, ..view(cx)? };
            site::show_once(cx, problem.status, &view)
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /wiki/-/account/sessions`: ends the session in the form, or all but this one
pub fn end_session(cx: &Context) -> Result<Response, Problem> {
    match Form::read(cx.request)?.number("id") {
        Some(id) if !sessions::end(cx.db, cx.identity, id)? => {
            return Err(Problem::not_found("Session not found").on_page("There is no such session."));
        }
        Some(_) => {}
        None => store::sessions::end_others(cx.db, cx.identity.session, &cx.identity.actor())?,
    }
    Ok(response::see_other(address::ACCOUNT))
}

/// `POST /wiki/-/account/tokens`: the only response that ever shows the token
pub fn create_token(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let asked = TokenForm {
        name: form.text("token").trim().to_owned(),
        scope: form.text("scope").parse().unwrap_or(Scope::Read),
        days: form.number("days").filter(|days| (1..MAX_DAYS).contains(days)).unwrap_or(DEFAULT_DAYS),
    };
    if let Err(message) = rules::line::<MAX_NAME>(&asked.name) {
        let errors = vec![FieldError::new("token", message)];
        let view = AccountView { new_token: asked, errors, ..view(cx)? };
        return site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    let key = Purpose::Token.field(&form, cx.identity.user_id());
    let token = NewToken { name: asked.name, scope: asked.scope, expires_time: Time::in_days(asked.days) };
    let (token, credential) = tokens::create(cx.db, cx.identity, &token, key)?;
    let view = AccountView { made: Some((token.name, credential)), ..view(cx)? };
    Ok(response::secret(site::show_once(cx, StatusCode::CREATED, &view)?))
}

/// `POST /wiki/-/account/tokens/revoke`
pub fn revoke_token(cx: &Context) -> Result<Response, Problem> {
    tokens::revoke(cx.db, cx.identity, Form::read(cx.request)?.number("id").unwrap_or_default())?;
    Ok(response::see_other(address::ACCOUNT))
}
