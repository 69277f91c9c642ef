//! The interface as a guest uses it, against the database that `RUNNER_TEST_DATABASE_URL` names.
//!
//! The tests take turns and have a pool of one: the next guest gets the very session the last one left.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use tokio::sync::{Mutex, MutexGuard};
use wasmtime::component::{Resource, ResourceTable};

use super::bindings::v4::{
    Connection as GuestConnection, DbDataType, DbError, DbValue, Error, HostConnection, Interval, ParameterValue,
    QueryError,
};
use super::bindings::v4::{RangeBoundKind, RowSet};
use super::change::Change;
use super::connection::Connection;
use super::pool::connector;
use super::tls::Authorities;
use super::{Address, AllowedHosts, Pools, PostgresCtx, PostgresView, connect};
use crate::config::settings::{self, Statements, Switch};
use crate::memory::budget::Budget;
use crate::telemetry::metrics::DatabaseMetrics;

mod pipeline;

static TURN: Mutex<()> = Mutex::const_new(());

/// The database, for one test at a time.
struct Database {
    url: String,
    _turn: MutexGuard<'static, ()>,
}

impl Database {
    async fn get() -> Option<Self> {
        let Ok(url) = std::env::var("RUNNER_TEST_DATABASE_URL") else {
            eprintln!("skipped: RUNNER_TEST_DATABASE_URL names no database to test with");
            return None;
        };
        let turn = TURN.lock().await;
        Some(Self { url, _turn: turn })
    }

    fn guest(&self, adapt: impl FnOnce(&mut settings::Postgres)) -> Guest {
        let mut settings = settings();
        adapt(&mut settings);
        Guest::new(Pools::new(&settings, DatabaseMetrics::new()).unwrap(), &["*://*:*"])
    }
}

fn settings() -> settings::Postgres {
    settings::Postgres {
        pg_pool_size: 1,
        pg_timeout: Duration::from_secs(60),
        pg_wait_timeout: Duration::from_secs(10),
        pg_connect_timeout: Duration::from_secs(5),
        pg_idle_timeout: Duration::from_secs(60),
        pg_statement_timeout: Duration::from_secs(20),
        pg_max_result: ByteSize::mib(64),
        pg_statements: Statements::Auto,
        pg_pipelining: Switch::On,
        pg_ca_file: None,
    }
}

/// A store with the interface, as a guest sees it.
struct Guest {
    ctx: PostgresCtx,
    table: ResourceTable,
}

type Handle = Resource<GuestConnection>;

impl Guest {
    fn new(pools: Arc<Pools>, allowed: &[&str]) -> Self {
        let allowed = Arc::new(AllowedHosts::parse(allowed).unwrap());
        Self { ctx: PostgresCtx::new(pools, allowed, Budget::unlimited()), table: ResourceTable::new() }
    }

    fn view(&mut self) -> PostgresView<'_> {
        PostgresView { ctx: &mut self.ctx, table: &mut self.table }
    }

    async fn try_open(&mut self, address: &str) -> Result<Handle, Error> {
        HostConnection::open(&mut self.view(), address.to_owned()).await.unwrap()
    }

    async fn open(&mut self, database: &Database) -> Handle {
        self.try_open(&database.url).await.unwrap()
    }

    async fn query(&mut self, on: &Handle, sql: &str, params: Vec<ParameterValue>) -> Result<RowSet, Error> {
        HostConnection::query(&mut self.view(), Resource::new_borrow(on.rep()), sql.to_owned(), params).await.unwrap()
    }

    async fn execute(&mut self, on: &Handle, sql: &str, params: Vec<ParameterValue>) -> Result<u64, Error> {
        HostConnection::execute(&mut self.view(), Resource::new_borrow(on.rep()), sql.to_owned(), params).await.unwrap()
    }

    async fn drop(&mut self, handle: Handle) {
        HostConnection::drop(&mut self.view(), handle).await.unwrap();
    }

    /// The one value `sql` gives.
    async fn value(&mut self, on: &Handle, sql: &str, params: Vec<ParameterValue>) -> DbValue {
        let mut result = self.query(on, sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        result.rows.pop().unwrap().pop().unwrap()
    }

    /// The one text `sql` gives.
    async fn text(&mut self, on: &Handle, sql: &str) -> String {
        match self.value(on, sql, vec![]).await {
            DbValue::Str(text) => text,
            value => panic!("{sql}: {value:?}"),
        }
    }

    /// The server's process that serves the session.
    async fn process(&mut self, on: &Handle) -> String {
        self.text(on, "SELECT pg_backend_pid()::text").await
    }

    /// Runs `statements` as one guest that then goes without cleaning up, and opens the next guest's session.
    async fn leave(&mut self, database: &Database, statements: &[&str]) -> Handle {
        let first = self.open(database).await;
        for sql in statements {
            self.execute(&first, sql, vec![]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
        self.drop(first).await;
        self.open(database).await
    }
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

fn inclusive<T>(value: T) -> Option<(T, RangeBoundKind)> {
    Some((value, RangeBoundKind::Inclusive))
}

fn exclusive<T>(value: T) -> Option<(T, RangeBoundKind)> {
    Some((value, RangeBoundKind::Exclusive))
}

fn server_error(error: Error) -> DbError {
    match error {
        Error::QueryFailed(QueryError::DbError(error)) => error,
        error => panic!("{error:?} is not an error of the server"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_goes_there_and_back() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    let long =
        "-123456789012345678901234567890123456789012345678901234567890.000000000000000000000000000000000000000000120";
    let some = |text: &str| Some(text.to_owned());
    for (ty, given, expected) in [
        ("bool", ParameterValue::Boolean(true), DbValue::Boolean(true)),
        ("int2", ParameterValue::Int16(i16::MIN), DbValue::Int16(i16::MIN)),
        ("int4", ParameterValue::Int32(i32::MIN), DbValue::Int32(i32::MIN)),
        ("int8", ParameterValue::Int64(i64::MIN), DbValue::Int64(i64::MIN)),
        ("int8", ParameterValue::Int8(-7), DbValue::Int64(-7)),
        ("int8", ParameterValue::Int32(-7), DbValue::Int64(-7)),
        ("numeric", ParameterValue::Int64(i64::MAX), DbValue::Decimal(i64::MAX.to_string())),
        ("\"char\"", ParameterValue::Int8(65), DbValue::Str("A".into())),
        ("\"char\"", ParameterValue::Str("é".into()), DbValue::Str("\\303".into())),
        ("float4", ParameterValue::Floating32(0.1), DbValue::Floating32(0.1)),
        ("float8", ParameterValue::Floating64(f64::MIN_POSITIVE), DbValue::Floating64(f64::MIN_POSITIVE)),
        ("float8", ParameterValue::Floating32(0.5), DbValue::Floating64(0.5)),
        ("text", ParameterValue::Str("é \u{1f600} '\"\\".into()), DbValue::Str("é \u{1f600} '\"\\".into())),
        ("varchar", ParameterValue::Str(String::new()), DbValue::Str(String::new())),
        ("char(3)", ParameterValue::Str("a".into()), DbValue::Str("a  ".into())),
        ("name", ParameterValue::Str("a".into()), DbValue::Str("a".into())),
        ("bytea", ParameterValue::Binary(vec![0, 255, 92]), DbValue::Binary(vec![0, 255, 92])),
        ("bytea", ParameterValue::Binary(vec![]), DbValue::Binary(vec![])),
        ("date", ParameterValue::Date((2024, 2, 29)), DbValue::Date((2024, 2, 29))),
        ("date", ParameterValue::Date((-4712, 1, 1)), DbValue::Date((-4712, 1, 1))),
        ("date", ParameterValue::Date((5_874_897, 12, 31)), DbValue::Date((5_874_897, 12, 31))),
        ("time", ParameterValue::Time((23, 59, 59, 999_999_999)), DbValue::Time((23, 59, 59, 999_999_000))),
        ("time", ParameterValue::Time((24, 0, 0, 0)), DbValue::Time((24, 0, 0, 0))),
        (
            "timestamp",
            ParameterValue::Datetime((1969, 12, 31, 23, 59, 59, 1_000)),
            DbValue::Datetime((1969, 12, 31, 23, 59, 59, 1_000)),
        ),
        (
            "timestamptz",
            ParameterValue::Datetime((2024, 1, 2, 3, 4, 5, 0)),
            DbValue::Datetime((2024, 1, 2, 3, 4, 5, 0)),
        ),
        ("timestamptz", ParameterValue::Timestamp(-1), DbValue::Datetime((1969, 12, 31, 23, 59, 59, 0))),
        ("timestamp", ParameterValue::Timestamp(1_700_000_000), DbValue::Datetime((2023, 11, 14, 22, 13, 20, 0))),
        (
            "uuid",
            ParameterValue::Uuid("00112233-4455-6677-8899-AABBCCDDEEFF".into()),
            DbValue::Uuid("00112233-4455-6677-8899-aabbccddeeff".into()),
        ),
        (
            "jsonb",
            ParameterValue::Jsonb(b"{\"a\":[1,1e30]}".into()),
            DbValue::Jsonb(format!("{{\"a\": [1, 1{}]}}", "0".repeat(30)).into()),
        ),
        ("json", ParameterValue::Jsonb(b"{\"a\":1}".into()), DbValue::Jsonb(b"{\"a\":1}".into())),
        ("numeric", ParameterValue::Decimal(long.into()), DbValue::Decimal(long.into())),
        ("numeric", ParameterValue::Decimal("NaN".into()), DbValue::Decimal("NaN".into())),
        ("numeric", ParameterValue::Decimal("1e10".into()), DbValue::Decimal("10000000000".into())),
        ("numeric", ParameterValue::Decimal("0.00".into()), DbValue::Decimal("0.00".into())),
        (
            "int4range",
            ParameterValue::RangeInt32((inclusive(1), inclusive(4))),
            DbValue::RangeInt32((inclusive(1), exclusive(5))),
        ),
        ("int4range", ParameterValue::RangeInt32((None, None)), DbValue::RangeInt32((None, None))),
        ("int8range", ParameterValue::RangeInt64((exclusive(-5), None)), DbValue::RangeInt64((inclusive(-4), None))),
        ("int8range", ParameterValue::RangeInt32((None, exclusive(9))), DbValue::RangeInt64((None, exclusive(9)))),
        (
            "int4range",
            ParameterValue::RangeInt32((exclusive(1), inclusive(1))),
            DbValue::RangeInt32((inclusive(0), exclusive(0))),
        ),
        (
            "numrange",
            ParameterValue::RangeDecimal((exclusive("1.50".into()), inclusive(long[1..].into()))),
            DbValue::RangeDecimal((exclusive("1.50".into()), inclusive(long[1..].into()))),
        ),
        (
            "numrange",
            ParameterValue::RangeDecimal((inclusive("1".into()), exclusive("1".into()))),
            DbValue::RangeDecimal((inclusive("0".into()), exclusive("0".into()))),
        ),
        (
            "int4[]",
            ParameterValue::ArrayInt32(vec![Some(1), None, Some(-3)]),
            DbValue::ArrayInt32(vec![Some(1), None, Some(-3)]),
        ),
        ("int4[]", ParameterValue::ArrayInt32(vec![]), DbValue::ArrayInt32(vec![])),
        (
            "int8[]",
            ParameterValue::ArrayInt64(vec![None, Some(i64::MAX)]),
            DbValue::ArrayInt64(vec![None, Some(i64::MAX)]),
        ),
        ("int8[]", ParameterValue::ArrayInt32(vec![Some(2)]), DbValue::ArrayInt64(vec![Some(2)])),
        (
            "numeric[]",
            ParameterValue::ArrayDecimal(vec![some(long), None, some("1.10")]),
            DbValue::ArrayDecimal(vec![some(long), None, some("1.10")]),
        ),
        (
            "text[]",
            ParameterValue::ArrayStr(vec![some("a,\"{}\\ é"), None, some(""), some("NULL")]),
            DbValue::ArrayStr(vec![some("a,\"{}\\ é"), None, some(""), some("NULL")]),
        ),
        ("varchar[]", ParameterValue::ArrayStr(vec![]), DbValue::ArrayStr(vec![])),
        ("name[]", ParameterValue::ArrayStr(vec![some("a")]), DbValue::ArrayStr(vec![some("a")])),
        (
            "interval",
            ParameterValue::Interval(Interval { micros: -1, days: 40, months: -13 }),
            DbValue::Interval(Interval { micros: -1, days: 40, months: -13 }),
        ),
        // Whatever has a text form takes one.
        ("date", ParameterValue::Str("2024-02-29".into()), DbValue::Date((2024, 2, 29))),
        ("jsonb", ParameterValue::Str("[]".into()), DbValue::Jsonb(b"[]".into())),
        ("int4", ParameterValue::Str("-5".into()), DbValue::Int32(-5)),
        ("int4[]", ParameterValue::ArrayStr(vec![some("1"), None]), DbValue::ArrayInt32(vec![Some(1), None])),
    ] {
        let given_as = shown(&given);
        let value = guest.value(&session, &format!("SELECT $1::{ty}"), vec![given]).await;
        assert_eq!(shown(&value), shown(&expected), "{given_as} as {ty}");
        let nothing = guest.value(&session, &format!("SELECT $1::{ty}"), vec![ParameterValue::DbNull]).await;
        assert!(matches!(nothing, DbValue::DbNull), "NULL as {ty}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn types_of_the_database_itself() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    for sql in [
        "DROP TABLE IF EXISTS runner_types",
        "DROP TYPE IF EXISTS runner_mood",
        "DROP DOMAIN IF EXISTS runner_year",
        "CREATE TYPE runner_mood AS ENUM ('calm', 'so-so')",
        "CREATE DOMAIN runner_year AS int4 CHECK (VALUE > 1900)",
        "CREATE TABLE runner_types (mood runner_mood, moods runner_mood[], year runner_year, host inet)",
    ] {
        guest.execute(&session, sql, vec![]).await.unwrap();
    }
    let params = vec![
        ParameterValue::Str("so-so".into()),
        ParameterValue::ArrayStr(vec![Some("calm".into()), None]),
        ParameterValue::Int32(1999),
        ParameterValue::Str("10.0.0.1".into()),
    ];
    assert_eq!(guest.execute(&session, "INSERT INTO runner_types VALUES ($1, $2, $3, $4)", params).await.unwrap(), 1);
    let result = guest.query(&session, "SELECT * FROM runner_types", vec![]).await.unwrap();
    let names: Vec<_> = result.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["mood", "moods", "year", "host"]);
    assert!(matches!(&result.columns[3].data_type, DbDataType::Other(name) if name == "inet"));
    assert!(matches!(&result.rows[0][0], DbValue::Str(mood) if mood == "so-so"));
    assert_eq!(shown(&result.rows[0][1]), r#"DbValue::ArrayStr([Some("calm"), None])"#);
    assert!(matches!(&result.rows[0][2], DbValue::Int32(1999)));
    assert!(matches!(&result.rows[0][3], DbValue::Unsupported(bytes) if bytes.ends_with(&[10, 0, 0, 1])));
    // A domain's rule is the server's to enforce.
    let error = guest.execute(&session, "UPDATE runner_types SET year = $1", vec![ParameterValue::Int32(1)]).await;
    assert_eq!(server_error(error.unwrap_err()).code, "23514");
    for sql in ["DROP TABLE runner_types", "DROP TYPE runner_mood", "DROP DOMAIN runner_year"] {
        guest.execute(&session, sql, vec![]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_cannot_have_is_an_error_that_says_so() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    for sql in [
        "SELECT 'infinity'::date AS born",
        "SELECT '-infinity'::timestamptz AS born FROM generate_series(1, 5000)",
        "SELECT ARRAY[[1, 2], [3, 4]] AS born",
    ] {
        let error = guest.query(&session, sql, vec![]).await.unwrap_err();
        assert!(matches!(&error, Error::ValueConversionFailed(text) if text.contains("\"born\"")), "{sql}: {error:?}");
    }
    let error = guest.query(&session, "SELECT $1::int4", vec![ParameterValue::Int64(1)]).await.unwrap_err();
    assert!(matches!(&error, Error::BadParameter(text) if text.contains("$1") && text.contains("int4")), "{error:?}");
    let error = guest.query(&session, "SELECT $1::int4", vec![]).await.unwrap_err();
    assert!(matches!(&error, Error::BadParameter(text) if text.contains("takes 1")), "{error:?}");
    let error = guest.execute(&session, "COPY pg_class TO STDOUT", vec![]).await.unwrap_err();
    assert!(matches!(&error, Error::QueryFailed(QueryError::Text(text)) if text.contains("COPY")), "{error:?}");
    // A NUL in a text is the server's to refuse.
    let error = guest.query(&session, "SELECT $1::text", vec![ParameterValue::Str("\0".into())]).await.unwrap_err();
    assert_eq!(server_error(error).code, "22021");
    assert_eq!(guest.text(&session, "SELECT 'still here'").await, "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_errors_come_with_everything_it_says() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    guest.execute(&session, "CREATE TEMP TABLE things (name text CONSTRAINT one_name UNIQUE)", vec![]).await.unwrap();
    let insert = "INSERT INTO things VALUES ($1)";
    let name = || vec![ParameterValue::Str("a".into())];
    assert_eq!(guest.execute(&session, insert, name()).await.unwrap(), 1);
    let error = server_error(guest.execute(&session, insert, name()).await.unwrap_err());
    assert_eq!((error.severity.as_str(), error.code.as_str()), ("ERROR", "23505"));
    assert!(error.detail.is_some_and(|detail| detail.contains("(name)=(a)")));
    for (name, value) in [("constraint", "one_name"), ("table", "things"), ("routine", "_bt_check_unique")] {
        assert!(error.extras.contains(&(name.to_owned(), value.to_owned())), "{name}: {:?}", error.extras);
    }
    assert!(error.as_text.contains("23505") && error.as_text.contains("one_name"));
    let error = server_error(guest.query(&session, "SELECT nowhere", vec![]).await.unwrap_err());
    assert_eq!(error.code, "42703");
    assert!(error.extras.contains(&("position".to_owned(), "8".to_owned())), "{:?}", error.extras);
}

#[tokio::test]
async fn a_refused_address_is_never_connected_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let elsewhere = format!("postgres://127.0.0.1:{}", if port == 1 { 2 } else { port - 1 });
    let mut guest = Guest::new(
        Pools::new(&settings(), DatabaseMetrics::new()).unwrap(),
        &[&elsewhere, "postgres://good.example:*"],
    );
    for address in [
        format!("postgres://u:secret@127.0.0.1:{port}/d"),
        format!("host=127.0.0.1 port={port} user=u password=secret"),
        format!("host=good.example hostaddr=127.0.0.1 port={port} user=u password=secret"),
        format!("postgres://u:secret@good.example:{port}/d?hostaddr=127.0.0.1"),
        format!("host=good.example,127.0.0.1 port={port} user=u password=secret"),
    ] {
        let error = guest.try_open(&address).await.unwrap_err();
        let Error::ConnectionFailed(text) = &error else { panic!("{error:?}") };
        assert!(text.contains(&format!("127.0.0.1:{port}")) && text.contains("allowed_outbound_hosts"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let nobody = futures_util::FutureExt::now_or_never(listener.accept());
    assert!(nobody.is_none(), "somebody connected");
}

#[tokio::test]
async fn one_guests_permission_is_not_anothers() {
    let pools = Pools::new(&settings(), DatabaseMetrics::new()).unwrap();
    let address = "postgres://u@127.0.0.1:1/d?sslmode=disable";
    let first = Guest::new(pools.clone(), &["postgres://127.0.0.1:1"]).try_open(address).await.unwrap_err();
    assert!(matches!(first, Error::ConnectionFailed(text) if text.contains("cannot connect to 127.0.0.1:1")));
    let second = Guest::new(pools, &["postgres://127.0.0.1:2"]).try_open(address).await.unwrap_err();
    assert!(matches!(second, Error::ConnectionFailed(text) if text.contains("not permitted")));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = settings::Postgres { pg_connect_timeout: Duration::from_millis(50), ..settings() };
    let mut guest = Guest::new(Pools::new(&settings, DatabaseMetrics::new()).unwrap(), &["*://*:*"]);
    let address = format!("postgres://u@{}/d", listener.local_addr().unwrap());
    let error = guest.try_open(&address).await.unwrap_err();
    assert!(matches!(&error, Error::ConnectionFailed(text) if text.contains("RUNNER_PG_CONNECT_TIMEOUT")), "{error:?}");
    assert!(connect(&address, &settings).await.unwrap_err().to_string().contains("RUNNER_PG_CONNECT_TIMEOUT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_left_nothing_is_used_again_as_it_is() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    let process = guest.process(&session).await;
    guest.drop(session).await;
    for statements in [
        &["SELECT 1"][..],
        &["BEGIN", "SELECT 1", "COMMIT"],
        &["BEGIN", "SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK"],
        &["SET application_name = 'a'"],
    ] {
        let session = guest.leave(&database, statements).await;
        assert_eq!(guest.process(&session).await, process);
        let prepared =
            guest.value(&session, "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'", vec![]);
        assert!(matches!(prepared.await, DbValue::Int64(1)), "{statements:?}");
        guest.drop(session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_says_which_functions_change_the_session() {
    let Some(database) = Database::get().await else { return };
    let address = Address::parse(&database.url).unwrap();
    let tls = connector(&Arc::new(Authorities::load(None).unwrap()), &address).await.unwrap();
    let connection = Connection::open(&address.config, tls, Statements::Auto).await.unwrap();
    let made = "CREATE SCHEMA runner_calls;
        CREATE FUNCTION runner_calls.runner_safe(text) RETURNS text LANGUAGE sql PARALLEL SAFE AS 'SELECT $1';
        CREATE FUNCTION runner_calls.runner_any(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION runner_calls.runner_writes(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        COMMENT ON FUNCTION runner_calls.runner_writes IS 'Writes. It leaves its session as it was.';
        CREATE FUNCTION runner_calls.runner_says(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        COMMENT ON FUNCTION runner_calls.runner_says IS 'It leaves its session as it was. Or not.';
        CREATE FUNCTION runner_calls.upper(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
        CREATE SEQUENCE runner_calls.numbers;
        CREATE TABLE runner_calls.t (x text);
        SET search_path = runner_calls, public";
    connection.client.batch_execute(made).await.unwrap();
    for (sql, change) in [
        ("SELECT lower('A'), coalesce(max(x), '') FROM t WHERE x IN ('a') AND EXISTS (VALUES (1))", Change::Nothing),
        ("WITH a (y) AS MATERIALIZED (SELECT x FROM t) SELECT count(*) OVER (PARTITION BY y) FROM a", Change::Nothing),
        ("SELECT CAST(x AS varchar(3)), x::char(2), ARRAY(SELECT unnest(ARRAY['a'])) FROM t", Change::Nothing),
        ("SELECT extract(year FROM now()), runner_safe('a')", Change::Nothing),
        ("INSERT INTO t (x) VALUES (lower($1))", Change::Sequences),
        ("SELECT nextval('numbers'), setval('numbers', 5)", Change::Sequences),
        ("SELECT runner_writes('a')", Change::Nothing),
        ("INSERT INTO t (x) VALUES (runner_writes('a'))", Change::Sequences),
        ("SELECT runner_says('a')", Change::Anything),
        ("SELECT runner_any('a')", Change::Anything),
        ("SELECT upper('a')", Change::Anything),
        ("SELECT set_config('a.b', 'c', false)", Change::Anything),
        ("SELECT pg_try_advisory_lock(1)", Change::Anything),
        ("SELECT query_to_xml('SELECT 1', true, true, '')", Change::Anything),
    ] {
        let prepared = connection.prepare(sql).await.unwrap();
        assert_eq!(prepared.change, change, "{sql}");
        assert_eq!(prepared.only_reads, change == Change::Nothing && !sql.contains("runner_writes"), "{sql}");
    }
    connection.client.batch_execute("DROP SCHEMA runner_calls CASCADE").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_nobody_uses_is_closed() {
    let Some(database) = Database::get().await else { return };
    let settings = settings::Postgres { pg_idle_timeout: Duration::from_secs(1), ..settings() };
    let pools = Pools::new(&settings, DatabaseMetrics::new()).unwrap();
    let mut guest = Guest::new(pools.clone(), &["*://*:*"]);
    let session = guest.open(&database).await;
    let process = guest.process(&session).await;
    guest.drop(session).await;
    // Unlike that one, this session needs no cleaning before it is idle.
    let session = guest.open(&database).await;
    assert_eq!(guest.text(&session, "SELECT 'idle'").await, "idle");
    guest.drop(session).await;
    let kept = || pools.states().iter().map(|state| state.idle).sum::<u64>();
    assert_eq!(kept(), 1);
    let deadline = Instant::now() + Duration::from_secs(10);
    while kept() > 0 {
        assert!(Instant::now() < deadline, "the connection is still open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let session = guest.open(&database).await;
    assert_ne!(guest.process(&session).await, process);
    guest.drop(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_one_guest_leaves_reaches_the_next() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    for sql in ["DROP TABLE IF EXISTS runner_left", "CREATE TABLE runner_left (x int)"] {
        guest.execute(&session, sql, vec![]).await.unwrap();
    }
    guest.drop(session).await;
    let locks = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    for (statements, question, answer) in [
        (&["BEGIN", "INSERT INTO runner_left VALUES (1)"][..], "SELECT count(*)::text FROM runner_left", "0"),
        (
            &["BEGIN", "INSERT INTO runner_left VALUES (1)", "COMMIT AND CHAIN", "DELETE FROM runner_left"],
            "SELECT count(*)::text FROM runner_left",
            "1",
        ),
        (&["SET application_name = 'left'"], "SELECT current_setting('application_name')", ""),
        (&["BEGIN", "SET LOCAL application_name = 'left'"], "SELECT current_setting('application_name')", ""),
        (&["SELECT set_config('application_name', 'left', false)"], "SELECT current_setting('application_name')", ""),
        (
            &["DO $$ BEGIN PERFORM set_config('application_name', 'left', false); END $$"],
            "SELECT current_setting('application_name')",
            "",
        ),
        (&["CREATE TEMP TABLE left_behind (x int)"], "SELECT (to_regclass('left_behind') IS NULL)::text", "true"),
        (&["SELECT 1 AS x INTO TEMP left_behind"], "SELECT (to_regclass('left_behind') IS NULL)::text", "true"),
        (&["LISTEN left_behind"], "SELECT count(*)::text FROM pg_listening_channels()", "0"),
        (&["SELECT pg_advisory_lock(77)"], locks, "0"),
        (&["SELECT \"pg_advisory_lock\"(77)"], locks, "0"),
        (&["PREPARE left_behind AS SELECT 1"], "SELECT count(*)::text FROM pg_prepared_statements WHERE from_sql", "0"),
        (
            &["BEGIN", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "COMMIT"],
            "SELECT count(*)::text FROM pg_cursors WHERE name = 'c'",
            "0",
        ),
        (&["SET ROLE pg_read_all_data"], "SELECT (current_user = session_user)::text", "true"),
        (
            &["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
            "SELECT current_setting('transaction_read_only')",
            "off",
        ),
        (
            &["SET DateStyle = 'SQL, DMY'", "SELECT '01/02/2020'::date::text"],
            "SELECT '01/02/2020'::date::text",
            "2020-01-02",
        ),
        (&["DEALLOCATE ALL"], "SELECT 'works'", "works"),
        (&["DISCARD ALL"], "SELECT 'works'", "works"),
    ] {
        let session = guest.leave(&database, statements).await;
        assert_eq!(guest.text(&session, question).await, answer, "{statements:?}");
        guest.drop(session).await;
    }
    let session = guest.leave(&database, &["DROP TABLE runner_left"]).await;
    guest.drop(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_transaction_does_not_reach_the_next_guest() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    guest.execute(&session, "BEGIN", vec![]).await.unwrap();
    guest.execute(&session, "SELECT 1 / 0", vec![]).await.unwrap_err();
    let error = guest.execute(&session, "SELECT 1", vec![]).await.unwrap_err();
    assert_eq!(server_error(error).code, "25P02");
    guest.drop(session).await;
    let session = guest.open(&database).await;
    assert_eq!(guest.text(&session, "SELECT 'works'").await, "works");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_prepared_anew_when_the_schema_changes() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    guest.execute(&session, "CREATE TEMP TABLE changing (a int)", vec![]).await.unwrap();
    for columns in 1..4 {
        let result = guest.query(&session, "SELECT * FROM changing", vec![]).await.unwrap();
        assert_eq!(result.columns.len(), columns);
        let sql = format!("ALTER TABLE changing ADD COLUMN b{columns} text");
        guest.execute(&session, &sql, vec![]).await.unwrap();
    }
    guest.execute(&session, "DEALLOCATE ALL", vec![]).await.unwrap();
    assert_eq!(guest.query(&session, "SELECT * FROM changing", vec![]).await.unwrap().columns.len(), 4);
    // Behind the host's back.
    guest.execute(&session, "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$", vec![]).await.unwrap();
    assert_eq!(guest.query(&session, "SELECT * FROM changing", vec![]).await.unwrap().columns.len(), 4);
    // Within a transaction the server's error stands: what came before it is undone.
    guest.execute(&session, "BEGIN", vec![]).await.unwrap();
    guest.execute(&session, "ALTER TABLE changing ADD COLUMN last text", vec![]).await.unwrap();
    let error = guest.query(&session, "SELECT * FROM changing", vec![]).await.unwrap_err();
    assert_eq!(server_error(error).code, "0A000");
    guest.execute(&session, "ROLLBACK", vec![]).await.unwrap();
    assert_eq!(guest.query(&session, "SELECT * FROM changing", vec![]).await.unwrap().columns.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_statements_than_are_kept() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    for number in 0..300 {
        let sql = format!("SELECT '{number}'");
        assert_eq!(guest.text(&session, &sql).await, number.to_string());
    }
    let kept = guest.value(&session, "SELECT count(*) FROM pg_prepared_statements", vec![]).await;
    assert!(matches!(kept, DbValue::Int64(0..=256)), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_stopped() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|settings| settings.pg_statement_timeout = Duration::from_millis(100));
    let session = guest.open(&database).await;
    let error = guest.query(&session, "SELECT pg_sleep(30)", vec![]).await.unwrap_err();
    assert_eq!(server_error(error).code, "57014");
    assert_eq!(guest.text(&session, "SELECT 'still here'").await, "still here");
    // The host has a limit of its own where the guest lifts the server's.
    guest.execute(&session, "SET statement_timeout = 0", vec![]).await.unwrap();
    let begun = Instant::now();
    let error = guest.query(&session, "SELECT pg_sleep(30)", vec![]).await.unwrap_err();
    assert!(
        matches!(&error, Error::QueryFailed(QueryError::Text(text)) if text.contains("RUNNER_PG_STATEMENT_TIMEOUT")),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
    // The setting went with the session, which the guest must know.
    let error = guest.query(&session, "SELECT 1", vec![]).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionFailed(_)), "{error:?}");
    guest.drop(session).await;
    let session = guest.open(&database).await;
    assert_eq!(guest.text(&session, "SELECT current_setting('statement_timeout')").await, "100ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_goes_takes_its_statement_with_it() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let session = guest.open(&database).await;
    let process = guest.process(&session).await;
    let gone =
        tokio::time::timeout(Duration::from_millis(200), guest.query(&session, "SELECT pg_sleep(600)", vec![])).await;
    assert!(gone.is_err());
    guest.drop(session).await;
    let session = guest.open(&database).await;
    assert_ne!(guest.process(&session).await, process, "the session was used again");
    let running = format!("SELECT count(*)::text FROM pg_stat_activity WHERE pid = {process}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while guest.text(&session, &running).await != "0" {
        assert!(Instant::now() < deadline, "the statement still runs");
        guest.query(&session, "SELECT pg_sleep(0.02)", vec![]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_too_large_is_refused() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|settings| settings.pg_max_result = ByteSize::kib(64));
    let session = guest.open(&database).await;
    for sql in
        ["SELECT repeat('x', 1000) FROM generate_series(1, 10000000)", "SELECT NULL FROM generate_series(1, 100000)"]
    {
        let error = guest.query(&session, sql, vec![]).await.unwrap_err();
        assert!(
            matches!(&error, Error::QueryFailed(QueryError::Text(text)) if text.contains("RUNNER_PG_MAX_RESULT")),
            "{error:?}"
        );
        // Nothing was lost with the session, so that the next statement gets another.
        assert_eq!(guest.text(&session, "SELECT 'still here'").await, "still here");
    }
    assert_eq!(
        guest.execute(&session, "SELECT repeat('x', 1000) FROM generate_series(1, 1000)", vec![]).await.unwrap(),
        1000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_replaced_unless_something_was_lost_with_it() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let suicide = "SELECT pg_terminate_backend(pg_backend_pid())";
    let session = guest.open(&database).await;
    guest.execute(&session, "BEGIN", vec![]).await.unwrap();
    guest.query(&session, suicide, vec![]).await.unwrap_err();
    let error = guest.query(&session, "SELECT 1", vec![]).await.unwrap_err();
    assert!(matches!(&error, Error::ConnectionFailed(text) if text.contains("transaction")), "{error:?}");
    guest.drop(session).await;
    let session = guest.open(&database).await;
    assert_eq!(guest.text(&session, "SELECT 'new'").await, "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_in_the_pool_or_in_hand_is_not_noticed() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|_| {});
    let admin = connect(&database.url, &settings()).await.unwrap();
    for in_pool in [true, false, true] {
        let session = guest.open(&database).await;
        assert_eq!(guest.text(&session, "SELECT 'warm'").await, "warm");
        // The guest must not ask for it: `pg_backend_pid()` counts as a change of the session, which it would miss.
        let process = "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT ''warm''' AND state = 'idle'";
        let process: i32 = admin.query_one(process, &[]).await.unwrap().get(0);
        let session = if in_pool {
            guest.drop(session).await;
            None
        } else {
            Some(session)
        };
        admin.execute("SELECT pg_terminate_backend($1, 5000)", &[&process]).await.unwrap();
        let session = match session {
            Some(session) => session,
            None => guest.open(&database).await,
        };
        assert_eq!(guest.text(&session, "SELECT 'not prepared yet'").await, "not prepared yet");
        guest.drop(session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_connection_has_an_end() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|settings| settings.pg_wait_timeout = Duration::from_millis(50));
    let session = guest.open(&database).await;
    let error = guest.try_open(&database.url).await.unwrap_err();
    assert!(matches!(&error, Error::ConnectionFailed(text) if text.contains("RUNNER_PG_POOL_SIZE")), "{error:?}");
    guest.drop(session).await;
    guest.open(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_statements_of_a_request_have_one_limit() {
    let Some(database) = Database::get().await else { return };
    let mut guest = database.guest(|settings| settings.pg_timeout = Duration::from_millis(500));
    let session = guest.open(&database).await;
    let begun = Instant::now();
    let mut error = None;
    for _ in 0..5 {
        error = guest.query(&session, "SELECT pg_sleep(0.2)", vec![]).await.err().or(error);
    }
    assert!(
        matches!(&error, Some(Error::QueryFailed(QueryError::Text(text))) if text.contains("RUNNER_PG_TIMEOUT")),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(1), "each further one fails at once: {:?}", begun.elapsed());
    guest.drop(session).await;
    let error = guest.try_open(&database.url).await.unwrap_err();
    assert!(matches!(&error, Error::ConnectionFailed(text) if text.contains("RUNNER_PG_TIMEOUT")), "{error:?}");
    // The next request has its own.
    guest.ctx.begin_request();
    let session = guest.open(&database).await;
    assert_eq!(guest.text(&session, "SELECT 'here'").await, "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guests_share_a_pool() {
    let Some(database) = Database::get().await else { return };
    let pools = Pools::new(&settings(), DatabaseMetrics::new()).unwrap();
    let guests = (0..50).map(|number| {
        let (pools, url) = (pools.clone(), database.url.clone());
        tokio::spawn(async move {
            let mut guest = Guest::new(pools, &["*://*:*"]);
            let mut processes = HashSet::new();
            for _ in 0..10 {
                let session = guest.try_open(&url).await.unwrap();
                let value = guest.value(&session, "SELECT $1::int4", vec![ParameterValue::Int32(number)]).await;
                assert!(matches!(value, DbValue::Int32(value) if value == number));
                processes.insert(guest.process(&session).await);
                guest.drop(session).await;
            }
            processes
        })
    });
    let mut processes = HashSet::new();
    for guest in guests.collect::<Vec<_>>() {
        processes.extend(guest.await.unwrap());
    }
    assert_eq!(processes.len(), 1, "a pool of one had several connections");
}
