//! What a request can be answered with beyond the thing it asked for: problems, by status, and headers.

use http::StatusCode;
use serde_json::{Map, Value, json};
use wiki_types::rules::MAX_CONTENT;

use super::{examples, schemas};
use crate::web::request::MAX_BODY;

/// The statuses of problems, when they are answered, and a further sentence and members as in an example.
fn problems() -> Vec<(u16, String, &'static str, Value)> {
    let taken = json!({ "errors": [{ "field": "slug", "message": "is already taken" }] });
    let invalid = json!({ "errors": [{
        "field": "email",
        "message": "must be an email address of at most 254 bytes, as in name@example.org",
    }] });
    [
        (400, "The JSON, the path or a precondition header cannot be read.".to_owned(), "The body is not valid JSON.", json!({})),
        (
            401,
            "The wiki wants to know who asks: it is not open to everybody, or a token is not valid.".to_owned(),
            "Sign in first; a program sends a token, as in \"Authorization: Bearer wasiki_…\".",
            json!({}),
        ),
        (
            403,
            "The account's role or the token's scope does not reach that far, the page is protected, or a browser sent the \
             change on behalf of another site."
                .to_owned(),
            "The page is protected: only administrators may change it.",
            json!({}),
        ),
        (
            404,
            "There is no such thing: an id that is not a whole number from 1 to 2⁶³−1 names nothing, and neither does a \
             deleted page's or user's."
                .to_owned(),
            "Post not found",
            json!({}),
        ),
        (
            409,
            "A username, email or slug is taken, or the page was edited meanwhile (`version` in the body).".to_owned(),
            "The slug \"hello\" is already taken. Choose another.",
            taken,
        ),
        (
            412,
            "What If-Match names is not the current version. `current` is what is there now, and `version` its version."
                .to_owned(),
            "The page was edited meanwhile; it is now at version 2. Merge your text with \"current\" and send it again.",
            json!({ "version": 2, "current": examples::edited_post() }),
        ),
        (
            413,
            format!(
                "A page's content has more than {} MiB, or the body more than {} MiB.",
                MAX_CONTENT >> 20,
                MAX_BODY >> 20
            ),
            "The body of a request may have at most 8 MiB.",
            json!({}),
        ),
        (
            415,
            "The body is not `application/json`, or another type that ends in `+json`.".to_owned(),
            "The body must be JSON: send it with the header \"Content-Type: application/json\".",
            json!({}),
        ),
        (
            422,
            "Members of the body or parameters of the query are missing or wrong; `errors` lists each.".to_owned(),
            "email: must be an email address of at most 254 bytes, as in name@example.org.",
            invalid,
        ),
        (
            428,
            "The edit says neither in If-Match nor in `version` what it is based on.".to_owned(),
            "Say which version you edited, so that nobody's work is lost: send its ETag in If-Match, or \"version\" in \
             the body.",
            json!({}),
        ),
        (
            429,
            "That was too often; the wiki limits what one account may do, and its host what comes from one address.".to_owned(),
            "That was too often. Try again in 12 seconds.",
            json!({}),
        ),
        (
            500,
            "An error on our side. `error_id` is also in the log.".to_owned(),
            "Something went wrong on our side. If it happens again, report the error number 00c0ffee00c0ffee.",
            json!({ "error_id": "00c0ffee00c0ffee" }),
        ),
        (
            503,
            "The database is away.".to_owned(),
            "The database cannot be reached just now. Try again shortly.",
            json!({}),
        ),
    ]
    .into()
}

/// The object at `#/components/responses`: the problems, by names like `NotFound`.
pub fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (status, when, detail, members) in problems() {
        let mut example = Map::new();
        example.insert("type".into(), "about:blank".into());
        example.insert("title".into(), title(status).into());
        example.insert("status".into(), status.into());
        example.insert("detail".into(), detail.into());
        example.extend(members.as_object().unwrap().clone());
        let mut response = json!({
            "description": when,
            "headers": { "Cache-Control": header_reference("NotStored") },
            "content": {
                "application/problem+json": { "schema": schemas::reference("Problem"), "example": example },
            },
        });
        if status == 401 {
            response["headers"]["WWW-Authenticate"] = header_reference("Challenge");
        }
        if status == 503 || status == 429 {
            response["headers"]["Retry-After"] = header_reference("RetryAfter");
        }
        all.insert(name(status), response);
    }
    all.insert(
        "NotModified".to_owned(),
        json!({
            "description": "The answer you have is still current.",
            "headers": { "ETag": header_reference("ETag"), "Cache-Control": header_reference("Revalidated") },
        }),
    );
    all
}

/// The object at `#/components/headers`.
pub fn headers() -> Map<String, Value> {
    let mut all = Map::new();
    let header = |what: &str, required: bool, schema: Value, example: &str| json!({ "description": what, "required": required, "schema": schema, "example": example });
    let text = || json!({ "type": "string" });
    all.insert(
        "ETag".to_owned(),
        header(
            "Names this state of the thing, for If-Match and If-None-Match.",
            true,
            json!({ "type": "string", "pattern": "^\"[0-9a-z.]+\"$" }),
            "\"1\"",
        ),
    );
    all.insert(
        "Location".to_owned(),
        header("Where the new thing is.", true, json!({ "type": "string", "format": "uri-reference" }), "/posts/1"),
    );
    all.insert("Vary".to_owned(), header("What the form of the answer depends on.", true, text(), "Accept"));
    all.insert(
        "Challenge".to_owned(),
        header("How to show who one is (RFC 6750).", false, text(), "Bearer realm=\"wasiki\", error=\"invalid_token\""),
    );
    let constant = |value: &str| json!({ "type": "string", "const": value });
    all.insert(
        "Revalidated".to_owned(),
        header(
            "A copy may be kept, but must be asked about before it is used; `private` if it was made for one person. In a private wiki, \
             none may be kept.",
            true,
            json!({ "type": "string", "enum": ["no-cache", "private, no-cache", "no-store"] }),
            "no-cache",
        ),
    );
    all.insert(
        "NotStored".to_owned(),
        header("The answer is about this moment.", true, constant("no-store"), "no-store"),
    );
    all.insert(
        "RetryAfter".to_owned(),
        // A database whose schema is too old has no time to wait for.
        json!({
            "description": "Seconds after which it makes sense to try again.",
            "schema": { "type": "integer", "minimum": 0 },
            "example": 2,
        }),
    );
    all
}

/// A pointer to the answer for a status that means a problem, or 304.
pub fn reference(status: u16) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(status)) })
}

/// A pointer to the header `name`.
pub fn header_reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

fn title(status: u16) -> &'static str {
    StatusCode::from_u16(status).unwrap().canonical_reason().unwrap()
}

fn name(status: u16) -> String {
    title(status).replace(' ', "")
}
