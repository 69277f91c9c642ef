//! Attempts to sign in while their password is hashed, which takes processor time and memory: only so many run at once.

use crate::store::audit::Actor;
use crate::store::db::Db;
use crate::store::error::Error;

/// How many attempts run at once.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// By all clients together.
    pub of_all: u32,
    /// Of these, for accounts at addresses from where they have signed in before.
    pub of_known: u32,
    /// By one subscriber.
    pub of_subscriber: u32,
    /// Seconds after which an attempt that never ended gives its place to another.
    pub lease: u32,
}

/// How often a place is looked for while others take it.
const TRIES: usize = 20;

/// Begins an attempt to sign in to the account of user `user_id`, or to one that does not exist. `is_known` is whether they
/// have signed in from there before. Returns the attempt's number; none if all places are taken.
///
/// Attempts that never ended are added to the audit trail.
pub fn begin(
    db: &Db,
    places: Places,
    subscriber: &str,
    address: &str,
    user_id: Option<i64>,
    is_known: bool,
) -> Result<Option<i64>, Error> {
    let params = [
        subscriber.to_owned().into(),
        address.to_owned().into(),
        user_id.into(),
        i64::from(if is_known { places.of_all } else { places.of_all - places.of_known }).into(),
        i64::from(places.of_subscriber).into(),
        i64::from(places.lease).into(),
    ];
    for _ in 0..TRIES {
        let mut row = db.query_row(BEGIN, &params)?;
        let (id, may_be_free): (Option<i64>, bool) = (row.column()?, row.column()?);
        if id.is_some() || !may_be_free {
            return Ok(id);
        }
        // Another attempt took the same place, or one was freed by this statement.
    }
    Ok(None)
}

/// Any free place, so that attempts that begin at once rarely choose the same.
const BEGIN: &str = "WITH over AS (
    DELETE FROM sign_in_attempts WHERE id IN (
      SELECT id FROM sign_in_attempts WHERE lease_end_time < now() FOR UPDATE SKIP LOCKED)
    RETURNING address, user_id, started_time
  ), noted AS (
    INSERT INTO audit (event, time, address, user_id)
    SELECT 'sign_in_abandoned', started_time, address, user_id FROM over
  ), free AS (
    SELECT place, place_of_subscriber
    FROM generate_series(1, $4::bigint) AS place CROSS JOIN generate_series(1, $5::bigint) AS place_of_subscriber
    WHERE place NOT IN (SELECT place FROM sign_in_attempts)
      AND place_of_subscriber NOT IN (SELECT place_of_subscriber FROM sign_in_attempts WHERE subscriber = $1)
  ), taken AS (
    INSERT INTO sign_in_attempts (place, subscriber, place_of_subscriber, address, user_id, lease_end_time)
    SELECT place, $1, place_of_subscriber, $2, $3::bigint, now() + $6::bigint * interval '1 second'
    FROM free ORDER BY random() LIMIT 1
    ON CONFLICT DO NOTHING
    RETURNING id
  )
  SELECT (SELECT id FROM taken), EXISTS (SELECT FROM free) OR EXISTS (SELECT FROM over)";

/// Ends attempt `id`. One that failed is added to the audit trail.
pub fn end(db: &Db, id: i64, failed: bool, user_id: Option<i64>, actor: &Actor) -> Result<(), Error> {
    let [actor_id, address] = actor.params();
    db.execute(
        "WITH ended AS (
           DELETE FROM sign_in_attempts WHERE id = $1
         )
         INSERT INTO audit (event, actor_id, address, user_id) SELECT 'sign_in_failed', $2, $3, $4 WHERE $5::boolean",
        &[id.into(), actor_id, address, user_id.into(), failed.into()],
    )
}

/// Whether user `user_id` has signed in from `subscriber` within the last 90 days.
pub fn is_known(db: &Db, user_id: Option<i64>, subscriber: &str) -> Result<bool, Error> {
    let mut row = db.query_row(
        "SELECT EXISTS (SELECT FROM sign_in_origins
           WHERE user_id = $1 AND subscriber = $2 AND used_time > now() - interval '90 days')",
        &[user_id.into(), subscriber.to_owned().into()],
    )?;
    row.column()
}
