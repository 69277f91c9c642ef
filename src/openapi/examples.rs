//! Examples, which are those of docs/API.md.

use serde_json::{Value, json};

const TIME: &str = "2026-11-22T10:00:00.000000Z";

/// A user.
pub fn user() -> Value {
    json!({ "id": 1, "username": "dockertest", "name": "dockertest", "email": "docker@test.com", "created_time": TIME })
}

/// A page.
pub fn post() -> Value {
    json!({
        "post_id": 1,
        "user_id": 1,
        "title": "Hello",
        "slug": "hello",
        "content": "# Hello\n\nFirst page.",
        "tags": [],
        "version": 1,
        "created_time": TIME,
        "updated_time": TIME,
    })
}

/// The page after an edit.
pub fn edited_post() -> Value {
    let mut post = post();
    post["content"] = json!("# Hello\n\nSecond thoughts.");
    post["version"] = json!(2);
    post["updated_time"] = json!("2026-11-22T10:05:00.000000Z");
    post
}

/// A page that only administrators change.
pub fn protected_post() -> Value {
    let mut post = post();
    post["protected"] = json!(true);
    post
}

/// A page in a list.
pub fn summary() -> Value {
    json!({
        "post_id": 1,
        "user_id": 1,
        "title": "Hello",
        "slug": "hello",
        "tags": [],
        "version": 1,
        "created_time": TIME,
        "updated_time": TIME,
        "size": 20,
    })
}

/// A revision in a list.
pub fn entry() -> Value {
    json!({
        "post_id": 1,
        "version": 1,
        "user_id": 1,
        "author": "dockertest",
        "title": "Hello",
        "comment": "",
        "size": 20,
        "delta": 20,
        "created_time": TIME,
    })
}

/// A revision with its content.
pub fn revision() -> Value {
    let mut revision = entry();
    revision["slug"] = json!("hello");
    revision["content"] = json!("# Hello\n\nFirst page.");
    revision["tags"] = json!([]);
    revision
}

/// What changed between two versions.
pub fn comparison() -> Value {
    let mut to = entry();
    to["version"] = json!(2);
    to["size"] = json!(24);
    to["delta"] = json!(4);
    to["comment"] = json!("say more");
    json!({
        "post_id": 1,
        "from": entry(),
        "to": to,
        "truncated": false,
        "hunks": [{ "lines": [
            { "kind": "removed", "from_line": 1,
              "parts": [{ "text": "The quick " }, { "text": "brown", "changed": true }, { "text": " fox." }] },
            { "kind": "added", "to_line": 1,
              "parts": [{ "text": "The quick " }, { "text": "red", "changed": true }, { "text": " fox." }] },
        ] }],
    })
}

/// A page that was found.
pub fn found() -> Value {
    json!({
        "post_id": 1,
        "user_id": 1,
        "title": "Hello",
        "slug": "hello",
        "tags": [],
        "updated_time": TIME,
        "snippet": "<mark>First</mark> page.",
        "rank": 0.4,
    })
}

/// Who asks.
pub fn account() -> Value {
    json!({ "user_id": 1, "username": "ada", "name": "Ada", "role": "editor", "scope": "read", "password_is_given": false })
}

/// A token, without itself.
pub fn token() -> Value {
    json!({
        "id": 1,
        "name": "nightly import",
        "scope": "write",
        "created_time": TIME,
        "expires_time": "2027-02-20T10:00:00.000000Z",
        "used_time": null,
    })
}

/// A token that was just made.
pub fn made_token() -> Value {
    let mut token = token();
    token["token"] = json!("wasiki_1_0000000000000000000000000000000000000000000");
    token
}

/// A session.
pub fn session() -> Value {
    json!({
        "id": 1,
        "address": "192.0.2.7",
        "agent": "Mozilla/5.0",
        "created_time": TIME,
        "used_time": TIME,
        "current": true,
    })
}

/// Something that happened.
pub fn audit() -> Value {
    json!({
        "id": 1,
        "time": TIME,
        "event": "page_deleted",
        "actor_id": 1,
        "actor": "Ada",
        "address": "192.0.2.7",
        "user_id": null,
        "user": null,
        "post_id": 1,
        "details": "Hello",
    })
}

/// The last part of a list.
pub fn list(name: &str, item: Value) -> Value {
    json!({ name: [item], "next": null })
}
