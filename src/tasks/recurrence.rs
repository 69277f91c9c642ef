//! Recurrence: how a task comes back after it is done, by the rules of RFC 5545, 3.3.10.
//!
//! A month or year without the day is left out: what recurs monthly on the 31st does so in seven months of the year, and
//! what recurs yearly on 29 February in leap years.

use std::fmt;

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// The most units between two occurrences.
const MAX_INTERVAL: u32 = 999;

/// How a task comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurrence {
    /// Units from one occurrence to the next, at least 1.
    interval: u32,
    unit: Unit,
    /// Whether it counts from the day the task is done, rather than from the day it is due.
    pub from_completion: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    /// On these days of the week or, if there are none, on that of the first occurrence.
    Week(DaysOfWeek),
    Month,
    Year,
}

/// Days of the week, a bit each, from Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DaysOfWeek(u8);

/// Monday to Friday.
const WORKDAYS: DaysOfWeek = DaysOfWeek(0b1_1111);

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl Recurrence {
    /// From what follows `repeat:`, such as `3mo`, `1w!`, `weekdays`, `mon,thu` or `2w:mon,thu`.
    pub fn short(text: &str) -> Option<Self> {
        let (rule, from_completion) = match text.strip_suffix('!') {
            Some(rule) => (rule, true),
            None => (text, false),
        };
        let (interval, unit) = match rule.split_once(':') {
            Some((weeks, days)) => match counted(weeks)? {
                (interval, Unit::Week(_)) => (interval, Unit::Week(DaysOfWeek::read(days.split(','))?)),
                _ => return None,
            },
            None if rule == "weekdays" => (1, Unit::Week(WORKDAYS)),
            None => match DaysOfWeek::read(rule.split(',')) {
                Some(days) => (1, Unit::Week(days)),
                None => counted(rule)?,
            },
        };
        Some(Self { interval, unit, from_completion })
    }

    /// From the words of a sentence, as Obsidian Tasks writes them: `every 2 weeks on Monday when done`.
    pub fn sentence(words: &[&str]) -> Option<Self> {
        let words: Vec<String> = words
            .iter()
            .flat_map(|word| word.split(','))
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (words, from_completion) = match &*words {
            [rule @ .., "when", "done"] => (rule, true),
            rule => (rule, false),
        };
        let ["every", words @ ..] = words else { return None };
        let (interval, words) = match words {
            ["other", rest @ ..] => (2, rest),
            [number, rest @ ..] if number.starts_with(|c: char| c.is_ascii_digit()) => (interval(number)?, rest),
            rest => (1, rest),
        };
        let days = |words: &[&str]| DaysOfWeek::read(words.iter().copied().filter(|word| *word != "and"));
        let unit = match words {
            ["day" | "days"] => Unit::Day,
            ["week" | "weeks"] => Unit::Week(DaysOfWeek(0)),
            ["week" | "weeks", "on", on @ ..] => Unit::Week(days(on)?),
            ["month" | "months"] => Unit::Month,
            ["year" | "years"] => Unit::Year,
            ["weekday" | "weekdays"] if interval == 1 => Unit::Week(WORKDAYS),
            on => Unit::Week(days(on)?),
        };
        Some(Self { interval, unit, from_completion })
    }

    /// The first occurrence after the one on `day`. None after the year 9999.
    pub fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        let interval = self.interval;
        let next = match self.unit {
            Unit::Day => day.checked_add_days(Days::new(interval.into())),
            Unit::Week(DaysOfWeek(0)) => day.checked_add_days(Days::new(7 * u64::from(interval))),
            Unit::Week(days) => days.after(day, interval),
            Unit::Month => months_after(day, interval),
            Unit::Year => months_after(day, 12 * interval),
        };
        next.filter(|next| next.year() <= 9999)
    }

    /// The same as RFC 5545 writes it in RRULE.
    pub fn rrule(self) -> String {
        let (frequency, days) = match self.unit {
            Unit::Day => ("DAILY", None),
            Unit::Week(days) => ("WEEKLY", Some(days).filter(|days| days.0 != 0)),
            Unit::Month => ("MONTHLY", None),
            Unit::Year => ("YEARLY", None),
        };
        let mut rule = format!("FREQ={frequency}");
        if self.interval > 1 {
            rule.push_str(&format!(";INTERVAL={}", self.interval));
        }
        if let Some(days) = days {
            let days: Vec<String> = days.iter().map(|day| day.to_string()[..2].to_ascii_uppercase()).collect();
            rule.push_str(&format!(";BYDAY={}", days.join(",")));
        }
        rule
    }
}

impl fmt::Display for Recurrence {
    /// As [`Recurrence::short`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interval = self.interval;
        match self.unit {
            Unit::Day => write!(f, "{interval}d")?,
            Unit::Week(DaysOfWeek(0)) => write!(f, "{interval}w")?,
            Unit::Week(WORKDAYS) if interval == 1 => f.write_str("weekdays")?,
            Unit::Week(days) if interval == 1 => write!(f, "{days}")?,
            Unit::Week(days) => write!(f, "{interval}w:{days}")?,
            Unit::Month => write!(f, "{interval}mo")?,
            Unit::Year => write!(f, "{interval}y")?,
        }
        f.write_str(if self.from_completion { "!" } else { "" })
    }
}

/// A number and a unit; the number may be left out.
fn counted(text: &str) -> Option<(u32, Unit)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "d" => Unit::Day,
        "w" => Unit::Week(DaysOfWeek(0)),
        "mo" => Unit::Month,
        "y" => Unit::Year,
        _ => return None,
    };
    Some((if number.is_empty() { 1 } else { interval(number)? }, unit))
}

fn interval(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|number| (1..=MAX_INTERVAL).contains(number))
}

/// The first day with the number of `day` in its month that is a multiple of `step` months later.
fn months_after(day: NaiveDate, step: u32) -> Option<NaiveDate> {
    let first = i64::from(day.year()) * 12 + i64::from(day.month0());
    // Every number of a day is met again within the 400 years after which the calendar repeats, or never.
    let month = |count: i64| first + count * i64::from(step);
    let months = (1..=4800).map(month).take_while(|month| *month < 10_000 * 12);
    months
        .filter_map(|month| {
            let year = i32::try_from(month.div_euclid(12)).ok()?;
            NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, day.day())
        })
        .next()
}

impl DaysOfWeek {
    /// From names of days: `mon` or `monday`.
    fn read<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut days = 0;
        for name in names {
            let name = name.to_ascii_lowercase();
            let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let index = full.iter().position(|full| name == *full || name == full[..3])?;
            days |= 1 << index;
        }
        Some(Self(days)).filter(|days| days.0 != 0)
    }

    fn iter(self) -> impl Iterator<Item = Weekday> {
        WEEK.into_iter().filter(move |day| self.has(*day))
    }

    fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_monday()) != 0
    }

    /// The first of these days after `day`: in the same week, which begins on Monday, else in the one `interval` weeks later.
    fn after(self, day: NaiveDate, interval: u32) -> Option<NaiveDate> {
        let past = u64::from(day.weekday().num_days_from_monday());
        let offset = |weekday: Weekday| u64::from(weekday.num_days_from_monday());
        let days = match self.iter().map(offset).find(|offset| *offset > past) {
            Some(later) => later - past,
            None => 7 * u64::from(interval) + self.iter().map(offset).next()? - past,
        };
        day.checked_add_days(Days::new(days))
    }
}

impl fmt::Display for DaysOfWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<String> = self.iter().map(|day| day.to_string().to_ascii_lowercase()).collect();
        f.write_str(&days.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn occurrences(rule: &str, first: &str, count: usize) -> Vec<String> {
        let rule = Recurrence::short(rule).unwrap_or_else(|| panic!("{rule} is a rule"));
        std::iter::successors(Some(day(first)), |day| rule.after(*day))
            .skip(1)
            .take(count)
            .map(|day| day.to_string())
            .collect()
    }

    #[test]
    fn occurrences_are_those_of_rfc_5545() {
        for (rule, first, expected) in [
            ("1d", "2026-12-31", &["2027-01-01", "2027-01-02"][..]),
            ("2w", "2026-12-28", &["2027-01-11", "2027-01-25"]),
            ("1mo", "2026-01-31", &["2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"]),
            ("1mo", "2026-01-29", &["2026-03-29"]),
            ("1mo", "2028-01-29", &["2028-02-29"]),
            ("3mo", "2026-11-30", &["2027-05-30", "2027-08-30", "2027-11-30", "2028-05-30"]),
            ("1y", "2024-02-29", &["2028-02-29", "2032-02-29"]),
            ("1y", "2096-02-29", &["2104-02-29"]),
            ("3y", "2024-02-29", &["2036-02-29"]),
            ("weekdays", "2026-12-04", &["2026-12-07", "2026-12-08"]),
            ("mon,thu", "2026-12-03", &["2026-12-07", "2026-12-10"]),
            // RFC 5545, 3.3.10: WEEKLY;INTERVAL=2;BYDAY=TU,SU with weeks that begin on Monday.
            ("2w:tue,sun", "1997-08-05", &["1997-08-10", "1997-08-19", "1997-08-24"]),
            ("1d", "9999-12-31", &[]),
            ("1mo", "9999-12-31", &[]),
        ] {
            assert_eq!(occurrences(rule, first, expected.len().max(1)), expected, "{rule} from {first}");
        }
    }

    #[test]
    fn rules_are_written_in_two_ways() {
        for (sentence, short) in [
            ("every day", "1d"),
            ("every 2 weeks", "2w"),
            ("every other week", "2w"),
            ("every 3 months when done", "3mo!"),
            ("every year", "1y"),
            ("every weekday", "weekdays"),
            ("every week on Monday, Thursday", "mon,thu"),
            ("every 2 weeks on Tue and Sun when done", "2w:tue,sun!"),
            ("every Friday", "fri"),
        ] {
            let words: Vec<&str> = sentence.split(' ').collect();
            let rule = Recurrence::sentence(&words).unwrap_or_else(|| panic!("{sentence} is a rule"));
            assert_eq!(rule.to_string(), short);
            assert_eq!(Recurrence::short(short), Some(rule));
        }
        for text in ["d", "w", "mo", "y"] {
            assert_eq!(Recurrence::short(text).map(|rule| rule.to_string()), Some(format!("1{text}")));
        }
    }

    #[test]
    fn other_texts_are_no_rules() {
        for text in
            ["", "!", "0d", "1000d", "1m", "3", "-1d", "2d:mon", "weekdays,mon", "mon,", "99999999999d", "1w:", "1 d"]
        {
            assert_eq!(Recurrence::short(text), None, "{text}");
        }
        for text in
            ["every", "every 0 days", "every 2 weekdays", "every day at noon", "each day", "every month on the 3rd", ""]
        {
            let words: Vec<&str> = text.split(' ').collect();
            assert_eq!(Recurrence::sentence(&words), None, "{text}");
        }
    }

    #[test]
    fn a_calendar_knows_them() {
        for (short, rrule) in [
            ("1d", "FREQ=DAILY"),
            ("3mo", "FREQ=MONTHLY;INTERVAL=3"),
            ("2w:mon,thu", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"),
        ] {
            assert_eq!(Recurrence::short(short).unwrap().rrule(), rrule);
        }
    }

    /// Whether `day` is in the recurrence set that begins on `first`, read off the text of RFC 5545.
    fn is_in_set(rule: Recurrence, first: NaiveDate, day: NaiveDate) -> bool {
        let interval = i64::from(rule.interval);
        let days = (day - first).num_days();
        let monday =
            |day: NaiveDate| i64::from(day.num_days_from_ce()) - i64::from(day.weekday().num_days_from_monday());
        let months = i64::from(day.year() - first.year()) * 12 + i64::from(day.month()) - i64::from(first.month());
        match rule.unit {
            Unit::Day => days % interval == 0,
            Unit::Week(DaysOfWeek(0)) => days % (7 * interval) == 0,
            Unit::Week(on) => on.has(day.weekday()) && (monday(day) - monday(first)) / 7 % interval == 0,
            Unit::Month => day.day() == first.day() && months % interval == 0,
            Unit::Year => (day.day(), day.month()) == (first.day(), first.month()) && months / 12 % interval == 0,
        }
    }

    fn rules() -> impl Strategy<Value = Recurrence> {
        let unit = prop_oneof![
            Just(Unit::Day),
            (0u8..128).prop_map(|days| Unit::Week(DaysOfWeek(days))),
            Just(Unit::Month),
            Just(Unit::Year),
        ];
        (1u32..40, unit, any::<bool>()).prop_map(|(interval, unit, from_completion)| Recurrence {
            interval,
            unit,
            from_completion,
        })
    }

    proptest! {
        #[test]
        fn the_next_occurrence_is_the_first_of_the_set(rule in rules(), first in 0i64..60_000) {
            let first = day("1950-01-01") + chrono::TimeDelta::days(first);
            let next = rule.after(first).unwrap();
            prop_assert!(next > first && is_in_set(rule, first, next), "{rule}: {next}");
            let none_between = first.iter_days().skip(1).take_while(|day| *day < next).all(|day| !is_in_set(rule, first, day));
            prop_assert!(none_between, "{rule} after {first}: {next}");
        }

        #[test]
        fn a_rule_survives_its_text(rule in rules()) {
            prop_assert_eq!(Recurrence::short(&rule.to_string()), Some(rule));
        }

        #[test]
        fn reading_never_panics(text in "[0-9a-z,:!]{0,12}", words in "[0-9a-z, é]{0,30}") {
            _ = Recurrence::short(&text);
            _ = Recurrence::sentence(&words.split(' ').collect::<Vec<_>>());
        }
    }
}
