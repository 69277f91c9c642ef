//! Webhooks, for administrators: the list, one with what was sent to it, and the forms that change them.

use askama::Template;
use http::StatusCode;
use wiki_types::{Delivery, FieldError, Webhook, events};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::input::webhooks::{self, MAX_TYPES, MAX_URL, url_rule};
use crate::site::{self, address, parts};
use crate::store;
use crate::store::webhooks::Change;
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

/// The most characters of the field for types.
const MAX_TYPED: usize = 5_000;

/// What the form about a webhook asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookForm {
    pub url: String,
    /// The types, separated by spaces.
    pub types: String,
}

#[derive(Debug, Template)]
#[template(path = "webhooks.html")]
pub struct Webhooks {
    pub webhooks: Vec<Webhook>,
    /// The new one.
    pub form: WebhookForm,
    pub errors: Vec<FieldError>,
}

#[derive(Debug, Template)]
#[template(path = "webhook.html")]
pub struct WebhookView {
    pub webhook: Webhook,
    /// The secret that was just made, which is shown this once.
    pub secret: Option<String>,
    pub form: WebhookForm,
    /// What was or is to be sent to it, the latest first.
    pub deliveries: Vec<Delivery>,
    /// The address of the rest of the list.
    pub next: Option<String>,
    pub errors: Vec<FieldError>,
}

impl Webhooks {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }
}

impl WebhookView {
    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }

    /// What became of a delivery, in a word.
    fn words(delivery: &Delivery) -> &'static str {
        match (&*delivery.state, delivery.attempts) {
            ("delivered", _) => "delivered",
            ("failed", _) => "failed",
            (_, 0) => "not sent yet",
            _ => "failed, to be sent again",
        }
    }
}

/// What is sent to a webhook, in words.
fn events_of(webhook: &Webhook) -> String {
    if webhook.types.is_empty() { "all of pages and tasks".to_owned() } else { webhook.types.join(", ") }
}

impl WebhookForm {
    fn of(webhook: &Webhook) -> Self {
        Self { url: webhook.url.clone(), types: webhook.types.join(" ") }
    }

    /// The fields as they were sent, the types one by one, and what is wrong with them.
    fn read(form: &Form) -> (Self, Vec<String>, Vec<FieldError>) {
        let form = Self { url: form.text("url").trim().to_owned(), types: form.text("types").trim().to_owned() };
        let separators = |c: char| c.is_whitespace() || c == ',';
        let types: Vec<String> =
            form.types.split(separators).filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        let mut errors = Vec::new();
        if let Err(message) = url_rule(&form.url) {
            errors.push(FieldError::new("url", message));
        }
        if types.len() > MAX_TYPES {
            errors.push(FieldError::new("types", format!("may be at most {MAX_TYPES} types")));
        } else if let Some((kind, message)) = types.iter().find_map(|kind| Some((kind, events::selector(kind).err()?)))
        {
            errors.push(FieldError::new("types", format!("{kind:?} {message}")));
        }
        (form, types, errors)
    }
}

/// `GET /wiki/-/webhooks`
pub fn list(cx: &Context) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &all(cx, WebhookForm::default(), Vec::new())?)
}

fn all(cx: &Context, form: WebhookForm, errors: Vec<FieldError>) -> Result<Webhooks, Problem> {
    Ok(Webhooks { webhooks: store::webhooks::all(cx.db)?, form, errors })
}

/// `POST /wiki/-/webhooks`: the only response that ever shows the secret
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let (form, types, errors) = WebhookForm::read(&Form::read(cx.request)?);
    if !errors.is_empty() {
        return site::show_once(cx, StatusCode::UNPROCESSABLE_ENTITY, &all(cx, form, errors)?);
    }
    match webhooks::create(cx, form.url.clone(), types) {
        Ok((webhook, secret)) => {
            let view = WebhookView { secret: Some(secret), ..view(cx, webhook)? };
            Ok(response::secret(site::show_once(cx, StatusCode::CREATED, &view)?))
        }
        Err(problem) if !problem.errors.is_empty() => {
            site::show_once(cx, problem.status, &all(cx, form, problem.errors)?)
        }
        Err(problem) => Err(problem),
    }
}

/// `GET /wiki/-/webhooks/{id}`
pub fn show(cx: &Context, id: i64) -> Result<Response, Problem> {
    site::show_once(cx, StatusCode::OK, &view(cx, known(cx, id)?)?)
}

fn known(cx: &Context, id: i64) -> Result<Webhook, Problem> {
    store::webhooks::find(cx.db, id)?.ok_or_else(errors::webhook_not_found)
}

fn view(cx: &Context, webhook: Webhook) -> Result<WebhookView, Problem> {
    let list = lists::deliveries(cx.request, cx.db, webhook.id)?;
    // What a form was sent to is no list that goes on.
    let next = list.next.filter(|_| cx.request.method().is_safe());
    let form = WebhookForm::of(&webhook);
    Ok(WebhookView { webhook, secret: None, form, deliveries: list.items, next, errors: Vec::new() })
}

/// `POST /wiki/-/webhooks/{id}`
pub fn save(cx: &Context, id: i64) -> Result<Response, Problem> {
    let sent = Form::read(cx.request)?;
    let (form, types, errors) = WebhookForm::read(&sent);
    let again = |status, errors| {
        let view = WebhookView { form: form.clone(), errors, ..view(cx, known(cx, id)?)? };
        site::show_once(cx, status, &view)
    };
    if !errors.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, errors);
    }
    let active = sent.text("active") == "yes";
    let change = Change { url: Some(form.url.clone()), types: Some(types), active: Some(active) };
    match webhooks::change(cx, id, change) {
        Ok(_) => Ok(response::see_other(&address::webhook(id))),
        Err(problem) if !problem.errors.is_empty() => again(problem.status, problem.errors),
        Err(problem) => Err(problem),
    }
}

/// `POST /wiki/-/webhooks/{id}/rotate`: shows the new secret, this once
pub fn rotate(cx: &Context, id: i64) -> Result<Response, Problem> {
    let (webhook, secret) = webhooks::rotate(cx, id)?;
    let view = WebhookView { secret: Some(secret), ..view(cx, webhook)? };
    Ok(response::secret(site::show_once(cx, StatusCode::OK, &view)?))
}

/// `POST /wiki/-/webhooks/{id}/test`
pub fn test(cx: &Context, id: i64) -> Result<Response, Problem> {
    webhooks::test(cx, id)?;
    Ok(response::see_other(&address::webhook(id)))
}

/// `POST /wiki/-/webhooks/{id}/resend`: the delivery in the form
pub fn resend(cx: &Context, id: i64) -> Result<Response, Problem> {
    let delivery = Form::read(cx.request)?.number("delivery").ok_or_else(errors::delivery_not_found)?;
    webhooks::resend(cx, id, delivery)?;
    Ok(response::see_other(&address::webhook(id)))
}

/// `POST /wiki/-/webhooks/{id}/delete`
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    webhooks::delete(cx, id)?;
    Ok(response::see_other(address::WEBHOOKS))
}
