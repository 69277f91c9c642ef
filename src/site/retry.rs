//! A form that could not be handled: shown again with everything that was typed, and the reason above it.
//!
//! It is made of the request alone. So it can be shown when the database is away, too.

use askama::Template;
use http::{Method, StatusCode};

use crate::auth::{Context, Identity, sign_in_within};
use crate::site::frame::Frame;
use crate::site::parts::{Reason, sentence_of, typed};
use crate::site::problem::{may_pass, rest, title};
use crate::site::sign_in::SignIn;
use crate::site::{self, address, edit};
use crate::store::Db;
use crate::web::forms::Form;
use crate::web::{Problem, Request, Response, response};

/// Fields that hold a secret. They are typed again.
const SECRETS: [&str; 3] = ["password", "current", "new"];

/// Fields that people type into, or read. All others are the form's own.
const TYPED: [&str; 25] = [
    "title",
    "slug",
    "tags",
    "comment",
    "reason",
    "author",
    "username",
    "name",
    "email",
    "role",
    "token",
    "days",
    "url",
    "types",
    "space_name",
    "space_slug",
    "group_name",
    "description",
    "icon",
    "person",
    "wiki_name",
    "mark",
    "color",
    "footer",
    "language",
];

#[derive(Debug, Template)]
#[template(path = "retry.html")]
pub struct Retry {
    /// What happened.
    pub title: &'static str,
    /// What the title does not say.
    pub reason: Reason,
    /// The address the form was sent to.
    pub action: String,
    pub fields: Vec<Field>,
    /// Whether the person could change something in the fields, or sees the form only to send it again.
    pub is_typed: bool,
}

/// A field as it was sent.
#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub value: String,
    pub kind: Kind,
}

/// How a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Hidden,
    Line,
    Secret,
}

/// The form that `request` sent, if it is one of the site's that would be lost otherwise. It answers with the status of
/// `problem`.
pub fn show(db: &Db, request: &Request, identity: &Identity, problem: &Problem) -> Option<Response> {
    let path = request.uri().path();
    let form = if keeps(request) { Form::read(request).ok()? } else { return None };
    let reason = Reason::new(&form, problem);
    let frame = || Frame::of_refused(db, request, identity, problem.status);
    let page = match edit::again(path, &form, reason.clone()) {
        Some(view) => frame().render(&view),
        None if path == address::SIGN_IN => frame().render(&SignIn::again(&form, problem)),
        None => {
            let view = Retry::new(path, &form, title(problem.status.as_u16()), reason);
            // Of a button there is nothing to keep, and pressing it again helps only if the refusal passes, or after signing
            // in.
            if !view.is_typed && problem.status != StatusCode::UNAUTHORIZED && !may_pass(problem.status.as_u16()) {
                return None;
            }
            frame().render(&view)
        }
    };
    let page = response::no_store(response::html_with(problem.status, page.ok()?));
    Some(response::with_hints(problem, page))
}

/// The form that was sent, with a field for the author's name, as it does not say who sends it.
pub fn ask_for_author(cx: &Context, form: &Form, name: &str, message: &str) -> Result<Response, Problem> {
    let detail = sentence_of("author", message);
    let reason = Reason { detail, signs_in: false, username: String::new() };
    let mut view = Retry::new(cx.request.uri().path(), form, "Your name is missing", reason);
    view.fields.retain(|field| field.name != "author");
    view.fields.push(Field { name: "author".to_owned(), value: typed(name), kind: Kind::Line });
    site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &view)
}

/// Whether `request` may have a form that is shown again.
pub fn keeps(request: &Request) -> bool {
    let path = request.uri().path();
    // There is nothing to type for signing out, a preview, or a draft.
    request.method() == Method::POST
        && path.starts_with(address::FRONT)
        && ![address::SIGN_OUT, address::PREVIEW, address::DRAFTS].contains(&path)
}

impl Retry {
    fn new(path: &str, form: &Form, title: &'static str, reason: Reason) -> Self {
        let reason = Reason { detail: rest(title, &reason.detail).to_owned(), ..reason };
        let fields =
            form.fields().filter(|(name, _)| *name != sign_in_within::USERNAME && *name != sign_in_within::PASSWORD);
        let fields: Vec<Field> = fields
            .map(|(name, value)| {
                let kind = match name {
                    _ if SECRETS.contains(&name) => Kind::Secret,
                    _ if TYPED.contains(&name) => Kind::Line,
                    _ => Kind::Hidden,
                };
                let value = if kind == Kind::Secret { String::new() } else { typed(value) };
                Field { name: typed(name), value, kind }
            })
            .collect();
        let is_typed = fields.iter().any(|field| field.kind != Kind::Hidden);
        Self { title, reason, action: path.to_owned(), fields, is_typed }
    }
}
