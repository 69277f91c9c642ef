//! Where the host calls in: the path of a request finds its handler.

use serde_json::json;
use spin_sdk::http::{IncomingRequest, Method, ResponseOutparam};
use spin_sdk::http_component;

use crate::{body, books, counter, elsewhere, misbehave, room, send, shelf, till};

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let answer = match segments[..] {
        ["health"] => (200, json!({"status": "open"})),
        ["shelf" | "clerk", ..] => shelf::describe(&request),
        ["books", isbn] => match request.method() {
            Method::Put => {
                let isbn = isbn.to_owned();
                books::put(&isbn, &body(request).await)
            }
            _ => books::get(isbn),
        },
        ["counter", name] => match request.method() {
            Method::Post => counter::count(name, &request),
            Method::Put => {
                let name = name.to_owned();
                counter::order(&name, &body(request).await)
            }
            _ => counter::list(name),
        },
        ["till", "4"] => till::serve(&body(request).await),
        ["catalogue"] => room::fetch(query).await,
        ["socket"] => room::connect(query),
        ["variables", name] => room::variable(name),
        ["room"] => room::describe(),
        ["elsewhere", interface] => elsewhere::call(interface),
        ["misbehave", how] => {
            let how = how.to_owned();
            return misbehave::misbehave(&how, query, out).await;
        }
        _ => (404, json!({"error": "no such shelf"})),
    };
    send(out, answer).await;
}
