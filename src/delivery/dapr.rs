//! Dapr: events are published to a sidecar, which brings them to a broker.
//!
//! <https://docs.dapr.io/reference/api/pubsub_api/>

use http::header::CONTENT_TYPE;
use http::request::Builder;
use wiki_types::path::escaped;

use crate::config::Delivery;
use crate::store::relay::Pending;
use crate::web::outbound::{self, Answer, Outgoing, Send};

/// Publishes the events, all at once, and returns what the sidecar said of each: nothing if it has it.
pub fn publish(settings: &Delivery, send: Send, events: &[&Pending]) -> Vec<Result<(), String>> {
    let requests = events.iter().map(|event| request(settings, event)).collect::<Result<Vec<_>, _>>();
    match requests {
        Ok(requests) => send(requests).into_iter().map(|answer| answer.and_then(accepted)).collect(),
        Err(error) => events.iter().map(|_| Err(error.clone())).collect(),
    }
}

fn request(settings: &Delivery, event: &Pending) -> Result<Outgoing, String> {
    let address = format!(
        "{}/v1.0/publish/{}/{}?metadata.partitionKey={}",
        settings.dapr_url.trim_end_matches('/'),
        escaped(&settings.dapr_pubsub),
        escaped(&event.topic),
        escaped(&event.key)
    );
    let request = http::Request::post(address).header(CONTENT_TYPE, "application/cloudevents+json");
    authorized(request, settings)?
        .body(event.payload.clone().into_bytes())
        .map_err(|_| "variable dapr_url: must be an address such as http://127.0.0.1:3500".to_owned())
}

/// The request with the token that the sidecar wants, if it wants one.
pub(super) fn authorized(request: Builder, settings: &Delivery) -> Result<Builder, String> {
    if settings.dapr_api_token.is_empty() {
        return Ok(request);
    }
    Ok(request.header("dapr-api-token", outbound::secret("dapr_api_token", &settings.dapr_api_token)?))
}

/// Dapr has an event once it says 204.
fn accepted(answer: Answer) -> Result<(), String> {
    if answer.status.is_success() {
        return Ok(());
    }
    Err(format!("the Dapr sidecar answered {}: {}", answer.status, answer.beginning.escape_debug()))
}
