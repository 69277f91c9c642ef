//! Rate limits, counted in the database so that every replica counts the same.
//!
//! The generic cell rate algorithm: a key has one instant, at which everything that was used is available again. Each use
//! moves it on by the time one use takes to come back, and is refused when it would be further away than a whole burst is.

use crate::store::db::Db;
use crate::store::error::Error;

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// What is limited: the prefix of its keys.
    pub name: &'static str,
    /// Uses in a row.
    pub burst: u32,
    /// Seconds until one use comes back.
    pub seconds: u32,
}

/// What [`take`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The use counts.
    Taken,
    /// Everything is used up. This use does not count; the next one may after so many seconds.
    Refused {
        /// At least 1.
        seconds: u32,
    },
}

/// Uses `limit` once, for `key`.
pub fn take(db: &Db, limit: RateLimit, key: &str) -> Result<Taken, Error> {
    let params = [full_key(limit, key).into(), i64::from(limit.seconds).into(), i64::from(limit.burst).into()];
    let mut row = db.query_row(TAKE, &params)?;
    let (taken, wait): (bool, Option<i64>) = (row.column()?, row.column()?);
    if taken {
        return Ok(Taken::Taken);
    }
    Ok(Taken::Refused { seconds: u32::try_from(wait.unwrap_or(1).max(1)).unwrap_or(limit.seconds) })
}

/// Gives every use back.
pub fn give_back(db: &Db, limit: RateLimit, key: &str) -> Result<(), Error> {
    db.execute("DELETE FROM limits WHERE key = $1", &[full_key(limit, key).into()])
}

fn full_key(limit: RateLimit, key: &str) -> String {
    format!("{}:{key}", limit.name)
}

/// Whether it was taken, and seconds until it can be. Deletes two keys that are no longer in use, so that the table never
/// has more keys than are in use.
const TAKE: &str = "WITH swept AS (
    DELETE FROM limits WHERE key IN (
      SELECT key FROM limits WHERE full_time < now() AND key <> $1 ORDER BY full_time LIMIT 2 FOR UPDATE SKIP LOCKED)
  ), taken AS (
    INSERT INTO limits AS used (key, full_time) VALUES ($1, now() + $2::bigint * interval '1 second')
    ON CONFLICT (key) DO UPDATE SET full_time = greatest(used.full_time, now()) + $2::bigint * interval '1 second'
    WHERE greatest(used.full_time, now()) + $2::bigint * interval '1 second'
      <= now() + $2::bigint * $3::bigint * interval '1 second'
    RETURNING key
  )
  SELECT EXISTS (SELECT FROM taken),
    (SELECT ceil(extract(epoch FROM full_time - now()))::bigint - $2::bigint * ($3::bigint - 1) FROM limits WHERE key = $1)";
