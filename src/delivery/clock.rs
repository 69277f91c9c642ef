//! The clock: writes events for tasks whose reminder, date or hour of grace has come, and removes what is left of files.
//!
//! The database keeps the moments, as tasks are saved, and which of them are over. While none has come, a look at an index is
//! all this costs.

use crate::store::{self, Db, blobs, inbox};

/// The most tasks that are told of at once. The next tick is a second later.
const MOST: usize = 200;

/// Writes the events of the moments that have come.
pub fn run(db: &Db) -> Result<(), store::Error> {
    inbox::sound_alarms(db, MOST)?;
    blobs::sweep(db)
}
