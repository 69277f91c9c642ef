//! Accounts: signing in, changing passwords, and the first administrator.

use http::StatusCode;
use wiki_types::rules;

use crate::auth::rate_limit::{
    self, HASHING, NOTED_REFUSALS, SIGN_INS, SIGN_INS_FROM_ADDRESS, SIGN_INS_FROM_ELSEWHERE,
};
use crate::auth::{Context, password, secret, sessions};
use crate::config::Config;
use crate::store::accounts::{self, Credentials};
use crate::store::rate_limits::Taken;
use crate::store::{audit, rate_limits, sign_in_attempts, submissions};
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
    let subscriber = cx.identity.subscriber();
    rate_limit::take(cx.db, SIGN_INS_FROM_ADDRESS, &subscriber).inspect_err(|_| note_refusal(cx, &subscriber, None))?;
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
    let credentials = match find(cx, username)? {
        // Made by this request or, if several sign in at once, by another.
        None if first_administrator(cx, username)? => find(cx, username)?,
        credentials => credentials,
    };
    let user_id = credentials.as_ref().map(|known| known.user_id);
    let subscriber = cx.identity.subscriber();
    // Hashed: a password typed into the wrong field must not be kept.
    let account: String = secret::digest(&username.to_lowercase()).iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("{account} {subscriber}");
    let is_known = sign_in_attempts::is_known(db, user_id, &subscriber)?;
    limit(cx, &account, &key, is_known).inspect_err(|_| note_refusal(cx, &key, user_id))?;
    let attempt = sign_in_attempts::begin(db, HASHING, &subscriber, &cx.identity.address, user_id, is_known)?;
    let attempt = attempt.ok_or_else(|| Problem::too_many(1)).inspect_err(|_| note_refusal(cx, &key, user_id))?;
    // A password longer than any that is allowed would only cost time.
    let typed = if password.len() <= password::MAX { password } else { "" };
    let is_right = password::verify(db, typed, credentials.as_ref().map(|known| known.hash.as_str()));
    sign_in_attempts::end(db, attempt, matches!(is_right, Ok(false)), user_id, &cx.identity.actor())?;
    if !is_right? {
        return Ok(None);
    }
    rate_limits::give_back(db, SIGN_INS, &key)?;
    Ok(credentials)
}

/// 429 after too many attempts to sign in to this account.
fn limit(cx: &Context, account: &str, key: &str, is_known: bool) -> Result<(), Problem> {
    rate_limit::take(cx.db, SIGN_INS, key)?;
    if is_known { Ok(()) } else { rate_limit::take(cx.db, SIGN_INS_FROM_ELSEWHERE, account) }
}

/// Adds an attempt that was refused to the audit trail, or one of many.
fn note_refusal(cx: &Context, key: &str, user_id: Option<i64>) {
    let noted = rate_limits::take(cx.db, NOTED_REFUSALS, key).and_then(|taken| match taken {
        Taken::Taken => audit::note(cx.db, &cx.identity.actor(), "sign_in_refused", user_id),
        Taken::Refused { .. } => Ok(()),
    });
    if let Err(error) = noted {
        eprintln!("a refused sign-in is not in the audit trail: {error:?}");
    }
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
    let hash = password::hash(cx.db, admin_password)?;
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

/// Gives the sender a new password, if they know the current one, and ends their other sessions; with `revoke_tokens`, their
/// tokens, too. Nothing is done if the same form, by its `key`, did it before.
pub fn change_password(
    cx: &Context,
    current: &str,
    new: &str,
    revoke_tokens: bool,
    key: Option<String>,
) -> Result<(), Problem> {
    let account = cx.identity.account()?;
    let was_done = || key.as_deref().map_or(Ok(false), |key| submissions::exists(cx.db, key));
    if was_done()? {
        return Ok(());
    }
    password::check(new, &account.username).map_err(|message| Problem::invalid_field("new", message))?;
    if current == new {
        return Err(Problem::invalid_field("new", "is your current password; choose another"));
    }
    let wrong = || Problem::invalid_field("current", "is not your password");
    let credentials = verify(cx, &account.username, current)?;
    let credentials = credentials.filter(|known| known.user_id == account.user_id).ok_or_else(wrong)?;
    let hash = password::hash(cx.db, new)?;
    // If the password was changed since it was verified, it is no longer the current one.
    let (session, actor) = (cx.identity.session, cx.identity.actor());
    let changed =
        accounts::change_password(cx.db, &credentials.hash, hash, session, revoke_tokens, key.clone(), &actor)?;
    if changed || was_done()? { Ok(()) } else { Err(wrong()) }
}
