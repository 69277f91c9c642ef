//! The document: operations by path, and what they share.

use serde_json::{Map, Value, json};

use super::{operations, parameters, responses, schemas};
use crate::routes::ROUTES;

/// What holds for every operation, in Markdown.
const DESCRIPTION: &str = "\
A wiki over HTTP: users, pages in Markdown, their history, and what helps to find them.

JSON in and out, UTF-8. Times are RFC 3339, UTC. Unknown members of a request are ignored. Every path is also answered \
with a slash at its end; every path has `OPTIONS`, and `HEAD` wherever it has `GET`. A method that a path has not is \
answered 405, with those it has in `Allow`.

**Errors** are `application/problem+json` (RFC 9457), whatever the client prefers. Only at `/`, under `/wiki` and where \
there is nothing at all, one that prefers `text/html` gets a page instead.

**Lists** are walked by `next`, the address of the rest of the list, so that nothing is skipped or repeated while others \
write.

**Access**: a wiki is `open` to everybody, open to readers (`public-read`) or `private`. Where that is not enough, a \
program sends a token (`Authorization: Bearer wasiki_…`). 401 means that nobody is known, 403 that it is not for them.

**Versions**: reads carry an `ETag`; with `If-None-Match` an unchanged thing is answered 304. An edit says in `If-Match` \
or in `version` what it is based on, so that nobody's work is lost.";

/// The whole document.
pub fn document() -> Value {
    let mut described = Map::new();
    let mut tags = Vec::new();
    for group in operations::all() {
        tags.push(json!({ "name": group.name, "description": group.description }));
        for operation in group.operations {
            let (method, path) = (operation.method.as_str().to_ascii_lowercase(), operation.path);
            let item = described.entry(path).or_insert_with(|| json!({}));
            assert!(item.get(&method).is_none(), "{method} {path} is described twice");
            item[method] = operation.write(group.name);
        }
    }
    // In the order of the routes; a path that is no route's comes last and is found by the test of the routes.
    let mut paths = Map::new();
    for path in ROUTES.iter().map(|route| route.path) {
        paths.extend(described.shift_remove_entry(path));
    }
    paths.extend(described);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Wasiki",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A wiki: users, pages with history, over HTTP.",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "parameters": parameters::all(),
            "headers": responses::headers(),
            "responses": responses::all(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token that its owner made on their account's page, or by `POST /tokens`.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "session",
                    "description": "The cookie of a browser that is signed in; behind TLS it is called `__Host-session`.",
                },
            },
        },
    })
}
