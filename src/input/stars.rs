//! Stars, as requests give them.

use http::StatusCode;

use crate::errors;
use crate::store::stars::{MAX_STARS, Set};
use crate::web::Problem;

/// What became of a star: 404 without the page, 409 with too many stars.
pub fn given(set: Set) -> Result<(), Problem> {
    match set {
        Set::Set => Ok(()),
        Set::Gone => Err(errors::page_not_found()),
        Set::TooMany => {
            let detail = format!("You have {MAX_STARS} starred pages, the most there can be. Remove a star first.");
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}
