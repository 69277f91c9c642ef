//! Full-text search, and suggestions of titles while a person types.

use serde_json::json;
use wiki_types::rules;

use crate::auth::Context;
use crate::input::lists::{self, MAX_QUERY};
use crate::store::search;
use crate::web::json::check;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

/// The most suggestions.
pub const MAX_SUGGESTIONS: usize = 10;

/// `GET /search?q=`, best first; with a `?tag=`, of one `?user_id=`
pub fn search(cx: &Context) -> Result<Response, Problem> {
    let wanted = query(cx.request, "q");
    let wanted = wanted.ok_or_else(|| Problem::invalid_field("q", "is required: what to search for"))?;
    Ok(lists::search(cx.request, cx.db, &wanted)?.response(cx.request, "results"))
}

/// `GET /search/suggestions?q=`: pages whose titles begin so, in any case
pub fn suggestions(cx: &Context) -> Result<Response, Problem> {
    let typed = query(cx.request, "q").unwrap_or_default();
    let typed = typed.trim_start();
    if typed.is_empty() {
        return Ok(response::json(&json!({ "suggestions": [] })));
    }
    check("q", typed, rules::line::<MAX_QUERY>)?;
    let suggestions = search::suggestions(cx.db, typed, MAX_SUGGESTIONS)?;
    Ok(response::tagged_by_content(cx.request, response::json(&json!({ "suggestions": suggestions }))))
}
