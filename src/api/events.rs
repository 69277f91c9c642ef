//! The log of events, as a list and as a stream.

use std::fmt::Write as _;

use http::StatusCode;
use wiki_types::{Sequence, rules};

use crate::auth::Context;
use crate::input::lists;
use crate::store::events::{self, Wanted};
use crate::web::json::check;
use crate::web::negotiation::preferred;
use crate::web::request::{positive, query};
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
        ("type" = Option<String>, Query, description = "Only events of this type, or of the types below it.",
            example = "wasiki.page"),
        ("post_id" = Option<String>, Query, description = "Only what happened to this page. Anything but a number names no \
            page.", example = "1"),
        ("tag", Query), ("limit", Query), ("cursor", Query),
    ),
    responses((status = 200, description = "Events.",
        content((wiki_types::Events = "application/json"), (String = "text/event-stream")), headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let (wanted, left_off) = wanted(cx)?;
    let response = match preferred(cx.request.headers(), &["application/json", EVENT_STREAM]) {
        EVENT_STREAM => stream(cx, wanted, left_off)?,
        _ => lists::events(cx.request, cx.db, wanted)?.response(cx.request, "events"),
    };
    Ok(response::negotiated(response))
}

/// What the request wants of the log, but for where a stream begins by itself.
fn wanted(cx: &Context) -> Result<(Wanted, bool), Problem> {
    let last_seen = cx.request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let sequence = |text: String| text.parse::<Sequence>().map_err(|wrong| Problem::invalid_field("after", wrong));
    let after =
        last_seen.filter(|id| !id.is_empty()).or_else(|| query(cx.request, "after")).map(sequence).transpose()?;
    let tag = query(cx.request, "tag");
    if let Some(tag) = &tag {
        check("tag", tag, rules::tag)?;
    }
    let kind = query(cx.request, "type");
    if let Some(kind) = &kind {
        check("type", kind, rules::line::<100>)?;
    }
    let post_id = query(cx.request, "post_id").map(|id| positive(&id).unwrap_or(0));
    let confidential = cx.identity.administers();
    Ok((Wanted { after: after.unwrap_or_default(), confidential, kind, post_id, tag }, after.is_some()))
}

/// The events from where the client left off; without that, only the place where the log ends now.
fn stream(cx: &Context, wanted: Wanted, left_off: bool) -> Result<Response, Problem> {
    let mut text = String::new();
    if left_off {
        let events = events::after(cx.db, wanted, STREAMED)?;
        // There may be more.
        let pause = if events.len() < STREAMED { PAUSE } else { 0 };
        _ = writeln!(text, "retry: {pause}\n");
        for event in &events {
            let data = serde_json::to_string(event).map_err(Problem::internal)?;
            _ = writeln!(text, "id: {}\nevent: {}\ndata: {data}\n", event.sequence, event.kind);
        }
    } else {
        _ = writeln!(text, "retry: {PAUSE}\nid: {}\n", events::latest(cx.db)?);
    }
    Ok(response::no_store(response::bytes(StatusCode::OK, EVENT_STREAM, text.into_bytes())))
}
