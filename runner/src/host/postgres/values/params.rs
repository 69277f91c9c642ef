//! A guest's parameters, in the form that the type PostgreSQL inferred for their place takes.
//!
//! Numbers widen where nothing can be lost. What PostgreSQL reads better itself, exact decimals above all, goes as text.

use std::fmt;

use bytes::{BufMut as _, BytesMut};
use postgres_protocol::types::{self as wire, ArrayDimension, RangeBound};
use postgres_types::{Format, IsNull, ToSql, Type};

use super::{base, calendar, numeric};
use crate::host::postgres::bindings::v4::{ParameterValue, RangeBoundKind};

/// One parameter in its place.
pub struct Param<'a> {
    /// From 1, as in `$1`.
    pub number: usize,
    /// What the guest gave.
    pub value: &'a ParameterValue,
}

/// A parameter that does not fit its place. The message has the place, what was given and what is wanted, not the value.
#[derive(Debug)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

// The driver logs parameters at debug level; values may be secret.
impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}: {}", self.number, name(self.value))
    }
}

/// Why a value was not written.
enum Misfit {
    /// No such value can be of that type.
    Type,
    /// This one is not what its kind promises, such as a `uuid` that is none.
    Value,
}

impl From<Box<dyn std::error::Error + Sync + Send>> for Misfit {
    fn from(_: Box<dyn std::error::Error + Sync + Send>) -> Self {
        Self::Value
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let (number, given) = (self.number, name(self.value));
        write(self.value, base(ty), out).map_err(|misfit| {
            Refused(match misfit {
                Misfit::Type => format!(
                    "parameter ${number}: {given} was given where the statement takes {wanted}; give {advice} or cast it in the statement",
                    wanted = ty.name(),
                    advice = advice(base(ty)),
                ),
                Misfit::Value => format!("parameter ${number}: the value given is not a valid {given}"),
            })
            .into()
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        let text = match self.value {
            ParameterValue::Str(_)
            | ParameterValue::Jsonb(_)
            | ParameterValue::Decimal(_)
            | ParameterValue::RangeDecimal(_)
            | ParameterValue::ArrayDecimal(_)
            | ParameterValue::ArrayStr(_) => true,
            ParameterValue::Int8(_)
            | ParameterValue::Int16(_)
            | ParameterValue::Int32(_)
            | ParameterValue::Int64(_) => *base(ty) == Type::NUMERIC,
            _ => false,
        };
        if text { Format::Text } else { Format::Binary }
    }
}

/// Writes `value` in the format [`Param::encode_format`] announces.
fn write(value: &ParameterValue, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Misfit> {
    match value {
        ParameterValue::DbNull => return Ok(IsNull::Yes),
        ParameterValue::Boolean(v) if *ty == Type::BOOL => wire::bool_to_sql(*v, out),
        ParameterValue::Int8(v) if *ty == Type::CHAR => wire::char_to_sql(*v, out),
        ParameterValue::Int8(v) => integer((*v).into(), 1, ty, out)?,
        ParameterValue::Int16(v) => integer((*v).into(), 2, ty, out)?,
        ParameterValue::Int32(v) => integer((*v).into(), 4, ty, out)?,
        ParameterValue::Int64(v) => integer(*v, 8, ty, out)?,
        ParameterValue::Floating32(v) if *ty == Type::FLOAT4 => wire::float4_to_sql(*v, out),
        ParameterValue::Floating32(v) if *ty == Type::FLOAT8 => wire::float8_to_sql((*v).into(), out),
        ParameterValue::Floating64(v) if *ty == Type::FLOAT8 => wire::float8_to_sql(*v, out),
        // Every type but bytea has one text form; there the text could be read in two ways.
        ParameterValue::Str(v) if *ty != Type::BYTEA => wire::text_to_sql(v, out),
        ParameterValue::Binary(v) if *ty == Type::BYTEA => wire::bytea_to_sql(v, out),
        ParameterValue::Date(v) if *ty == Type::DATE => {
            wire::date_to_sql(calendar::days_from_date(*v).ok_or(Misfit::Value)?, out);
        }
        ParameterValue::Time(v) if *ty == Type::TIME => {
            wire::time_to_sql(calendar::micros_from_time(*v).ok_or(Misfit::Value)?, out);
        }
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanos)) if is_timestamp(ty) => {
            let micros = calendar::micros_from_datetime((*year, *month, *day), (*hour, *minute, *second, *nanos));
            wire::timestamp_to_sql(micros.ok_or(Misfit::Value)?, out);
        }
        ParameterValue::Timestamp(v) if is_timestamp(ty) => {
            wire::timestamp_to_sql(calendar::micros_from_unix(*v).ok_or(Misfit::Value)?, out);
        }
        ParameterValue::Uuid(v) if *ty == Type::UUID => {
            wire::uuid_to_sql(uuid::Uuid::try_parse(v).map_err(|_| Misfit::Value)?.into_bytes(), out);
        }
        ParameterValue::Jsonb(v) if matches!(*ty, Type::JSONB | Type::JSON) => out.put_slice(v),
        ParameterValue::Decimal(v) if *ty == Type::NUMERIC => decimal(v, out)?,
        ParameterValue::RangeInt32((lower, upper)) => match *ty {
            Type::INT4_RANGE => range(*lower, *upper, wire::int4_to_sql, out)?,
            Type::INT8_RANGE => range(*lower, *upper, |v, out| wire::int8_to_sql(v.into(), out), out)?,
            _ => return Err(Misfit::Type),
        },
        ParameterValue::RangeInt64((lower, upper)) if *ty == Type::INT8_RANGE => {
            range(*lower, *upper, wire::int8_to_sql, out)?;
        }
        ParameterValue::RangeDecimal((lower, upper)) if *ty == Type::NUM_RANGE => decimal_range(lower, upper, out)?,
        ParameterValue::ArrayInt32(v) => match *ty {
            Type::INT4_ARRAY => array(v, &Type::INT4, wire::int4_to_sql, out)?,
            Type::INT8_ARRAY => array(v, &Type::INT8, |v, out| wire::int8_to_sql(v.into(), out), out)?,
            _ => return Err(Misfit::Type),
        },
        ParameterValue::ArrayInt64(v) if *ty == Type::INT8_ARRAY => array(v, &Type::INT8, wire::int8_to_sql, out)?,
        ParameterValue::ArrayDecimal(v) if *ty == Type::NUMERIC_ARRAY => text_array(v, out, decimal)?,
        ParameterValue::ArrayStr(v) if is_array(ty) => text_array(v, out, quote)?,
        ParameterValue::Interval(v) if *ty == Type::INTERVAL => {
            out.put_i64(v.micros);
            out.put_i32(v.days);
            out.put_i32(v.months);
        }
        _ => return Err(Misfit::Type),
    }
    Ok(IsNull::No)
}

fn is_timestamp(ty: &Type) -> bool {
    matches!(*ty, Type::TIMESTAMP | Type::TIMESTAMPTZ)
}

fn is_array(ty: &Type) -> bool {
    matches!(ty.kind(), postgres_types::Kind::Array(element) if *element != Type::BYTEA)
}

/// An integer of `width` bytes into any type that holds all integers of that width.
fn integer(value: i64, width: u8, ty: &Type, out: &mut BytesMut) -> Result<(), Misfit> {
    match *ty {
        Type::INT2 if width <= 2 => wire::int2_to_sql(value as i16, out),
        Type::INT4 if width <= 4 => wire::int4_to_sql(value as i32, out),
        Type::INT8 => wire::int8_to_sql(value, out),
        // A float's fraction has 23 bits, a double's 52.
        Type::FLOAT4 if width <= 2 => wire::float4_to_sql(value as f32, out),
        Type::FLOAT8 if width <= 4 => wire::float8_to_sql(value as f64, out),
        Type::NUMERIC => put_display(value, out),
        _ => return Err(Misfit::Type),
    }
    Ok(())
}

fn put_display(value: impl fmt::Display, out: &mut BytesMut) {
    use fmt::Write as _;
    // Writing into memory that grows does not fail.
    let _ = write!(out, "{value}");
}

/// Digits may be grouped with underscores; PostgreSQL reads those from version 16 on only.
fn decimal(text: &str, out: &mut BytesMut) -> Result<(), Misfit> {
    if text.contains('_') {
        let plain = text.replace('_', "");
        return if plain.contains(|c: char| c.is_ascii_digit()) { decimal(&plain, out) } else { Err(Misfit::Value) };
    }
    if !numeric::is_number(text) {
        return Err(Misfit::Value);
    }
    out.put_slice(text.as_bytes());
    Ok(())
}

type Bound<T> = Option<(T, RangeBoundKind)>;

fn range<T>(lower: Bound<T>, upper: Bound<T>, put: fn(T, &mut BytesMut), out: &mut BytesMut) -> Result<(), Misfit> {
    let bound = |bound: Bound<T>| {
        move |out: &mut BytesMut| {
            Ok(match bound {
                None => RangeBound::Unbounded,
                Some((value, kind)) => {
                    put(value, out);
                    match kind {
                        RangeBoundKind::Inclusive => RangeBound::Inclusive(postgres_protocol::IsNull::No),
                        RangeBoundKind::Exclusive => RangeBound::Exclusive(postgres_protocol::IsNull::No),
                    }
                }
            })
        }
    };
    Ok(wire::range_to_sql(bound(lower), bound(upper), out)?)
}

fn decimal_range(lower: &Bound<String>, upper: &Bound<String>, out: &mut BytesMut) -> Result<(), Misfit> {
    out.put_u8(if matches!(lower, Some((_, RangeBoundKind::Inclusive))) { b'[' } else { b'(' });
    if let Some((value, _)) = lower {
        decimal(value, out)?;
    }
    out.put_u8(b',');
    if let Some((value, _)) = upper {
        decimal(value, out)?;
    }
    out.put_u8(if matches!(upper, Some((_, RangeBoundKind::Inclusive))) { b']' } else { b')' });
    Ok(())
}

fn array<T: Copy>(
    values: &[Option<T>],
    element: &Type,
    put: fn(T, &mut BytesMut),
    out: &mut BytesMut,
) -> Result<(), Misfit> {
    let dimension = ArrayDimension { len: i32::try_from(values.len()).map_err(|_| Misfit::Value)?, lower_bound: 1 };
    // PostgreSQL's empty array has no dimension.
    let dimensions = (!values.is_empty()).then_some(dimension);
    Ok(wire::array_to_sql(
        dimensions,
        element.oid(),
        values,
        |value, out| {
            Ok(match value {
                None => postgres_protocol::IsNull::Yes,
                Some(value) => {
                    put(*value, out);
                    postgres_protocol::IsNull::No
                }
            })
        },
        out,
    )?)
}

/// An array as text, `{a,b,NULL}`, whatever the type of its elements.
fn text_array(
    values: &[Option<String>],
    out: &mut BytesMut,
    put: fn(&str, &mut BytesMut) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    out.put_u8(b'{');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        match value {
            Some(value) => put(value, out)?,
            None => out.put_slice(b"NULL"),
        }
    }
    out.put_u8(b'}');
    Ok(())
}

fn quote(text: &str, out: &mut BytesMut) -> Result<(), Misfit> {
    out.reserve(text.len() + 2);
    out.put_u8(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.put_u8(b'\\');
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
    Ok(())
}

/// The interface's name for the kind of a value.
fn name(value: &ParameterValue) -> &'static str {
    match value {
        ParameterValue::Boolean(_) => "boolean",
        ParameterValue::Int8(_) => "int8 (8 bits)",
        ParameterValue::Int16(_) => "int16",
        ParameterValue::Int32(_) => "int32",
        ParameterValue::Int64(_) => "int64",
        ParameterValue::Floating32(_) => "floating32",
        ParameterValue::Floating64(_) => "floating64",
        ParameterValue::Str(_) => "str",
        ParameterValue::Binary(_) => "binary",
        ParameterValue::Date(_) => "date",
        ParameterValue::Time(_) => "time",
        ParameterValue::Datetime(_) => "datetime",
        ParameterValue::Timestamp(_) => "timestamp",
        ParameterValue::Uuid(_) => "uuid",
        ParameterValue::Jsonb(_) => "jsonb",
        ParameterValue::Decimal(_) => "decimal",
        ParameterValue::RangeInt32(_) => "range-int32",
        ParameterValue::RangeInt64(_) => "range-int64",
        ParameterValue::RangeDecimal(_) => "range-decimal",
        ParameterValue::ArrayInt32(_) => "array-int32",
        ParameterValue::ArrayInt64(_) => "array-int64",
        ParameterValue::ArrayDecimal(_) => "array-decimal",
        ParameterValue::ArrayStr(_) => "array-str",
        ParameterValue::Interval(_) => "interval",
        ParameterValue::DbNull => "db-null",
    }
}

/// What to give for a place of type `ty`.
fn advice(ty: &Type) -> &'static str {
    match *ty {
        Type::BOOL => "boolean",
        Type::CHAR => "int8",
        Type::INT2 => "int16",
        Type::INT4 => "int32",
        Type::INT8 => "int64",
        Type::FLOAT4 => "floating32",
        Type::FLOAT8 => "floating64",
        Type::NUMERIC => "decimal",
        Type::BYTEA => "binary",
        Type::DATE => "date",
        Type::TIME => "time",
        Type::TIMESTAMP | Type::TIMESTAMPTZ => "datetime",
        Type::UUID => "uuid",
        Type::JSON | Type::JSONB => "jsonb",
        Type::INT4_RANGE => "range-int32",
        Type::INT8_RANGE => "range-int64",
        Type::NUM_RANGE => "range-decimal",
        Type::INT4_ARRAY => "array-int32",
        Type::INT8_ARRAY => "array-int64",
        Type::NUMERIC_ARRAY => "array-decimal",
        Type::INTERVAL => "interval",
        _ if is_array(ty) => "array-str",
        _ => "str",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(value: ParameterValue, ty: &Type) -> Result<Vec<u8>, String> {
        let mut out = BytesMut::new();
        match (Param { number: 3, value: &value }).to_sql(ty, &mut out) {
            Ok(_) => Ok(out.to_vec()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn integers_widen_and_never_narrow() {
        assert_eq!(encode(ParameterValue::Int16(-2), &Type::INT8), Ok((-2i64).to_be_bytes().to_vec()));
        assert_eq!(encode(ParameterValue::Int32(7), &Type::FLOAT8), Ok(7f64.to_be_bytes().to_vec()));
        assert_eq!(encode(ParameterValue::Int64(-9), &Type::NUMERIC), Ok(b"-9".to_vec()));
        for (value, ty) in [
            (ParameterValue::Int64(1), Type::INT4),
            (ParameterValue::Int32(1), Type::INT2),
            (ParameterValue::Int32(1), Type::FLOAT4),
            (ParameterValue::Int64(1), Type::FLOAT8),
            (ParameterValue::Floating64(1.0), Type::FLOAT4),
            (ParameterValue::Floating64(1.0), Type::INT4),
        ] {
            assert!(encode(value, &ty).is_err(), "{ty}");
        }
    }

    #[test]
    fn a_refusal_names_the_place_what_was_given_and_what_is_wanted() {
        assert_eq!(
            encode(ParameterValue::Int64(1), &Type::INT4).unwrap_err(),
            "parameter $3: int64 was given where the statement takes int4; give int32 or cast it in the statement"
        );
        assert_eq!(
            encode(ParameterValue::Uuid("secret".into()), &Type::UUID).unwrap_err(),
            "parameter $3: the value given is not a valid uuid"
        );
    }

    #[test]
    fn values_that_are_not_what_they_say_are_refused() {
        for (value, ty) in [
            (ParameterValue::Date((2023, 2, 29)), Type::DATE),
            (ParameterValue::Time((24, 0, 1, 0)), Type::TIME),
            (ParameterValue::Datetime((2024, 1, 1, 25, 0, 0, 0)), Type::TIMESTAMP),
            (ParameterValue::Timestamp(i64::MAX), Type::TIMESTAMPTZ),
            (ParameterValue::Decimal("1, 2".into()), Type::NUMERIC),
            (ParameterValue::Decimal("_".into()), Type::NUMERIC),
            (ParameterValue::ArrayDecimal(vec![Some("1},{".into())]), Type::NUMERIC_ARRAY),
            (ParameterValue::RangeDecimal((Some(("1,2".into(), RangeBoundKind::Inclusive)), None)), Type::NUM_RANGE),
        ] {
            assert!(encode(value, &ty).unwrap_err().contains("not a valid"), "{ty}");
        }
        assert!(encode(ParameterValue::Str("\\x00".into()), &Type::BYTEA).is_err());
        assert!(encode(ParameterValue::Boolean(true), &Type::INT4).is_err());
    }

    #[test]
    fn arrays_and_ranges_as_text() {
        let array =
            ParameterValue::ArrayStr(vec![Some("a\"b\\c".into()), None, Some(String::new()), Some("NULL".into())]);
        assert_eq!(encode(array, &Type::TEXT_ARRAY), Ok(br#"{"a\"b\\c",NULL,"","NULL"}"#.to_vec()));
        let range = ParameterValue::RangeDecimal((
            Some(("1.50".into(), RangeBoundKind::Inclusive)),
            Some(("2".into(), RangeBoundKind::Exclusive)),
        ));
        assert_eq!(encode(range, &Type::NUM_RANGE), Ok(b"[1.50,2)".to_vec()));
        assert_eq!(encode(ParameterValue::RangeDecimal((None, None)), &Type::NUM_RANGE), Ok(b"(,)".to_vec()));
        assert_eq!(encode(ParameterValue::Decimal("1_000.5".into()), &Type::NUMERIC), Ok(b"1000.5".to_vec()));
    }

    #[test]
    fn what_is_logged_is_not_the_value() {
        let value = ParameterValue::Str("secret".into());
        assert_eq!(format!("{:?}", Param { number: 1, value: &value }), "$1: str");
    }
}
