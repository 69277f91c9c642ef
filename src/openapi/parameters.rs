//! What can be said in a path, a query and the headers of a request.

use serde_json::{Map, Value, json};
use wiki_types::rules::MAX_TAG;

use crate::input::lists::MAX_QUERY;
use crate::web::pagination::{DEFAULT_LIMIT, MAX_LIMIT};

/// The object at `#/components/parameters`.
pub fn all() -> Map<String, Value> {
    let number = || json!({ "type": "integer", "format": "int64", "minimum": 1 });
    let mut all = Map::new();
    for (name, parameter) in [
        ("UserId", path("id", "The user's number.", number())),
        ("PostId", path("id", "The page's number.", number())),
        ("TokenId", path("id", "The token's number.", number())),
        ("SessionId", path("id", "The session's number.", number())),
        ("Version", path("version", "A version of the page.", number())),
        (
            "Limit",
            query(
                "limit",
                "The most items to answer with.",
                json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT }),
            ),
        ),
        (
            "Cursor",
            query(
                "cursor",
                "Where to go on, as `next` of the list's part before says. Follow `next` rather than making one.",
                json!({ "type": "string", "pattern": "^([0-9a-f]{2})+$" }),
            ),
        ),
        (
            "Author",
            query(
                "user_id",
                "Only what this user created. What is no user's number is nobody's.",
                json!({ "type": "string" }),
            ),
        ),
        (
            "Tag",
            query(
                "tag",
                "Only pages with this tag, whatever its case.",
                json!({ "type": "string", "minLength": 1, "maxLength": MAX_TAG }),
            ),
        ),
        (
            "Slug",
            query("slug", "Only the page of this slug.", json!({ "type": "string", "minLength": 1, "maxLength": 200 })),
        ),
        (
            "Sort",
            query(
                "sort",
                "The order: when pages were created or last edited, or their titles; with a hyphen the other way round.",
                json!({
                    "type": "string",
                    "enum": ["created", "-created", "updated", "-updated", "title", "-title"],
                    "default": "-created",
                }),
            ),
        ),
        (
            "IfMatch",
            header(
                "If-Match",
                "Only if the thing is at this version: entity tags as answers carry them in ETag, or `*`.",
                "\"1\"",
            ),
        ),
        (
            "IfNoneMatch",
            header(
                "If-None-Match",
                "The ETag of the answer you have: if it is still current, the answer is 304 and empty.",
                "\"1\"",
            ),
        ),
    ] {
        all.insert(name.to_owned(), parameter);
    }
    all
}

/// A pointer to the parameter `name`.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// What to search for.
pub fn search(what: &str, required: bool) -> Value {
    let mut parameter = query("q", what, json!({ "type": "string", "minLength": 1, "maxLength": MAX_QUERY }));
    parameter["required"] = required.into();
    parameter["example"] = json!("engine \"steam power\" -coal");
    parameter
}

/// A parameter of the query that may be left out.
pub fn query(name: &str, what: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": what, "schema": schema })
}

fn path(name: &str, what: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": what, "schema": schema, "example": 1 })
}

fn header(name: &str, what: &str, example: &str) -> Value {
    json!({ "name": name, "in": "header", "description": what, "schema": { "type": "string" }, "example": example })
}
