//! The audit chain: keeps every event, each with the hash of the one before.

use crate::delivery::cloud_event::Event;
use crate::store::{self, Db, audit_chain};

/// Adds the events that are not in the chain yet.
pub fn consume(db: &Db, events: &[Event]) -> Result<(), store::Error> {
    let ids = events.iter().map(|event| event.id.clone()).collect();
    audit_chain::add(db, ids, events.iter().map(Event::canonical).collect())
}
