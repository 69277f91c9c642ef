//! Accounts: signing in, passwords, and the first administrator.

use serde_json::json;
use wiki_types::rules;

use crate::access::{self, Account, Credential, Role, Who};
use crate::config::Config;
use crate::db::{Db, Row};
use crate::json::Body;
use crate::limits::{self, HASHING, SIGN_INS, SIGN_INS_FROM_ADDRESS};
use crate::password;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, positive, query};
use crate::secret;
use crate::{audit, origin, sessions};

/// `GET /account`: who asks, and what they may do
pub fn read(request: &Request, _: &Db) -> Result<Response, Problem> {
    let account = of(request)?;
    let scope = match account.credential {
        Credential::Session(_) => None,
        Credential::Token { scope, .. } => Some(scope),
    };
    Ok(reply::momentary(reply::json(&json!({
        "user_id": account.user_id,
        "username": account.username,
        "name": account.name,
        "role": account.role,
        "scope": scope,
        "password_is_given": account.password_is_given,
    }))))
}

/// `PUT /account/password`: needs the current one, and ends every other session
pub fn change_password(request: &Request, db: &Db) -> Result<Response, Problem> {
    let mut body = Body::read(request)?;
    let current = body.required_text("current", rules::text).unwrap_or_default();
    let new = body.required_text("new", password::rule).unwrap_or_default();
    body.finish()?;
    change(db, access::who(request), &current, &new)?;
    Ok(reply::no_content())
}

/// The account whoever asks showed. The routes that need one let nobody else in.
pub fn of(request: &Request) -> Result<&Account, Problem> {
    access::who(request).account.as_ref().ok_or_else(Problem::unauthenticated)
}

/// Whose things `request` asks for: one's own, or those of `?user_id=`. 403 unless that is oneself or one administers.
pub fn asked(request: &Request) -> Result<i64, Problem> {
    let account = of(request)?;
    match query(request, "user_id").map(|user_id| positive(&user_id).unwrap_or(0)) {
        Some(other) if other != account.user_id && !access::who(request).administers() => {
            Err(Problem::forbidden("Only administrators see what others have. Leave \"user_id\" out."))
        }
        Some(user_id) => Ok(user_id),
        None => Ok(account.user_id),
    }
}

/// The cookie of a new session for somebody who knows the password of `username`, and whether somebody else chose it.
///
/// 401 if it is wrong or there is no such account, which the answer does not tell apart, and neither does the time it
/// takes. 429 after too many tries.
pub fn sign_in(request: &Request, db: &Db, username: &str, password: &str) -> Result<(String, bool), Problem> {
    let who = access::who(request);
    limits::take(db, SIGN_INS_FROM_ADDRESS, &origin::subscriber(&who.address))?;
    let known = checked(db, who, username, password)?.ok_or_else(wrong)?;
    Ok((sessions::begin(request, db, known.user_id)?, known.password_is_given))
}

/// An account, as far as signing in needs it.
struct Known {
    user_id: i64,
    hash: String,
    password_is_given: bool,
}

/// The account whose name and password these are, if anybody's.
fn checked(db: &Db, who: &Who, username: &str, password: &str) -> Result<Option<Known>, Problem> {
    // By its hash: what somebody typed into the wrong field is not kept.
    let key: String = secret::digest(&username.to_lowercase()).iter().map(|byte| format!("{byte:02x}")).collect();
    limits::take(db, SIGN_INS, &key)?;
    let known = match find(db, username)? {
        // Whoever made them, if several want to sign in at once.
        None if first_administrator(db, who, username)? => find(db, username)?,
        known => known,
    };
    // A password longer than any there is would only cost time.
    let typed = if password.len() <= password::MAX { password } else { "" };
    limits::take(db, HASHING, "")?;
    // Those who read wait for no password.
    db.release();
    let right = password::verify(typed, known.as_ref().map(|known| known.hash.as_str()));
    limits::give_back_one(db, HASHING, "")?;
    if right? {
        limits::give_back(db, SIGN_INS, &key)?;
        return Ok(known);
    }
    audit::note(db, who, "sign_in_failed", known.map(|known| known.user_id))?;
    Ok(None)
}

/// The account of `username`.
fn find(db: &Db, username: &str) -> Result<Option<Known>, Problem> {
    if rules::username(username).is_err() {
        return Ok(None);
    }
    let row = db.query_one(
        "SELECT id, password, password_is_given FROM users
         WHERE lower(username COLLATE \"C\") = lower($1 COLLATE \"C\") AND password IS NOT NULL",
        &[username.to_owned().into()],
    )?;
    let read =
        |mut row: Row| Ok(Known { user_id: row.column()?, hash: row.column()?, password_is_given: row.column()? });
    row.map(read).transpose()
}

/// Makes the administrator that the configuration names, if they are who wants to sign in and there is no administrator
/// yet. Whether there may be one now.
fn first_administrator(db: &Db, who: &Who, username: &str) -> Result<bool, Problem> {
    let Config { admin_username, admin_password, .. } = db.config()?;
    if admin_password.is_empty() || !username.eq_ignore_ascii_case(admin_username) {
        return Ok(false);
    }
    let checks = [
        ("admin_username", rules::username(admin_username)),
        ("admin_password", password::check(admin_password, admin_username)),
    ];
    for (variable, check) in checks {
        if let Err(message) = check {
            eprintln!("there is no first administrator: variable {variable}: {message}");
            return Ok(false);
        }
    }
    let [_, address] = who.actor();
    // Whoever has the name without a password is no account yet, and becomes this one; nothing else they said of
    // themselves stays.
    db.query(
        "WITH made AS (
           INSERT INTO users (username, name, role, password)
           SELECT $1, $1, 'administrator', $2
           WHERE NOT EXISTS (SELECT FROM users WHERE role = 'administrator' AND password IS NOT NULL)
           ON CONFLICT (lower(username COLLATE \"C\")) DO UPDATE
             SET name = excluded.name, email = NULL, role = excluded.role, password = excluded.password,
               version = users.version + 1
             WHERE users.password IS NULL
           RETURNING id
         ), ended AS (
           -- Of an account that was there before, and whose password whoever runs the database took away.
           DELETE FROM sessions WHERE user_id IN (SELECT id FROM made)
         ), noted AS (
           INSERT INTO audit (event, address, user_id, details)
           SELECT 'account_created', $3, id, 'administrator' FROM made
         )
         SELECT id FROM made",
        &[admin_username.clone().into(), password::hash(admin_password)?.into(), address],
    )?;
    Ok(true)
}

/// 409 if `username` is kept for the first administrator, and `who` is none: whoever had it, with an account, would stand in
/// the way of making one.
pub fn check_name(db: &Db, who: &Who, username: &str) -> Result<(), Problem> {
    let Config { admin_username, admin_password, .. } = db.config()?;
    let is_kept = !admin_password.is_empty() && username.eq_ignore_ascii_case(admin_username);
    if is_kept && !who.administers() { Err(Problem::taken("username", username)) } else { Ok(()) }
}

/// Gives whoever asks a new password, if they know the current one, and ends their other sessions.
pub fn change(db: &Db, who: &Who, current: &str, new: &str) -> Result<(), Problem> {
    let account = who.account.as_ref().ok_or_else(Problem::unauthenticated)?;
    password::check(new, &account.username).map_err(|message| Problem::invalid_field("new", message))?;
    if current == new {
        return Err(Problem::invalid_field("new", "is the one you have; choose another"));
    }
    if checked(db, who, &account.username, current)?.is_none_or(|known| known.user_id != account.user_id) {
        return Err(Problem::invalid_field("current", "is not your password"));
    }
    let [actor, address] = who.actor();
    db.query(
        "WITH changed AS (
           UPDATE users SET password = $3, password_is_given = false WHERE id = $1 AND password IS NOT NULL RETURNING id
         ), ended AS (
           DELETE FROM sessions WHERE user_id IN (SELECT id FROM changed) AND id IS DISTINCT FROM $4
         )
         INSERT INTO audit (event, actor_id, address, user_id) SELECT 'password_changed', $1, $2, id FROM changed",
        &[actor, address, password::hash(new)?.into(), account.session().into()],
    )?;
    Ok(())
}

/// What an administrator makes of an account; what is not given stays.
#[derive(Debug, Default)]
pub struct Terms {
    /// Its role.
    pub role: Option<Role>,
    /// Its password.
    pub password: Option<String>,
}

impl Terms {
    /// The terms in `body`, which only administrators may set.
    pub fn read(body: &mut Body, who: &Who) -> Result<Self, Problem> {
        let is_given = body.has("role") || body.has("password");
        if is_given && !who.administers() {
            return Err(Problem::forbidden(
                "Only administrators give roles and passwords. Leave \"role\" and \"password\" out.",
            ));
        }
        let role = body.text("role", Role::rule).and_then(|role| role.parse().ok());
        Ok(Self { role, password: body.text("password", password::rule) })
    }

    /// The password as it is kept.
    pub fn hash(&self) -> Result<Option<String>, Problem> {
        self.password.as_deref().map(password::hash).transpose()
    }
}

fn wrong() -> Problem {
    Problem::new(
        http::StatusCode::UNAUTHORIZED,
        "That is not the username and password of an account. Check both and try again.",
    )
}
