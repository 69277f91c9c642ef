//! That events are what `docs/events.schema.json` says.

use std::collections::BTreeSet;
use std::time::Instant;

use blackbox::{ADMIN_PASSWORD, App, PASSWORD, POLL, START_LIMIT, Value, json, repository};

/// What is wrong with `value` by `schema`, a part of `root`. Of JSON Schema, it knows what that file uses.
fn check(root: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let fail = |what: String| Err(format!("{place}: {what}: {value}"));
    if let Some(pointer) = schema["$ref"].as_str() {
        return check(root, root.pointer(&pointer[1..]).expect("it leads somewhere"), value, place);
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[keyword].as_array() {
            let results: Vec<_> = choices.iter().map(|choice| check(root, choice, value, place)).collect();
            let fitting = results.iter().filter(|result| result.is_ok()).count();
            if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                return fail(format!("{fitting} of {keyword} fit: {results:?}"));
            }
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = match &schema["type"] {
        Value::String(wanted) => wanted == kind,
        Value::Array(kinds) => kinds.iter().any(|wanted| wanted == kind),
        _ => true,
    };
    if !is_kind {
        return fail(format!("is no {}", schema["type"]));
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        return fail(format!("is not {}", schema["const"]));
    }
    if schema["pattern"] == "^wasiki\\.account\\.[a-z_]+$" && !value.as_str().unwrap().starts_with("wasiki.account.") {
        return fail("is no event of an account".to_owned());
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            return fail(format!("has no {name}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => check(root, schema, member, &format!("{place}.{name}"))?,
            None if schema.get("properties").is_some() => return fail(format!("{name} is not described")),
            None => {}
        }
    }
    for item in value.as_array().into_iter().flatten() {
        check(root, &schema["items"], item, place)?;
    }
    Ok(())
}

#[tokio::test]
async fn events_are_what_their_schema_says() {
    let text = std::fs::read_to_string(repository().join("docs/events.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let page = json!({"content": "- [ ] one @ada due:2026-12-04 repeat:1mo remind:2d\n- [ ] two", "tags": ["a"]});
    let page = wiki.post("/posts").cookie(&cookie).json(page).await.expect(201).json();
    let at = |rest: &str| format!("/posts/{}{rest}", page["post_id"]);
    let edit = json!({"title": "New", "slug": "new", "content": "- [x] two\n", "version": 1});
    wiki.put(&at("")).cookie(&cookie).json(edit).await.expect(200);
    let edit = json!({"content": "- [ ] two, again\n", "version": 2});
    wiki.put(&at("")).cookie(&cookie).json(edit).await.expect(200);
    wiki.put(&at("/protection")).cookie(&cookie).json(json!({})).await.expect(200);
    wiki.delete(&at("/protection")).cookie(&cookie).await.expect(200);
    wiki.delete(&at("")).cookie(&cookie).await.expect(204);
    wiki.post(&at("/restore")).cookie(&cookie).json(json!({})).await.expect(200);
    wiki.post("/tokens").cookie(&cookie).json(json!({"name": "t", "scope": "read"})).await.expect(201);

    let began = Instant::now();
    let events = loop {
        let events = wiki.get("/events?limit=200").cookie(&cookie).await.expect(200).json()["events"].clone();
        let events = events.as_array().unwrap().clone();
        let has_last = events.iter().any(|event| event["type"] == "wasiki.account.token_created");
        if has_last || began.elapsed() > START_LIMIT {
            break events;
        }
        tokio::time::sleep(POLL).await;
    };
    let types: BTreeSet<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(types.len() > 10 && types.contains("wasiki.account.token_created"), "{types:?}");
    for event in &events {
        check(&schema, &schema, event, "event").unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut wrong = event.clone();
        wrong["data"]["post_id"] = json!("1");
        wrong["data"]["actor_id"] = json!("1");
        assert!(check(&schema, &schema, &wrong, "event").is_err(), "{wrong}");
    }
    let unknown = json!({"specversion": "1.0", "type": "wasiki.page.vanished"});
    assert!(check(&schema, &schema, &unknown, "event").is_err());
}
