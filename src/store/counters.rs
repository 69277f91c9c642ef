//! Totals that the database keeps, so that they survive restarts and are the same from every replica.

use crate::store::db::Db;
use crate::store::error::Error;

/// Every counter and its total.
pub fn totals(db: &Db) -> Result<Vec<(String, i64)>, Error> {
    db.query_all("SELECT name, sum(value)::bigint FROM counters GROUP BY name", &[], |row| {
        Ok((row.column()?, row.column()?))
    })
}
