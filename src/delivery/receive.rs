//! Events that come from outside, for one consumer: from Dapr, or from anything else that speaks CloudEvents over HTTP.

use http::StatusCode;
use serde_json::json;

use crate::auth::Context;
use crate::config::Delivery;
use crate::delivery::cloud_event::Event;
use crate::delivery::consumers::CONSUMERS;
use crate::delivery::token;
use crate::store::relay;
use crate::web::{Problem, Response, response};

/// `POST /-/consumers/{name}`: hands an event to a consumer
///
/// 204 when the consumer has had its effect. An event that nobody could use is kept, and said to be dropped: trying it again
/// would not change it. Everything else is tried again, so that nothing is lost; Dapr drops an event on 404.
pub fn receive(cx: &Context, name: &str) -> Result<Response, Problem> {
    let settings = Delivery::load().map_err(Problem::internal)?;
    token::check(cx.request.headers(), &settings.token)?;
    let Some(consumer) = CONSUMERS.iter().find(|consumer| consumer.name == name) else {
        let detail = format!("There is no consumer {name:?} here yet.");
        return Err(Problem { retry_after: Some(60), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail) });
    };
    let body = cx.request.body();
    match Event::from_request(cx.request.headers(), body) {
        Ok(event) => {
            (consumer.consume)(cx.db, &[event])?;
            Ok(response::no_content())
        }
        Err(reason) => {
            eprintln!("the consumer {name} was sent what is no event: {reason}");
            // PostgreSQL stores no U+0000.
            let text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
            relay::bury(cx.db, name, &text, &reason)?;
            Ok(response::json(&json!({"status": "DROP"})))
        }
    }
}
