//! Full-text search, and suggestions of titles while a person types.

use wiki_types::{Results, Suggestions, rules};

use crate::auth::Context;
use crate::input::lists::{self, Found, MAX_QUERY};
use crate::store::search;
use crate::web::json::check;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

/// The most suggestions.
pub const MAX_SUGGESTIONS: usize = 10;

/// Search pages
///
/// Best first. The words are as in search engines: `words`, `"phrases"`, `OR`, and `-` before what must not occur. Case,
/// accents and forms of a word do not count. If few pages have all words, those follow that have words which begin so or
/// are written almost so; if none has, those that have any of the words. A snippet is HTML: escaped text with `<mark>`
/// around what was found. With filters and without `q`, all pages that pass them, latest edit first.
#[cfg_attr(test, utoipa::path(
    get, path = "/search", operation_id = "search", tag = "Finding",
    params(("q" = Option<String>, Query, description = "The words to search for. Not needed with a filter."),
        ("limit", Query), ("cursor", Query),
        ("user_id", Query), ("author", Query), ("tag", Query), ("slug", Query), ("since", Query), ("until", Query)),
    responses((status = 200, description = "The pages that match.", body = Results, headers(("ETag")))),
))]
pub fn search(cx: &Context) -> Result<Response, Problem> {
    let wanted = query(cx.request, "q");
    let filter = lists::filter(cx.request)?;
    if wanted.is_none() && !filter.is_limited() {
        return Err(Problem::invalid_field("q", "is required: what to search for, unless there is a filter"));
    }
    let Found { page, total, is_exact } = lists::search(cx.request, cx.db, wanted.as_deref(), filter)?;
    let results = Results { results: page.items, next: page.next, total, total_is_exact: is_exact };
    Ok(response::tagged_by_content(cx.request, response::json(&results)))
}

/// Suggest pages while somebody types
///
/// At most ten pages whose titles begin so, in any case, and then those whose titles have words that begin so; if there
/// are none, those whose titles have words that are written almost so.
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
