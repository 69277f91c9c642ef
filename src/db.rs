//! One connection to PostgreSQL: statements out, typed rows back, and every database error turned into a [`Problem`]
//! here and nowhere else.

use std::cell::RefCell;
use std::rc::Rc;

use chrono::NaiveDateTime;
use spin_sdk::pg4::{Connection, DbError, DbValue, Decode, PgError, QueryError};

use crate::config::Config;
use crate::problem::Problem;
use crate::schema;
use crate::time::Time;

/// A statement's parameter. Numbers, strings, options of either and lists of strings become one with `into()`.
pub use spin_sdk::pg4::ParameterValue as Param;

/// A column as the host gives it.
pub use spin_sdk::pg4::DbValue as Value;

/// The database as one request sees it.
///
/// The connection is opened by the first statement, so that a request that is refused, or needs no data, costs the
/// database nothing.
pub struct Db {
    config: fn() -> Result<&'static Config, Problem>,
    connection: RefCell<Option<Rc<Connection>>>,
}

/// `bigint[]`, or its NULL.
pub fn numbers(numbers: Option<Vec<i64>>) -> Param {
    numbers.map_or(Param::DbNull, |numbers| Param::ArrayInt64(numbers.into_iter().map(Some).collect()))
}

/// `text[]`, or its NULL.
pub fn texts(texts: Option<Vec<String>>) -> Param {
    texts.map_or(Param::DbNull, |texts| Param::ArrayStr(texts.into_iter().map(Some).collect()))
}

/// A number of rows, for LIMIT.
pub fn count(rows: usize) -> Param {
    Param::Int64(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// SQL for the instant that parameter number `param` gives in microseconds since 1970.
pub fn instant(param: usize) -> String {
    // PostgreSQL multiplies intervals in double precision, which holds the microseconds of the next two centuries exactly.
    format!("'epoch'::timestamptz + ${param}::bigint * interval '1 microsecond'")
}

/// Why a statement failed.
#[derive(Debug)]
pub enum Failure {
    /// A unique index of this name already holds the value.
    Taken(String),
    /// Anything else, as the client is told.
    Problem(Problem),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            // A handler that can violate an index says what that means; one that cannot has a bug.
            Failure::Taken(index) => Problem::internal(format!("unexpected duplicate in index {index}")),
            Failure::Problem(problem) => problem,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Problem(problem)
    }
}

impl Db {
    /// A database that is connected to, as `config` says, when it is first needed.
    pub fn new(config: fn() -> Result<&'static Config, Problem>) -> Self {
        Self { config, connection: RefCell::default() }
    }

    /// The rows of one statement.
    ///
    /// A statement that meets a table, column or function this version of the wiki has and the database has not, brings
    /// the schema up to date and runs again: that is how a new database gets its tables, at no cost to an old one.
    pub fn query(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Failure> {
        let connection = self.connection()?;
        let result = match connection.query(sql, params) {
            Err(PgError::QueryFailed(QueryError::DbError(error))) if is_outdated_schema(&error.code) => {
                schema::migrate(self)?;
                connection.query(sql, params)
            }
            result => result,
        };
        let rows = result.map_err(failure)?.rows;
        Ok(rows.into_iter().map(|values| Row(values.into_iter())).collect())
    }

    /// The only row of a statement that returns at most one.
    pub fn query_one(&self, sql: &str, params: &[Param]) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Runs a statement that returns no rows, on the schema as it is.
    pub(crate) fn execute_raw(&self, sql: &str) -> Result<(), Failure> {
        self.connection()?.execute(sql, &[]).map(drop).map_err(failure)
    }

    /// The configuration this database was found by.
    pub fn config(&self) -> Result<&'static Config, Problem> {
        (self.config)()
    }

    /// Lets others have the connection until the next statement: for work that takes long and needs none.
    pub fn release(&self) {
        self.connection.take();
    }

    fn connection(&self) -> Result<Rc<Connection>, Problem> {
        if let Some(connection) = &*self.connection.borrow() {
            return Ok(connection.clone());
        }
        let connection = Connection::open(&self.config()?.address).map_err(|error| Problem::from(failure(error)))?;
        Ok(self.connection.borrow_mut().insert(Rc::new(connection)).clone())
    }
}

/// Whether a SQLSTATE says that the schema is older than the statement: undefined_table, undefined_column,
/// undefined_function, undefined_object, invalid_schema_name (PostgreSQL manual, appendix A).
fn is_outdated_schema(code: &str) -> bool {
    matches!(code, "42P01" | "42703" | "42883" | "42704" | "3F000")
}

fn failure(error: PgError) -> Failure {
    match error {
        PgError::ConnectionFailed(cause) => Problem::unavailable(&cause).into(),
        // Not an answer of the database's: the connection broke while waiting for one.
        PgError::QueryFailed(QueryError::Text(cause)) => Problem::unavailable(&cause).into(),
        PgError::QueryFailed(QueryError::DbError(error)) => db_error(error),
        PgError::BadParameter(cause) | PgError::ValueConversionFailed(cause) | PgError::Other(cause) => {
            Problem::internal(cause).into()
        }
    }
}

/// SQLSTATE classes and codes are those of the PostgreSQL manual, appendix A.
fn db_error(error: DbError) -> Failure {
    // Without its detail and context, which hold values of rows and whole statements.
    let cause = || format!("{}: {} ({})", error.severity, error.message, error.code);
    match error.code.as_str() {
        // unique_violation
        "23505" => Failure::Taken(constraint(&error)),
        // connection exceptions; insufficient resources; operator intervention (shutting down, starting up, a statement
        // cancelled by its time limit); a standby that takes no writes; lost races that another try may win
        code if ["08", "53", "57", "40"].contains(&code.get(..2).unwrap_or_default()) || code == "25006" => {
            Problem::unavailable(&cause()).into()
        }
        _ => Problem::internal(cause()).into(),
    }
}

/// The name of the constraint an error is about. Hosts that do not pass it on as a field still have it in the message,
/// quoted.
fn constraint(error: &DbError) -> String {
    let field = error.extras.iter().find(|(name, _)| name.starts_with("constraint")).map(|(_, value)| value.as_str());
    field.or_else(|| error.message.split('"').nth(1)).unwrap_or_default().to_owned()
}

/// One row, read from its first column to its last.
pub struct Row(std::vec::IntoIter<DbValue>);

impl Row {
    /// The next column.
    ///
    /// Fails with an internal problem when the statement and its reader do not agree on number and types of columns.
    pub fn column<T: Column>(&mut self) -> Result<T, Problem> {
        let value = self.0.next().ok_or_else(|| Problem::internal("a row has fewer columns than are read"))?;
        T::from_value(value)
    }
}

/// A type a column is read as.
pub trait Column: Sized {
    /// The value in this type.
    fn from_value(value: DbValue) -> Result<Self, Problem>;
}

fn mismatch(wanted: &str, found: &DbValue) -> Problem {
    // Its type alone: the value may be nobody's business.
    let found = format!("{found:?}");
    Problem::internal(format!("a column is {}, not {wanted}", found.split('(').next().unwrap_or_default()))
}

impl Column for i64 {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::Int64(number) => Ok(number),
            other => Err(mismatch("bigint", &other)),
        }
    }
}

impl Column for bool {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::Boolean(truth) => Ok(truth),
            other => Err(mismatch("boolean", &other)),
        }
    }
}

impl Column for String {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::Str(text) => Ok(text),
            other => Err(mismatch("text", &other)),
        }
    }
}

impl Column for f64 {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::Floating64(number) => Ok(number),
            other => Err(mismatch("double precision", &other)),
        }
    }
}

impl Column for Vec<u8> {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::Binary(bytes) => Ok(bytes),
            other => Err(mismatch("bytea", &other)),
        }
    }
}

impl Column for Vec<String> {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::ArrayStr(texts) => Ok(texts.into_iter().flatten().collect()),
            other => Err(mismatch("text[]", &other)),
        }
    }
}

impl Column for Time {
    /// From `timestamp`; a statement selects `created_time AT TIME ZONE 'UTC'`.
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        NaiveDateTime::decode(&value).map(Time::from).map_err(Problem::internal)
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: DbValue) -> Result<Self, Problem> {
        match value {
            DbValue::DbNull => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn error(code: &str, message: &str, extras: &[(&str, &str)]) -> PgError {
        PgError::QueryFailed(QueryError::DbError(DbError {
            as_text: format!("ERROR: {message}"),
            severity: "ERROR".into(),
            code: code.into(),
            message: message.into(),
            detail: None,
            extras: extras.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        }))
    }

    #[test]
    fn a_duplicate_names_its_index() {
        let message = r#"duplicate key value violates unique constraint "users_username_key""#;
        for extras in [&[][..], &[("constraint", "users_username_key")]] {
            assert!(
                matches!(failure(error("23505", message, extras)), Failure::Taken(index) if index == "users_username_key")
            );
        }
    }

    #[test]
    fn a_database_that_is_away_is_503_and_a_bug_is_500() {
        let status = |error| Problem::from(failure(error)).status;
        assert_eq!(status(PgError::ConnectionFailed("refused".into())), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(PgError::QueryFailed(QueryError::Text("closed".into()))), StatusCode::SERVICE_UNAVAILABLE);
        for code in ["57P01", "57P03", "53300", "40P01", "08006", "25006"] {
            assert_eq!(status(error(code, "", &[])), StatusCode::SERVICE_UNAVAILABLE, "{code}");
        }
        for code in ["42601", "22021", "23503", ""] {
            assert_eq!(status(error(code, "", &[])), StatusCode::INTERNAL_SERVER_ERROR, "{code}");
        }
    }

    #[test]
    fn columns_are_read_in_order_and_checked() {
        let mut row = Row(vec![DbValue::Int64(7), DbValue::DbNull, DbValue::Str("a".into())].into_iter());
        assert_eq!(row.column::<i64>().unwrap(), 7);
        assert_eq!(row.column::<Option<String>>().unwrap(), None);
        assert!(row.column::<i64>().is_err());
        assert!(row.column::<i64>().is_err());
    }
}
