//! Sessions: browsers that are signed in.

use http::header::USER_AGENT;
use serde::Serialize;
use serde_json::json;

use crate::access::{self, Account, Credential, Who};
use crate::accounts;
use crate::db::{Db, Row};
use crate::origin;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{self, Request, path_id};
use crate::secret::{self, Secret};
use crate::time::Time;

/// The cookie's name. Behind TLS its prefix makes browsers refuse it from anybody but this very host (RFC 6265bis, 4.1.3).
const COOKIE_NAME: &str = "session";
const SECURE_COOKIE_NAME: &str = "__Host-session";

/// Days after which a session is over, however much it is used (NIST SP 800-63B, AAL1: 30 days at most).
macro_rules! most_days {
    () => {
        "30"
    };
}

/// Days without use after which a session is over.
macro_rules! idle_days {
    () => {
        "7"
    };
}

/// The condition that a session is not over.
macro_rules! alive {
    () => {
        concat!(
            "s.created_time > now() - interval '",
            most_days!(),
            " days' AND s.used_time > now() - interval '",
            idle_days!(),
            " days'"
        )
    };
}

/// The most characters kept of what a browser says it is.
const MAX_AGENT: usize = 200;

/// A session as its owner sees it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// The address somebody signed in from.
    pub address: String,
    /// What their browser said it is.
    pub agent: String,
    /// When they signed in.
    pub created_time: Time,
    /// When it was last used, to five minutes.
    pub used_time: Time,
    /// Whether this request belongs to it.
    pub current: bool,
}

/// Begins a session of user `user_id`, who has just shown that they are that user, and notes that they signed in.
/// Returns the cookie.
pub fn begin(request: &Request, db: &Db, user_id: i64) -> Result<String, Problem> {
    let secret = Secret::new()?;
    let agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let agent: String = agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
    let address = access::who(request).address.clone();
    let mut row = db
        .query_one(
            concat!(
                "WITH over AS (
                   DELETE FROM sessions s WHERE user_id = $1 AND NOT (",
                alive!(),
                ")
                 ), noted AS (
                   INSERT INTO audit (event, actor_id, address, user_id) VALUES ('sign_in', $1, $3, $1)
                 )
                 INSERT INTO sessions (user_id, hash, address, agent) VALUES ($1, $2, $3, $4) RETURNING id"
            ),
            &[user_id.into(), secret.hash().into(), address.into(), agent.into()],
        )?
        .ok_or_else(|| Problem::internal("a session was not made"))?;
    Ok(cookie(request, &secret.credential("", row.column()?), most_days!()))
}

/// The cookie that takes the session's place when it is over.
pub fn no_cookie(request: &Request) -> String {
    cookie(request, "", "0")
}

fn cookie(request: &Request, value: &str, days: &str) -> String {
    let seconds = days.parse().map_or(0, |days: u32| days * 24 * 60 * 60);
    let (name, secure) = if origin::is_secure(request) { (SECURE_COOKIE_NAME, "; Secure") } else { (COOKIE_NAME, "") };
    // Lax: links from elsewhere lead to pages as a signed-in person sees them; forms from elsewhere go without it.
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// What the request's session cookie holds, if it has one.
pub fn credential(request: &Request) -> Option<&str> {
    let wanted = if origin::is_secure(request) { SECURE_COOKIE_NAME } else { COOKIE_NAME };
    request::cookie(request, wanted).filter(|value| !value.is_empty())
}

/// Whose session `credential` opens; nobody's if it is over, or never was.
pub fn find(db: &Db, credential: &str) -> Result<Option<Account>, Problem> {
    let Some((id, secret)) = secret::parse("", credential) else { return Ok(None) };
    let sql = format!(
        "SELECT s.hash, s.used_time < now() - interval '5 minutes', {}
         FROM sessions s JOIN users ON users.id = s.user_id AND users.password IS NOT NULL
         WHERE s.id = $1 AND {}",
        Account::COLUMNS,
        alive!()
    );
    let Some(mut row) = db.query_one(&sql, &[id.into()])? else { return Ok(None) };
    let (hash, stale): (Vec<u8>, bool) = (row.column()?, row.column()?);
    if !secret::matches(secret, &hash) {
        return Ok(None);
    }
    if stale {
        db.query("UPDATE sessions SET used_time = now() WHERE id = $1", &[id.into()])?;
    }
    Account::read_row(&mut row, Credential::Session(id)).map(Some)
}

/// `GET /sessions`: one's own, or for administrators those of `?user_id=`; the latest first
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let sessions = of(db, access::who(request), accounts::asked(request)?)?;
    Ok(reply::momentary(reply::json(&json!({ "sessions": sessions, "next": null }))))
}

/// The sessions of a user, the latest first; `who` asks.
pub fn of(db: &Db, who: &Who, user_id: i64) -> Result<Vec<Session>, Problem> {
    let current = who.account.as_ref().and_then(Account::session);
    let read = |mut row: Row| {
        let id = row.column()?;
        Ok(Session {
            id,
            address: row.column()?,
            agent: row.column()?,
            created_time: row.column()?,
            used_time: row.column()?,
            current: Some(id) == current,
        })
    };
    // As many as anybody looks through; who has more ends them all.
    let sql = concat!(
        "SELECT id, address, agent, created_time AT TIME ZONE 'UTC', used_time AT TIME ZONE 'UTC' FROM sessions s
         WHERE user_id = $1 AND ",
        alive!(),
        " ORDER BY id DESC LIMIT 100"
    );
    db.query(sql, &[user_id.into()])?.into_iter().map(read).collect()
}

/// `DELETE /sessions/{id}`: that browser is signed out
pub fn end(request: &Request, db: &Db) -> Result<Response, Problem> {
    revoke(db, access::who(request), path_id(request).ok_or_else(not_found)?)?;
    Ok(reply::no_content())
}

/// `DELETE /sessions`: every browser is signed out, this one too
pub fn end_all(request: &Request, db: &Db) -> Result<Response, Problem> {
    revoke_others(db, access::who(request), None)?;
    Ok(reply::no_content())
}

/// Ends session `id` of whoever asks, or of anybody if they are an administrator. 404 if there is none.
pub fn revoke(db: &Db, who: &Who, id: i64) -> Result<(), Problem> {
    let [actor, address] = who.actor();
    let event =
        if who.account.as_ref().and_then(Account::session) == Some(id) { "sign_out" } else { "session_revoked" };
    let row = db.query_one(
        "WITH ended AS (
           DELETE FROM sessions WHERE id = $1 AND (user_id = $2 OR $4) RETURNING user_id
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id) SELECT $5::text, $2, $3, user_id FROM ended
         )
         SELECT user_id FROM ended",
        &[id.into(), actor, address, who.administers().into(), event.to_owned().into()],
    )?;
    row.map(drop).ok_or_else(not_found)
}

/// Ends the sessions of whoever asks, but for session `kept`.
pub fn revoke_others(db: &Db, who: &Who, kept: Option<i64>) -> Result<(), Problem> {
    let [actor, address] = who.actor();
    db.query(
        "WITH ended AS (
           DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $3 RETURNING user_id
         )
         INSERT INTO audit (event, actor_id, address, user_id)
         SELECT 'session_revoked', $1, $2, user_id FROM ended",
        &[actor, address, kept.into()],
    )?;
    Ok(())
}

fn not_found() -> Problem {
    Problem::not_found("Session not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::default();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn behind_tls_the_cookie_is_for_this_host_alone() {
        let plain = cookie(&request(&[]), "1_x", "30");
        assert_eq!(plain, "session=1_x; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax");
        let secure = cookie(&request(&[("x-forwarded-proto", "https")]), "1_x", "30");
        assert_eq!(secure, "__Host-session=1_x; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
    }

    #[test]
    fn a_cookie_without_the_prefix_is_nobody_s_behind_tls() {
        let cookie = ("cookie", "author=Ada; session=1_x");
        assert_eq!(credential(&request(&[cookie])), Some("1_x"));
        assert_eq!(credential(&request(&[cookie, ("x-forwarded-proto", "https")])), None);
        let secure = ("cookie", "session=2_y; __Host-session=1_x");
        assert_eq!(credential(&request(&[secure, ("x-forwarded-proto", "https")])), Some("1_x"));
        assert_eq!(credential(&request(&[("cookie", "session=")])), None);
        assert_eq!(credential(&request(&[])), None);
    }
}
