//! The audit chain: every event, each with the hash of the one before. Entries are only ever added.

use wiki_types::ChainEntry;

use crate::store::db::{self, Db};
use crate::store::error::Error;

/// Adds those of the events with these `ids` that are not there yet, in this order. The function in the database computes
/// their hashes.
pub fn add(db: &Db, ids: Vec<String>, entries: Vec<String>) -> Result<(), Error> {
    let params = [db::texts(Some(ids)), db::texts(Some(entries))];
    db.query_row("SELECT chain_events($1, $2)", &params).map(drop)
}

record! {
    entry_columns, read_entry -> ChainEntry {
        number: "number", hash: "encode(hash, 'hex')", entry: "entry",
    }
}

/// The first `count` entries after number `after`, oldest first.
pub fn after(db: &Db, after: i64, count: usize) -> Result<Vec<ChainEntry>, Error> {
    let sql = concat!("SELECT ", entry_columns!(), " FROM audit_chain WHERE number > $1 ORDER BY number LIMIT $2");
    db.query_all(sql, &[after.into(), db::count(count)], read_entry)
}
