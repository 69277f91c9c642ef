//! The form by which administrators create a user, or change their account.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, Role, User, rules};

use crate::auth::{self, Context, password};
use crate::errors;
use crate::input::idempotency::{self, Purpose};
use crate::input::users::{self, Change, Refusal, Terms};
use crate::site::{self, address, parts};
use crate::store;
use crate::store::users::UserRecord;
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "edit_user.html")]
pub struct EditUser {
    /// The user as they are; none for a new one.
    pub user: Option<User>,
    pub username: String,
    /// The field `name`. (A macro of the templates has a `name` of its own.)
    pub known_as: String,
    pub role: Role,
    pub has_account: bool,
    /// The key of this form: sent again, it makes no second user.
    pub key: String,
    pub errors: Vec<FieldError>,
}

/// What an account of each role may do.
const ROLES: [(Role, &str); 3] = [
    (Role::Reader, "Reader: reads pages"),
    (Role::Editor, "Editor: reads and writes pages"),
    (Role::Administrator, "Administrator: does everything"),
];

impl EditUser {
    /// The empty form.
    fn blank() -> Self {
        Self {
            user: None,
            username: String::new(),
            known_as: String::new(),
            role: Role::Editor,
            has_account: false,
            key: String::new(),
            errors: Vec::new(),
        }
    }

    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }

    fn action(&self) -> String {
        self.user.as_ref().map_or_else(|| address::NEW_USER.to_owned(), |user| address::account_of(user.id))
    }
}

impl From<UserRecord> for EditUser {
    fn from(record: UserRecord) -> Self {
        Self {
            username: record.user.username.clone().unwrap_or_default(),
            known_as: record.user.name.clone(),
            role: record.user.role.unwrap_or(Role::Editor),
            has_account: record.has_account,
            key: String::new(),
            user: Some(record.user),
            errors: Vec::new(),
        }
    }
}

/// `GET /wiki/-/users/new`
pub fn new(cx: &Context) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &EditUser { key: auth::unique()?, ..EditUser::blank() })
}

/// `POST /wiki/-/users/new`
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let key = Purpose::User.field(&form, cx.identity.user_id());
    let (mut view, change) = read(&form, EditUser { key: idempotency::field(&form), ..EditUser::blank() });
    let Change { username, name, terms, .. } = change;
    if terms.password.is_none() {
        view.errors.push(FieldError::new("password", "is required, to sign in with"));
    }
    finish(cx, view, || users::create(cx, username.flatten(), name, None, terms, key))
}

/// `GET /wiki/-/users/{id}/account`
pub fn edit(cx: &Context, id: i64) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &known(cx, id)?)
}

fn known(cx: &Context, id: i64) -> Result<EditUser, Problem> {
    Ok(store::users::find(cx.db, id)?.ok_or_else(errors::user_not_found)?.into())
}

/// `POST /wiki/-/users/{id}/account`
pub fn save(cx: &Context, id: i64) -> Result<Response, Problem> {
    let (view, change) = read(&Form::read(cx.request)?, known(cx, id)?);
    finish(cx, view, || {
        users::change(cx, id, None, change).map_err(|refusal| match refusal {
            Refusal::Problem(problem) => problem,
            // Any version may be changed.
            Refusal::Stale(_) => Problem::internal("a change of any version was refused for its version"),
        })
    })
}

/// The form as it was sent, to be shown again, and as a change, with what is wrong about it.
fn read(form: &Form, mut view: EditUser) -> (EditUser, Change) {
    view.username = form.text("username").trim().to_owned();
    view.known_as = form.text("name").trim().to_owned();
    view.role = form.text("role").parse().unwrap_or(view.role);
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let password = given(form.text("password"));
    let checks = [
        ("username", rules::username(&view.username)),
        ("name", given(&view.known_as).map_or(Ok(()), |name| rules::name(&name))),
        ("password", password.as_deref().map_or(Ok(()), password::rule)),
    ];
    for (field, check) in checks {
        if let Err(message) = check {
            view.errors.push(FieldError::new(field, message));
        }
    }
    let terms = Terms { role: Some(view.role), password };
    let change = Change {
        username: Some(given(&view.username)),
        name: given(&view.known_as),
        email: None,
        terms,
        time_zone: None,
    };
    (view, change)
}

/// Leads to the user that `act` created or changed, or shows the form again with what is wrong.
fn finish(
    cx: &Context,
    mut view: EditUser,
    act: impl FnOnce() -> Result<UserRecord, Problem>,
) -> Result<Response, Problem> {
    if !view.errors.is_empty() {
        return site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    match act() {
        Ok(record) => Ok(response::see_other(&address::user(record.user.id))),
        Err(problem) if !problem.errors.is_empty() => {
            view.errors = problem.errors;
            site::show_once(cx, problem.status, &view)
        }
        Err(problem) => Err(problem),
    }
}
