//! Webhooks: events are sent to other servers, signed, until they are taken.
//!
//! As Standard Webhooks has it: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::time::Instant;

use http::StatusCode;
use http::header::{CONTENT_TYPE, USER_AGENT};
use serde_json::json;

use crate::auth::{Context, unique};
use crate::delivery::cloud_event::Event;
use crate::store::deliveries::{self, Attempt, Due, Outstanding};
use crate::store::{self, Db};
use crate::web::outbound::{Answer, Outgoing, Send};
use crate::web::{Problem, signature};

/// What the wiki calls itself.
pub(super) const AGENT: &str = concat!("Wasiki/", env!("CARGO_PKG_VERSION"));
/// The most characters of an answer that are kept.
const MAX_RESPONSE: usize = 500;
/// The longest pause that a receiver may ask for: a day.
pub(super) const MAX_RETRY_AFTER: u32 = 86_400;

/// The consumer: has the events sent to the webhooks that want them.
pub fn consume(db: &Db, events: &[Event]) -> Result<(), store::Error> {
    let due = |event: &Event| Due { event_id: event.id.clone(), kind: event.kind.clone(), payload: payload(event) };
    deliveries::add(db, events.iter().map(due).collect())
}

/// The event as it is sent, and signed.
fn payload(event: &Event) -> String {
    json!({
        "specversion": "1.0", "id": event.id, "source": "wasiki", "type": event.kind, "subject": event.subject,
        "time": event.time, "datacontenttype": "application/json", "data": event.data,
    })
    .to_string()
}

/// Sends what is due: once at least, and again until `deadline`.
pub fn send_due(cx: &Context, deadline: Instant) -> Result<(), Problem> {
    loop {
        let lease = unique()?;
        let due = deliveries::claim(cx.db, &lease)?;
        if due.is_empty() {
            return Ok(());
        }
        // Receivers may take seconds to answer.
        cx.db.release();
        let attempts = send(cx.services.send, &due, chrono::Utc::now().timestamp());
        for (delivery, attempt) in due.iter().zip(&attempts).filter(|(_, attempt)| !attempt.delivered) {
            let reason = attempt.error.clone().or_else(|| Some(format!("the answer was {}", attempt.status?)));
            eprintln!("webhook {}: {}", delivery.webhook_id, reason.unwrap_or_default().escape_debug());
        }
        deliveries::settle(cx.db, &lease, &attempts)?;
        if Instant::now() >= deadline {
            return Ok(());
        }
    }
}

/// Sends them all at once, and returns what became of each.
fn send(send: Send, due: &[Outstanding], timestamp: i64) -> Vec<Attempt> {
    let requests: Vec<_> = due.iter().map(|delivery| request(delivery, timestamp)).collect();
    let mut answers = send(requests.iter().flatten().cloned().collect()).into_iter();
    let no_answer = || Err("the host gave no answer".to_owned());
    due.iter()
        .zip(requests)
        .map(|(delivery, request)| attempt(delivery, request.and_then(|_| answers.next().unwrap_or_else(no_answer))))
        .collect()
}

fn request(delivery: &Outstanding, timestamp: i64) -> Result<Outgoing, String> {
    let signature = signature::sign(&delivery.secrets, &delivery.event_id, timestamp, &delivery.payload)
        .ok_or("its secret cannot be read: make a new one")?;
    http::Request::post(&delivery.url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .header("webhook-id", &delivery.event_id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(delivery.payload.clone().into_bytes())
        .map_err(|error| format!("it cannot be sent: {error}"))
}

fn attempt(delivery: &Outstanding, answer: Result<Answer, String>) -> Attempt {
    let unanswered = Attempt {
        id: delivery.id,
        webhook_id: delivery.webhook_id,
        delivered: false,
        gone: false,
        status: None,
        error: None,
        response: None,
        retry_after: None,
    };
    match answer {
        Ok(answer) => Attempt {
            delivered: answer.status.is_success(),
            gone: answer.status == StatusCode::GONE,
            status: Some(answer.status.as_u16()),
            response: Some(readable(&answer.beginning)),
            retry_after: answer.retry_after.map(|seconds| seconds.min(MAX_RETRY_AFTER)),
            ..unanswered
        },
        Err(reason) => Attempt { error: Some(reason), ..unanswered },
    }
}

/// The beginning of an answer as the database can store it.
fn readable(text: &str) -> String {
    text.chars().take(MAX_RESPONSE).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(event_id: &str, url: &str) -> Outstanding {
        let secret = signature::new_secret().unwrap();
        Outstanding {
            id: 7,
            webhook_id: 3,
            url: url.to_owned(),
            secrets: vec![secret],
            event_id: event_id.to_owned(),
            payload: "{}".to_owned(),
        }
    }

    #[test]
    fn what_cannot_be_sent_says_so_and_others_are_sent() {
        let due = [delivery("a\nb", "http://one.example/"), delivery("a", "http://two.example/x?y")];
        let attempts = send(
            |requests| {
                requests
                    .into_iter()
                    .map(|request| {
                        assert_eq!(request.uri().host(), Some("two.example"));
                        let answer = Answer { status: StatusCode::OK, beginning: "a\0b".into(), retry_after: None };
                        Ok(answer)
                    })
                    .collect()
            },
            &due,
            1,
        );
        let [first, second] = &attempts[..] else { panic!("{attempts:?}") };
        assert!(!first.delivered && first.error.as_ref().is_some_and(|error| error.contains("header")), "{first:?}");
        assert!(second.delivered);
        assert_eq!(second.response.as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn only_2xx_is_taken_and_only_410_is_the_end() {
        for (status, delivered, gone) in
            [(200, true, false), (204, true, false), (301, false, false), (404, false, false), (410, false, true)]
        {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                beginning: String::new(),
                retry_after: Some(u32::MAX),
            };
            let attempt = attempt(&delivery("a", "http://one.example/"), Ok(answer));
            assert_eq!((attempt.delivered, attempt.gone), (delivered, gone), "{status}");
            assert_eq!(attempt.retry_after, Some(MAX_RETRY_AFTER));
        }
    }
}
