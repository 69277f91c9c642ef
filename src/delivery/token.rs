//! The token of the routes for events: whoever calls them shares it with the wiki.

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;

use crate::web::Problem;

/// 401 unless a request with these headers has the `token`: as a Bearer token, or in the header with which Dapr sends it.
/// With an empty token, nobody has it.
pub fn check(headers: &HeaderMap, token: &str) -> Result<(), Problem> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let of_dapr = headers.get("dapr-api-token").map(|value| value.as_bytes());
    let has = |sent: &[u8]| !token.is_empty() && bool::from(sent.ct_eq(token.as_bytes()));
    if bearer.is_some_and(has) || of_dapr.is_some_and(has) {
        return Ok(());
    }
    let detail = "This address is for the host and for Dapr. It needs the token of the variable events_token.";
    Err(Problem { challenge: Some("Bearer realm=\"wasiki events\""), ..Problem::new(StatusCode::UNAUTHORIZED, detail) })
}
