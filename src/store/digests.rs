//! Digests: who is mailed what is unread in their inbox, and how often.

use serde::{Deserialize, Serialize};
use wiki_types::Mail;

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Reader};
use crate::store::error::Error;

/// The most digests that are sent at once. Others are sent a second later.
const MOST: usize = 10;
/// Attempts of a digest in all. With pauses that double up to an hour, these take a day.
const MAX_ATTEMPTS: u32 = 30;

/// SQL for whether a digest in the table `digests` is to be sent now.
macro_rules! is_due {
    () => {
        "mailed_time <= now() - CASE mail WHEN 'hourly' THEN interval '1 hour' ELSE interval '1 day' END
           AND pause_until <= now() AND leased_until <= now() AND EXISTS (
             SELECT FROM inbox WHERE inbox.user_id = digests.user_id AND inbox.id > mailed_id AND read_time IS NULL)"
    };
}
pub(super) use is_due;

/// How often user `user_id` is mailed what is unread.
pub fn find(db: &Db, user_id: i64) -> Result<Mail, Error> {
    let sql = "SELECT coalesce((SELECT mail FROM digests WHERE user_id = $1), 'none')";
    db.read_row(sql, &[user_id.into()])?.column()
}

/// Whether the relay sends mail at all.
pub fn are_sent(db: &Db) -> Result<bool, Error> {
    db.read_row("SELECT sends_mail FROM relay", &[])?.column()
}

/// Has the actor mailed what is unread so often. Who was mailed nothing is mailed what comes from now on.
pub fn set(db: &Db, mail: Mail, actor: &Actor) -> Result<(), Error> {
    let [actor_id, address] = actor.params();
    let sql = "WITH former AS MATERIALIZED (
           SELECT coalesce((SELECT mail FROM digests WHERE user_id = $1::bigint), 'none') AS mail
         ), kept AS (
           INSERT INTO digests (user_id, mail, mailed_id)
           SELECT $1, $3::text, (SELECT coalesce(max(id), 0) FROM inbox WHERE user_id = $1) WHERE $3 <> 'none'
           ON CONFLICT (user_id) DO UPDATE SET mail = excluded.mail WHERE digests.mail <> excluded.mail
         ), ended AS (
           DELETE FROM digests WHERE user_id = $1 AND $3 = 'none'
         )
         INSERT INTO audit (event, actor_id, address, user_id, details)
         SELECT 'mail_changed', $1, $2, $1, mail || ' → ' || $3 FROM former WHERE mail <> $3";
    db.execute(sql, &[actor_id, address, mail.to_string().into()])
}

/// A digest to send.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Digest {
    /// Who gets it.
    pub user_id: i64,
    /// Their address; none if they have none, or no account any more.
    pub email: Option<String>,
    /// The time zone that they chose.
    pub time_zone: Option<String>,
    /// Whether they may read all pages.
    is_administrator: bool,
    /// How often they get one.
    pub mail: Mail,
    /// It has what is unread after this entry.
    pub after: i64,
    /// It has what is unread up to this entry. Every attempt has the same.
    pub last: i64,
}

impl Digest {
    /// Who they are to the pages that they read.
    pub fn reader(&self) -> Reader {
        if self.is_administrator { Reader::Administrator } else { Reader::User(self.user_id) }
    }
}

/// Digests that are due, for whoever sends the same `lease` within a minute. Nobody else gets them until then. While none is due,
/// nothing is written.
pub fn claim(db: &Db, lease: &str) -> Result<Vec<Digest>, Error> {
    let sql = concat!(
        "WITH due AS MATERIALIZED (
           SELECT user_id, coalesce(sending_id, (
             SELECT max(id) FROM inbox WHERE inbox.user_id = digests.user_id AND read_time IS NULL)) AS last
           FROM digests WHERE ",
        is_due!(),
        " ORDER BY mailed_time, user_id LIMIT $2 FOR UPDATE SKIP LOCKED
         ), claimed AS (
           UPDATE digests SET lease = $1, leased_until = now() + interval '1 minute', sending_id = due.last
           FROM due WHERE digests.user_id = due.user_id
           RETURNING digests.user_id, digests.mail, mailed_id, sending_id
         )
         SELECT jsonb_agg(jsonb_build_object(
           'user_id', users.id, 'email', CASE WHEN users.password IS NOT NULL THEN users.email END,
           'time_zone', users.time_zone, 'is_administrator', users.role = 'administrator', 'mail', mail, 'after', mailed_id, 'last', sending_id
         ) ORDER BY users.id)::text
         FROM claimed JOIN users ON users.id = user_id"
    );
    let list = db.query_row(sql, &[lease.to_owned().into(), db::count(MOST)])?.json()?;
    Ok(list.unwrap_or_default())
}

/// What became of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was taken.
    Sent,
    /// It says nothing, or nobody gets it.
    Empty,
    /// It never will be taken.
    Refused,
    /// It is tried again.
    Failed,
}

/// An attempt to send a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Who was to get it.
    pub user_id: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// Seconds after which the other side wants to be asked again, at the earliest.
    pub retry_after: Option<u32>,
}

/// Notes what became of the digests that were claimed with `lease`. If all failed, the other side seems to be away: everybody
/// else's wait for a minute, so that nobody waits for each of them.
pub fn settle(db: &Db, lease: &str, attempts: &[Attempt]) -> Result<(), Error> {
    let list = serde_json::to_string(attempts).map_err(|error| Error::Internal(error.to_string()))?;
    let sql = format!(
        "WITH attempt AS MATERIALIZED (
           SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS attempt (user_id bigint, outcome text, retry_after integer)
         ), verdict AS (
           SELECT digests.user_id, outcome, outcome <> 'failed' OR attempts + 1 >= {MAX_ATTEMPTS} AS is_over,
             greatest(least(3600, 60 * 2 ^ least(attempts, 10)), retry_after) * interval '1 second' AS pause
           FROM attempt JOIN digests USING (user_id) WHERE lease = $2
         ), settled AS (
           UPDATE digests SET lease = '', leased_until = '-infinity',
             mailed_id = CASE WHEN is_over THEN sending_id ELSE mailed_id END,
             mailed_time = CASE WHEN is_over AND outcome <> 'empty' THEN now() ELSE mailed_time END,
             sending_id = CASE WHEN NOT is_over THEN sending_id END,
             attempts = CASE WHEN is_over THEN 0 ELSE attempts + 1 END,
             pause_until = CASE WHEN is_over THEN '-infinity' ELSE now() + pause END
           FROM verdict WHERE digests.user_id = verdict.user_id AND lease = $2
         )
         UPDATE digests SET pause_until = now() + interval '1 minute'
         WHERE pause_until < now() + interval '1 minute' AND leased_until <= now()
           AND user_id NOT IN (SELECT user_id FROM attempt)
           AND EXISTS (SELECT FROM attempt WHERE outcome = 'failed')
           AND NOT EXISTS (SELECT FROM attempt WHERE outcome IN ('sent', 'refused'))"
    );
    db.execute(&sql, &[list.into(), lease.to_owned().into()])
}
