//! Tags.

use crate::auth::Context;
use crate::input::lists;
use crate::web::{Problem, Response};

/// `GET /tags`, by name
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::tags(cx.request, cx.db)?.response(cx.request, "tags"))
}
