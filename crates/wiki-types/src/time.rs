//! Times as clients see them: RFC 3339, UTC, to the microsecond PostgreSQL keeps.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Due;
use crate::rules::{self, Wrong};

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Time(DateTime<Utc>);

impl Time {
    /// 1970-01-01T00:00:00Z
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// The host's clock.
    pub fn now() -> Self {
        Self(Utc::now())
    }

    /// The instant RFC 3339 writes as `text`, in any offset, if it is not in the future, or before 1970.
    pub fn past(text: &str) -> Result<Self, Wrong> {
        rules::past(text, Utc::now()).map(Self)
    }

    /// The instant RFC 3339 writes as `text`, in any offset, if it is in the future and at most `days` away.
    pub fn within_days(text: &str, days: i64) -> Result<Self, Wrong> {
        let message = || Wrong::from(format!("must be a time within the next {days} days, as in 2030-01-31T12:00:00Z"));
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| message())?.to_utc();
        let now = Utc::now();
        if now < time && time <= now + TimeDelta::days(days) { Ok(Self(time)) } else { Err(message()) }
    }

    /// The first or, at its `end`, the last microsecond of the day that `text` names, as in `2026-11-22`, in UTC; or the
    /// instant that RFC 3339 writes so.
    pub fn of_day(text: &str, end: bool) -> Result<Self, Wrong> {
        let time = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            // RFC 3339 has four digits for a year, and chrono takes any number.
            Ok(day) if text.len() == 10 => {
                let day = day.and_time(NaiveTime::MIN).and_utc();
                if end { day + TimeDelta::days(1) - TimeDelta::microseconds(1) } else { day }
            }
            _ => DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).map_err(|_| Self::no_day())?,
        };
        if Self::is_storable(time.timestamp_micros()) { Ok(Self(time)) } else { Err(Self::no_day()) }
    }

    fn no_day() -> Wrong {
        "must be a day, as in 2026-01-31, or a time, as in 2026-01-31T12:00:00Z".into()
    }

    /// What is due at this instant: the minute or, if it `is_day`, the day that begins with it, in UTC.
    pub fn due(self, is_day: bool) -> Due {
        Due::at(self.0.naive_utc(), is_day)
    }

    /// Its day in UTC.
    pub fn date(self) -> NaiveDate {
        self.0.date_naive()
    }

    /// So many days from now.
    pub fn in_days(days: i64) -> Self {
        Self(Utc::now() + TimeDelta::days(days))
    }

    /// Whether an instant that may have been stored is so many microseconds after 1970: one from the year 1 to the year
    /// 9999, which RFC 3339, this type and PostgreSQL's `timestamptz` can all express.
    pub fn is_storable(micros: i64) -> bool {
        DateTime::from_timestamp_micros(micros).is_some_and(|time| (1..=9999).contains(&time.year()))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// For a person: `22 Nov 2026, 04:33 UTC`.
    pub fn readable(self) -> impl fmt::Display {
        self.0.format("%-d %b %Y, %H:%M UTC")
    }

    /// How long before `now` it was, for a person: `3 days ago`; a day after a month, as in `22 Nov 2026`.
    pub fn ago(self, now: Self) -> String {
        let minutes = (now.0 - self.0).num_minutes();
        let counted = |number: i64, one: &str| format!("{number} {one}{} ago", if number == 1 { "" } else { "s" });
        match minutes {
            // Clocks may differ a little.
            ..1 => "just now".to_owned(),
            1..60 => counted(minutes, "minute"),
            60..1440 => counted(minutes / 60, "hour"),
            1440..43200 => counted(minutes / 1440, "day"),
            _ => format!("on {}", self.short_day()),
        }
    }

    /// Its day in UTC, for a person: `22 November 2026`.
    pub fn day(self) -> String {
        self.0.format("%-d %B %Y").to_string()
    }

    /// The same in short: `22 Nov 2026`.
    pub fn short_day(self) -> String {
        self.0.format("%-d %b %Y").to_string()
    }

    /// Its time of day in UTC, for a person: `04:33`.
    pub fn clock(self) -> impl fmt::Display {
        self.0.format("%H:%M")
    }

    /// To the second, as iCalendar writes it: `20261122T043310Z`.
    pub fn basic(self) -> String {
        self.0.format("%Y%m%dT%H%M%SZ").to_string()
    }

    /// To the second, as the `datetime` attribute takes it, which has no microseconds: `2026-11-22T04:33:10Z`.
    pub fn to_seconds(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

impl From<NaiveDateTime> for Time {
    /// The instant a PostgreSQL `timestamp` names when it is taken as UTC.
    fn from(utc: NaiveDateTime) -> Self {
        Self(utc.and_utc())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text).map(|time| Self(time.to_utc())).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_how_long_ago_something_was() {
        let now = Time::past("2026-11-22T10:00:00Z").unwrap();
        for (then, words) in [
            ("2026-11-22T10:00:30Z", "just now"),
            ("2026-11-22T09:59:30Z", "just now"),
            ("2026-11-22T09:59:00Z", "1 minute ago"),
            ("2026-11-22T09:00:01Z", "59 minutes ago"),
            ("2026-11-22T08:30:00Z", "1 hour ago"),
            ("2026-11-21T10:00:01Z", "23 hours ago"),
            ("2026-11-19T10:00:00Z", "3 days ago"),
            ("2026-10-22T10:00:00Z", "on 22 Oct 2026"),
        ] {
            assert_eq!(Time::past(then).unwrap().ago(now), words, "{then}");
        }
    }

    #[test]
    fn times_are_set_for_people_and_for_machines() {
        let time = Time(DateTime::from_timestamp_micros(1_795_235_590_123_456).unwrap());
        assert_eq!(time.to_string(), "2026-11-21T04:33:10.123456Z");
        assert_eq!(time.readable().to_string(), "21 Nov 2026, 04:33 UTC");
        assert_eq!((time.day(), time.clock().to_string()), ("21 November 2026".into(), "04:33".into()));
        assert_eq!(time.to_seconds(), "2026-11-21T04:33:10Z");
        assert_eq!((time.basic(), time.short_day()), ("20261121T043310Z".into(), "21 Nov 2026".into()));
    }

    #[test]
    fn what_expires_does_so_within_its_days() {
        assert!(Time::within_days(&Time::in_days(29).to_string(), 30).is_ok());
        for text in [&Time::now().to_string(), &Time::in_days(31).to_string(), "tomorrow", ""] {
            assert!(Time::within_days(text, 30).is_err(), "{text}");
        }
    }

    #[test]
    fn microseconds_of_other_ages_are_no_times() {
        let micros = |text| DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
        let (first, last) = (micros("0001-01-01T00:00:00Z"), micros("9999-12-31T23:59:59.999999Z"));
        for micros in [first, -1, 0, last] {
            assert!(Time::is_storable(micros), "{micros}");
        }
        for micros in [first - 1, last + 1, i64::MIN, i64::MAX] {
            assert!(!Time::is_storable(micros), "{micros}");
        }
    }
}
