//! How often something may be done, counted in the database: every replica counts the same.
//!
//! The generic cell rate algorithm: a key has one instant, at which all that was used has come back. Each use moves it on
//! by the time one use takes to come back, and is refused when it would be further away than all uses at once are.

use crate::db::Db;
use crate::problem::Problem;

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// What is limited: the beginning of its keys.
    pub what: &'static str,
    /// So many times at once.
    pub burst: u32,
    /// Seconds after which once more.
    pub seconds: u32,
}

/// Tries to sign in to one account, wherever they come from. A right password makes them all good again. Ten are more
/// than people need; one a minute after that makes 1,440 guesses a day, of which the most frequent 4,000 passwords are
/// none.
pub const SIGN_INS: Limit = Limit { what: "sign-in", burst: 10, seconds: 60 };

/// Tries to sign in from one address, to whatever account: each costs a tenth of a second of a processor.
pub const SIGN_INS_FROM_ADDRESS: Limit = Limit { what: "sign-in-from", burst: 50, seconds: 2 };

/// Changes by one account that is no administrator's: an import of some hundred pages passes, and somebody's broken
/// script is slowed down.
pub const CHANGES: Limit = Limit { what: "change", burst: 1000, seconds: 1 };

/// Passwords that are hashed at the same time, by all replicas: each takes 7 MiB and a tenth of a second of a processor.
/// What is done is [given back](give_back_one); what never was, because a host died, comes back after some seconds.
pub const HASHING: Limit = Limit { what: "hashing", burst: 16, seconds: 3 };

/// Uses `limit` for `whom` once. 429 with the time to wait when it is used up; that use does not count.
pub fn take(db: &Db, limit: Limit, whom: &str) -> Result<(), Problem> {
    let row =
        db.query_one(TAKE, &[key(limit, whom).into(), i64::from(limit.seconds).into(), i64::from(limit.burst).into()])?;
    let mut row = row.ok_or_else(|| Problem::internal("a limit returned no row"))?;
    let (taken, wait): (bool, Option<i64>) = (row.column()?, row.column()?);
    if taken {
        Ok(())
    } else {
        Err(Problem::too_many(u32::try_from(wait.unwrap_or(1).max(1)).unwrap_or(limit.seconds)))
    }
}

/// Gives back one use.
pub fn give_back_one(db: &Db, limit: Limit, whom: &str) -> Result<(), Problem> {
    db.query(
        "UPDATE limits SET full_time = full_time - $2::bigint * interval '1 second' WHERE key = $1",
        &[key(limit, whom).into(), i64::from(limit.seconds).into()],
    )?;
    Ok(())
}

/// Gives back everything `whom` used of `limit`.
pub fn give_back(db: &Db, limit: Limit, whom: &str) -> Result<(), Problem> {
    db.query("DELETE FROM limits WHERE key = $1", &[key(limit, whom).into()])?;
    Ok(())
}

fn key(limit: Limit, whom: &str) -> String {
    format!("{}:{whom}", limit.what)
}

/// Whether it was taken, and seconds until it can be. Sweeps two keys nothing is used of any more, so that there never are
/// more than are in use.
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
