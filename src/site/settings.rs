//! The wiki's settings, for administrators: what it is called, and how it looks.

use askama::Template;
use http::StatusCode;
use serde_json::{Map, Value};
use wiki_types::settings::{MAX_FOOTER, MAX_MARK, MAX_NAME, MAX_TIME_ZONE};
use wiki_types::{Color, FieldError, Settings};

use crate::auth::Context;
use crate::input::settings::settings_change;
use crate::site::parts::typed;
use crate::site::{self, address, parts};
use crate::store::settings;
use crate::web::forms::Form;
use crate::web::json::Body;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

/// The fields of the form, as they are called in requests and in the form.
const FIELDS: [(&str, &str); 6] = [
    ("name", "wiki_name"),
    ("mark", "mark"),
    ("color", "color"),
    ("footer", "footer"),
    ("language", "language"),
    ("time_zone", "time_zone"),
];

#[derive(Debug, Template)]
#[template(path = "settings.html")]
pub struct SettingsView {
    /// What was typed, or else the settings as they are.
    pub wiki_name: String,
    pub mark: String,
    pub color: String,
    pub footer: String,
    pub language: String,
    pub time_zone: String,
    /// The version that the form started from.
    pub version: i64,
    pub errors: Vec<FieldError>,
    /// Whether they were changed while the form was open.
    pub is_stale: bool,
    /// Whether they were just saved.
    pub saved: bool,
}

impl SettingsView {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }

    /// The colors there are, and whether each is chosen.
    fn colors(&self) -> impl Iterator<Item = (Color, bool)> {
        Color::ALL.iter().map(|color| (*color, self.color == color.as_str()))
    }
}

impl From<Settings> for SettingsView {
    fn from(settings: Settings) -> Self {
        Self {
            wiki_name: settings.name,
            mark: settings.mark,
            color: settings.color.to_string(),
            footer: settings.footer,
            language: settings.language,
            time_zone: settings.time_zone,
            version: settings.version,
            errors: Vec::new(),
            is_stale: false,
            saved: false,
        }
    }
}

/// `GET /wiki/-/settings`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let saved = query(cx.request, "saved").is_some();
    site::show_once(cx, StatusCode::OK, &SettingsView { saved, ..settings::find(cx.db)?.into() })
}

/// `POST /wiki/-/settings`
pub fn save(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    // A form from before an update has not all of them.
    let is_sent = |field: &str| form.fields().any(|(name, _)| name == field);
    let sent = FIELDS.iter().filter(|(_, field)| is_sent(field));
    let members: Map<String, Value> = sent.map(|(name, field)| ((*name).to_owned(), form.text(field).into())).collect();
    let version = form.number("version");
    let again = |status, errors: Vec<FieldError>, is_stale| {
        let text = |field| typed(form.text(field));
        let named = |error: FieldError| match FIELDS.iter().find(|(name, _)| *name == error.field) {
            Some((_, field)) => FieldError::new(*field, error.message),
            None => error,
        };
        let view = SettingsView {
            wiki_name: text("wiki_name"),
            mark: text("mark"),
            color: text("color"),
            footer: text("footer"),
            language: text("language"),
            time_zone: text("time_zone"),
            version: settings::find(cx.db)?.version,
            errors: errors.into_iter().map(named).collect(),
            is_stale,
            saved: false,
        };
        site::show_once(cx, status, &view)
    };
    let change = match settings_change(cx.db, Body::from_members(members)) {
        Ok(change) => change,
        Err(problem) => return again(problem.status, problem.errors, false),
    };
    match settings::change(cx.db, version.map(|version| vec![version]), &change, &cx.identity.actor())? {
        Some(_) => Ok(response::see_other(&format!("{}?saved=yes", address::SETTINGS))),
        None => again(StatusCode::CONFLICT, Vec::new(), true),
    }
}
