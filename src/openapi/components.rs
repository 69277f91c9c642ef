//! What operations share: parameters, headers and problems; and what attributes cannot say of schemas.

use http::StatusCode;
use serde_json::{Map, Value, json};
use wiki_types::files::MAX_FILE_NAME;
use wiki_types::rules::{
    MAX_COMMENT, MAX_CONTENT, MAX_IDEMPOTENCY_KEY, MAX_LIMIT, MAX_NAME, MAX_TAG, MAX_TAGS, MAX_TITLE, MAX_USERNAME,
};
use wiki_types::tasks::MAX_TASK;
use wiki_types::{ChangeKind, Color, InboxKind, Priority, Role, Scope, events, settings, slug};

use super::{merge, object};
use crate::api::search::MAX_SUGGESTIONS;
use crate::auth::{password, tokens};
use crate::input::lists::MAX_QUERY;
use crate::input::spaces;
use crate::input::users::MAX_EMAIL;
use crate::input::webhooks::{MAX_TYPES, MAX_URL};
use crate::routes::body_limit::PAGE as MAX_BODY;
use crate::web::pagination::DEFAULT_LIMIT;
use crate::web::read_after::MAX_DIGITS;

/// Completes the schemas of the types, and adds the rest.
pub fn add(components: &mut Value) {
    components["schemas"]["Problem"] = problem_schema();
    complete_schemas(&mut components["schemas"]);
    components["parameters"] = parameters();
    components["headers"] = headers();
    components["responses"] = responses();
    components["securitySchemes"] = json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A token, made on the page of an account or with `POST /tokens`.",
        },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "session",
            "description": "The cookie of a browser that is signed in; behind TLS its name is `__Host-session`.",
        },
    });
}

/// Takes the examples out of the schemas: the bodies have them. The example of a list has that of its item.
pub fn take_examples(schemas: &mut Value) -> Map<String, Value> {
    let schemas = object(schemas);
    let example = |(name, schema): (&String, &mut Value)| Some((name.clone(), object(schema).remove("example")?));
    let mut examples: Map<String, Value> = schemas.iter_mut().filter_map(example).collect();
    for (name, schema) in schemas {
        if let Some((items, item)) = list(schema) {
            let mut example = json!({ items: [examples[item]], "next": null });
            if schema["properties"].get("unread").is_some() {
                example["unread"] = json!(1);
            }
            examples.insert(name.clone(), example);
        }
    }
    examples
}

/// The member with the items of a list, and the name of their schema.
fn list(schema: &Value) -> Option<(&str, &str)> {
    let properties = schema["properties"].as_object().filter(|properties| properties.contains_key("next"))?;
    properties.iter().find_map(|(name, property)| Some((name.as_str(), referenced(&property["items"])?)))
}

/// The name of the schema that `value` refers to.
pub fn referenced(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.rsplit('/').next()
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// Adds what attributes cannot say: `const`, `anyOf`, and limits that are not literals.
fn complete_schemas(schemas: &mut Value) {
    for (names, members) in object(&mut keywords()) {
        for name in names.split(' ') {
            for (member, keywords) in object(members) {
                merge(&mut schemas[name]["properties"][member.as_str()], keywords.clone());
                assert!(schemas[name]["properties"][member.as_str()].get("type").is_some(), "{name} has no {member}");
            }
        }
    }
    for schema in object(schemas).values_mut() {
        if let Some(items) = list(schema).map(|(items, _)| items.to_owned()) {
            schema["properties"][items]["maxItems"] = MAX_LIMIT.into();
        }
    }
    let given = |member: &str| json!({ "required": [member], "properties": { member: { "type": "string" } } });
    schemas["NewUser"]["anyOf"] = json!([given("username"), given("name")]);
}

/// By schemas, what is added to which of their members.
fn keywords() -> Value {
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let role_or_null: Vec<Option<&str>> = roles.iter().copied().map(Some).chain([None]).collect();
    let priorities: Vec<Option<&str>> =
        Priority::ALL.iter().map(|priority| Some(priority.as_str())).chain([None]).collect();
    let event_types: Vec<String> = events::selectors().collect();
    let password = json!({ "format": "password", "minLength": password::MIN, "maxLength": password::MAX });
    json!({
        "Account": { "role": { "enum": roles } },
        "Health": { "status": { "const": "healthy" } },
        "Readiness": { "status": { "const": "ready" } },
        "Suggestions SuggestedUsers": { "suggestions": { "maxItems": MAX_SUGGESTIONS } },
        "NewPost Edit": {
            "content": { "maxLength": MAX_CONTENT, "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$" },
            "title": line(MAX_TITLE),
            "slug": { "minLength": 1, "maxLength": slug::MAX_ACCEPTED },
            "tags": { "maxItems": MAX_TAGS, "items": {
                "minLength": 1, "maxLength": MAX_TAG, "pattern": line_without(","),
                "not": { "pattern": "^\\s*\\.{1,2}\\s*$" },
            } },
        },
        "NewPost Edit Reversion": {
            "comment": { "maxLength": MAX_COMMENT, "pattern": format!("^$|{}", line_without("")) },
            "user_id": { "minimum": 1 },
        },
        "RedirectTarget": { "post_id": { "minimum": 1 } },
        "Edit Reversion": { "version": { "minimum": 1 } },
        "Entry": { "kind": { "enum": ChangeKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>() } },
        "NewUser UserChange": {
            "username": username(),
            "name": line(MAX_NAME),
            "email": {
                "minLength": 3, "maxLength": MAX_EMAIL,
                "pattern": "^[^\\s\\u0000-\\u001f\\u007f-\\u009f]+@[^\\s@\\u0000-\\u001f\\u007f-\\u009f]+$",
            },
            "password": password,
            "role": { "enum": role_or_null },
        },
        "PasswordChange": { "new": password },
        "NewTask TaskChange": {
            "text": line(MAX_TASK),
            "assignee": username(),
            "user_id": { "minimum": 1 },
        },
        "NewTask": { "post_id": { "minimum": 1 } },
        "NewSpace SpaceChange": {
            "name": line(spaces::MAX_NAME),
            "slug": { "minLength": 1, "maxLength": slug::MAX_ACCEPTED },
            "description": { "maxLength": spaces::MAX_DESCRIPTION, "pattern": format!("^$|{}", line_without("")) },
            "icon": { "maxLength": 16, "pattern": "^[^\\u0000-\\u007f]*$" },
        },
        "GroupFields": {
            "name": line(spaces::MAX_NAME),
            "description": { "maxLength": spaces::MAX_DESCRIPTION, "pattern": format!("^$|{}", line_without("")) },
        },
        "SettingsChange": {
            "name": line(settings::MAX_NAME),
            "mark": { "maxLength": settings::MAX_MARK, "pattern": format!("^$|{}", line_without("")) },
            "footer": { "maxLength": settings::MAX_FOOTER, "pattern": format!("^$|{}", line_without("")) },
            "language": { "maxLength": 35, "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" },
        },
        "SettingsChange UserChange": { "time_zone": { "maxLength": settings::MAX_TIME_ZONE, "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$" } },
        "Settings SettingsChange": { "color": { "enum": Color::ALL.iter().map(|color| color.as_str()).collect::<Vec<_>>() } },
        "Access": { "entries": { "maxItems": spaces::MAX_ENTRIES } },
        "Task": { "priority": { "enum": priorities } },
        "InboxEntry": { "kind": { "enum": InboxKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>() } },
        "InboxReading": {
            "ids": { "maxItems": MAX_LIMIT, "items": { "minimum": 1 } },
            "up_to": { "minimum": 1 },
        },
        "NewWebhook WebhookChange": {
            "url": { "minLength": 1, "maxLength": MAX_URL, "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(:[1-9][0-9]{0,3})?([/?][!-\"$-~]*)?$" },
            "types": { "maxItems": MAX_TYPES, "items": { "enum": event_types } },
        },
        "Delivery": { "state": { "enum": ["waiting", "delivered", "failed"] } },
        "NewToken": { "name": line(tokens::MAX_NAME), "scope": { "enum": scopes } },
    })
}

fn username() -> Value {
    json!({ "minLength": 1, "maxLength": MAX_USERNAME, "pattern": "^[A-Za-z0-9._-]+$" })
}

/// What [`rules::line`](wiki_types::rules::line) accepts.
fn line(max: usize) -> Value {
    json!({ "minLength": 1, "maxLength": max, "pattern": line_without("") })
}

/// A pattern for visible text without control characters and further ones.
fn line_without(characters: &str) -> String {
    let not = format!("\\u0000-\\u001f\\u007f-\\u009f{characters}");
    format!("^[^{not}]*[^\\s{not}{INVISIBLE}][^{not}]*$")
}

/// Invisible characters, as [`rules::is_blank`](wiki_types::rules::is_blank) has them. Not every dialect of patterns can
/// write those above U+FFFF.
const INVISIBLE: &str = "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\
                         \\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8";

/// Problem details. [`response::problem`](crate::web::response::problem) writes them member by member.
fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "const": "about:blank" },
            "title": { "type": "string", "description": "The meaning of the status." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What happened, and what to do about it." },
            "errors": {
                "type": "array", "items": reference("schemas", "FieldError"), "minItems": 1,
                "description": "What is wrong with which member of the body or parameter of the query.",
            },
            "current": {
                "oneOf": [reference("schemas", "Post"), reference("schemas", "User"), reference("schemas", "Task")],
                "description": "After a conflict of two edits: the page, the user or the task as it is now.",
            },
            "version": {
                "type": "integer", "minimum": 1,
                "description": "After a conflict of two edits: the version of `current`.",
            },
            "error_id": { "type": "string", "description": "After an error on our side: its number in the log." },
        },
    })
}

/// The parameter for the `{segment}` of `path`.
pub fn in_path(path: &str, segment: &str) -> Value {
    let name = match (segment, path.split('/').nth(1)) {
        ("{id}", Some("users")) => "UserId",
        ("{id}", Some("posts")) => "PostId",
        ("{id}", Some("files")) => "FileId",
        ("{name}", Some("files")) => "FileName",
        ("{id}", Some("tasks")) => "TaskId",
        ("{id}", Some("tokens")) => "TokenId",
        ("{id}", Some("sessions")) => "SessionId",
        ("{id}", Some("webhooks")) => "WebhookId",
        ("{delivery_id}", _) => "DeliveryId",
        ("{id}", Some("events")) => "UndeliveredId",
        ("{id}", Some("spaces")) => "SpaceId",
        ("{id}", Some("groups")) => "GroupId",
        ("{user_id}", _) => "MemberId",
        ("{version}", _) => "Version",
        ("{slug}", Some("redirects")) => "Redirect",
        _ => panic!("no parameter is {segment} of {path}"),
    };
    parameter(name)
}

/// A pointer to the shared parameter `name`.
pub fn parameter(name: &str) -> Value {
    reference("parameters", name)
}

/// The parameter of an attribute: without a schema the shared one, with a schema one like it with further keywords.
pub fn query_parameter(own: Value) -> Value {
    let mut all = parameters();
    let is_same = |shared: &Value| shared["name"] == own["name"] && shared["in"] == own["in"];
    let Some((name, shared)) = object(&mut all).iter_mut().find(|(_, shared)| is_same(shared)) else {
        return own;
    };
    if own.get("schema").is_none() {
        return parameter(name);
    }
    merge(shared, own);
    shared.take()
}

fn parameters() -> Value {
    let path = |name, what| {
        let number = json!({ "type": "integer", "format": "int64", "minimum": 1 });
        json!({ "name": name, "in": "path", "required": true, "description": what, "schema": number, "example": 1 })
    };
    let tag = |name, what| {
        let text = json!({ "type": "string" });
        json!({ "name": name, "in": "header", "description": what, "schema": text, "example": "\"1\"" })
    };
    let query = |name, schema, what| json!({ "name": name, "in": "query", "description": what, "schema": schema });
    let text = |max: usize| json!({ "type": "string", "minLength": 1, "maxLength": max });
    let mut parameters = json!({
        "UserId": path("id", "The user's number."),
        "PostId": path("id", "The page's number."),
        "FileId": path("id", "The file's number."),
        "TaskId": path("id", "The task's number."),
        "TokenId": path("id", "The token's number."),
        "SessionId": path("id", "The session's number."),
        "WebhookId": path("id", "The webhook's number."),
        "DeliveryId": path("delivery_id", "The delivery's number."),
        "UndeliveredId": path("id", "The number of the event among those that could not be handed on."),
        "SpaceId": path("id", "The space's number."),
        "GroupId": path("id", "The group's number."),
        "MemberId": path("user_id", "The user's number."),
        "Version": path("version", "A version of the page."),
        "Limit": query("limit",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT }),
            "The most items of the response."),
        "Cursor": query("cursor", json!({ "type": "string", "pattern": "^([0-9a-f]{2})+$" }),
            "The beginning of this part of the list, from the `next` of the part before. Follow `next` rather than \
             making one."),
        "InSpace": query("space_id", json!({ "type": "string" }),
            "Only pages of the space with this number. Anything but a number names no space."),
        "Below": query("parent_id", json!({ "type": "string" }),
            "Only pages right below the page with this number. Anything but a number names no page."),
        "Author": query("user_id", json!({ "type": "string" }),
            "Only what this user created. Anything but a number names no user."),
        "AuthorName": query("author", text(MAX_NAME), "Only what the users with this username or name created, in any case."),
        "Since": query("since", json!({ "type": "string" }),
            "Only pages that were last edited on this day, as in `2026-01-31`, in UTC, or at this time, or later."),
        "Until": query("until", json!({ "type": "string" }),
            "Only pages that were last edited on this day or at this time or earlier. Not before `since`."),
        "Assignee": query("assignee", username(), "Only tasks of the user with this username, in any case; `me` is the sender."),
        "WithBelow": query("below", json!({ "type": "boolean", "default": false }),
            "Whether to delete everything below the page as well."),
        "Done": query("done", json!({ "type": "boolean" }), "Only tasks that are done, or only those that are not."),
        "DueBefore": query("due_before", json!({ "type": "string" }),
            "Only tasks that are due before this day, as in `2026-01-31`, in the sender's time zone, or before this time."),
        "DueAfter": query("due_after", json!({ "type": "string" }),
            "Only tasks that are due after this day or time."),
        "Unread": query("unread", json!({ "type": "boolean" }), "Only entries that are unread, or only those that are read."),
        "OfPost": query("post", json!({ "type": "string" }),
            "Only tasks of the page with this number. Anything but a number names no page."),
        "Username": query("username", username(), "Only the user with this username, in any case."),
        "Comment": query("comment",
            json!({ "type": "string", "maxLength": MAX_COMMENT, "pattern": format!("^$|{}", line_without("")) }),
            "Why, in one line."),
        "Tag": query("tag", text(MAX_TAG), "Only pages with this tag, in any case."),
        "Slug": query("slug", text(200), "Only the page with this slug."),
        "Query": query("q", text(MAX_QUERY), "Only pages with these words, in the syntax of `/search`."),
        "Sort": query("sort",
            json!({
                "type": "string", "default": "-created",
                "enum": ["created", "-created", "updated", "-updated", "title", "-title"],
            }),
            "The order: by when pages were created or last edited, or by title; with a hyphen, reversed."),
        "IfMatch": tag("If-Match",
            "Only if the thing is at this version: entity tags as responses have them in ETag, or `*`."),
        "IfNoneMatch": tag("If-None-Match",
            "The ETag of the response you have: if it is still current, the response is 304 and empty."),
    });
    parameters["IdempotencyKey"] = json!({
        "name": "Idempotency-Key", "in": "header",
        "description": "A text of your own for this request, such as a UUID. Sent again with it, the request is done once.",
        "schema": { "type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY, "pattern": "^[!-~]+$" },
        "example": "6f7b0c1e-2f61-4b5e-9f60-3f2d1c7a9b11",
    });
    parameters["ReadAfter"] = json!({
        "name": "Read-After", "in": "header",
        "description": "The number that a response to a change of yours had in this header: the response has that change.",
        "schema": { "type": "string", "pattern": format!("^[0-9]{{1,{MAX_DIGITS}}}$") }, "example": "4711",
    });
    parameters["FileName"] = json!({
        "name": "name", "in": "path", "required": true, "description": "The file's name. Another name leads to it.",
        "schema": { "type": "string", "minLength": 1, "maxLength": MAX_FILE_NAME }, "example": "racks.png",
    });
    parameters["Redirect"] = json!({
        "name": "slug", "in": "path", "required": true, "description": "The slug that leads to a page.",
        "schema": { "type": "string", "minLength": 1, "maxLength": slug::MAX_ACCEPTED }, "example": "a-former-name",
    });
    for name in ["Assignee", "Username"] {
        parameters[name]["schema"]["type"] = json!("string");
        parameters[name]["example"] = json!("ada");
    }
    parameters["EventType"] = json!({
        "name": "type", "in": "query", "description": "Only events of this type, or of the types below it.",
        "schema": { "type": "string", "enum": events::selectors().collect::<Vec<_>>() }, "example": "wasiki.page",
    });
    parameters["Query"]["example"] = json!("engine \"steam power\" -coal");
    parameters
}

/// A pointer to the shared header `name`.
pub fn header(name: &str) -> Value {
    reference("headers", name)
}

fn headers() -> Value {
    fn header(required: bool, schema: Value, example: Value, what: &str) -> Value {
        json!({ "description": what, "required": required, "schema": schema, "example": example })
    }
    let text = || json!({ "type": "string" });
    json!({
        "ETag": header(true, json!({ "type": "string", "pattern": "^\"[0-9a-z.]+(--gzip)?\"$" }), json!("\"1\""),
            "Names this state of the thing, for If-Match and If-None-Match."),
        "Location": header(true, json!({ "type": "string", "format": "uri-reference" }), json!("/posts/1"),
            "The address of the new thing."),
        "Vary": header(true, text(), json!("Accept"), "What the form of the response depends on."),
        "Challenge": header(false, text(), json!("Bearer realm=\"wasiki\", error=\"invalid_token\""),
            "How to authenticate (RFC 6750)."),
        "Revalidated": header(true,
            // A file never changes.
            json!({ "type": "string", "enum": [
                "no-cache", "private, no-cache", "no-store",
                "public, max-age=31536000, immutable", "private, max-age=31536000, immutable",
            ] }),
            json!("no-cache"),
            "Caches may keep the response, but have to revalidate it before each use; `private` if it was made for one \
             account. In a private wiki, none may keep it."),
        "ReadAfter": header(false, json!({ "type": "string", "pattern": format!("^[0-9]{{1,{MAX_DIGITS}}}$") }), json!("4711"),
            "Where the wiki reads from a replica of its database: what to send with later requests, so that they see the change."),
        "NotStored": header(true, json!({ "type": "string", "const": "no-store" }), json!("no-store"),
            "The response is about this moment."),
        // Absent if nobody knows when, as with a database whose schema is too old.
        "RetryAfter": header(false, json!({ "type": "integer", "minimum": 0 }), json!(2),
            "Seconds after which it makes sense to try again."),
    })
}

/// A pointer to the shared response with `status`: a problem, or 304.
pub fn response(status: u16) -> Value {
    reference("responses", &title(status).replace(' ', ""))
}

fn title(status: u16) -> &'static str {
    StatusCode::from_u16(status).unwrap().canonical_reason().unwrap()
}

fn responses() -> Value {
    let (content, body) = (MAX_CONTENT >> 20, MAX_BODY >> 20);
    let too_large = format!("A page's content has more than {content} MiB, or the body more than {body} MiB.");
    json!({
        "NotModified": {
            "description": "The response you have is still current.",
            "headers": { "ETag": header("ETag"), "Cache-Control": header("Revalidated") },
        },
        "BadRequest": problem(400, json!({}), "The body is not valid JSON.",
            "The JSON, the path, a precondition header or `Read-After` cannot be read."),
        "Unauthorized": problem(401, json!({}),
            "This needs an account. Send a token, as in \"Authorization: Bearer wasiki_…\", or sign in.",
            "The wiki needs to know who sends the request: it is not open to everyone, or a token is not valid."),
        "Forbidden": problem(403, json!({}), "The page is protected: only administrators may change it.",
            "The role of the account or the scope of the token does not suffice, the page is protected, or a browser \
             sent the change on behalf of another site."),
        "NotFound": problem(404, json!({}), "Post not found",
            "There is no such thing. An id that is not a whole number from 1 to 2⁶³−1 names nothing, and neither does that \
             of a deleted page or user."),
        "Conflict": problem(409, json!({ "errors": [{ "field": "slug", "message": "is already taken" }] }),
            "The slug \"hello\" is already taken. Choose another.",
            "A username, email or slug is taken, or the page was edited meanwhile (`version` in the body)."),
        "PreconditionFailed": problem(412,
            json!({ "version": 2, "current": {
                "post_id": 1, "user_id": 1, "title": "Hello", "slug": "hello", "content": "# Hello\n\nSecond thoughts.",
                "tags": [], "version": 2, "created_time": "2026-11-22T10:00:00.000000Z",
                "updated_time": "2026-11-22T10:05:00.000000Z",
            } }),
            "The page was edited meanwhile; it is now at version 2. Merge your text with \"current\" and send it again.",
            "If-Match does not name the current version. `current` is what is there now, and `version` its version."),
        "PayloadTooLarge": problem(413, json!({}), "The body of a request may have at most 8 MiB.", &too_large),
        "UnsupportedMediaType": problem(415, json!({}),
            "The body must be JSON: send it with the header \"Content-Type: application/json\".",
            "The body is not `application/json`, or another type that ends in `+json`."),
        "UnprocessableEntity": problem(422,
            json!({ "errors": [{
                "field": "email",
                "message": "must be an email address of at most 254 bytes, as in name@example.org",
            }] }),
            "email: must be an email address of at most 254 bytes, as in name@example.org.",
            "Members of the body or parameters of the query are missing or wrong; `errors` lists each."),
        "PreconditionRequired": problem(428, json!({}),
            "Say which version you edited, so that no edit is lost: send its ETag in If-Match, or \"version\" in the body.",
            "The edit says neither in If-Match nor in `version` what it is based on."),
        "TooManyRequests": problem(429, json!({}), "That was too often. Try again in 12 seconds.",
            "That was too often. The wiki limits the changes of an account, and its host those from an address."),
        "InternalServerError": problem(500, json!({ "error_id": "00c0ffee00c0ffee" }),
            "An internal error occurred. If it happens again, report the error number 00c0ffee00c0ffee.",
            "An error on our side. `error_id` is also in the log."),
        "ServiceUnavailable": problem(503, json!({}),
            "The database is temporarily unavailable. Try again in a few seconds.",
            "The database cannot be reached."),
    })
}

/// A problem: what it has beside its status and `detail`, and when it is sent.
fn problem(status: u16, members: Value, detail: &str, when: &str) -> Value {
    let mut example = json!({ "type": "about:blank", "title": title(status), "status": status, "detail": detail });
    merge(&mut example, members);
    let mut headers = json!({ "Cache-Control": header("NotStored") });
    match status {
        401 => headers["WWW-Authenticate"] = header("Challenge"),
        429 | 503 => headers["Retry-After"] = header("RetryAfter"),
        _ => {}
    }
    let content = json!({ "schema": reference("schemas", "Problem"), "example": example });
    json!({ "description": when, "headers": headers, "content": { "application/problem+json": content } })
}
