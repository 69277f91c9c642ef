//! Revisions.

use http::Method;
use serde_json::json;

use super::Operation;
use crate::openapi::examples;
use crate::openapi::parameters::query;
use crate::web::response::ATOM;

/// The operations about what pages were, and about changes.
pub fn operations() -> Vec<Operation> {
    let version = |name, first: i64, what| {
        let mut parameter = query(name, what, json!({ "type": "integer", "format": "int64", "minimum": first }));
        parameter["example"] = json!(1);
        parameter
    };
    vec![
        Operation::new(Method::GET, "/posts/{id}/revisions", "listRevisions", "List a page's revisions")
            .about("Newest first.")
            .takes(&["PostId", "Limit", "Cursor"])
            .answers(200, "Revisions.", "Revisions", examples::list("revisions", examples::entry()))
            .cached()
            .fails(&[404]),
        Operation::new(Method::GET, "/posts/{id}/revisions/{version}", "readRevision", "Read a revision")
            .takes(&["PostId", "Version"])
            .answers(200, "What the page was in that version.", "Revision", examples::revision())
            .cached()
            .fails(&[404]),
        Operation::new(Method::GET, "/posts/{id}/compare", "comparePost", "Compare two versions of a page")
            .about(
                "Hunks of lines, each with its number in both versions and with the words that changed marked. It ends \
                 after 10,000 lines, and says so with `truncated`.",
            )
            .takes(&["PostId"])
            .asks(version(
                "from",
                0,
                "The older version; the one before `to` unless given. 0 is the empty page before the first version.",
            ))
            .asks(version("to", 1, "The newer version; the current one unless given."))
            .answers(200, "What changed.", "Comparison", examples::comparison())
            .fails(&[404]),
        Operation::new(Method::POST, "/posts/{id}/revert", "revertPost", "Go back to a version of a page")
            .about(
                "Title, content and tags become what they were, as a new version. The slug stays, so that links work. \
                 `If-Match` is honoured, but not needed: no revision is lost.",
            )
            .takes(&["PostId"])
            .conditional()
            .reads("Reversion", json!({ "version": 1 }))
            .answers(200, "The page as it is now.", "Post", examples::post())
            .tagged()
            .fails(&[404]),
        Operation::new(Method::GET, "/changes", "listChanges", "List recent changes")
            .about("The revisions of all pages, newest first.")
            .takes(&["Limit", "Cursor", "Author"])
            .answers(200, "Revisions.", "Changes", examples::list("changes", examples::entry()))
            .cached(),
        Operation::new(Method::GET, "/feed.atom", "readFeed", "Recent changes as a feed")
            .about("For feed readers (RFC 4287): the latest 50 changes.")
            .answers_text(200, "The feed.", Some(ATOM))
            .cached(),
    ]
}
