//! SQL over `spin:postgres@4.0.0`: the tests say what to run and see all that comes back.
//!
//! A request is `{"address", "statements": [{"sql", "params", "execute"}], "then"}`. Without an address it is the shop's
//! database. Values are written as the interface's WIT file names them: `{"int32": 5}`, `"db-null"`.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use spin_sdk::pg4::{
    Connection, DbDataType, DbValue, Interval, ParameterValue, PgError, QueryError, RangeBoundKind, RowSet,
};

use crate::Answer;

/// What to do on one connection.
#[derive(Deserialize)]
struct Job {
    address: Option<String>,
    #[serde(default)]
    statements: Vec<Statement>,
    /// `trap` or `loop`: how to end, with the connection still open.
    then: Option<String>,
}

#[derive(Deserialize)]
struct Statement {
    sql: String,
    #[serde(default)]
    params: Vec<Value>,
    /// Whether to call `execute`, which counts rows, instead of `query`, which returns them.
    #[serde(default)]
    execute: bool,
}

/// `POST /till/4`.
pub fn serve(job: &Value) -> Answer {
    let job = Job::deserialize(job).map_err(|e| e.to_string());
    let job = job.and_then(|job| Ok((job.address.clone().map_or_else(crate::database, Ok)?, job)));
    let (address, job) = match job {
        Ok(job) => job,
        Err(e) => return (400, json!({"error": e})),
    };
    match run(&address, &job) {
        Ok(results) => (200, json!({"results": results})),
        Err(e) => (200, json!({"error": e})),
    }
}

fn end(job: &Job) {
    match job.then.as_deref() {
        Some("trap") => panic!("with the connection open"),
        Some("loop") => loop {
            std::hint::black_box(job);
        },
        _ => {}
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|e| format!("{value}: {e}"))
}

/// A float may be written as a string, because JSON has no NaN and no infinities.
fn read_float(value: &Value) -> Result<f64, String> {
    value.as_str().map_or_else(|| read(value), |text| text.parse().map_err(|e| format!("{text}: {e}")))
}

fn write_float(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

/// The kind and the payload of `{"kind": payload}`, or of a bare `"kind"`.
fn split(value: &Value) -> Result<(&str, &Value), String> {
    match value {
        Value::String(kind) => Ok((kind, &Value::Null)),
        Value::Object(object) if object.len() == 1 => {
            object.iter().next().map(|(kind, payload)| (kind.as_str(), payload)).ok_or_else(String::new)
        }
        _ => Err(format!("{value} is not of the form {{\"kind\": value}}")),
    }
}

fn run(address: &str, job: &Job) -> Result<Vec<Value>, Value> {
    let connection = Connection::open(address).map_err(|e| error(&e))?;
    let mut results = Vec::new();
    for statement in &job.statements {
        let params = statement.params.iter().map(parameter).collect::<Result<Vec<_>, _>>();
        let params = params.map_err(|e| json!({"test": e}))?;
        results.push(if statement.execute {
            connection.execute(&statement.sql, &params).map_or_else(|e| json!({"error": error(&e)}), |n| json!(n))
        } else {
            connection.query(&statement.sql, &params).map_or_else(|e| json!({"error": error(&e)}), |r| rows(&r))
        });
    }
    end(job);
    Ok(results)
}

fn rows(rows: &RowSet) -> Value {
    let name = |kind: &DbDataType| format!("{kind:?}").trim_start_matches("DbDataType::").to_owned();
    let columns: Vec<_> = rows.columns.iter().map(|c| json!([c.name, name(&c.data_type)])).collect();
    let rows: Vec<Vec<_>> = rows.rows.iter().map(|row| row.iter().map(value).collect()).collect();
    json!({"columns": columns, "rows": rows})
}

type Bound<T> = Option<(T, RangeBoundKind)>;
type Sent<T> = Option<(T, String)>;

fn read_range<T: DeserializeOwned>(value: &Value) -> Result<(Bound<T>, Bound<T>), String> {
    let (lower, upper): (Sent<T>, Sent<T>) = read(value)?;
    let kind = |kind: &str| if kind == "inclusive" { RangeBoundKind::Inclusive } else { RangeBoundKind::Exclusive };
    Ok((lower.map(|(v, k)| (v, kind(&k))), upper.map(|(v, k)| (v, kind(&k)))))
}

fn write_range<T: Into<Value> + Clone>((lower, upper): &(Bound<T>, Bound<T>)) -> Value {
    let bound = |bound: &Bound<T>| match bound {
        Some((value, RangeBoundKind::Inclusive)) => json!([value.clone().into(), "inclusive"]),
        Some((value, RangeBoundKind::Exclusive)) => json!([value.clone().into(), "exclusive"]),
        None => Value::Null,
    };
    json!([bound(lower), bound(upper)])
}

fn parameter(value: &Value) -> Result<ParameterValue, String> {
    let (kind, v) = split(value)?;
    Ok(match kind {
        "boolean" => ParameterValue::Boolean(read(v)?),
        "int8" => ParameterValue::Int8(read(v)?),
        "int16" => ParameterValue::Int16(read(v)?),
        "int32" => ParameterValue::Int32(read(v)?),
        "int64" => ParameterValue::Int64(read(v)?),
        "floating32" => ParameterValue::Floating32(read_float(v)? as f32),
        "floating64" => ParameterValue::Floating64(read_float(v)?),
        "str" => ParameterValue::Str(read(v)?),
        "binary" => ParameterValue::Binary(read(v)?),
        "date" => ParameterValue::Date(read(v)?),
        "time" => ParameterValue::Time(read(v)?),
        "datetime" => ParameterValue::Datetime(read(v)?),
        "timestamp" => ParameterValue::Timestamp(read(v)?),
        "db-null" => ParameterValue::DbNull,
        "uuid" => ParameterValue::Uuid(read(v)?),
        "jsonb" => ParameterValue::Jsonb(read::<String>(v)?.into_bytes()),
        "decimal" => ParameterValue::Decimal(read(v)?),
        "range-int32" => ParameterValue::RangeInt32(read_range(v)?),
        "range-int64" => ParameterValue::RangeInt64(read_range(v)?),
        "range-decimal" => ParameterValue::RangeDecimal(read_range(v)?),
        "array-int32" => ParameterValue::ArrayInt32(read(v)?),
        "array-int64" => ParameterValue::ArrayInt64(read(v)?),
        "array-decimal" => ParameterValue::ArrayDecimal(read(v)?),
        "array-str" => ParameterValue::ArrayStr(read(v)?),
        "interval" => {
            let (micros, days, months) = read(v)?;
            ParameterValue::Interval(Interval { micros, days, months })
        }
        _ => return Err(format!("{kind} is not a kind of value of this interface")),
    })
}

fn value(value: &DbValue) -> Value {
    match value {
        DbValue::Boolean(v) => json!({"boolean": v}),
        DbValue::Int8(v) => json!({"int8": v}),
        DbValue::Int16(v) => json!({"int16": v}),
        DbValue::Int32(v) => json!({"int32": v}),
        DbValue::Int64(v) => json!({"int64": v}),
        DbValue::Floating32(v) => json!({"floating32": write_float(f64::from(*v))}),
        DbValue::Floating64(v) => json!({"floating64": write_float(*v)}),
        DbValue::Str(v) => json!({"str": v}),
        DbValue::Binary(v) => json!({"binary": v}),
        DbValue::Date(v) => json!({"date": v}),
        DbValue::Time(v) => json!({"time": v}),
        DbValue::Datetime(v) => json!({"datetime": v}),
        DbValue::Timestamp(v) => json!({"timestamp": v}),
        DbValue::Uuid(v) => json!({"uuid": v}),
        DbValue::Jsonb(v) => json!({"jsonb": String::from_utf8_lossy(v)}),
        DbValue::Decimal(v) => json!({"decimal": v}),
        DbValue::RangeInt32(v) => json!({"range-int32": write_range(v)}),
        DbValue::RangeInt64(v) => json!({"range-int64": write_range(v)}),
        DbValue::RangeDecimal(v) => json!({"range-decimal": write_range(v)}),
        DbValue::ArrayInt32(v) => json!({"array-int32": v}),
        DbValue::ArrayInt64(v) => json!({"array-int64": v}),
        DbValue::ArrayDecimal(v) => json!({"array-decimal": v}),
        DbValue::ArrayStr(v) => json!({"array-str": v}),
        DbValue::Interval(v) => json!({"interval": [v.micros, v.days, v.months]}),
        DbValue::DbNull => json!("db-null"),
        DbValue::Unsupported(v) => json!({"unsupported": v}),
    }
}

fn error(error: &PgError) -> Value {
    match error {
        PgError::ConnectionFailed(e) => json!({"connection-failed": e}),
        PgError::BadParameter(e) => json!({"bad-parameter": e}),
        PgError::QueryFailed(QueryError::Text(e)) => json!({"query-failed": e}),
        PgError::QueryFailed(QueryError::DbError(e)) => json!({"db-error": {
            "as-text": e.as_text,
            "severity": e.severity,
            "code": e.code,
            "message": e.message,
            "detail": e.detail,
            "extras": e.extras,
        }}),
        PgError::ValueConversionFailed(e) => json!({"value-conversion-failed": e}),
        PgError::Other(e) => json!({"other": e}),
    }
}
