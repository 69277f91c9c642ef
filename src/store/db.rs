//! PostgreSQL, the primary and perhaps a replica: statements out, typed rows back.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chrono::NaiveDateTime;
use memchr::memmem;
use serde::de::DeserializeOwned;
use spin_sdk::pg4::{Connection, DbValue, Decode, PgError};

use wiki_types::{ChangeKind, Color, InboxKind, Mail, Role, Scope, Time};

use crate::store::error::{self, Error};
use crate::store::replica::{self, POSITION, Position, State};

/// A statement's parameter. Numbers, strings, options of either and lists of strings become one with `into()`.
pub use spin_sdk::pg4::ParameterValue as Param;

/// A column as the host gives it.
pub use spin_sdk::pg4::DbValue as Value;

/// The database as one request sees it.
///
/// The first statement opens the connection: a request that is refused, or needs no data, costs the database nothing.
///
/// It knows who reads, and in which time zone: the names [`READER`] and [`ZONE`] in a statement stand for that, so that no function in
/// between has to pass it on, and none can forget to.
///
/// Once a request may read from the replica, its SELECTs go there, until one fails there or another statement needs the primary: from
/// then on, everything goes to the primary, which has all that the replica has.
pub struct Db {
    address: fn() -> Result<&'static str, Error>,
    replica: fn() -> Option<&'static str>,
    migrate: fn(&Self) -> Result<(), Error>,
    connection: RefCell<Option<Rc<Connection>>>,
    /// What a replica must have for this request to read from it; none if it reads from the primary.
    wanted: Cell<Option<Position>>,
    may_have_changed: Cell<bool>,
    reader: Cell<Reader>,
    zone: RefCell<Option<String>>,
}

/// Who reads, as far as it matters for which pages they may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reader {
    /// Somebody without an account.
    #[default]
    Stranger,
    /// The user with this number.
    User(i64),
    /// An administrator, who may read and write all pages.
    Administrator,
}

/// What stands for the [`Reader`] in a statement: a number as the function `acl_roles` in the database takes it.
const READER: &str = "$reader";

/// What stands for the name of the reader's time zone in a statement: a text, or NULL for that of the wiki.
const ZONE: &str = "$zone";

/// Whether a statement names what stands for a parameter. Statements are long, and most name nothing.
fn names(sql: &str, parameter: &str) -> bool {
    memmem::find(sql.as_bytes(), parameter.as_bytes()).is_some()
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

impl Db {
    /// A database that is connected to when it is first needed.
    ///
    /// `address` is the connection string, and `replica` that of the replica, if there is one. `migrate` brings the schema up to
    /// date; it runs when a statement meets an older one.
    pub fn new(
        address: fn() -> Result<&'static str, Error>,
        replica: fn() -> Option<&'static str>,
        migrate: fn(&Self) -> Result<(), Error>,
    ) -> Self {
        Self {
            address,
            replica,
            migrate,
            connection: RefCell::default(),
            wanted: Cell::default(),
            may_have_changed: Cell::default(),
            reader: Cell::default(),
            zone: RefCell::default(),
        }
    }

    /// Whether there is a replica.
    pub fn has_replica(&self) -> bool {
        (self.replica)().is_some()
    }

    /// From now on, reads may go to the replica, if it has what was changed up to `position`: 0 for any that is not too old.
    pub fn read_from_replica(&self, position: Position) {
        if self.has_replica() && !replica::is_away() {
            self.release();
            self.wanted.set(Some(position));
        }
    }

    /// Whether a statement was sent that may have changed something.
    pub fn may_have_changed(&self) -> bool {
        self.may_have_changed.get()
    }

    /// The position that has all that was changed so far.
    pub fn position(&self) -> Result<Position, Error> {
        self.read_from_primary();
        let rows = self.run(|connection| connection.query(POSITION, &[]))?.rows;
        Self::only(rows)?.column()
    }

    /// From now on, everything goes to the primary. The connection to the replica goes back first: whoever waits for one database
    /// while they have a connection to the other might wait for each other.
    fn read_from_primary(&self) {
        if self.wanted.take().is_some() {
            self.release();
        }
    }

    /// Who reads.
    pub fn reader(&self) -> Reader {
        self.reader.get()
    }

    /// From now on, it is `reader` who reads, in the time zone of this name, or in that of the wiki.
    pub fn read_as(&self, reader: Reader, zone: Option<&str>) {
        self.reader.set(reader);
        self.zone.replace(zone.map(str::to_owned));
    }

    /// Runs a statement that returns no rows.
    pub fn execute(&self, sql: &str, params: &[Param]) -> Result<(), Error> {
        self.read_from_primary();
        self.may_have_changed.set(true);
        let (sql, params) = self.for_reader(sql, params);
        self.run(|connection| connection.execute(&sql, &params)).map(drop)
    }

    /// The row of a statement that always returns exactly one, and may change something.
    pub fn query_row(&self, sql: &str, params: &[Param]) -> Result<Row, Error> {
        self.read_from_primary();
        self.may_have_changed.set(true);
        self.primary_row(sql, params)
    }

    /// The row of a SELECT that always returns exactly one.
    pub fn read_row(&self, select: &str, params: &[Param]) -> Result<Row, Error> {
        let Some(rows) = self.replica_rows(select, params) else { return self.primary_row(select, params) };
        let mut row = Self::only(rows)?;
        // The columns that were added.
        row.column::<i64>()?;
        row.column::<Option<bool>>()?;
        Ok(row)
    }

    fn primary_row(&self, sql: &str, params: &[Param]) -> Result<Row, Error> {
        let (sql, params) = self.for_reader(sql, params);
        Self::only(self.run(|connection| connection.query(&sql, &params))?.rows)
    }

    fn only(rows: Vec<Vec<DbValue>>) -> Result<Row, Error> {
        let row = rows.into_iter().next().map(Row::from);
        row.ok_or_else(|| Error::Internal("a statement returned no row".to_owned()))
    }

    /// The only row of a SELECT that returns at most one.
    pub fn query_one(&self, select: &str, params: &[Param]) -> Result<Option<Row>, Error> {
        Ok(self.select(select, params)?.next().transpose()?.flatten())
    }

    /// All rows of a SELECT, each read by `read`.
    pub fn query_all<T>(
        &self,
        select: &str,
        params: &[Param],
        read: impl Fn(&mut Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.select(select, params)?.filter_map(Result::transpose).map(|row| read(&mut row?)).collect()
    }

    /// The rows of a SELECT; none in place of a row where it has none.
    ///
    /// Spin 4.0.0 to 4.0.2 never answer a statement without a row (spinframework/spin#3671). So there always is one, whose
    /// first column says whether the SELECT returned it. PostgreSQL can join a single row to others in one way only, which
    /// keeps their order.
    fn select(
        &self,
        select: &str,
        params: &[Param],
    ) -> Result<impl Iterator<Item = Result<Option<Row>, Error>>, Error> {
        let of_replica = self.replica_rows(select, params);
        let is_of_replica = of_replica.is_some();
        let rows = match of_replica {
            Some(rows) => rows,
            None => {
                let sql = format!(
                    "SELECT found.* FROM (SELECT) AS always LEFT JOIN (SELECT true, rows.* FROM ({select}) AS rows) AS found ON true"
                );
                let (sql, params) = self.for_reader(&sql, params);
                self.run(|connection| connection.query(&sql, &params))?.rows
            }
        };
        Ok(rows.into_iter().map(move |values| {
            let mut row = Row::from(values);
            if is_of_replica {
                row.column::<i64>()?;
            }
            Ok(row.column::<Option<bool>>()?.map(|_| row))
        }))
    }

    /// The rows of a SELECT, as [`replica::checked`] has them, if this request may read from the replica and that is good for it.
    ///
    /// Whatever goes wrong there, the primary is asked instead. It is the primary, too, that says what is wrong with a statement.
    fn replica_rows(&self, select: &str, params: &[Param]) -> Option<Vec<Vec<DbValue>>> {
        let wanted = self.wanted.get()?;
        let address = (self.replica)()?;
        let params: Vec<Param> = params.iter().cloned().chain([wanted.into()]).collect();
        let sql = replica::checked(select, params.len());
        let (sql, params) = self.for_reader(&sql, &params);
        let rows = self.connect(address).and_then(|connection| Ok(connection.query(&sql, &params)?.rows));
        let state = |rows: &Vec<Vec<DbValue>>| match rows.first().and_then(|row| row.first()) {
            Some(DbValue::Int64(state)) => State::from_column(*state),
            _ => State::NoReplica,
        };
        match rows.map(|rows| (state(&rows), rows)) {
            Ok((State::Good, rows)) => {
                replica::is_used();
                return Some(rows);
            }
            Ok((State::Behind, _)) => {}
            Ok((State::Old, _)) => replica::leave_alone("it is too far behind, or nobody writes the heartbeat"),
            Ok((State::NoReplica, _)) => replica::leave_alone("it is no replica, but takes writes of its own"),
            Err(error) if error.is_of_one_statement() => {}
            Err(
                Error::Unavailable(cause) | Error::Denied(cause) | Error::Internal(cause) | Error::Duplicate(cause),
            ) => {
                replica::leave_alone(&cause);
            }
        }
        self.read_from_primary();
        None
    }

    /// A statement and its parameters, with the reader, and their time zone, as one more parameter if the statement names them.
    fn for_reader<'a>(&self, sql: &'a str, params: &'a [Param]) -> (Cow<'a, str>, Cow<'a, [Param]>) {
        let (mut sql, mut params) = (Cow::from(sql), Cow::from(params));
        if names(&sql, READER) {
            let reader = match self.reader.get() {
                Reader::Stranger => 0,
                Reader::User(id) => id,
                Reader::Administrator => -1,
            };
            params.to_mut().push(reader.into());
            sql = sql.replace(READER, &format!("${}::bigint", params.len())).into();
        }
        if names(&sql, ZONE) {
            params.to_mut().push(self.zone.borrow().clone().into());
            sql = sql.replace(ZONE, &format!("${}::text", params.len())).into();
        }
        (sql, params)
    }

    /// Runs a statement that returns no rows, on the schema as it is.
    pub(super) fn execute_raw(&self, sql: &str) -> Result<(), Error> {
        self.connection()?.execute(sql, &[]).map(drop).map_err(Error::from)
    }

    /// Runs a statement.
    ///
    /// One that meets a table, column or function which the database does not have brings the schema up to date and runs
    /// again. That is how a new database gets its tables, at no cost to one that has them.
    fn run<T>(&self, statement: impl Fn(&Connection) -> Result<T, PgError>) -> Result<T, Error> {
        let connection = self.connection()?;
        let result = match statement(&connection) {
            Err(error) if error::is_outdated_schema(&error) => {
                (self.migrate)(self)?;
                statement(&connection)
            }
            result => result,
        };
        result.map_err(Error::from)
    }

    /// Returns the connection to the host until the next statement, for work that takes long and needs none.
    pub fn release(&self) {
        self.connection.take();
    }

    fn connection(&self) -> Result<Rc<Connection>, Error> {
        self.connect((self.address)()?)
    }

    /// The connection there is, or one to `address`: there is one at a time, to the primary or to the replica.
    fn connect(&self, address: &str) -> Result<Rc<Connection>, Error> {
        if let Some(connection) = &*self.connection.borrow() {
            return Ok(connection.clone());
        }
        let connection = Connection::open(address).map_err(|error| Error::from(error).of_server(address))?;
        Ok(self.connection.borrow_mut().insert(Rc::new(connection)).clone())
    }
}

/// A row, read from its first column to its last.
pub struct Row(std::vec::IntoIter<DbValue>);

impl From<Vec<DbValue>> for Row {
    fn from(values: Vec<DbValue>) -> Self {
        Self(values.into_iter())
    }
}

impl Row {
    /// The next column. Fails when the statement and its reader do not agree on number and types of columns.
    pub fn column<T: Column>(&mut self) -> Result<T, Error> {
        let value = self.0.next().ok_or_else(|| Error::Internal("a row has fewer columns than are read".to_owned()))?;
        T::from_value(value)
    }

    /// The next column, which is JSON written as text. None if it is NULL.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        let text: Option<String> = self.column()?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string()))).transpose()
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

word_columns! {
    ChangeKind = "a kind of change",
    Color = "a color",
    InboxKind = "a kind of entry",
    Mail = "how often somebody is mailed",
    Role = "a role",
    Scope = "a scope",
}

impl Column for Vec<String> {
    fn from_value(value: DbValue) -> Result<Self, Error> {
        match value {
            DbValue::ArrayStr(texts) => Ok(texts.into_iter().flatten().collect()),
            other => Err(mismatch("text[]", &other)),
        }
    }
}

impl Column for Vec<Option<String>> {
    fn from_value(value: DbValue) -> Result<Self, Error> {
        match value {
            DbValue::ArrayStr(texts) => Ok(texts),
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

    #[test]
    fn columns_are_read_in_order_and_checked() {
        let mut row = Row(vec![DbValue::Int64(7), DbValue::DbNull, DbValue::Str("a".into())].into_iter());
        assert_eq!(row.column::<i64>().unwrap(), 7);
        assert_eq!(row.column::<Option<String>>().unwrap(), None);
        assert!(row.column::<i64>().is_err());
        assert!(row.column::<i64>().is_err());
    }
}
