//! Where the host calls in: the path of a request finds its handler.

use serde_json::json;
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

use crate::visit::{Body, Visit};
use crate::{Answer, books, counter, elsewhere, misbehave, room, send, shelf, till};

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let visit = Visit::streamed(&request);
    match visit.segments()[..] {
        ["misbehave", how] if misbehave::is_streamed(how) => misbehave::stream(how, visit.parts().1, out).await,
        _ => send(out, answer(&visit, Body::Arriving(request)).await).await,
    }
}

/// What the shop says to a request, either way.
pub async fn answer(visit: &Visit, body: Body) -> Answer {
    let query = visit.parts().1;
    match visit.segments()[..] {
        ["health"] => (200, json!({"status": "open"})),
        ["shelf" | "clerk", ..] => shelf::describe(visit),
        ["books", isbn] if visit.method == "PUT" => books::put(isbn, &body.json().await),
        ["books", isbn] => books::get(isbn),
        ["counter", name] => match &*visit.method {
            "POST" => counter::count(name, visit),
            "PUT" => counter::order(name, &body.json().await),
            _ => counter::list(name),
        },
        ["till", "4"] => till::serve(&body.json().await),
        ["catalogue"] => room::fetch(query).await,
        ["socket"] => room::connect(query),
        ["variables", name] => room::variable(name),
        ["room"] => room::describe(),
        ["elsewhere", interface] => elsewhere::call(interface),
        ["misbehave", how] => misbehave::misbehave(how, query),
        _ => (404, json!({"error": "no such shelf"})),
    }
}
