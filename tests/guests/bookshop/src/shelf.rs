//! What a guest sees of a request: the shape Spin hosts promise.

use serde_json::{Map, Value, json};
use spin_sdk::http::{IncomingRequest, Scheme};

use crate::Answer;

/// The method, scheme, authority, path and headers as they arrived. A header that occurs twice is a list.
pub fn describe(request: &IncomingRequest) -> Answer {
    let scheme = request.scheme().map(|scheme| match scheme {
        Scheme::Http => "http".to_owned(),
        Scheme::Https => "https".to_owned(),
        Scheme::Other(other) => other,
    });
    let mut headers = Map::new();
    for (name, value) in request.headers().entries() {
        let values = headers.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(String::from_utf8_lossy(&value)));
        }
    }
    let shape = json!({
        "method": request.method().to_string(),
        "scheme": scheme,
        "authority": request.authority(),
        "path_with_query": request.path_with_query(),
        "headers": headers,
        "badge": std::env::var("BADGE").ok(),
    });
    (200, shape)
}
