//! Webhooks.

use http::StatusCode;
use wiki_types::{Delivery, MadeWebhook, Webhooks, events};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::input::webhooks::{self, MAX_TYPES, url_rule};
use crate::store;
use crate::store::webhooks::Change;
use crate::web::json::Body;
use crate::web::request::positive;
use crate::web::{Problem, Response, response};

/// List the webhooks
///
/// The oldest first, without their secrets. For administrators.
#[cfg_attr(test, utoipa::path(
    get, path = "/webhooks", operation_id = "listWebhooks", tag = "Events",
    responses((status = 200, description = "All webhooks.", body = Webhooks, headers(("Cache-Control")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let webhooks = store::webhooks::all(cx.db)?;
    Ok(response::no_store(response::json(&Webhooks { webhooks, next: None })))
}

/// Make a webhook
///
/// Events are sent to `url` as they happen, signed with the `secret`, which no other response has. For administrators.
#[cfg_attr(test, utoipa::path(
    post, path = "/webhooks", operation_id = "createWebhook", tag = "Events", request_body = wiki_types::NewWebhook,
    responses((status = 201, description = "The webhook.", body = MadeWebhook, headers(("Cache-Control"))), (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let url = body.required_text("url", url_rule).unwrap_or_default();
    let types = body.texts("types", MAX_TYPES, events::selector).unwrap_or_default();
    body.finish()?;
    let (listed, secret) = webhooks::create(cx, url, types)?;
    let location = format!("/webhooks/{}", listed.id);
    Ok(response::secret(response::created(&location, &MadeWebhook { listed, secret })))
}

/// Read a webhook
#[cfg_attr(test, utoipa::path(
    get, path = "/webhooks/{id}", operation_id = "readWebhook", tag = "Events",
    responses((status = 200, description = "The webhook.", body = wiki_types::Webhook, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let webhook = store::webhooks::find(cx.db, id)?.ok_or_else(errors::webhook_not_found)?;
    Ok(response::no_store(response::json(&webhook)))
}

/// Change a webhook
///
/// Turned on again, it is sent what waited for it; what happened while it was off is not sent.
#[cfg_attr(test, utoipa::path(
    patch, path = "/webhooks/{id}", operation_id = "changeWebhook", tag = "Events", request_body = wiki_types::WebhookChange,
    responses((status = 200, description = "The webhook as it is now.", body = wiki_types::Webhook, headers(("Cache-Control"))),
        (status = 409)),
))]
pub fn change(cx: &Context, id: i64) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let change = Change {
        url: body.text("url", url_rule),
        types: body.texts("types", MAX_TYPES, events::selector),
        active: body.flag("active"),
    };
    body.finish()?;
    Ok(response::no_store(response::json(&webhooks::change(cx, id, change)?)))
}

/// Delete a webhook
///
/// With the list of what was sent to it.
#[cfg_attr(test, utoipa::path(
    delete, path = "/webhooks/{id}", operation_id = "deleteWebhook", tag = "Events",
    responses((status = 204, description = "Nothing is sent to it any more.")),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    webhooks::delete(cx, id)?;
    Ok(response::no_content())
}

/// Make a new secret
///
/// For 24 hours, requests are signed with both secrets, the new one first, so that the receiver can take it up meanwhile.
#[cfg_attr(test, utoipa::path(
    post, path = "/webhooks/{id}/rotate", operation_id = "rotateWebhookSecret", tag = "Events",
    responses((status = 200, description = "The webhook with its new secret.", body = MadeWebhook,
        headers(("Cache-Control")))),
))]
pub fn rotate(cx: &Context, id: i64) -> Result<Response, Problem> {
    let (listed, secret) = webhooks::rotate(cx, id)?;
    Ok(response::secret(response::json(&MadeWebhook { listed, secret })))
}

/// Send a test event
///
/// An event of the type `wasiki.test`, sent like any other, whatever `types` the webhook has.
#[cfg_attr(test, utoipa::path(
    post, path = "/webhooks/{id}/test", operation_id = "testWebhook", tag = "Events",
    responses((status = 202, description = "It is sent soon.", body = Delivery, headers(("Cache-Control"))), (status = 409)),
))]
pub fn test(cx: &Context, id: i64) -> Result<Response, Problem> {
    accepted(&webhooks::test(cx, id)?)
}

/// List what was sent
///
/// The events that were or are to be sent to a webhook, the latest first. They are kept for 32 days.
#[cfg_attr(test, utoipa::path(
    get, path = "/webhooks/{id}/deliveries", operation_id = "listDeliveries", tag = "Events",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Deliveries.", body = wiki_types::Deliveries, headers(("ETag")))),
))]
pub fn deliveries(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(lists::deliveries(cx.request, cx.db, id)?.response(cx.request, "deliveries"))
}

/// Send an event again
///
/// With the same `webhook-id`, whether it was delivered before or not.
#[cfg_attr(test, utoipa::path(
    post, path = "/webhooks/{id}/deliveries/{delivery_id}/resend", operation_id = "resendDelivery", tag = "Events",
    responses((status = 202, description = "It is sent soon.", body = Delivery, headers(("Cache-Control"))), (status = 409)),
))]
pub fn resend(cx: &Context, id: i64, delivery_id: &str) -> Result<Response, Problem> {
    let delivery_id = positive(delivery_id).ok_or_else(errors::delivery_not_found)?;
    accepted(&webhooks::resend(cx, id, delivery_id)?)
}

fn accepted(delivery: &Delivery) -> Result<Response, Problem> {
    let mut response = response::json(delivery);
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response::no_store(response))
}
