//! PostgreSQL's dates and times, which count from 2000-01-01, as years, months, days and back.
//!
//! The calendar is the proleptic Gregorian one with a year 0, as in ISO 8601; PostgreSQL writes that year 1 BC. Its
//! dates reach the year 5874897, further than the date libraries do.

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// 2000-01-01T00:00:00Z in seconds since 1970-01-01T00:00:00Z.
const EPOCH_OFFSET: i64 = 946_684_800;

/// Year, month, day.
pub type Date = (i32, u8, u8);
/// Hour, minute, second, nanosecond.
pub type Time = (u8, u8, u8, u32);

/// The date `days` after 2000-01-01. PostgreSQL's days are 32 bits wide, so the year always fits.
///
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: eras of 400 years that begin on
/// 1 March, so that the leap day is the last of its year.
pub fn date_from_days(days: i32) -> Date {
    let days = i64::from(days) + 730_425;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year as i32, month as u8, day as u8)
}

/// The days from 2000-01-01 to a date; none if there is no such date or PostgreSQL cannot count that far.
pub fn days_from_date((year, month, day): Date) -> Option<i32> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (i64::from(month) + 9).rem_euclid(12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = year.div_euclid(400) * 146_097 + day_of_era - 730_425;
    // The ends are PostgreSQL's -infinity and infinity.
    i32::try_from(days).ok().filter(|days| !matches!(*days, i32::MIN | i32::MAX))
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The time of day `micros` after midnight; none outside a day. 24:00:00 is a time, as in PostgreSQL.
pub fn time_from_micros(micros: i64) -> Option<Time> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return None;
    }
    let seconds = micros / MICROS_PER_SECOND;
    let nanos = (micros % MICROS_PER_SECOND) * 1_000;
    Some(((seconds / 3_600) as u8, (seconds / 60 % 60) as u8, (seconds % 60) as u8, nanos as u32))
}

/// The microseconds from midnight to a time of day, the rest of the nanoseconds cut off; none if there is no such time.
pub fn micros_from_time((hour, minute, second, nanos): Time) -> Option<i64> {
    let ordinary = hour < 24 && minute < 60 && second < 60 && nanos < 1_000_000_000;
    let end_of_day = (hour, minute, second, nanos) == (24, 0, 0, 0);
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    (ordinary || end_of_day).then(|| seconds * MICROS_PER_SECOND + i64::from(nanos / 1_000))
}

/// The date and time `micros` after 2000-01-01T00:00:00; none beyond the dates PostgreSQL has.
pub fn datetime_from_micros(micros: i64) -> Option<(Date, Time)> {
    let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?;
    Some((date_from_days(days), time_from_micros(micros.rem_euclid(MICROS_PER_DAY))?))
}

/// The microseconds from 2000-01-01T00:00:00 to a date and time; none if there is no such time or it is too far away.
pub fn micros_from_datetime(date: Date, time: Time) -> Option<i64> {
    let micros = i64::from(days_from_date(date)?).checked_mul(MICROS_PER_DAY)?.checked_add(micros_from_time(time)?)?;
    // The ends are PostgreSQL's -infinity and infinity.
    (!matches!(micros, i64::MIN | i64::MAX)).then_some(micros)
}

/// The microseconds from 2000-01-01T00:00:00Z to `seconds` after 1970-01-01T00:00:00Z; none if that is too far away.
pub fn micros_from_unix(seconds: i64) -> Option<i64> {
    seconds.checked_sub(EPOCH_OFFSET)?.checked_mul(MICROS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use chrono::Datelike as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(date_from_days(0), (2000, 1, 1));
        assert_eq!(date_from_days(-1), (1999, 12, 31));
        assert_eq!(date_from_days(59), (2000, 2, 29));
        assert_eq!(days_from_date((5_874_897, 12, 31)), Some(2_145_031_948));
        assert_eq!(date_from_days(2_145_031_948), (5_874_897, 12, 31));
        assert_eq!(days_from_date((-4712, 1, 1)), Some(-2_451_507));
    }

    #[test]
    fn what_is_no_date_or_time_is_refused() {
        for date in
            [(2023, 2, 29), (1900, 2, 29), (2024, 0, 1), (2024, 13, 1), (2024, 4, 31), (2024, 1, 0), (i32::MAX, 1, 1)]
        {
            assert_eq!(days_from_date(date), None, "{date:?}");
        }
        for time in [(24, 0, 0, 1), (25, 0, 0, 0), (0, 60, 0, 0), (0, 0, 60, 0), (0, 0, 0, 1_000_000_000)] {
            assert_eq!(micros_from_time(time), None, "{time:?}");
        }
        assert_eq!(micros_from_datetime((400_000, 1, 1), (0, 0, 0, 0)), None);
        assert_eq!(micros_from_unix(i64::MAX), None);
        assert_eq!(micros_from_unix(i64::MIN), None);
    }

    #[test]
    fn midnight_has_two_names() {
        assert_eq!(time_from_micros(MICROS_PER_DAY), Some((24, 0, 0, 0)));
        assert_eq!(micros_from_time((24, 0, 0, 0)), Some(MICROS_PER_DAY));
        assert_eq!(time_from_micros(MICROS_PER_DAY + 1), None);
    }

    proptest! {
        #[test]
        fn dates_agree_with_chrono(days in -90_000_000i32..90_000_000) {
            let epoch = chrono::NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
            let chrono = epoch.checked_add_signed(chrono::TimeDelta::days(i64::from(days))).unwrap();
            prop_assert_eq!(date_from_days(days), (chrono.year(), chrono.month() as u8, chrono.day() as u8));
        }

        #[test]
        fn every_day_comes_back(days in i32::MIN + 1..i32::MAX) {
            prop_assert_eq!(days_from_date(date_from_days(days)), Some(days));
        }

        #[test]
        fn every_time_comes_back(micros in -211_813_488_000_000_000i64..9_223_371_331_200_000_000) {
            let (date, time) = datetime_from_micros(micros).unwrap();
            prop_assert_eq!(micros_from_datetime(date, time), Some(micros));
        }

        #[test]
        fn a_date_is_either_refused_or_comes_back(year in -10_000i32..10_000, month: u8, day: u8) {
            if let Some(days) = days_from_date((year, month, day)) {
                prop_assert_eq!(date_from_days(days), (year, month, day));
            }
        }
    }
}
