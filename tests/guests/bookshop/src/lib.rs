//! A bookshop: what the runner's tests run to see that it runs any Spin application, and survives any.
//!
//! Both components of the manifest are this one file: what they may do differs by the manifest alone.

mod books;
#[allow(unsafe_code, reason = "the macro exports the handler by it")]
mod buffered;
mod counter;
mod elsewhere;
#[allow(unsafe_code, reason = "the SDK's macro exports the handler by it")]
mod entry;
mod misbehave;
mod room;
mod shelf;
mod till;
mod visit;

use serde_json::Value;
use spin_sdk::http::{Headers, OutgoingResponse, ResponseOutparam};

/// What a handler answers: a status and JSON.
type Answer = (u16, Value);

async fn send(out: ResponseOutparam, (status, value): Answer) {
    let response = response(status, "application/json");
    if out.set_with_body(response, value.to_string().into_bytes()).await.is_err() {
        eprintln!("the client went away");
    }
}

fn response(status: u16, media_type: &str) -> OutgoingResponse {
    let headers = Headers::from_list(&[("content-type".to_owned(), media_type.as_bytes().to_vec())]);
    let response = OutgoingResponse::new(headers.unwrap_or_else(|_| Headers::new()));
    if response.set_status_code(status).is_err() {
        eprintln!("{status} is not a status code");
    }
    response
}

/// The connection string of the shop's database, made by the manifest's template.
fn database() -> Result<String, String> {
    spin_sdk::variables::get("database").map_err(|e| format!("{e:?}"))
}
