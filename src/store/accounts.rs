//! Accounts: users with a password, and the first administrator.

use crate::store::audit::Actor;
use crate::store::db::Db;
use crate::store::error::Error;

/// How an account signs in.
#[derive(Debug)]
pub struct Credentials {
    /// The number of its user.
    pub user_id: i64,
    /// The hash of its password.
    pub hash: String,
    /// Whether an administrator chose the password.
    pub password_is_given: bool,
}

record! {
    credentials_columns, read_credentials -> Credentials {
        user_id: "id",
        hash: "password",
        password_is_given: "password_is_given",
    }
}

/// The credentials of the account with this username.
pub fn credentials(db: &Db, username: &str) -> Result<Option<Credentials>, Error> {
    let sql = concat!(
        "SELECT ",
        credentials_columns!(),
        " FROM users
         WHERE lower(username COLLATE \"C\") = lower($1 COLLATE \"C\") AND password IS NOT NULL"
    );
    db.query_one(sql, &[username.to_owned().into()])?.as_mut().map(read_credentials).transpose()
}

/// Creates the first administrator, unless there is an administrator.
///
/// A user of this name without a password becomes that account. Nothing else about the user stays: anyone could have set
/// it. What an account whose password was taken away in the database has left is gone.
pub fn create_first_administrator(db: &Db, username: &str, hash: String, address: &str) -> Result<(), Error> {
    db.execute(
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
           DELETE FROM sessions WHERE user_id IN (SELECT id FROM made)
         ), revoked AS (
           DELETE FROM tokens WHERE user_id IN (SELECT id FROM made)
         ), noted AS (
           INSERT INTO audit (event, address, user_id, details)
           SELECT 'account_created', $3, id, 'administrator' FROM made
         )
         SELECT FROM made",
        &[username.to_owned().into(), hash.into(), address.to_owned().into()],
    )
}

/// Replaces the password of the actor's account if its hash still is `old`, and ends their sessions except session `kept`;
/// with `revoke_tokens`, their tokens, too. Returns whether it was replaced.
pub fn change_password(
    db: &Db,
    old: &str,
    new: String,
    kept: Option<i64>,
    revoke_tokens: bool,
    key: Option<String>,
    actor: &Actor,
) -> Result<bool, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        "WITH changed AS (
           UPDATE users SET password = $3, password_is_given = false WHERE id = $1 AND password = $5 RETURNING id
         ), ended AS (
           DELETE FROM sessions WHERE user_id IN (SELECT id FROM changed) AND id IS DISTINCT FROM $4
         ), revoked AS (
           DELETE FROM tokens WHERE user_id IN (SELECT id FROM changed) AND $6::boolean RETURNING user_id, name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id, details)
           SELECT 'password_changed', $1, $2, id, '' FROM changed
           UNION ALL
           SELECT 'token_revoked', $1, $2, user_id, name FROM revoked
         ), submitted AS (
           INSERT INTO submissions (key, user_id) SELECT $7::text, id FROM changed WHERE $7 IS NOT NULL
         )
         SELECT EXISTS (SELECT FROM changed)",
        &[actor_id, address, new.into(), kept.into(), old.to_owned().into(), revoke_tokens.into(), key.into()],
    )?;
    row.column()
}
