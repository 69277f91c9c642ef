//! The log of events, as a list and as a stream.

use std::fmt::Write as _;

use http::StatusCode;

use crate::auth::Context;
use crate::input::lists;
use crate::store::events::{self, Wanted};
use crate::web::negotiation::preferred;
use crate::web::{Problem, Response, response};

/// WHATWG HTML, 9.2.
const EVENT_STREAM: &str = "text/event-stream";
/// The most events that one response of a stream has.
const STREAMED: usize = 200;
/// Milliseconds after which a client asks for what is new.
const PAUSE: u32 = 2000;

/// Follow what happens
///
/// The log of events, oldest first, with those of the last 30 days. Whoever may read sees what happens to pages; administrators
/// also see what happens to accounts. To go on later, send the `sequence` of the last event as `after`.
///
/// With `Accept: text/event-stream`, server-sent events, from now on or from what `Last-Event-ID` or `after` says. A response has
/// what there is and ends; the client comes back after two seconds, as browsers do by themselves.
#[cfg_attr(test, utoipa::path(
    get, path = "/events", operation_id = "listEvents", tag = "Events",
    params(
        ("after" = Option<String>, Query, description = "Only what happened after the event with this `sequence`.",
            example = "0000000000000000000002e90000000000000001"),
        ("type", Query),
        ("post_id" = Option<String>, Query, description = "Only what happened to this page. Anything but a number names no \
            page.", example = "1"),
        ("tag", Query), ("limit", Query), ("cursor", Query),
    ),
    responses((status = 200, description = "Events.",
        content((wiki_types::Events = "application/json"), (String = "text/event-stream")), headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let (wanted, last_seen) = lists::wanted_events(cx.request, cx.identity.administers())?;
    let response = match preferred(cx.request.headers(), &["application/json", EVENT_STREAM]) {
        EVENT_STREAM => stream(cx, wanted, last_seen.is_some())?,
        _ => lists::events(cx.request, cx.db, wanted)?.response(cx.request, "events"),
    };
    Ok(response::negotiated(response))
}

/// The events from where the client left off; without that, only the place where the log ends now.
fn stream(cx: &Context, wanted: Wanted, left_off: bool) -> Result<Response, Problem> {
    let mut text = String::new();
    if left_off {
        let former = wanted.after;
        // Read first: whatever is before it is seen below, and need not be looked at again if it is not wanted.
        let end = events::latest(cx.db)?;
        let events = events::after(cx.db, wanted, STREAMED)?;
        // There may be more.
        let pause = if events.len() < STREAMED { PAUSE } else { 0 };
        _ = writeln!(text, "retry: {pause}\n");
        for event in &events {
            let data = serde_json::to_string(event).map_err(Problem::internal)?;
            _ = writeln!(text, "id: {}\nevent: {}\ndata: {data}\n", event.sequence, event.kind);
        }
        let last = events.last().map_or(former, |event| event.sequence);
        if events.len() < STREAMED && end > last {
            _ = writeln!(text, "id: {end}\n");
        }
    } else {
        _ = writeln!(text, "retry: {PAUSE}\nid: {}\n", events::latest(cx.db)?);
    }
    Ok(response::no_store(response::bytes(StatusCode::OK, EVENT_STREAM, text.into_bytes())))
}
