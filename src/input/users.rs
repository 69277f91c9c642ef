//! Users and their accounts: what may be changed by whom, for the API and the site alike.

use wiki_types::rules::Wrong;
use wiki_types::{Mode, Role};

use crate::auth::{Context, Identity, accounts, password};
use crate::errors;
use crate::input::{idempotency, settings};
use crate::store::Db;
use crate::store::users::{self, Changed, Created, NewUser, UserChange, UserRecord};
use crate::web::Problem;
use crate::web::json::Body;

/// The most bytes of an email address.
pub const MAX_EMAIL: usize = 254;

/// What only administrators set of a user. Whatever is absent stays.
#[derive(Debug, Default)]
pub struct Terms {
    /// The role of the account.
    pub role: Option<Role>,
    /// The password of the account.
    pub password: Option<String>,
}

impl Terms {
    /// The terms in `body`. 403 if there are any and the sender is not an administrator.
    pub fn read(body: &mut Body, identity: &Identity) -> Result<Self, Problem> {
        let is_given = body.has("role") || body.has("password");
        if is_given && !identity.administers() {
            return Err(Problem::forbidden(
                "Only administrators set roles and passwords. Leave \"role\" and \"password\" out.",
            ));
        }
        let role = body.text("role", Role::rule).and_then(|role| role.parse().ok());
        Ok(Self { role, password: body.text("password", password::rule) })
    }
}

/// Creates a user, with an account if the terms have a password; once for all requests with the same `key`.
pub fn create(
    cx: &Context,
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    terms: Terms,
    key: Option<String>,
) -> Result<UserRecord, Problem> {
    let password = hashed(cx.db, terms.password, username.as_deref().unwrap_or_default())?;
    let user = NewUser { username, name, email, role: terms.role, password, key };
    match users::create(cx.db, &user, &cx.identity.actor())? {
        Created::Created(record) => Ok(record),
        Created::Repeated(id) => {
            let record = users::find(cx.db, id)?.ok_or_else(|| idempotency::deleted_since("user"))?;
            let is_same = user.username.is_none() || user.username == record.user.username;
            if is_same { Ok(record) } else { Err(idempotency::used_for_another("user")) }
        }
        Created::UsernameTaken => Err(Problem::taken("username", user.username.as_deref().unwrap_or_default())),
        Created::EmailTaken => Err(Problem::taken("email", user.email.as_deref().unwrap_or_default())),
    }
}

/// What shall change of a user. Whatever is absent stays; `Some(None)` clears.
#[derive(Debug, Default)]
pub struct Change {
    /// The name to sign in with.
    pub username: Option<Option<String>>,
    /// The name shown to readers.
    pub name: Option<String>,
    /// The email address.
    pub email: Option<Option<String>>,
    /// The role and the password of the account.
    pub terms: Terms,
    /// The name of the time zone of the account.
    pub time_zone: Option<Option<String>>,
}

/// Why a user was not changed.
#[derive(Debug)]
pub enum Refusal {
    /// The user, as they are now, is at none of the versions that were seen.
    Stale(Box<UserRecord>),
    /// Anything else.
    Problem(Problem),
}

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

/// Changes user `id` if they are at one of the versions `seen`, or at any without them. Returns the user.
pub fn change(cx: &Context, id: i64, seen: Option<Vec<i64>>, change: Change) -> Result<UserRecord, Refusal> {
    check_may_try(cx.identity, id)?;
    let Change { username, name, email, terms, time_zone } = change;
    let time_zone = match time_zone {
        Some(Some(name)) => Some(Some(settings::zone(cx.db, &name)?)),
        other => other,
    };
    if let Some(Some(username)) = &username
        && cx.identity.account.is_some()
    {
        accounts::check_reserved(cx, username)?;
    }
    let password = match terms.password {
        // The rule for passwords depends on the username, which may be the one the user has.
        Some(password) => {
            let current = users::find(cx.db, id)?.ok_or_else(errors::user_not_found)?;
            let username = username.clone().unwrap_or(current.user.username).ok_or_else(username_required)?;
            hashed(cx.db, Some(password), &username)?
        }
        None => None,
    };
    let change = UserChange { username, name, email, role: terms.role, password, time_zone };
    match users::change(cx.db, id, seen, &change, manages(cx.identity, id), &cx.identity.actor())? {
        Changed::Changed(record) | Changed::Unchanged(record) => Ok(record),
        Changed::Stale(current) => Err(Refusal::Stale(Box::new(current))),
        Changed::NotAllowed => Err(errors::user_not_yours().into()),
        Changed::Gone => Err(errors::user_not_found().into()),
        Changed::PasswordRequired => {
            Err(Problem::invalid_field("password", "is required for an account, and only an account has a role").into())
        }
        Changed::LastAdministrator => Err(errors::last_administrator().into()),
        Changed::UsernameRequired if change.username == Some(None) && change.password.is_none() => {
            Err(Problem::invalid_field("username", "cannot be cleared: the account signs in with it").into())
        }
        Changed::UsernameRequired => Err(username_required().into()),
        Changed::UsernameTaken => {
            Err(Problem::taken("username", change.username.flatten().as_deref().unwrap_or_default()).into())
        }
        Changed::EmailTaken => {
            Err(Problem::taken("email", change.email.flatten().as_deref().unwrap_or_default()).into())
        }
    }
}

/// Whether user `id` is the sender's to change even with an account: their own, or any for administrators.
pub fn manages(identity: &Identity, id: i64) -> bool {
    identity.is(id) || identity.administers()
}

/// 403 if the sender may not change user `id` in any case. In open mode that depends on whether the user has an account.
pub fn check_may_try(identity: &Identity, id: i64) -> Result<(), Problem> {
    if identity.mode == Mode::Open || manages(identity, id) { Ok(()) } else { Err(errors::user_not_yours()) }
}

/// The hash of `password`. 422 if it does not keep to the rules for the password of `username`.
fn hashed(db: &Db, password: Option<String>, username: &str) -> Result<Option<String>, Problem> {
    let Some(password) = password else { return Ok(None) };
    password::check(&password, username).map_err(|message| Problem::invalid_field("password", message))?;
    password::hash(db, &password).map(Some)
}

fn username_required() -> Problem {
    Problem::invalid_field("username", "is required for an account, to sign in with")
}

/// The form that any mail server accepts (RFC 5321, 4.5.3.1.3). Only a message shows whether there is such an address.
pub fn email(text: &str) -> Result<(), Wrong> {
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    match text.rsplit_once('@') {
        Some((local, domain)) if plain && !local.is_empty() && !domain.is_empty() && text.len() <= MAX_EMAIL => Ok(()),
        _ => Err(format!("must be an email address of at most {MAX_EMAIL} bytes, as in name@example.org").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_have_two_sides() {
        for address in ["docker@test.com", "a@b", "\"odd@local\"@example.org", "ü@ü.example"] {
            assert!(email(address).is_ok(), "{address}");
        }
        for address in ["", "a", "@b", "a@", "a b@c", "a@b\n", "a@b\0", &format!("{}@b", "x".repeat(253))] {
            assert!(email(address).is_err(), "{address:?}");
        }
    }
}
