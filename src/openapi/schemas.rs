//! What things look like: the types the handlers answer with, and what is only put together while answering.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use wiki_types::comparison::{Hunk, Kind, Line, Part};
use wiki_types::{
    AuditEntry, FieldError, Post, PostSummary, Revision, RevisionEntry, SearchResult, Session, Snippet, Suggestion,
    Tag, Time, Token, User,
};

use super::bodies;
use crate::api::search::MAX_SUGGESTIONS;
use crate::web::pagination::MAX_LIMIT;

/// The object at `#/components/schemas`.
pub fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in [
        named::<User>(),
        named::<Post>(),
        named::<PostSummary>(),
        named::<RevisionEntry>(),
        named::<Revision>(),
        named::<Hunk>(),
        named::<Line>(),
        named::<Kind>(),
        named::<Part>(),
        named::<SearchResult>(),
        named::<Snippet>(),
        named::<Suggestion>(),
        named::<Tag>(),
        named::<Token>(),
        named::<Session>(),
        named::<AuditEntry>(),
        named::<Time>(),
        named::<FieldError>(),
    ] {
        all.insert(name, schema);
    }
    for (name, member, item, what) in [
        ("Users", "users", "User", "Some of the users."),
        ("Posts", "posts", "Summary", "Some of the pages."),
        ("Revisions", "revisions", "Entry", "Some of the revisions of a page."),
        ("Changes", "changes", "Entry", "Some of the revisions of all pages."),
        ("Results", "results", "Found", "Some of what was found."),
        ("Tags", "tags", "Tag", "Some of the tags."),
        ("Tokens", "tokens", "Token", "One's tokens."),
        ("Sessions", "sessions", "Session", "One's sessions."),
        ("Trail", "entries", "AuditEntry", "A part of the audit trail."),
    ] {
        all.insert(name.to_owned(), list(member, item, what));
    }
    for (name, schema) in [
        ("Index", index()),
        ("Health", health()),
        ("Readiness", readiness()),
        ("Suggestions", suggestions()),
        ("Comparison", comparison()),
        ("Problem", problem()),
        ("Account", account()),
        ("MadeToken", made_token()),
        ("PasswordChange", bodies::password_change()),
        ("NewToken", bodies::new_token()),
        ("NewUser", bodies::new_user()),
        ("UserChange", bodies::user_change()),
        ("NewPost", bodies::new_post()),
        ("Edit", bodies::edit()),
        ("Reversion", bodies::reversion()),
    ] {
        all.insert(name.to_owned(), schema);
    }
    all
}

/// A pointer to the schema `name`.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn named<T: ToSchema + PartialSchema>() -> (String, Value) {
    let schema: RefOr<Schema> = T::schema();
    (T::name().into_owned(), serde_json::to_value(schema).unwrap())
}

/// What [`Page::response`](crate::web::pagination::Page::response) writes.
fn list(member: &str, item: &str, what: &str) -> Value {
    object(
        what,
        json!({
            member: { "type": "array", "items": reference(item), "maxItems": MAX_LIMIT },
            "next": {
                "type": ["string", "null"],
                "format": "uri-reference",
                "description": "The address of the rest of the list, or null at its end.",
            },
        }),
    )
}

/// An object whose members are always there.
fn object(what: &str, properties: Value) -> Value {
    let members: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({ "type": "object", "description": what, "required": members, "properties": properties })
}

fn index() -> Value {
    object(
        "What there is.",
        json!({
            "message": { "type": "string" },
            "endpoints": {
                "type": "object",
                "description": "The methods of every path.",
                "additionalProperties": { "type": "array", "items": { "type": "string" } },
            },
        }),
    )
}

fn health() -> Value {
    object(
        "Whether this instance works.",
        json!({ "status": { "type": "string", "const": "healthy" }, "timestamp": reference("Time") }),
    )
}

fn readiness() -> Value {
    object(
        "Whether the database can be reached and has the schema this version needs.",
        json!({
            "status": { "type": "string", "const": "ready" },
            "schema": { "type": "integer", "minimum": 1, "description": "The version of the database's schema." },
        }),
    )
}

fn suggestions() -> Value {
    object(
        "Pages whose titles begin with what was typed.",
        json!({
            "suggestions": { "type": "array", "items": reference("Suggestion"), "maxItems": MAX_SUGGESTIONS },
        }),
    )
}

fn comparison() -> Value {
    object(
        "What changed from one version of a page to another.",
        json!({
            "post_id": { "type": "integer", "format": "int64", "minimum": 1 },
            "from": {
                "description": "The older version; null if the newer one is the first.",
                "oneOf": [{ "type": "null" }, reference("Entry")],
            },
            "to": reference("Entry"),
            "truncated": { "type": "boolean", "description": "Whether there is more than is shown." },
            "hunks": { "type": "array", "items": reference("Hunk"), "description": "What changed, in order." },
        }),
    )
}

fn account() -> Value {
    object(
        "Who asks.",
        json!({
            "user_id": { "type": "integer", "format": "int64", "minimum": 1 },
            "username": { "type": "string" },
            "name": { "type": "string" },
            "role": { "type": "string", "enum": ["reader", "editor", "administrator"] },
            "scope": { "type": ["string", "null"], "description": "What the token may do; null for a session." },
            "password_is_given": {
                "type": "boolean",
                "description": "Whether somebody else chose the password: then another has to be chosen first.",
            },
        }),
    )
}

fn made_token() -> Value {
    json!({
        "description": "A token, with what a program sends.",
        "allOf": [
            reference("Token"),
            object("This once.", json!({ "token": { "type": "string", "pattern": "^wasiki_[0-9]+_[A-Za-z0-9_-]{43}$" } })),
        ],
    })
}

/// What [`response::problem`](crate::web::response::problem) writes.
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "const": "about:blank" },
            "title": { "type": "string", "description": "What the status means." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What happened, and what to do about it." },
            "errors": {
                "type": "array",
                "items": reference("FieldError"),
                "minItems": 1,
                "description": "What is wrong with which member of the body or parameter of the query.",
            },
            "current": {
                "oneOf": [reference("Post"), reference("User")],
                "description": "After a conflict of two edits: the thing as it is now.",
            },
            "version": {
                "type": "integer",
                "minimum": 1,
                "description": "After a conflict of two edits: the version of `current`.",
            },
            "error_id": { "type": "string", "description": "After an error on our side: its number in the log." },
        },
    })
}
