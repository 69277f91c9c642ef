//! Identification: who sends a request, as its token or its cookie proves.

use crate::auth::{Identity, Services, sessions, tokens};
use crate::web::{Problem, Request, request};

/// Who sends `request`. One without a token and a cookie costs the database nothing.
///
/// A token counts before a cookie, and fails with 401 if it is not valid: a program that sends one wants to act with it.
/// An expired session counts as anonymous.
pub fn identify(request: &Request, services: &Services) -> Result<Identity, Problem> {
    let mut identity =
        Identity { mode: services.config()?.mode, address: request::address(request), ..Identity::UNKNOWN };
    if let Some(token) = tokens::credential(request) {
        let (account, expires_time) = tokens::verify(&services.db, token)?;
        (identity.account, identity.token_expires_time) = (Some(account), Some(expires_time));
    } else if let Some(token) = tokens::of_address(request) {
        let (account, expires_time) = tokens::verify_reading(&services.db, &token)?;
        (identity.account, identity.token_expires_time) = (Some(account), Some(expires_time));
    } else if let Some(cookie) = sessions::credential(request)
        && let Some(session) = sessions::verify(&services.db, cookie)?
    {
        (identity.session, identity.account, identity.unread) =
            (Some(session.id), Some(session.account), session.unread);
    }
    Ok(identity)
}
