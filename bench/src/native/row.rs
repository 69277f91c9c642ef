//! Columns of the types the wiki's library wants.

use chrono::DateTime;
use postgres_types::{FromSql, Type};
use wiki::time::Time;

/// Microseconds from 1970 to 2000, which PostgreSQL counts from (manual, 8.5).
const EPOCH_OF_POSTGRES: i64 = 946_684_800_000_000;

/// A `timestamp` taken as UTC.
pub struct Timestamp(pub Time);

impl<'a> FromSql<'a> for Timestamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        let time = micros.checked_add(EPOCH_OF_POSTGRES).and_then(DateTime::from_timestamp_micros);
        Ok(Self(time.ok_or("a time that cannot be written")?.naive_utc().into()))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_postgresql_sends_it() {
        let read = |micros: i64| Timestamp::from_sql(&Type::TIMESTAMP, &micros.to_be_bytes());
        assert_eq!(read(0).unwrap().0.to_string(), "2000-01-01T00:00:00.000000Z");
        assert_eq!(read(-1).unwrap().0.to_string(), "1999-12-31T23:59:59.999999Z");
        assert!(read(i64::MAX).is_err());
    }
}
