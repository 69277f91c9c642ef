//! Finding pages.

use http::Method;
use serde_json::json;

use super::Operation;
use crate::openapi::examples;
use crate::openapi::parameters::{query, search};

/// The operations that find pages by what is in them.
pub fn operations() -> Vec<Operation> {
    let mut typed =
        query("q", "What was typed so far.", json!({ "type": "string", "maxLength": crate::input::lists::MAX_QUERY }));
    typed["example"] = json!("he");
    vec![
        Operation::new(Method::GET, "/search", "search", "Search pages")
            .about(
                "Best first. The words are what search engines take: `words`, `\"phrases\"`, `OR`, and `-` before what \
                 must not occur. A snippet is HTML: escaped text with `<mark>` around what was found.",
            )
            .asks(search("What to search for.", true))
            .takes(&["Limit", "Cursor", "Author", "Tag", "Slug"])
            .answers(200, "What was found.", "Results", examples::list("results", examples::found()))
            .cached(),
        Operation::new(Method::GET, "/search/suggestions", "suggest", "Suggest pages while somebody types")
            .about("At most ten pages whose titles begin so, in whatever case.")
            .asks(typed)
            .answers(200, "Pages.", "Suggestions", json!({ "suggestions": [{ "title": "Hello", "slug": "hello" }] }))
            .takes(&["IfNoneMatch"])
            .fails(&[304]),
        Operation::new(Method::GET, "/tags", "listTags", "List tags")
            .about("By name, each with the number of pages that have it.")
            .takes(&["Limit", "Cursor"])
            .answers(200, "Tags.", "Tags", examples::list("tags", json!({ "name": "rust", "posts": 3 })))
            .cached(),
        Operation::new(Method::GET, "/posts/{id}/backlinks", "listBacklinks", "List the pages that link to a page")
            .about("Newest first unless `sort` says otherwise. A page's links to itself do not count.")
            .takes(&["PostId", "Limit", "Cursor", "Sort"])
            .answers(200, "Pages.", "Posts", examples::list("posts", examples::summary()))
            .cached()
            .fails(&[404]),
    ]
}
