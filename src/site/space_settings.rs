//! The settings of a space, for those who administer it: what it is called, and who may read and write in it.

use askama::Template;
use http::StatusCode;
use wiki_types::{FieldError, Space, SpaceRole};

use crate::auth::Context;
use crate::errors;
use crate::input::spaces::{self as input, MAX_DESCRIPTION, MAX_NAME, check_set};
use crate::site::access_form::AccessForm;
use crate::site::space::administered;
use crate::site::spaces::{SpaceForm, named_as_in_form};
use crate::site::{self, address, parts};
use crate::store::spaces::{self, FIRST, Saved};
use crate::web::forms::Form;
use crate::web::json::Body;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "space_settings.html")]
pub struct SpaceSettings {
    pub space: Space,
    pub form: SpaceForm,
    /// Who may read and write; none of the first space, where the mode of the wiki says that.
    pub access: Option<AccessForm>,
    pub errors: Vec<FieldError>,
    /// Whether the space was changed while the form was open.
    pub is_stale: bool,
    /// Whether something was just saved.
    pub saved: bool,
}

impl SpaceSettings {
    fn may_be_deleted(&self) -> bool {
        self.space.space_id != FIRST
    }

    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }
}

/// `GET /wiki/-/spaces/{slug}/settings`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let saved = query(cx.request, "saved").is_some();
    site::show_once(cx, StatusCode::OK, &SpaceSettings { saved, ..view(cx, slug)? })
}

fn view(cx: &Context, slug: &str) -> Result<SpaceSettings, Problem> {
    let space = administered(cx, slug)?;
    let access =
        spaces::access(cx.db, space.space_id)?.map(|access| AccessForm::of(cx.db, access, true)).transpose()?;
    Ok(SpaceSettings {
        form: SpaceForm::from(&space),
        space,
        access,
        errors: Vec::new(),
        is_stale: false,
        saved: false,
    })
}

/// The address that says that something was saved.
fn saved(slug: &str) -> String {
    format!("{}?saved=yes", address::of_space(slug, "settings"))
}

/// `POST /wiki/-/spaces/{slug}/settings`
pub fn save(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let sent = Form::read(cx.request)?;
    let mut view = view(cx, slug)?;
    view.form = SpaceForm::read(&sent);
    let (id, members) = (view.space.space_id, view.form.members());
    let again = |status, errors, is_stale| {
        let view = SpaceSettings { errors: named_as_in_form(errors), is_stale, ..view };
        site::show_once(cx, status, &view)
    };
    let change = match input::space_change(Body::from_members(members)) {
        Ok(change) => change,
        Err(problem) => return again(problem.status, problem.errors, false),
    };
    let seen = sent.number("version").map(|version| vec![version]);
    match spaces::change(cx.db, id, seen, &change, &cx.identity.actor())? {
        Saved::Saved(_) => Ok(response::see_other(&saved(change.slug.as_deref().unwrap_or(slug)))),
        Saved::SlugTaken => {
            let slug = change.slug.unwrap_or_default();
            again(StatusCode::CONFLICT, Problem::taken("slug", &slug).errors, false)
        }
        Saved::Stale => again(StatusCode::CONFLICT, Vec::new(), true),
        Saved::Forbidden => Err(errors::not_administered()),
        Saved::Gone => Err(errors::space_not_found()),
    }
}

/// `POST /wiki/-/spaces/{slug}/access`
pub fn set_access(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let sent = Form::read(cx.request)?;
    let mut view = view(cx, slug)?;
    let id = view.space.space_id;
    let form = view.access.as_mut().ok_or_else(errors::first_space_has_no_list)?;
    let (access, errors) = form.read(&sent, cx.db)?;
    if !errors.is_empty() {
        return site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &SpaceSettings { errors, ..view });
    }
    let set = spaces::set_access(cx.db, id, &access, &cx.identity.actor())?;
    match check_set(set, errors::space_not_found) {
        Ok(()) => {}
        Err(problem) if !problem.errors.is_empty() => {
            return site::show_once(cx, problem.status, &SpaceSettings { errors: problem.errors, ..view });
        }
        Err(problem) => return Err(problem),
    }
    // They may have taken it from themselves.
    let next = match spaces::find(cx.db, id)? {
        Some(space) if space.role == SpaceRole::Administer => saved(&space.slug),
        Some(space) => address::space(&space.slug),
        None => address::SPACES.to_owned(),
    };
    Ok(response::see_other(&next))
}
