//! The heartbeat: a time in the database that shows how far behind a replica is.

use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::replica::HEARTBEAT;

/// Writes what time it is, unless somebody has done so a moment ago.
pub fn beat(db: &Db) -> Result<(), Error> {
    let sql = format!(
        "UPDATE heartbeat SET beat_time = now() WHERE beat_time < now() - interval '{HEARTBEAT} seconds' OR beat_time > now()"
    );
    db.execute(&sql, &[])
}
