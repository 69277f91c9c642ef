//! API tokens: what programs show to act for a user.

use http::header::AUTHORIZATION;
use serde::Serialize;
use serde_json::json;
use wiki_types::rules;

use crate::access::{self, Account, Credential, Scope, Who};
use crate::accounts;
use crate::db::{self, Db, Row};
use crate::json::Body;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, path_id};
use crate::secret::{self, Secret};
use crate::time::Time;

/// What every token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "wasiki_";

/// The most characters of a token's name.
pub const MAX_NAME: usize = 100;

/// Days after which a token expires when nothing else is asked for.
pub const DEFAULT_DAYS: i64 = 90;
/// Days after which a token expires at the latest: one that nobody remembers should not work for ever.
pub const MAX_DAYS: i64 = 366;

/// The most tokens of one user.
const MAX_TOKENS: usize = 100;

/// A token as its owner sees it, without the secret.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// What it may do: `read`, `write` or `admin`.
    #[cfg_attr(test, schema(value_type = String))]
    pub scope: Scope,
    /// When it was made.
    pub created_time: Time,
    /// When it expires.
    pub expires_time: Time,
    /// When it was last used, to a minute; null if never.
    #[cfg_attr(test, schema(required = true))]
    pub used_time: Option<Time>,
}

impl Token {
    const COLUMNS: &'static str = "id, name, scope, created_time AT TIME ZONE 'UTC', expires_time AT TIME ZONE 'UTC', \
                                   used_time AT TIME ZONE 'UTC'";

    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Ok(Self {
            id: row.column()?,
            name: row.column()?,
            scope: row.column()?,
            created_time: row.column()?,
            expires_time: row.column()?,
            used_time: row.column()?,
        })
    }
}

/// A token as it is asked for.
#[derive(Debug)]
pub struct Wanted {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it expires.
    pub expires_time: Time,
}

/// What the request's `Authorization` header holds, if it is a token: another scheme is somebody else's business, for
/// example that of a proxy in front.
pub fn credential(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.trim().split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim())
}

/// For whom `credential` acts. 401 if it has expired, was revoked or never was.
pub fn find(db: &Db, credential: &str) -> Result<Account, Problem> {
    let (id, secret) = secret::parse(PREFIX, credential).ok_or_else(Problem::invalid_token)?;
    let sql = format!(
        "SELECT t.hash, t.scope, coalesce(t.used_time < now() - interval '1 minute', true), {}
         FROM tokens t JOIN users ON users.id = t.user_id AND users.password IS NOT NULL
         WHERE t.id = $1 AND t.expires_time > now()",
        Account::COLUMNS
    );
    let mut row = db.query_one(&sql, &[id.into()])?.ok_or_else(Problem::invalid_token)?;
    let (hash, scope, stale): (Vec<u8>, Scope, bool) = (row.column()?, row.column()?, row.column()?);
    if !secret::matches(secret, &hash) {
        return Err(Problem::invalid_token());
    }
    if stale {
        db.query("UPDATE tokens SET used_time = now() WHERE id = $1", &[id.into()])?;
    }
    Account::read_row(&mut row, Credential::Token { id, scope })
}

/// `GET /tokens`: one's own, or for administrators those of `?user_id=`; the latest first
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let tokens = of(db, accounts::asked(request)?)?;
    Ok(reply::momentary(reply::json(&json!({ "tokens": tokens, "next": null }))))
}

/// The tokens of a user, the latest first.
pub fn of(db: &Db, user_id: i64) -> Result<Vec<Token>, Problem> {
    let sql = format!("SELECT {} FROM tokens WHERE user_id = $1 ORDER BY id DESC", Token::COLUMNS);
    db.query(&sql, &[user_id.into()])?.into_iter().map(Token::from_row).collect()
}

/// `POST /tokens`: the answer is the only one that ever holds the token itself
pub fn create(request: &Request, db: &Db) -> Result<Response, Problem> {
    let mut body = Body::read(request)?;
    let name = body.required_text("name", rules::line::<MAX_NAME>).unwrap_or_default();
    let scope = body.required_text("scope", Scope::rule).and_then(|scope| scope.parse().ok()).unwrap_or(Scope::Read);
    let expires_time = body.within_days("expires_time", MAX_DAYS);
    body.finish()?;
    let expires_time = expires_time.unwrap_or_else(|| Time::in_days(DEFAULT_DAYS));
    let (token, credential) = make(db, access::who(request), &Wanted { name, scope, expires_time })?;
    let mut answer = serde_json::to_value(&token).map_err(Problem::internal)?;
    answer["token"] = credential.into();
    Ok(reply::momentary(reply::created(&format!("/tokens/{}", token.id), &answer)))
}

/// Makes a token for whoever asks. Returns it, and what a program has to show.
pub fn make(db: &Db, who: &Who, wanted: &Wanted) -> Result<(Token, String), Problem> {
    let secret = Secret::new()?;
    let [actor, address] = who.actor();
    let sql = format!(
        "WITH made AS (
           INSERT INTO tokens (user_id, name, scope, hash, expires_time)
           SELECT $1, $3, $4, $5, {} WHERE (SELECT count(*) FROM tokens WHERE user_id = $1) < $7
           RETURNING *
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id, details)
           SELECT 'token_created', $1, $2, $1, name || ' (' || scope || ')' FROM made
         )
         SELECT {} FROM made",
        db::instant(6),
        Token::COLUMNS
    );
    let row = db.query_one(
        &sql,
        &[
            actor,
            address,
            wanted.name.clone().into(),
            wanted.scope.to_string().into(),
            secret.hash().into(),
            wanted.expires_time.micros().into(),
            db::count(MAX_TOKENS),
        ],
    )?;
    let row = row.ok_or_else(|| {
        Problem::new(
            http::StatusCode::CONFLICT,
            format!("You have {MAX_TOKENS} tokens, and nobody has more. Revoke those you no longer need."),
        )
    })?;
    let token = Token::from_row(row)?;
    let credential = secret.credential(PREFIX, token.id);
    Ok((token, credential))
}

/// `DELETE /tokens/{id}`: it no longer works
pub fn delete(request: &Request, db: &Db) -> Result<Response, Problem> {
    revoke(db, access::who(request), path_id(request).ok_or_else(not_found)?)?;
    Ok(reply::no_content())
}

/// Revokes token `id` of whoever asks, or of anybody if they are an administrator. 404 if there is none.
pub fn revoke(db: &Db, who: &Who, id: i64) -> Result<(), Problem> {
    let [actor, address] = who.actor();
    let row = db.query_one(
        "WITH revoked AS (
           DELETE FROM tokens WHERE id = $1 AND (user_id = $2 OR $4) RETURNING user_id, name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id, details)
           SELECT 'token_revoked', $2, $3, user_id, name FROM revoked
         )
         SELECT user_id FROM revoked",
        &[id.into(), actor, address, who.administers().into()],
    )?;
    row.map(drop).ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::not_found("Token not found")
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
