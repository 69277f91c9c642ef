//! Who a request is from: what its token or its cookie says, held against the database.

use crate::access::Who;
use crate::db::Db;
use crate::problem::Problem;
use crate::request::Request;
use crate::{origin, sessions, tokens};

/// Who `request` is from. One without a token and a cookie costs the database nothing.
///
/// A token counts before a cookie, and fails with 401 when it is not valid: whoever sends one wants to be known. A session
/// that is over makes its browser nobody's, as any other.
pub fn of(request: &Request, db: &Db) -> Result<Who, Problem> {
    let account = match (tokens::credential(request), sessions::credential(request)) {
        (Some(token), _) => Some(tokens::find(db, token)?),
        (None, Some(session)) => sessions::find(db, session)?,
        (None, None) => None,
    };
    Ok(Who { mode: db.config()?.mode, account, address: origin::address(request) })
}
