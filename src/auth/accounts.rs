//! Accounts: signing in, changing passwords, and the first administrator.

use http::StatusCode;
use wiki_types::rules;

use crate::auth::rate_limit::{self, HASHING, SIGN_INS, SIGN_INS_FROM_ADDRESS};
use crate::auth::{Context, password, secret, sessions};
use crate::config::Config;
use crate::store::accounts::{self, Credentials};
use crate::store::{audit, rate_limits};
use crate::web::Problem;

/// A session that was just opened.
#[derive(Debug)]
pub struct SignedIn {
    /// The credential of the session.
    pub credential: String,
    /// Whether an administrator chose the password.
    pub password_is_given: bool,
}

/// Opens a session for a person who knows the password of `username`.
///
/// 401 if the password is wrong or there is no such account: neither the response nor the time it takes tells which. 429
/// after too many attempts.
pub fn sign_in(cx: &Context, username: &str, password: &str) -> Result<SignedIn, Problem> {
    rate_limit::take(cx.db, SIGN_INS_FROM_ADDRESS, &rate_limit::subscriber(&cx.identity.address))?;
    let credentials = verify(cx, username, password)?.ok_or_else(|| {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "That is not the username and password of an account. Check both and try again.",
        )
    })?;
    let credential = sessions::open(cx, credentials.user_id)?;
    Ok(SignedIn { credential, password_is_given: credentials.password_is_given })
}

/// The credentials of `username` if `password` is right.
fn verify(cx: &Context, username: &str, password: &str) -> Result<Option<Credentials>, Problem> {
    let db = cx.db;
    // Hashed: a password typed into the wrong field must not be kept.
    let key: String = secret::digest(&username.to_lowercase()).iter().map(|byte| format!("{byte:02x}")).collect();
    rate_limit::take(db, SIGN_INS, &key)?;
    let credentials = match find(cx, username)? {
        // Made by this request or, if several sign in at once, by another.
        None if first_administrator(cx, username)? => find(cx, username)?,
        credentials => credentials,
    };
    // A password longer than any that is allowed would only cost time.
    let typed = if password.len() <= password::MAX { password } else { "" };
    rate_limit::take(db, HASHING, "")?;
    // Readers need not wait for a password to be hashed.
    db.release();
    let is_right = password::verify(typed, credentials.as_ref().map(|known| known.hash.as_str()));
    rate_limits::give_back_one(db, HASHING, "")?;
    if is_right? {
        rate_limits::give_back(db, SIGN_INS, &key)?;
        return Ok(credentials);
    }
    audit::note(db, &cx.identity.actor(), "sign_in_failed", credentials.map(|known| known.user_id))?;
    Ok(None)
}

fn find(cx: &Context, username: &str) -> Result<Option<Credentials>, Problem> {
    if rules::username(username).is_err() {
        return Ok(None);
    }
    Ok(accounts::credentials(cx.db, username)?)
}

/// Creates the administrator that the configuration names, if `username` is theirs and there is no administrator yet.
/// Returns whether there may be such an account now.
fn first_administrator(cx: &Context, username: &str) -> Result<bool, Problem> {
    let Config { admin_username, admin_password, .. } = cx.services.config()?;
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
    let hash = password::hash(admin_password)?;
    accounts::create_first_administrator(cx.db, admin_username, hash, &cx.identity.address)?;
    Ok(true)
}

/// 409 if `username` is reserved for the first administrator and the sender is not one: an account of that name would
/// prevent the first administrator's.
pub fn check_reserved(cx: &Context, username: &str) -> Result<(), Problem> {
    let Config { admin_username, admin_password, .. } = cx.services.config()?;
    let is_reserved = !admin_password.is_empty() && username.eq_ignore_ascii_case(admin_username);
    if is_reserved && !cx.identity.administers() { Err(Problem::taken("username", username)) } else { Ok(()) }
}

/// Gives the sender a new password, if they know the current one, and ends their other sessions.
pub fn change_password(cx: &Context, current: &str, new: &str) -> Result<(), Problem> {
    let account = cx.identity.account()?;
    password::check(new, &account.username).map_err(|message| Problem::invalid_field("new", message))?;
    if current == new {
        return Err(Problem::invalid_field("new", "is your current password; choose another"));
    }
    let wrong = || Problem::invalid_field("current", "is not your password");
    let credentials = verify(cx, &account.username, current)?;
    let credentials = credentials.filter(|known| known.user_id == account.user_id).ok_or_else(wrong)?;
    let hash = password::hash(new)?;
    // If the password was changed since it was verified, it is no longer the current one.
    let changed = accounts::change_password(cx.db, &credentials.hash, hash, cx.identity.session, &cx.identity.actor())?;
    if changed { Ok(()) } else { Err(wrong()) }
}
