//! The JSON Schema of events, for those who receive them: `docs/events.schema.json`, made of the same types as `openapi.json`.
//!
//! `cargo xtask openapi` renews the file, and a test compares it.

use std::path::Path;

use serde_json::{Map, Value, json};
use wiki_types::events::TYPES;

use super::{document, object};

/// The schema of what an event says.
fn data(about: &str, kind: &str) -> &'static str {
    match (about, kind) {
        ("wasiki.page", "moved") => "MoveEvent",
        ("wasiki.page", "protected" | "unprotected") => "ProtectionEvent",
        ("wasiki.page", _) => "RevisionEvent",
        ("wasiki.file", _) => "FileEvent",
        ("wasiki.task", _) => "TaskEvent",
        (ACCOUNT, _) => "AccountEvent",
        _ => panic!("{about}.{kind} has no schema"),
    }
}

/// Of these there is one for each kind of entry in the audit trail: they have one schema, with a pattern.
const ACCOUNT: &str = "wasiki.account";

/// The schema. `$defs` has one for each type, under its name.
fn schema() -> Value {
    let mut schemas = document()["components"]["schemas"].take();
    let mut event = schemas["Event"].take();
    // What is sent to webhooks has no place in a list.
    event["required"].as_array_mut().unwrap().retain(|member| member != "sequence");
    let mut defs = Map::new();
    let mut add = |name: &str, kind: Value, data: Value| {
        let mut one = event.clone();
        object(&mut one).shift_remove("description");
        object(&mut one["properties"]["type"]).extend(kind.as_object().unwrap().clone());
        one["properties"]["data"] = data;
        defs.insert(name.to_owned(), one);
    };
    let reference = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    for (about, kinds) in TYPES {
        if about == ACCOUNT {
            add(about, json!({ "pattern": "^wasiki\\.account\\.[a-z_]+$" }), reference(data(about, "")));
            continue;
        }
        for kind in kinds {
            let name = format!("{about}.{kind}");
            add(&name, json!({ "const": name }), reference(data(about, kind)));
        }
    }
    let test = json!({ "type": "object", "required": ["webhook_id"],
        "properties": { "webhook_id": { "type": "integer", "description": "The webhook that is tested." } } });
    add("wasiki.test", json!({ "const": "wasiki.test" }), test);
    let all: Vec<Value> = defs.keys().map(|name| reference(name)).collect();
    for data in TYPES.iter().flat_map(|(about, kinds)| kinds.iter().map(|kind| data(about, kind))) {
        defs.entry(data).or_insert_with(|| schemas[data].take());
    }
    // What these refer to, under the same names.
    while let Some(name) = missing(&defs) {
        let schema = schemas[&name].take();
        defs.insert(name, schema);
    }
    let mut defs = Value::Object(defs).to_string();
    defs = defs.replace("#/components/schemas/", "#/$defs/");
    let defs: Value = serde_json::from_str(&defs).unwrap();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of Wasiki",
        "description": "CloudEvents 1.0 in JSON, as GET /events lists them and webhooks are sent them. New types and members may be \
            added; ignore those you do not know.",
        "oneOf": all,
        "$defs": defs,
    })
}

/// The name of a schema that `defs` refer to and lack.
fn missing(defs: &Map<String, Value>) -> Option<String> {
    let text = Value::Object(defs.clone()).to_string();
    let names = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).find(|name| !defs.contains_key(name))
}

#[test]
fn the_schema_of_events_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os(super::tests::RENEW).is_some() {
        std::fs::write(path, text).unwrap();
    } else {
        let current = std::fs::read_to_string(path).unwrap_or_default();
        assert!(text == current, "docs/events.schema.json is not what the types are: run `cargo xtask openapi`");
    }
}

#[test]
fn the_schema_refers_to_what_is_there() {
    let schema = schema();
    let text = schema.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(schema.pointer(reference).is_some(), "{reference}");
    }
}
