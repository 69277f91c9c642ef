//! The audit trail.

use crate::auth::Context;
use crate::input::lists;
use crate::web::{Problem, Response};

/// `GET /audit`, newest first; the entries by or about one user with `?user_id=`
pub fn list(cx: &Context) -> Result<Response, Problem> {
    Ok(lists::audit(cx.request, cx.db)?.response(cx.request, "entries"))
}
