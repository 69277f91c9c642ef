//! Times as programs and people write them in front matter.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use wiki_types::Time;

const WITH_OFFSET: [&str; 5] = [
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y-%m-%d %H:%M %z",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%a, %d %b %Y %H:%M:%S %z",
];

const LOCAL: [&str; 12] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%B %d, %Y %I:%M %p",
    "%B %d, %Y %H:%M",
    "%B %d %Y, %I:%M:%S %p",
    "%B %d %Y, %I:%M %p",
    "%d %B %Y %H:%M",
    "%d.%m.%Y %H:%M",
];

const DAY: [&str; 7] = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%B %d, %Y", "%B %d %Y", "%d %B %Y", "%d.%m.%Y"];

/// The time as RFC 3339 writes it. One without an offset is taken as UTC, and a day as its beginning.
pub fn read(text: &str) -> Result<String, String> {
    let text = text.trim();
    let time = match DateTime::parse_from_rfc3339(text) {
        // As it is, so that an export keeps what it says.
        Ok(_) => text.to_owned(),
        Err(_) => {
            let time = parse(&usual(text));
            let example = "must be a time, as in 2026-05-01 or 2026-05-01T12:00:00Z";
            time.ok_or(example)?.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        }
    };
    Time::past(&time).map(|_| time).map_err(|wrong| wrong.to_string())
}

fn parse(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = || WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    let local = || LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let day = || DAY.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok());
    let seconds = || text.parse().ok().filter(|_| text.len() == 10).and_then(|it| DateTime::from_timestamp(it, 0));
    let millis = || text.parse().ok().filter(|_| text.len() == 13).and_then(DateTime::from_timestamp_millis);
    with_offset()
        .map(|time| time.to_utc())
        .or_else(|| local().map(|time| time.and_utc()))
        .or_else(|| day().map(|day| day.and_time(NaiveTime::MIN).and_utc()))
        .or_else(seconds)
        .or_else(millis)
}

/// Without the day of the week and the endings of ordinal numbers, and with an offset in digits.
fn usual(text: &str) -> String {
    let text =
        text.strip_suffix(" UTC").or(text.strip_suffix(" GMT")).map_or(text.to_owned(), |it| format!("{it} +0000"));
    let words = text.split_whitespace().filter(|word| {
        let word = word.trim_end_matches(',');
        !(word.len() >= 6 && word.ends_with("day") && word.chars().all(char::is_alphabetic))
    });
    let words = words.map(|word| {
        let number = word.trim_end_matches(',').trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_ordinal = matches!(word.trim_end_matches(',').strip_prefix(number), Some("st" | "nd" | "rd" | "th"));
        match is_ordinal && number.chars().all(|c| c.is_ascii_digit()) && !number.is_empty() {
            true => format!("{number}{}", if word.ends_with(',') { "," } else { "" }),
            false => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, time) in [
            ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"),
            ("2024-05-01T12:00:00.123456Z", "2024-05-01T12:00:00.123456Z"),
            ("2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00+02:00"),
            ("2024-05-01", "2024-05-01T00:00:00Z"),
            ("2024/05/01", "2024-05-01T00:00:00Z"),
            ("20240501", "2024-05-01T00:00:00Z"),
            ("01.05.2024", "2024-05-01T00:00:00Z"),
            ("1 May 2024", "2024-05-01T00:00:00Z"),
            ("2024-05-01 12:30", "2024-05-01T12:30:00Z"),
            ("2024-05-01T12:30", "2024-05-01T12:30:00Z"),
            ("2024-05-01 12:30:15", "2024-05-01T12:30:15Z"),
            ("2024-05-01 12:30:15 +0200", "2024-05-01T10:30:15Z"),
            ("2024-05-01 12:30:15 +02:00", "2024-05-01T10:30:15Z"),
            ("2024-05-01 12:30:15 UTC", "2024-05-01T12:30:15Z"),
            ("2024-05-01T12:30:15+0200", "2024-05-01T10:30:15Z"),
            ("May 1, 2024 1:05 PM", "2024-05-01T13:05:00Z"),
            ("May 1, 2024", "2024-05-01T00:00:00Z"),
            ("Wednesday, May 1st 2024, 1:05:10 pm", "2024-05-01T13:05:10Z"),
            ("Wed, 01 May 2024 12:00:00 GMT", "2024-05-01T12:00:00Z"),
            ("1714564800", "2024-05-01T12:00:00Z"),
            ("1714564800000", "2024-05-01T12:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(time), "{text}");
        }
        for (text, message) in [
            ("yesterday", "must be a time"),
            ("", "must be a time"),
            ("{{date}}", "must be a time"),
            ("2024-02-30", "must be a time"),
            ("2999-01-01", "must not be in the future"),
        ] {
            assert!(read(text).unwrap_err().starts_with(message), "{text}: {:?}", read(text));
        }
    }
}
