//! Full-text search, and suggestions of titles while a person types.

use wiki_types::{Suggestions, rules};

use crate::auth::Context;
use crate::input::lists::{self, MAX_QUERY};
use crate::store::search;
use crate::web::json::check;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

/// The most suggestions.
pub const MAX_SUGGESTIONS: usize = 10;

/// Search pages
///
/// Best first. The words are as in search engines: `words`, `"phrases"`, `OR`, and `-` before what must not occur. A
/// snippet is HTML: escaped text with `<mark>` around what was found.
#[cfg_attr(test, utoipa::path(
    get, path = "/search", operation_id = "search", tag = "Finding",
    params(("q" = String, Query, description = "The words to search for."), ("limit", Query), ("cursor", Query),
        ("user_id", Query), ("tag", Query), ("slug", Query)),
    responses((status = 200, description = "The pages that match.", body = wiki_types::Results, headers(("ETag")))),
))]
pub fn search(cx: &Context) -> Result<Response, Problem> {
    let wanted = query(cx.request, "q");
    let wanted = wanted.ok_or_else(|| Problem::invalid_field("q", "is required: what to search for"))?;
    Ok(lists::search(cx.request, cx.db, &wanted)?.response(cx.request, "results"))
}

/// Suggest pages while somebody types
///
/// At most ten pages whose titles begin so, in any case.
#[cfg_attr(test, utoipa::path(
    get, path = "/search/suggestions", operation_id = "suggest", tag = "Finding",
    params(("q" = Option<String>, Query, description = "The text so far.", min_length = 0, example = "he")),
    responses((status = 200, description = "Pages.", body = Suggestions), (status = 304)),
))]
pub fn suggestions(cx: &Context) -> Result<Response, Problem> {
    let typed = query(cx.request, "q").unwrap_or_default();
    let typed = typed.trim_start();
    if typed.is_empty() {
        return Ok(response::json(&Suggestions { suggestions: Vec::new() }));
    }
    check("q", typed, rules::line::<MAX_QUERY>)?;
    let suggestions = search::suggestions(cx.db, typed, MAX_SUGGESTIONS)?;
    Ok(response::tagged_by_content(cx.request, response::json(&Suggestions { suggestions })))
}
