//! Whether anything in the database has changed between two statements.

/// A state of the database: which transactions are over, and on which server. Two statements that see the same one see the same
/// rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot(pub String);

/// SQL for the [`Snapshot`] of the statement that it is in.
///
/// A replica does not know which of the transactions between the ends of a snapshot are over. So if there are any, the snapshot is like
/// no other.
macro_rules! snapshot {
    () => {
        "CASE WHEN pg_is_in_recovery() AND pg_snapshot_xmin(pg_current_snapshot()) <> pg_snapshot_xmax(pg_current_snapshot())
           THEN now() ELSE pg_postmaster_start_time() END::text || ' ' || pg_current_snapshot()::text"
    };
}
pub(in crate::store) use snapshot;
