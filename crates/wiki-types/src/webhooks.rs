//! Webhooks: other servers that are sent events; and events that could not be handed on.

use serde::{Deserialize, Serialize};

use crate::Time;

/// A webhook: another server that is sent events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "url": "https://hooks.example.org/wiki", "types": ["wasiki.page"], "active": true, "disabled_reason": null,
    "failing_since": null, "former_secret_until": null, "created_by": 1, "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct Webhook {
    /// Its number.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// Where events are sent.
    pub url: String,
    /// The types of events, each with all below it. An empty list stands for what happens to pages and tasks.
    pub types: Vec<String>,
    /// Whether events are sent.
    pub active: bool,
    /// Why the wiki turned it off; null if it did not.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub disabled_reason: Option<String>,
    /// When the first delivery failed since the last that did not; null if the last one did not.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub failing_since: Option<Time>,
    /// Until when requests are also signed with the secret before; null if they are not.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub former_secret_until: Option<Time>,
    /// Who made it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub created_by: Option<i64>,
    /// When it was made.
    pub created_time: Time,
}

/// A webhook with a secret that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "url": "https://hooks.example.org/wiki", "types": ["wasiki.page"], "active": true, "disabled_reason": null,
    "failing_since": null, "former_secret_until": null, "created_by": 1, "created_time": "2026-11-22T10:00:00.000000Z",
    "secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
})))]
pub struct MadeWebhook {
    /// The webhook as it is listed.
    #[serde(flatten)]
    pub listed: Webhook,
    /// What requests are signed with. No other response has it.
    #[cfg_attr(feature = "openapi", schema(pattern = "^whsec_[A-Za-z0-9+/]{43}=$"))]
    pub secret: String,
}

/// A new webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "url": "https://hooks.example.org/wiki", "types": ["wasiki.page"],
})))]
pub struct NewWebhook {
    /// Where events are sent: `http` or `https`, without a username, password or fragment.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
    /// The types of events, each with all below it. Without any, what happens to pages and tasks is sent; what happens to
    /// accounts only with `wasiki.account` or one below it.
    pub types: Option<Vec<String>>,
}

/// A change of a webhook: what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "active": true })))]
pub struct WebhookChange {
    /// Where events are sent.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: Option<String>,
    /// The types of events.
    pub types: Option<Vec<String>>,
    /// Whether events are sent. Once it is on again, what waited is sent; what happened meanwhile is not.
    pub active: Option<bool>,
}

/// An event that was or is to be sent to a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "event_id": "1f0a1c5e-6d3f-4c5a-9b1e-1d2c3b4a5f60", "type": "wasiki.page.edited", "state": "waiting",
    "attempts": 1, "due_time": "2026-11-22T10:00:05.000000Z", "attempted_time": "2026-11-22T10:00:00.000000Z",
    "status": 500, "error": null, "response": "Internal Server Error", "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct Delivery {
    /// Its number; later ones are larger.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// The event, which `webhook-id` has.
    pub event_id: String,
    /// The type of the event.
    #[serde(rename = "type")]
    pub kind: String,
    /// `waiting` for an attempt, `delivered`, or `failed`: no more attempts are made.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next attempt is due; null if none is.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub due_time: Option<Time>,
    /// When the last attempt was made; null if there was none.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub attempted_time: Option<Time>,
    /// The status that the last attempt was answered with; null if there was no answer.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub status: Option<i64>,
    /// Why the last attempt had no answer; null if it had one.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub error: Option<String>,
    /// The beginning of the last answer; null if there was none.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub response: Option<String>,
    /// When it was to be sent first.
    pub created_time: Time,
}

/// An event that could not be handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "event_id": "1f0a1c5e-6d3f-4c5a-9b1e-1d2c3b4a5f60", "consumer": null, "topic": "page-events", "key": "1",
    "payload": "{\"specversion\":\"1.0\",…}", "error": "the Dapr sidecar answered 500 Internal Server Error: ", "attempts": 12,
    "dead": true, "due_time": null, "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct UndeliveredEvent {
    /// Its number; later ones are larger.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// The event; null if it could not be read.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub event_id: Option<String>,
    /// The consumer that could not use it; null if it was not handed on.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub consumer: Option<String>,
    /// Its topic; empty if a consumer could not use it.
    pub topic: String,
    /// Its key: later events with the same one wait for it unless it is dead.
    pub key: String,
    /// What was to be handed on: a CloudEvent, or what was taken for one.
    pub payload: String,
    /// What went wrong last.
    pub error: String,
    /// Attempts so far.
    pub attempts: i64,
    /// Whether no more attempts are made.
    pub dead: bool,
    /// When the next attempt is due; null if it is dead.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub due_time: Option<Time>,
    /// When it was put aside.
    pub created_time: Time,
}
