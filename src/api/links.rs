//! Links between pages.

use crate::auth::Context;
use crate::input::lists;
use crate::web::{Problem, Response};

/// List the pages that link to a page
///
/// Newest first unless `sort` says otherwise. A page's links to itself do not count.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/backlinks", operation_id = "listBacklinks", tag = "Finding",
    params(("limit", Query), ("cursor", Query), ("sort", Query)),
    responses((status = 200, description = "Pages.", body = wiki_types::Posts, headers(("ETag")))),
))]
pub fn backlinks(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(lists::backlinks(cx.request, cx.db, id)?.response(cx.request, "posts"))
}
