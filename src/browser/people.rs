//! What administrators do with others' accounts.

use http::StatusCode;
use wiki_types::rules;

use crate::access::{self, Role};
use crate::accounts::Terms;
use crate::browser::form::Form;
use crate::db::Db;
use crate::pages::account::Person;
use crate::pages::parts::Viewer;
use crate::pages::{self, address};
use crate::password;
use crate::problem::{FieldError, Problem};
use crate::reply::{self, Response};
use crate::request::{Request, path_id};
use crate::users::{self, Change};

/// `GET /wiki/-/users/new`
pub fn new(request: &Request, _: &Db) -> Result<Response, Problem> {
    answer(request, StatusCode::OK, &blank())
}

fn blank() -> Person {
    Person {
        member: None,
        username: String::new(),
        known_as: String::new(),
        role: Role::Editor,
        has_account: false,
        errors: Vec::new(),
    }
}

/// `POST /wiki/-/users/new`
pub fn create(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let (view, change) = read(&form, blank());
    let who = access::who(request);
    finish(request, view, |errors| {
        let Change { username, name, terms, .. } = change;
        if terms.password.is_none() {
            errors.push(FieldError { field: "password".into(), message: "is required, to sign in with".into() });
        }
        if errors.is_empty() {
            users::insert(db, who, username.flatten(), name, None, &terms).map(Some)
        } else {
            Ok(None)
        }
    })
}

/// `GET /wiki/-/users/{id}/account`
pub fn edit(request: &Request, db: &Db) -> Result<Response, Problem> {
    answer(request, StatusCode::OK, &known(request, db)?)
}

fn known(request: &Request, db: &Db) -> Result<Person, Problem> {
    let user = users::find(request, db)?;
    Ok(Person {
        username: user.username.clone().unwrap_or_default(),
        known_as: user.name.clone(),
        role: user.role().unwrap_or(Role::Editor),
        has_account: user.has_account,
        member: Some(user.into()),
        errors: Vec::new(),
    })
}

/// `POST /wiki/-/users/{id}/account`
pub fn save(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let (view, change) = read(&form, known(request, db)?);
    let id = path_id(request).ok_or_else(users::not_found)?;
    let who = access::who(request);
    finish(request, view, |errors| {
        if errors.is_empty() { users::change(db, who, id, None, &change).map(Some) } else { Ok(None) }
    })
}

/// What stands in the form, as it is shown again and as a change, with what is wrong about it.
fn read(form: &Form, mut view: Person) -> (Person, Change) {
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
            view.errors.push(FieldError { field: field.into(), message });
        }
    }
    let terms = Terms { role: Some(view.role), password };
    let change = Change { username: Some(given(&view.username)), name: given(&view.known_as), email: None, terms };
    (view, change)
}

/// Leads to the user that `act` made or changed, or shows the form again with what stood in the way.
fn finish(
    request: &Request,
    mut view: Person,
    act: impl FnOnce(&mut Vec<FieldError>) -> Result<Option<users::User>, Problem>,
) -> Result<Response, Problem> {
    match act(&mut view.errors) {
        Ok(Some(user)) => Ok(reply::see_other(&address::user(user.id))),
        Ok(None) => answer(request, StatusCode::UNPROCESSABLE_ENTITY, &view),
        Err(problem) if !problem.errors.is_empty() => {
            let status = problem.status;
            answer(request, status, &Person { errors: problem.errors, ..view })
        }
        Err(problem) => Err(problem),
    }
}

fn answer(request: &Request, status: StatusCode, view: &Person) -> Result<Response, Problem> {
    Ok(reply::momentary(reply::html_with(status, pages::render(view, &Viewer::of(request))?)))
}
