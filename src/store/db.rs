//! One connection to PostgreSQL: statements out, typed rows back, and every database error turned into an [`Error`].

use std::cell::RefCell;
use std::rc::Rc;

use chrono::NaiveDateTime;
use spin_sdk::pg4::{Connection, DbError, DbValue, Decode, PgError, QueryError};

use wiki_types::{Role, Scope, Time};

/// A statement's parameter. Numbers, strings, options of either and lists of strings become one with `into()`.
pub use spin_sdk::pg4::ParameterValue as Param;

/// A column as the host gives it.
pub use spin_sdk::pg4::DbValue as Value;

/// The database as one request sees it.
///
/// The first statement opens the connection: a request that is refused, or needs no data, costs the database nothing.
pub struct Db {
    address: fn() -> Result<&'static str, Error>,
    migrate: fn(&Self) -> Result<(), Error>,
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
pub enum Error {
    /// A unique index of this name already holds the value.
    Duplicate(String),
    /// The database is away or overloaded. The cause is for the log.
    Unavailable(String),
    /// The statement, or what it returned, was not what this program expects. The cause is for the log.
    Internal(String),
}

impl Db {
    /// A database that is connected to when it is first needed.
    ///
    /// `address` is the connection string. `migrate` brings the schema up to date; it runs when a statement meets an older
    /// one.
    pub fn new(address: fn() -> Result<&'static str, Error>, migrate: fn(&Self) -> Result<(), Error>) -> Self {
        Self { address, migrate, connection: RefCell::default() }
    }

    /// The rows of one statement.
    ///
    /// A statement that meets a table, column or function which the database does not have brings the schema up to date
    /// and runs again. That is how a new database gets its tables, at no cost to one that has them.
    pub fn query(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Error> {
        let connection = self.connection()?;
        let result = match connection.query(sql, params) {
            Err(PgError::QueryFailed(QueryError::DbError(error))) if is_outdated_schema(&error.code) => {
                (self.migrate)(self)?;
                connection.query(sql, params)
            }
            result => result,
        };
        let rows = result.map_err(Error::from)?.rows;
        Ok(rows.into_iter().map(|values| Row(values.into_iter())).collect())
    }

    /// The only row of a statement that returns at most one.
    pub fn query_one(&self, sql: &str, params: &[Param]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The row of a statement that always returns one.
    pub fn query_row(&self, sql: &str, params: &[Param]) -> Result<Row, Error> {
        self.query_one(sql, params)?.ok_or_else(|| Error::Internal("a statement returned no row".to_owned()))
    }

    /// All rows of a statement, each read by `read`.
    pub fn query_all<T>(
        &self,
        sql: &str,
        params: &[Param],
        read: impl Fn(&mut Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.query(sql, params)?.iter_mut().map(read).collect()
    }

    /// Runs a statement that returns no rows, on the schema as it is.
    pub(super) fn execute_raw(&self, sql: &str) -> Result<(), Error> {
        self.connection()?.execute(sql, &[]).map(drop).map_err(Error::from)
    }

    /// Returns the connection to the host until the next statement, for work that takes long and needs none.
    pub fn release(&self) {
        self.connection.take();
    }

    fn connection(&self) -> Result<Rc<Connection>, Error> {
        if let Some(connection) = &*self.connection.borrow() {
            return Ok(connection.clone());
        }
        let connection = Connection::open((self.address)()?).map_err(Error::from)?;
        Ok(self.connection.borrow_mut().insert(Rc::new(connection)).clone())
    }
}

/// Whether a SQLSTATE says that the schema is older than the statement: undefined_table, undefined_column,
/// undefined_function, undefined_object, invalid_schema_name (PostgreSQL manual, appendix A).
fn is_outdated_schema(code: &str) -> bool {
    matches!(code, "42P01" | "42703" | "42883" | "42704" | "3F000")
}

impl From<PgError> for Error {
    fn from(error: PgError) -> Self {
        match error {
            // A text is no answer of the database's: the connection broke while waiting for one.
            PgError::ConnectionFailed(cause) | PgError::QueryFailed(QueryError::Text(cause)) => {
                Self::Unavailable(cause)
            }
            PgError::QueryFailed(QueryError::DbError(error)) => error.into(),
            PgError::BadParameter(cause) | PgError::ValueConversionFailed(cause) | PgError::Other(cause) => {
                Self::Internal(cause)
            }
        }
    }
}

/// SQLSTATE classes and codes are those of the PostgreSQL manual, appendix A.
impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        // Without its detail and context, which hold values of rows and whole statements.
        let cause = || format!("{}: {} ({})", error.severity, error.message, error.code);
        match error.code.as_str() {
            // unique_violation
            "23505" => Self::Duplicate(constraint(&error)),
            // connection exceptions; insufficient resources; operator intervention (shutting down, starting up, a
            // statement cancelled by its time limit); a standby that takes no writes; lost races that another try may win
            code if ["08", "53", "57", "40"].contains(&code.get(..2).unwrap_or_default()) || code == "25006" => {
                Self::Unavailable(cause())
            }
            _ => Self::Internal(cause()),
        }
    }
}

/// The name of the constraint an error is about. Hosts that do not pass it on as a field still have it in the message,
/// quoted.
fn constraint(error: &DbError) -> String {
    let field = error.extras.iter().find(|(name, _)| name.starts_with("constraint")).map(|(_, value)| value.as_str());
    field.or_else(|| error.message.split('"').nth(1)).unwrap_or_default().to_owned()
}

/// A row, read from its first column to its last.
pub struct Row(std::vec::IntoIter<DbValue>);

impl Row {
    /// The next column. Fails when the statement and its reader do not agree on number and types of columns.
    pub fn column<T: Column>(&mut self) -> Result<T, Error> {
        let value = self.0.next().ok_or_else(|| Error::Internal("a row has fewer columns than are read".to_owned()))?;
        T::from_value(value)
    }
}

/// A type a column is read as.
pub trait Column: Sized {
    /// The value in this type.
    fn from_value(value: DbValue) -> Result<Self, Error>;
}

fn mismatch(wanted: &str, found: &DbValue) -> Error {
    // Its type alone: the value may be private.
    let found = format!("{found:?}");
    Error::Internal(format!("a column is {}, not {wanted}", found.split('(').next().unwrap_or_default()))
}

macro_rules! columns {
    ($($type:ty: $variant:ident = $name:literal),+ $(,)?) => {
        $(impl Column for $type {
            fn from_value(value: DbValue) -> Result<Self, Error> {
                match value {
                    DbValue::$variant(value) => Ok(value),
                    other => Err(mismatch($name, &other)),
                }
            }
        })+
    };
}

columns! {
    i64: Int64 = "bigint",
    bool: Boolean = "boolean",
    String: Str = "text",
    f64: Floating64 = "double precision",
    Vec<u8>: Binary = "bytea",
}

macro_rules! word_columns {
    ($($type:ty = $name:literal),+ $(,)?) => {
        $(impl Column for $type {
            fn from_value(value: DbValue) -> Result<Self, Error> {
                let text = String::from_value(value)?;
                text.parse().map_err(|()| Error::Internal(format!("a column is {text:?}, not {}", $name)))
            }
        })+
    };
}

word_columns! { Role = "a role", Scope = "a scope" }

impl Column for Vec<String> {
    fn from_value(value: DbValue) -> Result<Self, Error> {
        match value {
            DbValue::ArrayStr(texts) => Ok(texts.into_iter().flatten().collect()),
            other => Err(mismatch("text[]", &other)),
        }
    }
}

impl Column for Time {
    /// From `timestamp`; a statement selects `created_time AT TIME ZONE 'UTC'`.
    fn from_value(value: DbValue) -> Result<Self, Error> {
        NaiveDateTime::decode(&value).map(Time::from).map_err(|error| Error::Internal(error.to_string()))
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: DbValue) -> Result<Self, Error> {
        match value {
            DbValue::DbNull => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let error = Error::from(error("23505", message, extras));
            assert!(matches!(error, Error::Duplicate(index) if index == "users_username_key"));
        }
    }

    #[test]
    fn an_outage_is_told_from_a_bug() {
        let is_outage = |error: PgError| matches!(Error::from(error), Error::Unavailable(_));
        assert!(is_outage(PgError::ConnectionFailed("refused".into())));
        assert!(is_outage(PgError::QueryFailed(QueryError::Text("closed".into()))));
        for code in ["57P01", "57P03", "53300", "40P01", "08006", "25006"] {
            assert!(is_outage(error(code, "", &[])), "{code}");
        }
        for code in ["42601", "22021", "23503", ""] {
            assert!(matches!(Error::from(error(code, "", &[])), Error::Internal(_)), "{code}");
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
