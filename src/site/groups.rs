//! Groups of users, for administrators: the list, one with its members, and the forms that change them.

use askama::Template;
use http::StatusCode;
use serde_json::Map;
use wiki_types::{FieldError, Group, GroupChange, Member};

use crate::auth::Context;
use crate::errors;
use crate::input::spaces::{MAX_DESCRIPTION, MAX_NAME, group_change};
use crate::site::access_form::find_person;
use crate::site::{self, address, parts};
use crate::store;
use crate::store::groups::{Membership, Saved};
use crate::web::forms::Form;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// What the forms about a group ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupForm {
    pub name: String,
    pub description: String,
}

#[derive(Debug, Template)]
#[template(path = "groups.html")]
pub struct Groups {
    pub groups: Vec<Group>,
    /// The new one.
    pub form: GroupForm,
    pub errors: Vec<FieldError>,
}

#[derive(Debug, Template)]
#[template(path = "group.html")]
pub struct GroupView {
    pub group: Group,
    pub members: Vec<Member>,
    pub form: GroupForm,
    /// The username of the person to add.
    pub person: String,
    pub errors: Vec<FieldError>,
}

impl Groups {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }
}

impl GroupView {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }
}

impl GroupForm {
    fn read(form: &Form) -> Self {
        let text = |field| form.text(field).trim().to_owned();
        Self { name: text("group_name"), description: text("description") }
    }

    /// The fields by the rules of the API.
    fn checked(&self) -> Result<GroupChange, Problem> {
        let mut members = Map::new();
        members.insert("name".to_owned(), self.name.as_str().into());
        members.insert("description".to_owned(), self.description.as_str().into());
        group_change(Body::from_members(members), true)
    }
}

/// What is wrong with the fields of the API, as those of a form about a group.
fn named_as_in_form(errors: Vec<FieldError>) -> Vec<FieldError> {
    let named = |FieldError { field, message }| match &*field {
        "name" => FieldError::new("group_name", message),
        _ => FieldError::new(field, message),
    };
    errors.into_iter().map(named).collect()
}

/// `GET /wiki/-/groups`
pub fn list(cx: &Context) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &all(cx, GroupForm::default(), Vec::new())?)
}

fn all(cx: &Context, form: GroupForm, errors: Vec<FieldError>) -> Result<Groups, Problem> {
    Ok(Groups { groups: store::groups::all(cx.db)?, form, errors: named_as_in_form(errors) })
}

/// `POST /wiki/-/groups`
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let form = GroupForm::read(&Form::read(cx.request)?);
    if let Err(problem) = form.checked() {
        return site::show_once(cx, problem.status, &all(cx, form, problem.errors)?);
    }
    match store::groups::create(cx.db, &form.name, &form.description, &cx.identity.actor())? {
        Saved::Saved(id) => Ok(response::see_other(&address::group(id))),
        Saved::NameTaken => {
            let errors = Problem::taken("name", &form.name).errors;
            site::show_once(cx, StatusCode::CONFLICT, &all(cx, form, errors)?)
        }
        Saved::Gone => Err(errors::group_not_found()),
    }
}

/// `GET /wiki/-/groups/{id}`
pub fn show(cx: &Context, id: i64) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &view(cx, id)?)
}

fn view(cx: &Context, id: i64) -> Result<GroupView, Problem> {
    let group = store::groups::find(cx.db, id)?.ok_or_else(errors::group_not_found)?;
    let members = store::groups::members(cx.db, id)?;
    let form = GroupForm { name: group.name.clone(), description: group.description.clone() };
    Ok(GroupView { group, members, form, person: String::new(), errors: Vec::new() })
}

/// `POST /wiki/-/groups/{id}`
pub fn save(cx: &Context, id: i64) -> Result<Response, Problem> {
    let form = GroupForm::read(&Form::read(cx.request)?);
    let again = |status, errors| {
        let view = GroupView { form: form.clone(), errors: named_as_in_form(errors), ..view(cx, id)? };
        site::show_once(cx, status, &view)
    };
    let change = match form.checked() {
        Ok(change) => change,
        Err(problem) => return again(problem.status, problem.errors),
    };
    match store::groups::change(cx.db, id, &change, &cx.identity.actor())? {
        Saved::Saved(_) => Ok(response::see_other(&address::group(id))),
        Saved::NameTaken => again(StatusCode::CONFLICT, Problem::taken("name", &form.name).errors),
        Saved::Gone => Err(errors::group_not_found()),
    }
}

/// `POST /wiki/-/groups/{id}/members`: adds the person in the form
pub fn add(cx: &Context, id: i64) -> Result<Response, Problem> {
    let person = Form::read(cx.request)?.text("person").trim().to_owned();
    let again = |message: String| {
        let errors = vec![FieldError::new("person", message)];
        let view = GroupView { person: person.clone(), errors, ..view(cx, id)? };
        site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &view)
    };
    match find_person(cx.db, &person)? {
        Ok(user_id) => set_member(cx, id, user_id, true),
        Err(message) => again(message),
    }
}

/// `POST /wiki/-/groups/{id}/members/remove`: removes the user in the form
pub fn remove(cx: &Context, id: i64) -> Result<Response, Problem> {
    let user_id = Form::read(cx.request)?.number("user").ok_or_else(errors::user_not_found)?;
    set_member(cx, id, user_id, false)
}

fn set_member(cx: &Context, id: i64, user_id: i64, is_member: bool) -> Result<Response, Problem> {
    match store::groups::set_member(cx.db, id, user_id, is_member, &cx.identity.actor())? {
        Membership::Set => Ok(response::see_other(&address::group(id))),
        Membership::NoSuchGroup => Err(errors::group_not_found()),
        Membership::NoSuchUser => Err(errors::user_not_found()),
    }
}

/// `POST /wiki/-/groups/{id}/delete`
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    match store::groups::delete(cx.db, id, &cx.identity.actor())? {
        true => Ok(response::see_other(address::GROUPS)),
        false => Err(errors::group_not_found()),
    }
}
