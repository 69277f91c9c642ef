//! When a task is due, as whoever reads it sees that.

use chrono::{DateTime, NaiveDate, Utc};

use crate::{Due, Time};

/// When a task is due, as the reader's clock says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDue {
    /// The day, which is the same everywhere, or the minute in the reader's time zone.
    pub due: Due,
    /// As the page has it: the same day, or the minute in the wiki's time zone.
    pub written: Due,
    /// The instant at which it begins.
    pub begins: Time,
    /// Whether it has passed.
    pub is_past: bool,
    /// The day that it is now in the reader's time zone.
    pub today: NaiveDate,
    /// The name of the reader's time zone.
    pub zone: String,
}

impl SeenDue {
    /// When something is due in UTC, as somebody in UTC sees it at `now`.
    pub fn in_utc(due: Due, now: DateTime<Utc>) -> Self {
        Self {
            due,
            written: due,
            begins: due.begins().naive_utc().into(),
            is_past: due.passes() <= now,
            today: now.date_naive(),
            zone: crate::settings::UTC.to_owned(),
        }
    }
}
