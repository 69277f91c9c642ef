//! Sessions: browsers that are signed in.

use wiki_types::{Account, Session};

use crate::store::audit::Actor;
use crate::store::db::{Db, Row};
use crate::store::error::Error;
use crate::store::inbox::unread;
use crate::store::users::{account_columns, read_account};

/// Days after which a session expires, however much it is used (NIST SP 800-63B, AAL1: 30 days at most).
pub const MAX_DAYS: u32 = 30;

/// The condition that a session has not expired: it is at most [`MAX_DAYS`] old, and was used within seven days.
macro_rules! alive {
    () => {
        "s.created_time > now() - interval '30 days' AND s.used_time > now() - interval '7 days'"
    };
}

/// Creates a session of user `user_id`, opened from `address` of `subscriber` by the browser `agent`, and returns its
/// number.
///
/// Notes that the user has signed in from there. Deletes the user's expired sessions, and origins that are no longer known.
pub fn create(
    db: &Db,
    user_id: i64,
    hash: Vec<u8>,
    address: &str,
    subscriber: String,
    agent: String,
) -> Result<i64, Error> {
    let sql = concat!(
        "WITH expired AS (
           DELETE FROM sessions s WHERE user_id = $1 AND NOT (",
        alive!(),
        ")
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id) VALUES ('sign_in', $1, $3, $1)
         ), forgotten AS (
           DELETE FROM sign_in_origins WHERE (user_id, subscriber) IN (
             SELECT user_id, subscriber FROM sign_in_origins
             WHERE used_time < now() - interval '90 days' AND (user_id, subscriber) <> ($1, $5)
             ORDER BY used_time LIMIT 2 FOR UPDATE SKIP LOCKED)
         ), known AS (
           INSERT INTO sign_in_origins (user_id, subscriber) VALUES ($1, $5)
           ON CONFLICT (user_id, subscriber) DO UPDATE SET used_time = now()
         )
         INSERT INTO sessions (user_id, hash, address, agent) VALUES ($1, $2, $3, $4) RETURNING id"
    );
    db.query_row(sql, &[user_id.into(), hash.into(), address.to_owned().into(), agent.into(), subscriber.into()])?
        .column()
}

/// A session with its account.
#[derive(Debug)]
pub struct Opened {
    /// The hash of the session's secret.
    pub hash: Vec<u8>,
    /// Whether it is time to note that the session is in use.
    pub is_stale: bool,
    /// How many entries of its owner's inbox are unread, up to [`MAX_COUNTED`](crate::store::inbox::MAX_COUNTED).
    pub unread: i64,
    /// Its account.
    pub account: Account,
}

/// Session `id`, unless it has expired.
pub fn open(db: &Db, id: i64) -> Result<Option<Opened>, Error> {
    let sql = concat!(
        "SELECT s.hash, s.used_time < now() - interval '5 minutes', ",
        unread!(),
        ", ",
        account_columns!(),
        " FROM sessions s JOIN users ON users.id = s.user_id AND users.password IS NOT NULL WHERE s.id = $1 AND ",
        alive!()
    );
    let read = |row: &mut Row| {
        Ok(Opened {
            hash: row.column()?,
            is_stale: row.column()?,
            unread: row.column()?,
            account: read_account(row, None)?,
        })
    };
    db.query_one(sql, &[id.into()])?.as_mut().map(read).transpose()
}

/// Notes that session `id` is in use.
pub fn touch(db: &Db, id: i64) -> Result<(), Error> {
    db.execute("UPDATE sessions SET used_time = now() WHERE id = $1", &[id.into()])
}

/// The latest sessions of a user, newest first. `current` is the session that asks.
pub fn of_user(db: &Db, user_id: i64, current: Option<i64>) -> Result<Vec<Session>, Error> {
    // More than a person reads through.
    let sql = concat!(
        "SELECT id, address, agent, created_time AT TIME ZONE 'UTC', used_time AT TIME ZONE 'UTC' FROM sessions s
         WHERE user_id = $1 AND ",
        alive!(),
        " ORDER BY id DESC LIMIT 100"
    );
    db.query_all(sql, &[user_id.into()], |row| {
        let id = row.column()?;
        Ok(Session {
            id,
            address: row.column()?,
            agent: row.column()?,
            created_time: row.column()?,
            used_time: row.column()?,
            current: Some(id) == current,
        })
    })
}

/// Ends session `id` of the actor, or of anyone with `of_anyone`. Returns whether there was such a session.
///
/// `event` is what the audit trail calls it.
pub fn end(db: &Db, id: i64, of_anyone: bool, event: &'static str, actor: &Actor) -> Result<bool, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        "WITH ended AS (
           DELETE FROM sessions WHERE id = $1 AND (user_id = $2 OR $4) RETURNING user_id
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id) SELECT $5::text, $2, $3, user_id FROM ended
         )
         SELECT EXISTS (SELECT FROM ended)",
        &[id.into(), actor_id, address, of_anyone.into(), event.to_owned().into()],
    )?;
    row.column()
}

/// Ends the sessions of the actor, except session `kept`.
pub fn end_others(db: &Db, kept: Option<i64>, actor: &Actor) -> Result<(), Error> {
    let [actor_id, address] = actor.params();
    db.execute(
        "WITH ended AS (
           DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $3 RETURNING user_id
         )
         INSERT INTO audit (event, actor_id, address, user_id)
         SELECT 'session_revoked', $1, $2, user_id FROM ended",
        &[actor_id, address, kept.into()],
    )
}
