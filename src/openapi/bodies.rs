//! The bodies of requests, with the limits their readers check.
//!
//! They are read member by member, so that a client is told all that is wrong at once, and no type describes them; a test
//! sends each reader what is described here.

use serde_json::{Value, json};
use wiki_types::rules::{MAX_COMMENT, MAX_CONTENT, MAX_NAME, MAX_TAG, MAX_TAGS, MAX_TITLE, MAX_USERNAME};
use wiki_types::slug;

use crate::auth::{password, tokens};
use crate::input::users::MAX_EMAIL;
use wiki_types::{Role, Scope};

/// What `POST /users` reads.
pub fn new_user() -> Value {
    json!({
        "type": "object",
        "description": "A user. Either a username or a name is needed.",
        "properties": with_account(user_members()),
        "anyOf": [
            { "required": ["username"], "properties": { "username": { "type": "string" } } },
            { "required": ["name"], "properties": { "name": { "type": "string" } } },
        ],
    })
}

/// What `PATCH /users/{id}` reads.
pub fn user_change() -> Value {
    let mut members = user_members();
    members["name"]["type"] = json!("string");
    members["name"]["description"] = json!("What they are called. It cannot be cleared.");
    json!({
        "type": "object",
        "description": "What to change. What is not given stays; `null` clears a username or an email.",
        "properties": with_account(members),
    })
}

/// What `PUT /account/password` reads.
pub fn password_change() -> Value {
    json!({
        "type": "object",
        "description": "A new password, and the current one to show who asks.",
        "required": ["current", "new"],
        "properties": {
            "current": { "type": "string", "format": "password", "description": "The password until now." },
            "new": password("The password from now on."),
        },
    })
}

/// What `POST /tokens` reads.
pub fn new_token() -> Value {
    json!({
        "type": "object",
        "description": "A token.",
        "required": ["name", "scope"],
        "properties": {
            "name": line(tokens::MAX_NAME, "What it is for."),
            "scope": {
                "type": "string",
                "enum": words(Scope::ALL, Scope::as_str),
                "description": "What it may do, of what its owner may: `read` pages, `write` pages, or everything, \
                                their account included (`admin`).",
            },
            "expires_time": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": format!(
                    "When it expires, within {} days; in {} days unless given.", tokens::MAX_DAYS, tokens::DEFAULT_DAYS
                ),
            },
        },
    })
}

/// `members` of a user, with those of an account.
fn with_account(mut members: Value) -> Value {
    members["password"] =
        nullable(password("Gives them an account, which signs in by their username. For administrators."));
    members["role"] = json!({
        "type": ["string", "null"],
        "enum": words(Role::ALL, Role::as_str).into_iter().map(Value::from).chain([Value::Null]).collect::<Vec<_>>(),
        "description": "What their account may do; `editor` unless given. For administrators.",
    });
    members
}

fn password(what: &str) -> Value {
    json!({
        "type": "string",
        "format": "password",
        "minLength": password::MIN,
        "maxLength": password::MAX,
        "description": format!("{what} At most {} bytes, and none that many people have.", password::MAX),
    })
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

/// What `POST /posts` reads.
pub fn new_post() -> Value {
    let mut members = draft_members();
    members["user_id"] = number(
        "Who writes. Whoever asks, if they show an account and do not say; in a wiki that is not open, nobody but \
         administrators may name somebody else.",
    );
    members["created_time"] = json!({
        "type": ["string", "null"],
        "format": "date-time",
        "description": "When it was written, if that was elsewhere and earlier: not in the future. Otherwise now.",
    });
    json!({
        "type": "object",
        "description": "A page.",
        "required": ["user_id", "content"],
        "properties": members,
    })
}

/// What `PUT /posts/{id}` reads.
pub fn edit() -> Value {
    let mut members = draft_members();
    members["user_id"] = nullable(number("Who edits; the page's creator unless given."));
    members["version"] = nullable(number("The version this edit is based on, if If-Match does not say."));
    json!({
        "type": "object",
        "description": "An edit of a page. Title, slug and tags stay as they are unless given.",
        "required": ["content"],
        "properties": members,
    })
}

/// What `POST /posts/{id}/revert` reads.
pub fn reversion() -> Value {
    json!({
        "type": "object",
        "description": "Which version to go back to.",
        "required": ["version"],
        "properties": {
            "version": number("The version whose title, content and tags the page gets."),
            "user_id": nullable(number("Who does so; the page's creator unless given.")),
            "comment": comment(),
        },
    })
}

fn user_members() -> Value {
    json!({
        "username": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": MAX_USERNAME,
            "pattern": "^[A-Za-z0-9._-]+$",
            "description": "A short name for URLs and mentions, unique without regard to case.",
        },
        "name": nullable(line(MAX_NAME, "What they are called; the username unless given.")),
        "email": {
            "type": ["string", "null"],
            "minLength": 3,
            "maxLength": MAX_EMAIL,
            "pattern": "^[^\\s\\u0000-\\u001f\\u007f-\\u009f]+@[^\\s@\\u0000-\\u001f\\u007f-\\u009f]+$",
            "description": format!(
                "Where to write to them, unique without regard to case; at most {MAX_EMAIL} bytes of UTF-8."
            ),
        },
    })
}

fn draft_members() -> Value {
    json!({
        "content": {
            "type": "string",
            "maxLength": MAX_CONTENT,
            "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$",
            "description": format!("Markdown, at most {MAX_CONTENT} bytes of UTF-8. It is kept byte for byte."),
        },
        "title": nullable(line(MAX_TITLE, "The title; for a new page its first heading or first line unless given.")),
        "slug": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": slug::MAX_LENGTH,
            "description": "The name in URLs, unique; for a new page it is made from the title unless given. Letters and \
                            digits of any script in lower case, with single hyphens between them.",
        },
        "tags": {
            "type": ["array", "null"],
            "maxItems": MAX_TAGS,
            "items": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_TAG,
                "pattern": line_without(","),
                "not": { "pattern": "^\\s*\\.{1,2}\\s*$" },
            },
            "description": "Tags without commas, and none that is one or two points alone. They are kept in lower case.",
        },
        "comment": comment(),
    })
}

fn comment() -> Value {
    json!({
        "type": ["string", "null"],
        "maxLength": MAX_COMMENT,
        "pattern": format!("^$|{}", line_without("")),
        "description": "Why, in one line.",
    })
}

/// What [`rules::line`] lets pass.
fn line(max: usize, what: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": max, "pattern": line_without(""), "description": what })
}

/// A pattern for text without control characters and further ones that shows something.
fn line_without(characters: &str) -> String {
    let not = format!("\\u0000-\\u001f\\u007f-\\u009f{characters}");
    format!("^[^{not}]*[^\\s{not}{INVISIBLE}][^{not}]*$")
}

/// What shows nothing, as [`rules::is_blank`] has it. Not every dialect of patterns can write those above U+FFFF.
const INVISIBLE: &str = "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\
                         \\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8";

fn number(what: &str) -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 1, "description": what })
}

fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}
