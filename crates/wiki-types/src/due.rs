//! When a task is due: a day, or a minute of a day.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day, or a minute of a day. Its order is that of the instants at which they begin, on one clock.
///
/// In a page, the clock is that of the wiki's time zone; in JSON, a minute is one in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    day: NaiveDate,
    time: Option<NaiveTime>,
}

impl Due {
    /// A whole day.
    pub fn day_of(day: NaiveDate) -> Self {
        Self { day, time: None }
    }

    /// As it is written in a page: `2026-12-04` or `2026-12-04T15:00`.
    pub fn written(text: &str) -> Option<Self> {
        let (day, time) = match text.split_once('T') {
            Some((day, time)) => (day, Some(time)),
            None => (text, None),
        };
        // chrono would take other lengths and signs as well.
        let is_plain = |text: &str, pattern: &str| {
            text.len() == pattern.len()
                && text.bytes().zip(pattern.bytes()).all(|(a, b)| if b == b'0' { a.is_ascii_digit() } else { a == b })
        };
        let day = Some(day).filter(|day| is_plain(day, "0000-00-00"))?;
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().filter(|day| day.year() > 0)?;
        let time = match time {
            Some(time) if is_plain(time, "00:00") => Some(NaiveTime::parse_from_str(time, "%H:%M").ok()?),
            Some(_) => return None,
            None => None,
        };
        Some(Self { day, time })
    }

    /// Its day.
    pub fn day(self) -> NaiveDate {
        self.day
    }

    /// Its minute; none if it is a whole day.
    pub fn time(self) -> Option<NaiveTime> {
        self.time
    }

    /// The same on another day.
    pub fn on(self, day: NaiveDate) -> Self {
        Self { day, ..self }
    }

    /// When it begins, on a clock in UTC.
    pub fn begins(self) -> DateTime<Utc> {
        self.day.and_time(self.time.unwrap_or(NaiveTime::MIN)).and_utc()
    }

    /// When it has passed, on a clock in UTC: at its minute or, of a whole day, when the day is over.
    pub fn passes(self) -> DateTime<Utc> {
        let days = if self.time.is_some() { 0 } else { 1 };
        self.begins().checked_add_signed(TimeDelta::days(days)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// What begins at `begins`, as a clock says it, and is a whole day or a minute.
    pub fn at(begins: NaiveDateTime, is_day: bool) -> Self {
        let minute = NaiveTime::from_hms_opt(begins.hour(), begins.minute(), 0);
        Self { day: begins.date(), time: minute.filter(|_| !is_day) }
    }
}

impl fmt::Display for Due {
    /// As it is written in a page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            None => write!(f, "{}", self.day.format("%Y-%m-%d")),
            Some(_) => write!(f, "{}", self.begins().format("%Y-%m-%dT%H:%M")),
        }
    }
}

impl FromStr for Due {
    type Err = ();

    /// From a day, a minute as pages have it, or an instant as RFC 3339 writes it, in any offset.
    fn from_str(text: &str) -> Result<Self, ()> {
        let instant = || {
            let instant = DateTime::parse_from_rfc3339(text).ok()?.naive_utc();
            Some(Self::at(instant, false)).filter(|_| (1..=9999).contains(&instant.year()))
        };
        Self::written(text).or_else(instant).ok_or(())
    }
}

impl Serialize for Due {
    /// As RFC 3339 writes a day, or an instant.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.time {
            None => serializer.collect_str(self),
            Some(_) => serializer.collect_str(&format_args!("{self}:00Z")),
        }
    }
}

impl<'de> Deserialize<'de> for Due {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| D::Error::custom(format_args!("{text:?} is no day and no time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_and_minutes_are_read_as_they_are_written() {
        for (text, json) in [
            ("2026-12-04", "\"2026-12-04\""),
            ("2026-12-04T15:00", "\"2026-12-04T15:00:00Z\""),
            ("0001-01-01", "\"0001-01-01\""),
        ] {
            let due = Due::written(text).unwrap();
            assert_eq!(due.to_string(), text);
            assert_eq!(serde_json::to_string(&due).unwrap(), json);
            assert_eq!(serde_json::from_str::<Due>(json).unwrap(), due);
            assert_eq!(Due::at(due.begins().naive_utc(), due.time().is_none()), due);
        }
        assert_eq!("2026-12-04T16:30:59+01:00".parse(), Ok(Due::written("2026-12-04T15:30").unwrap()));
    }

    #[test]
    fn other_texts_are_no_days() {
        for text in [
            "",
            "2026-12-4",
            "2026-13-01",
            "2026-02-30",
            "2025-02-29",
            "20261204",
            "+026-12-04",
            "0000-01-01",
            "2026-12-04T",
            "2026-12-04T24:00",
            "2026-12-04T15",
            "2026-12-04T15:60",
            "2026-12-04 15:00",
            "2026-12-04T1:000",
            "tomorrow",
        ] {
            assert_eq!(Due::written(text), None, "{text}");
        }
        assert!("12026-12-04T15:00:00Z".parse::<Due>().is_err());
    }

    #[test]
    fn a_day_passes_when_it_is_over_and_a_minute_at_once() {
        let passes = |text: &str| Due::written(text).unwrap().passes().format("%Y-%m-%dT%H:%M").to_string();
        assert_eq!(
            (passes("2026-12-31"), passes("2026-12-31T15:00")),
            ("2027-01-01T00:00".into(), "2026-12-31T15:00".into())
        );
        assert_eq!(passes("9999-12-31"), "+10000-01-01T00:00");
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9T:+Z-]{0,20}") {
            _ = text.parse::<Due>();
        }
    }
}
