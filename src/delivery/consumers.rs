//! The consumers: what events do besides being listed.

use crate::delivery::cloud_event::Event;
use crate::delivery::{audit, notification, webhooks};
use crate::store::{self, Db};

/// Something that events have an effect on.
pub struct Consumer {
    /// Its name in addresses.
    pub name: &'static str,
    /// Has the effect of the events, oldest first, unless it has had it before: an event may come more than once.
    pub consume: fn(&Db, &[Event]) -> Result<(), store::Error>,
}

impl Consumer {
    /// Hands it the events. Returns why they had no effect, where that is their fault; an unreachable database is not.
    pub fn take(&self, db: &Db, events: &[Event]) -> Result<Result<(), String>, store::Error> {
        match (self.consume)(db, events) {
            Ok(()) => Ok(Ok(())),
            Err(error @ (store::Error::Unavailable(_) | store::Error::Denied(_))) => Err(error),
            Err(error) => {
                eprintln!("the consumer {} failed: {error:?}", self.name);
                Ok(Err(format!("the consumer {} failed; the log says why", self.name)))
            }
        }
    }
}

/// All of them.
pub const CONSUMERS: &[Consumer] = &[
    Consumer { name: "audit", consume: audit::consume },
    Consumer { name: "notification", consume: notification::consume },
    Consumer { name: "webhooks", consume: webhooks::consume },
];
