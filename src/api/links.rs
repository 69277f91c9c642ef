//! Links between pages.

use crate::auth::Context;
use crate::input::lists;
use crate::web::{Problem, Response};

/// `GET /posts/{id}/backlinks`: the pages that link to this one, newest first unless `?sort=` says otherwise
pub fn backlinks(cx: &Context, id: i64) -> Result<Response, Problem> {
    Ok(lists::backlinks(cx.request, cx.db, id)?.response(cx.request, "posts"))
}
