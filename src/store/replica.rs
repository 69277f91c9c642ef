//! The replica of the database, which reads that may be a moment old can go to: what has to be true of it, and whether it is in use.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A place in the order of the database's changes: the number of the first transaction that was not over yet.
///
/// Not one of the write-ahead log: how far a replica has got in that, a statement can be told only for a moment after its snapshot.
/// Which transactions are over, it is told for the snapshot itself. So each statement checks what it reads, whichever of several
/// replicas its connection leads to.
pub type Position = i64;

/// A position that no replica reaches, for whoever may have changed something, without anybody knowing when. PostgreSQL would need
/// thousands of years to get there.
pub const NEVER: Position = 999_999_999_999_999_999;

/// SQL for the [`Position`] that has all that was changed before the statement.
pub const POSITION: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

/// Seconds that a replica may be behind. It is too far behind as well if nobody has written the heartbeat for so long.
pub const MAX_AGE: u32 = 30;

/// Seconds between two heartbeats: a few of them may be missed.
pub const HEARTBEAT: u32 = 5;

/// How long a replica that was of no use is left alone. Requests that could read from it meanwhile do not wait for it.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest of such pauses, each of which is twice as long as the one before: to find out that a server does not answer may take
/// a request all the time that its host gives it for a statement.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a replica is to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No replica: it takes writes of its own, so that nobody knows what it has.
    NoReplica,
    /// Too far behind for anybody.
    Old,
    /// Behind what this reader has to see.
    Behind,
    /// Good.
    Good,
}

impl State {
    /// The state that a statement of [`checked`] has in its first column.
    pub fn from_column(number: i64) -> Self {
        match number {
            0 => Self::NoReplica,
            1 => Self::Old,
            2 => Self::Behind,
            _ => Self::Good,
        }
    }
}

/// `select` with the replica's [`State`] in the first column, and in the second whether there is a row of `select`: there is one row
/// at least. Parameter number `param` is the [`Position`] that the snapshot must have reached.
///
/// On a replica, a snapshot does not say which of the transactions between its ends are over, but all before its beginning are.
pub fn checked(select: &str, param: usize) -> String {
    format!(
        "SELECT replica.state, found.* FROM (SELECT CASE
           WHEN NOT pg_is_in_recovery() THEN 0
           WHEN ((SELECT beat_time FROM heartbeat) > now() - interval '{MAX_AGE} seconds') IS NOT TRUE THEN 1
           WHEN pg_snapshot_xmin(pg_current_snapshot())::text::bigint < ${param}::bigint THEN 2
           ELSE 3 END::bigint AS state) AS replica
         LEFT JOIN (SELECT true, rows.* FROM ({select}) AS rows) AS found ON true"
    )
}

thread_local! {
    /// Until when this instance leaves the replica alone.
    static AWAY_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
    /// For how long it did so last; none if the replica was of use since.
    static LAST_PAUSE: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Whether the replica is left alone for the time being.
pub fn is_away() -> bool {
    AWAY_UNTIL.get().is_some_and(|end| Instant::now() < end)
}

/// Leaves the replica alone for a while, each time for longer. Says why in the log, once until it is of use again.
pub fn leave_alone(why: &str) {
    let last = LAST_PAUSE.get();
    let pause = last.map_or(PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
    LAST_PAUSE.set(Some(pause));
    AWAY_UNTIL.set(Some(Instant::now() + pause));
    if last.is_none() {
        eprintln!("the replica is not read from, and is tried again now and then: {why}");
    }
}

/// Notes that the replica was of use.
pub fn is_used() {
    LAST_PAUSE.set(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_is_away_is_left_alone_for_longer_and_longer() {
        let pauses = (0..6).map(|_| {
            leave_alone("a test");
            assert!(is_away());
            LAST_PAUSE.get().map_or(0, |pause| pause.as_secs())
        });
        assert_eq!(pauses.collect::<Vec<_>>(), [5, 10, 20, 40, 60, 60]);
        is_used();
        leave_alone("a test");
        assert_eq!(LAST_PAUSE.get(), Some(PAUSE));
    }
}
