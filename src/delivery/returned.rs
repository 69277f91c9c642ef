//! Events that a consumer could not use, and that an administrator wants it to try again.

use crate::delivery::cloud_event::Event;
use crate::delivery::consumers::CONSUMERS;
use crate::store::relay::{self, Attempt};
use crate::store::undelivered::{self, Returned};
use crate::store::{self, Db};

/// Hands each of them to its consumer.
pub fn retry(db: &Db) -> Result<(), store::Error> {
    let returned = undelivered::returned(db)?;
    if returned.is_empty() {
        return Ok(());
    }
    let mut attempts = Vec::new();
    for event in &returned {
        attempts.push(Attempt { aside: event.id, error: consume(db, event)? });
    }
    relay::settle(db, &attempts)
}

/// Why it failed again, if it did.
fn consume(db: &Db, returned: &Returned) -> Result<Option<String>, store::Error> {
    let Some(consumer) = CONSUMERS.iter().find(|consumer| consumer.name == returned.consumer) else {
        return Ok(Some(format!("there is no consumer {:?}", returned.consumer)));
    };
    match Event::from_json(returned.payload.as_bytes()) {
        Err(reason) => Ok(Some(reason)),
        Ok(event) => Ok(consumer.take(db, &[event])?.err()),
    }
}
