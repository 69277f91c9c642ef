//! What PostgreSQL sends in a column, as the values a guest gets.

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::types::{self as wire, Range, RangeBound};
use postgres_types::{FromSql, Kind, Type};

use super::{Malformed, base, calendar, is_text, numeric};
use crate::host::postgres::bindings::v4::{DbDataType, DbValue, Interval, RangeBoundKind};

/// Reads one value that is not NULL from its binary form.
pub type Decoder = fn(&[u8]) -> Result<DbValue, Unreadable>;

/// Why a guest cannot have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Infinite dates and times have no place in the interface's tuples.
    Infinite,
    /// Arrays of arrays have no place in the interface's lists.
    Nested,
    /// Bytes that are not what the type says.
    Malformed,
}

impl Unreadable {
    /// What is wrong with the value and what to do about it.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Infinite => "is infinite, which the interface cannot express; cast it to text or leave such rows out",
            Self::Nested => "has more than one dimension, which the interface cannot express; cast it to text",
            Self::Malformed => "is not in the form of its type",
        }
    }
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Box<dyn std::error::Error + Sync + Send>> for Unreadable {
    fn from(_: Box<dyn std::error::Error + Sync + Send>) -> Self {
        Self::Malformed
    }
}

/// A column's bytes as they came, whatever its type.
pub struct Raw<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What a guest is told about a column of type `ty`, and how its values are read. A type the interface has no value for
/// is `other`, its values `unsupported` with the bytes as they came.
pub fn describe(ty: &Type) -> (DbDataType, Decoder) {
    let ty = base(ty);
    match *ty {
        Type::BOOL => (DbDataType::Boolean, |raw| Ok(DbValue::Boolean(wire::bool_from_sql(raw)?))),
        Type::INT2 => (DbDataType::Int16, |raw| Ok(DbValue::Int16(wire::int2_from_sql(raw)?))),
        Type::INT4 => (DbDataType::Int32, |raw| Ok(DbValue::Int32(int4(raw)?))),
        Type::INT8 => (DbDataType::Int64, |raw| Ok(DbValue::Int64(int8(raw)?))),
        Type::FLOAT4 => (DbDataType::Floating32, |raw| Ok(DbValue::Floating32(wire::float4_from_sql(raw)?))),
        Type::FLOAT8 => (DbDataType::Floating64, |raw| Ok(DbValue::Floating64(wire::float8_from_sql(raw)?))),
        Type::NUMERIC => (DbDataType::Decimal, |raw| Ok(DbValue::Decimal(decimal(raw)?))),
        Type::CHAR => (DbDataType::Str, internal_char),
        Type::BYTEA => (DbDataType::Binary, |raw| Ok(DbValue::Binary(raw.to_vec()))),
        Type::DATE => (DbDataType::Date, date),
        Type::TIME => (DbDataType::Time, time),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => (DbDataType::Datetime, datetime),
        Type::INTERVAL => (DbDataType::Interval, interval),
        Type::UUID => {
            (DbDataType::Uuid, |raw| Ok(DbValue::Uuid(uuid::Uuid::from_bytes(wire::uuid_from_sql(raw)?).to_string())))
        }
        Type::JSONB => (DbDataType::Jsonb, jsonb),
        Type::JSON => (DbDataType::Jsonb, |raw| Ok(DbValue::Jsonb(raw.to_vec()))),
        Type::INT4_RANGE => (DbDataType::RangeInt32, |raw| Ok(DbValue::RangeInt32(range(raw, 0, int4)?))),
        Type::INT8_RANGE => (DbDataType::RangeInt64, |raw| Ok(DbValue::RangeInt64(range(raw, 0, int8)?))),
        Type::NUM_RANGE => {
            (DbDataType::RangeDecimal, |raw| Ok(DbValue::RangeDecimal(range(raw, "0".to_owned(), decimal)?)))
        }
        Type::INT4_ARRAY => (DbDataType::ArrayInt32, |raw| Ok(DbValue::ArrayInt32(array(raw, int4)?))),
        Type::INT8_ARRAY => (DbDataType::ArrayInt64, |raw| Ok(DbValue::ArrayInt64(array(raw, int8)?))),
        Type::NUMERIC_ARRAY => (DbDataType::ArrayDecimal, |raw| Ok(DbValue::ArrayDecimal(array(raw, decimal)?))),
        _ if is_text(ty) => (DbDataType::Str, |raw| Ok(DbValue::Str(text(raw)?))),
        _ if matches!(ty.kind(), Kind::Array(element) if is_text(base(element))) => {
            (DbDataType::ArrayStr, |raw| Ok(DbValue::ArrayStr(array(raw, text)?)))
        }
        _ => (DbDataType::Other(ty.name().to_owned()), |raw| Ok(DbValue::Unsupported(raw.to_vec()))),
    }
}

fn int4(raw: &[u8]) -> Result<i32, Unreadable> {
    Ok(wire::int4_from_sql(raw)?)
}

fn int8(raw: &[u8]) -> Result<i64, Unreadable> {
    Ok(wire::int8_from_sql(raw)?)
}

fn decimal(raw: &[u8]) -> Result<String, Unreadable> {
    Ok(numeric::decode(raw)?)
}

fn text(raw: &[u8]) -> Result<String, Unreadable> {
    Ok(wire::text_from_sql(raw)?.to_owned())
}

/// `"char"` as PostgreSQL 16 prints it: a byte beyond ASCII as an octal escape, zero as nothing.
fn internal_char(raw: &[u8]) -> Result<DbValue, Unreadable> {
    match raw {
        [0] => Ok(DbValue::Str(String::new())),
        [byte] if byte.is_ascii() => Ok(DbValue::Str(char::from(*byte).into())),
        [byte] => Ok(DbValue::Str(format!("\\{byte:03o}"))),
        _ => Err(Unreadable::Malformed),
    }
}

fn date(raw: &[u8]) -> Result<DbValue, Unreadable> {
    match wire::date_from_sql(raw)? {
        i32::MIN | i32::MAX => Err(Unreadable::Infinite),
        days => Ok(DbValue::Date(calendar::date_from_days(days))),
    }
}

fn time(raw: &[u8]) -> Result<DbValue, Unreadable> {
    let time = calendar::time_from_micros(wire::time_from_sql(raw)?);
    time.map(DbValue::Time).ok_or(Unreadable::Malformed)
}

fn datetime(raw: &[u8]) -> Result<DbValue, Unreadable> {
    match wire::timestamp_from_sql(raw)? {
        i64::MIN | i64::MAX => Err(Unreadable::Infinite),
        micros => {
            let ((year, month, day), (hour, minute, second, nanos)) =
                calendar::datetime_from_micros(micros).ok_or(Unreadable::Malformed)?;
            Ok(DbValue::Datetime((year, month, day, hour, minute, second, nanos)))
        }
    }
}

fn interval(raw: &[u8]) -> Result<DbValue, Unreadable> {
    let (micros, rest) = raw.split_first_chunk::<8>().ok_or(Unreadable::Malformed)?;
    let (days, months) = rest.split_first_chunk::<4>().ok_or(Unreadable::Malformed)?;
    let months = months.try_into().map_err(|_| Unreadable::Malformed)?;
    Ok(DbValue::Interval(Interval {
        micros: i64::from_be_bytes(*micros),
        days: i32::from_be_bytes(*days),
        months: i32::from_be_bytes(months),
    }))
}

/// The binary form is a version, always 1, and the text.
fn jsonb(raw: &[u8]) -> Result<DbValue, Unreadable> {
    match raw {
        [1, text @ ..] => Ok(DbValue::Jsonb(text.to_vec())),
        _ => Err(Unreadable::Malformed),
    }
}

type Bound<T> = Option<(T, RangeBoundKind)>;

/// A range's bounds, none where it has no end. The interface has no empty range; it gets `[zero, zero)`, which is one
/// that PostgreSQL reads back as empty, while no bounds at all would mean every value.
fn range<T: Clone>(
    raw: &[u8],
    zero: T,
    decode: fn(&[u8]) -> Result<T, Unreadable>,
) -> Result<(Bound<T>, Bound<T>), Unreadable> {
    let bound = |bound| match bound {
        RangeBound::Inclusive(Some(raw)) => Ok(Some((decode(raw)?, RangeBoundKind::Inclusive))),
        RangeBound::Exclusive(Some(raw)) => Ok(Some((decode(raw)?, RangeBoundKind::Exclusive))),
        RangeBound::Unbounded => Ok(None),
        RangeBound::Inclusive(None) | RangeBound::Exclusive(None) => Err(Unreadable::Malformed),
    };
    match wire::range_from_sql(raw)? {
        Range::Empty => Ok((Some((zero.clone(), RangeBoundKind::Inclusive)), Some((zero, RangeBoundKind::Exclusive)))),
        Range::Nonempty(lower, upper) => Ok((bound(lower)?, bound(upper)?)),
    }
}

fn array<T>(raw: &[u8], decode: fn(&[u8]) -> Result<T, Unreadable>) -> Result<Vec<Option<T>>, Unreadable> {
    let array = wire::array_from_sql(raw)?;
    if array.dimensions().count()? > 1 {
        return Err(Unreadable::Nested);
    }
    let mut values = array.values();
    // The count is the server's word; the bytes are there already, at least four for each element.
    let mut decoded = Vec::with_capacity(values.size_hint().0.min(raw.len() / 4));
    while let Some(value) = values.next()? {
        decoded.push(value.map(decode).transpose()?);
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(ty: &Type, raw: &[u8]) -> Result<DbValue, Unreadable> {
        describe(ty).1(raw)
    }

    #[test]
    fn infinite_times_are_refused() {
        for raw in [i32::MIN, i32::MAX] {
            assert!(matches!(decode(&Type::DATE, &raw.to_be_bytes()), Err(Unreadable::Infinite)));
        }
        for raw in [i64::MIN, i64::MAX] {
            for ty in [Type::TIMESTAMP, Type::TIMESTAMPTZ] {
                assert!(matches!(decode(&ty, &raw.to_be_bytes()), Err(Unreadable::Infinite)));
            }
        }
    }

    #[test]
    fn an_internal_char_prints_as_postgres_prints_it() {
        for (raw, text) in [(b'a', "a"), (0, ""), (0o377, "\\377")] {
            assert!(matches!(decode(&Type::CHAR, &[raw]), Ok(DbValue::Str(value)) if value == text));
        }
    }

    #[test]
    fn an_unknown_type_keeps_its_name_and_bytes() {
        let (data_type, decode) = describe(&Type::INET);
        assert!(matches!(data_type, DbDataType::Other(name) if name == "inet"));
        assert!(matches!(decode(&[1, 2]), Ok(DbValue::Unsupported(bytes)) if bytes == [1, 2]));
    }

    #[test]
    fn a_domain_is_read_as_what_it_is_made_of() {
        let domain = Type::new("email".into(), 99_999, Kind::Domain(Type::TEXT), "public".into());
        assert!(matches!(describe(&domain).0, DbDataType::Str));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw in proptest::collection::vec(any::<u8>(), 0..48)) {
            for ty in [
                Type::BOOL, Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::NUMERIC, Type::CHAR, Type::DATE,
                Type::TIME, Type::TIMESTAMPTZ, Type::INTERVAL, Type::UUID, Type::JSONB, Type::INT4_RANGE, Type::INT8_RANGE,
                Type::NUM_RANGE, Type::INT4_ARRAY, Type::INT8_ARRAY, Type::NUMERIC_ARRAY, Type::TEXT_ARRAY, Type::TEXT,
            ] {
                let _ = decode(&ty, &raw);
            }
        }
    }
}
