//! What a guest sees of a request: the shape Spin hosts promise.

use serde_json::{Map, json};

use crate::Answer;
use crate::visit::Visit;

/// The way it came, its method, scheme, authority, path and headers as they arrived. A header is a list of its values.
pub fn describe(visit: &Visit) -> Answer {
    let mut headers = Map::new();
    for (name, value) in &visit.headers {
        let values = headers.entry(name).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(json!(String::from_utf8_lossy(value)));
        }
    }
    let shape = json!({
        "way": visit.way,
        "method": visit.method,
        "scheme": visit.scheme,
        "authority": visit.authority,
        "path_with_query": visit.target,
        "headers": headers,
        "badge": std::env::var("BADGE").ok(),
    });
    (200, shape)
}
