//! Whether anything in the database has changed between two statements.

/// A state of the database: which transactions are over, and on which server. Two statements that see the same one see the same
/// rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot(pub String);

/// SQL for the [`Snapshot`] of the statement that it is in.
macro_rules! snapshot {
    () => {
        "pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text"
    };
}
pub(in crate::store) use snapshot;
