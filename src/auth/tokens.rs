//! API tokens: what programs send to act for a user.

use http::StatusCode;
use http::header::AUTHORIZATION;
use wiki_types::{Account, Scope, Time, Token};

use crate::auth::Identity;
use crate::auth::secret::{self, Secret};
use crate::store::Db;
use crate::store::tokens::{self, MAX_TOKENS, NewToken};
use crate::web::request::query;
use crate::web::{Problem, Request};

/// The prefix of every token, by which people and scanners recognise one.
const PREFIX: &str = "wasiki_";

/// The most characters of a token's name.
pub const MAX_NAME: usize = 100;

/// Days until a token expires by default.
pub const DEFAULT_DAYS: i64 = 90;
/// The most days until a token expires: a forgotten one should not work for ever.
pub const MAX_DAYS: i64 = 366;

/// The token in the request's `Authorization` header. Another scheme is not for the wiki, but for a proxy in front, say.
pub fn credential(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.trim().split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim())
}

/// The path of the calendar, which programs subscribe to that send no headers.
const CALENDAR: &str = "/tasks.ics";

/// The token in the address of the calendar.
pub fn of_address(request: &Request) -> Option<String> {
    let path = request.uri().path();
    query(request, "token").filter(|_| path.strip_suffix('/').unwrap_or(path) == CALENDAR)
}

/// The same as [`verify`] for a token in an address, which others may come to see: 403 for one that may do more than read.
pub fn verify_reading(db: &Db, credential: &str) -> Result<(Account, Time), Problem> {
    let (account, expires_time) = verify(db, credential)?;
    match account.scope {
        Some(Scope::Read) => Ok((account, expires_time)),
        _ => Err(Problem::forbidden("A token in an address must have the scope read. Make one for this calendar.")),
    }
}

/// The account for which `credential` acts, and when that ends. 401 if it has expired, was revoked or never existed.
pub fn verify(db: &Db, credential: &str) -> Result<(Account, Time), Problem> {
    let (id, secret) = secret::parse(PREFIX, credential).ok_or_else(invalid)?;
    let opened = tokens::open(db, id)?.filter(|opened| secret::matches(secret, &opened.hash)).ok_or_else(invalid)?;
    if opened.is_stale {
        tokens::touch(db, id)?;
    }
    Ok((opened.account, opened.expires_time))
}

/// When a token of the sender's expires by default.
pub fn default_expiry(identity: &Identity) -> Time {
    let default = Time::in_days(DEFAULT_DAYS);
    identity.token_expires_time.map_or(default, |own| own.min(default))
}

/// Makes a token of the sender's, in place of the one that the same `key` made before. Returns it, and what a program has to
/// send.
///
/// 422 if it would outlast the token that asks for it: who finds a token must not be able to keep it.
pub fn create(db: &Db, identity: &Identity, token: &NewToken, key: Option<String>) -> Result<(Token, String), Problem> {
    if let Some(own) = identity.token_expires_time.filter(|own| token.expires_time > *own) {
        let message = format!("may be at most {}, when the token you use expires", own.to_seconds());
        return Err(Problem::invalid_field("expires_time", message));
    }
    let secret = Secret::new()?;
    let token = tokens::create(db, token, secret.hash(), key, &identity.actor())?.ok_or_else(|| {
        let detail = format!("You have {MAX_TOKENS} tokens, which is the limit. Revoke those you no longer need.");
        Problem::new(StatusCode::CONFLICT, detail)
    })?;
    let credential = secret.credential(PREFIX, token.id);
    Ok((token, credential))
}

/// Revokes token `id` of the sender, or of anyone for administrators. 404 if there is none.
pub fn revoke(db: &Db, identity: &Identity, id: i64) -> Result<(), Problem> {
    let revoked = tokens::revoke(db, id, identity.administers(), &identity.actor())?;
    if revoked { Ok(()) } else { Err(Problem::not_found("Token not found")) }
}

/// 401: the token is not one, or no longer.
fn invalid() -> Problem {
    Problem {
        challenge: Some("Bearer realm=\"wasiki\", error=\"invalid_token\""),
        ..Problem::new(
            StatusCode::UNAUTHORIZED,
            "The token is not valid: it may have expired or been revoked. Make another, or send none.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearers_show_tokens() {
        for (value, credential) in [
            ("Bearer wasiki_1_x", Some("wasiki_1_x")),
            ("bearer  wasiki_1_x ", Some("wasiki_1_x")),
            ("Bearer", Some("")),
            ("Basic dXNlcjpwYXNz", None),
            ("wasiki_1_x", None),
        ] {
            let mut request = Request::default();
            request.headers_mut().insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(super::credential(&request), credential, "{value}");
        }
    }
}
