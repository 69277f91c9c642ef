//! Sessions: browsers that are signed in.

use http::header::USER_AGENT;
use wiki_types::Account;

use crate::auth::secret::{self, Secret};
use crate::auth::{Context, Identity};
use crate::store::Db;
use crate::store::sessions::{self, MAX_DAYS};
use crate::web::{Problem, Request, request};

/// The cookie's name. Behind TLS its prefix makes browsers refuse it from any other host (RFC 6265bis, 4.1.3).
const COOKIE_NAME: &str = "session";
const SECURE_COOKIE_NAME: &str = "__Host-session";

/// The most characters kept of what a browser calls itself.
const MAX_AGENT: usize = 200;

/// Opens a session of user `user_id`, who has just proved to be that user. Returns its credential.
pub fn open(cx: &Context, user_id: i64) -> Result<String, Problem> {
    let secret = Secret::new()?;
    let agent =
        cx.request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let agent = agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
    let id = sessions::create(cx.db, user_id, secret.hash(), &cx.identity.address, cx.identity.subscriber(), agent)?;
    Ok(secret.credential("", id))
}

/// The cookie by which the browser keeps the credential of its session.
pub fn kept(request: &Request, credential: &str) -> String {
    cookie(request, credential, MAX_DAYS)
}

/// A cookie that makes the browser forget its session.
pub fn no_cookie(request: &Request) -> String {
    cookie(request, "", 0)
}

fn cookie(request: &Request, value: &str, days: u32) -> String {
    let seconds = days * 24 * 60 * 60;
    let (name, secure) = if request::is_secure(request) { (SECURE_COOKIE_NAME, "; Secure") } else { (COOKIE_NAME, "") };
    // Lax: links from elsewhere lead to pages as a signed-in person sees them; forms from elsewhere go without it.
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The credential in the request's session cookie.
pub fn credential(request: &Request) -> Option<&str> {
    let wanted = if request::is_secure(request) { SECURE_COOKIE_NAME } else { COOKIE_NAME };
    request::cookie(request, wanted).filter(|value| !value.is_empty())
}

/// What a session says of who sends a request.
pub struct Verified {
    /// Its number.
    pub id: i64,
    /// Its account.
    pub account: Account,
    /// How many entries of the inbox are unread.
    pub unread: i64,
}

/// The session that `credential` proves; none if it has expired or never existed.
pub fn verify(db: &Db, credential: &str) -> Result<Option<Verified>, Problem> {
    let Some((id, secret)) = secret::parse("", credential) else { return Ok(None) };
    let Some(opened) = sessions::open(db, id)?.filter(|opened| secret::matches(secret, &opened.hash)) else {
        return Ok(None);
    };
    if opened.is_stale {
        sessions::touch(db, id)?;
    }
    Ok(Some(Verified { id, account: opened.account, unread: opened.unread }))
}

/// Ends session `id` of the sender, or of anyone for administrators. Returns whether there was such a session.
pub fn end(db: &Db, identity: &Identity, id: i64) -> Result<bool, Problem> {
    let event = if identity.session == Some(id) { "sign_out" } else { "session_revoked" };
    Ok(sessions::end(db, id, identity.administers(), event, &identity.actor())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::request::tests::request;

    #[test]
    fn behind_tls_the_cookie_is_for_this_host_alone() {
        let plain = cookie(&request(&[]), "1_x", 30);
        assert_eq!(plain, "session=1_x; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax");
        let secure = cookie(&request(&[("x-forwarded-proto", "https")]), "1_x", 30);
        assert_eq!(secure, "__Host-session=1_x; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
    }

    #[test]
    fn behind_tls_a_cookie_needs_the_prefix() {
        let cookie = ("cookie", "author=Ada; session=1_x");
        assert_eq!(credential(&request(&[cookie])), Some("1_x"));
        assert_eq!(credential(&request(&[cookie, ("x-forwarded-proto", "https")])), None);
        let secure = ("cookie", "session=2_y; __Host-session=1_x");
        assert_eq!(credential(&request(&[secure, ("x-forwarded-proto", "https")])), Some("1_x"));
        assert_eq!(credential(&request(&[("cookie", "session=")])), None);
        assert_eq!(credential(&request(&[])), None);
    }
}
