//! Tags.

use crate::auth::Context;
use crate::input::lists;
use crate::web::{Problem, Response};

/// List tags
///
/// By name, each with the number of pages that have it.
#[cfg_attr(test, utoipa::path(
    get, path = "/tags", operation_id = "listTags", tag = "Finding", params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Tags.", body = wiki_types::Tags, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::tags(cx.request, cx.db)?.response(cx.request, "tags"))
}
