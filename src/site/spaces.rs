//! The list of spaces, with the form that makes one.

use askama::Template;
use http::StatusCode;
use serde_json::{Map, Value};
use wiki_types::{FieldError, Space, SpaceRole, slug};

use crate::auth::Context;
use crate::errors;
use crate::input::spaces::{self as input, MAX_DESCRIPTION, MAX_NAME};
use crate::site::access_form::EVERYBODY;
use crate::site::{self, address, parts};
use crate::store::spaces::{self, Saved};
use crate::web::forms::Form;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// What the forms about a space ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceForm {
    pub name: String,
    pub slug: String,
    pub description: String,
    pub icon: String,
}

#[derive(Debug, Template)]
#[template(path = "spaces.html")]
pub struct Spaces {
    /// Those that the reader may see.
    pub spaces: Vec<Space>,
    /// The new one.
    pub form: SpaceForm,
    /// What everyone may do in it.
    pub everybody: SpaceRole,
    pub errors: Vec<FieldError>,
}

impl Spaces {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }
}

impl From<&Space> for SpaceForm {
    fn from(space: &Space) -> Self {
        Self {
            name: space.name.clone(),
            slug: space.slug.clone(),
            description: space.description.clone(),
            icon: space.icon.clone(),
        }
    }
}

impl SpaceForm {
    /// The fields as they were sent.
    pub(super) fn read(form: &Form) -> Self {
        let text = |field| form.text(field).trim().to_owned();
        Self {
            name: text("space_name"),
            slug: text("space_slug"),
            description: text("description"),
            icon: text("icon"),
        }
    }

    /// The fields, for the rules of the API. Without an address, one is made from the name, or it stays as it was.
    pub(super) fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("name".to_owned(), self.name.as_str().into());
        members.insert("description".to_owned(), self.description.as_str().into());
        members.insert("icon".to_owned(), self.icon.as_str().into());
        if !self.slug.is_empty() {
            // People write an address as they would write a name.
            let has_word = self.slug.chars().any(char::is_alphanumeric);
            let is_kept = slug::is_accepted(&self.slug) || !has_word;
            let slug = if is_kept { self.slug.clone() } else { slug::slugify(&self.slug) };
            members.insert("slug".to_owned(), slug.into());
        }
        members
    }
}

/// What is wrong with the fields of the API, as those of a form about a space.
pub(super) fn named_as_in_form(errors: Vec<FieldError>) -> Vec<FieldError> {
    let named = |FieldError { field, message }| match &*field {
        "name" => FieldError::new("space_name", message),
        "slug" => FieldError::new("space_slug", message),
        _ => FieldError::new(field, message),
    };
    errors.into_iter().map(named).collect()
}

/// `GET /wiki/-/spaces`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    site::show(cx, &all(cx, SpaceForm::default(), SpaceRole::Write, Vec::new())?)
}

fn all(cx: &Context, form: SpaceForm, everybody: SpaceRole, errors: Vec<FieldError>) -> Result<Spaces, Problem> {
    Ok(Spaces { spaces: spaces::all(cx.db)?, form, everybody, errors })
}

/// `POST /wiki/-/spaces`
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let sent = Form::read(cx.request)?;
    let form = SpaceForm::read(&sent);
    let everybody = sent.text("everybody").parse().unwrap_or(SpaceRole::Write);
    let mut members = form.members();
    members.insert("everybody".to_owned(), sent.text("everybody").into());
    let again = |status, errors| {
        let view = all(cx, form.clone(), everybody, named_as_in_form(errors))?;
        site::show_once(cx, status, &view)
    };
    let (space, slug) = match input::new_space(Body::from_members(members)) {
        Ok(read) => read,
        Err(problem) => return again(problem.status, problem.errors),
    };
    match spaces::create(cx.db, &space, &slug, &cx.identity.actor())? {
        Saved::Saved(_) => Ok(response::see_other(&address::space(&slug))),
        Saved::SlugTaken => again(StatusCode::CONFLICT, Problem::taken("slug", &slug).errors),
        Saved::Gone | Saved::Forbidden | Saved::Stale => Err(errors::space_not_found()),
    }
}
