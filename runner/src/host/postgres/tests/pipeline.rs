//! Pipelines, as guests see them: not at all.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::host::postgres::pipeline::Pipelines;

const NUMBER: &str = "SELECT $1::int4";

/// Guests of one runner.
struct Guests<'a> {
    database: &'a Database,
    pools: Arc<Pools>,
}

impl<'a> Guests<'a> {
    fn new(database: &'a Database, adapt: impl FnOnce(&mut settings::Postgres)) -> Self {
        let mut settings = settings();
        // Room for one pipeline.
        settings.pg_pool_size = 8;
        settings.pg_wait_timeout = Duration::from_millis(500);
        adapt(&mut settings);
        Self { database, pools: Pools::new(&settings, DatabaseMetrics::new()).unwrap() }
    }

    fn guest(&self) -> Guest {
        Guest::new(self.pools.clone(), &["*://*:*"])
    }

    async fn pipelines(&self) -> Arc<Pipelines> {
        let allowed = AllowedHosts::parse(&["*://*:*"]).unwrap();
        self.pools.database(&self.database.url, &allowed).await.unwrap().pipelines.clone()
    }

    /// What `sql` gives in a session of its own, as far as the guest knows.
    async fn query(&self, sql: &str, params: Vec<ParameterValue>) -> Result<RowSet, Error> {
        let mut guest = self.guest();
        let session = guest.open(self.database).await;
        let result = guest.query(&session, sql, params).await;
        guest.drop(session).await;
        result
    }

    /// Runs `sql` until it may use a pipeline.
    async fn prove(&self, sql: &str, params: Vec<ParameterValue>) {
        let pipelines = self.pipelines().await;
        for _ in 0..1000 {
            self.query(sql, params.clone()).await.unwrap();
            if pipelines.place(sql).is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{sql} is never in a pipeline");
    }
}

fn number(number: i32) -> Vec<ParameterValue> {
    vec![ParameterValue::Int32(number)]
}

/// The one value of a result.
fn value(result: Result<RowSet, Error>) -> DbValue {
    result.unwrap().rows.pop().unwrap().pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn small_statements_of_many_guests_need_no_connection_each() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    guests.prove(NUMBER, number(0)).await;
    let mut all = Vec::new();
    for own in 0..40 {
        let mut guest = guests.guest();
        let session = guest.open(&database).await;
        all.push((own, guest, session));
    }
    let ask = all.into_iter().map(|(own, mut guest, session)| {
        tokio::spawn(async move {
            for round in 0..25 {
                let wanted = own * 1000 + round;
                let value = guest.value(&session, NUMBER, number(wanted)).await;
                assert!(matches!(value, DbValue::Int32(value) if value == wanted), "{value:?} instead of {wanted}");
            }
        })
    });
    for task in ask.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_something_has_a_session() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    let admin = connect(&database.url, &settings()).await.unwrap();
    admin.batch_execute("CREATE TABLE runner_pipeline_rows (x int4)").await.unwrap();
    const COUNT: &str = "SELECT count(*) FROM runner_pipeline_rows";
    guests.prove(COUNT, vec![]).await;
    let mut guest = guests.guest();
    let session = guest.open(&database).await;
    assert!(matches!(guest.value(&session, COUNT, vec![]).await, DbValue::Int64(0)));
    for sql in ["BEGIN", "INSERT INTO runner_pipeline_rows VALUES (1)"] {
        guest.execute(&session, sql, vec![]).await.unwrap();
    }
    assert!(matches!(guest.value(&session, COUNT, vec![]).await, DbValue::Int64(1)), "its own transaction");
    assert!(matches!(value(guests.query(COUNT, vec![]).await), DbValue::Int64(0)), "somebody else's");
    guest.execute(&session, "COMMIT", vec![]).await.unwrap();
    assert!(matches!(value(guests.query(COUNT, vec![]).await), DbValue::Int64(1)), "once it is there");
    guest.drop(session).await;
    admin.batch_execute("DROP TABLE runner_pipeline_rows").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_slow_statement_goes_elsewhere() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    const SLEEP: &str = "SELECT pg_sleep($1)::text";
    guests.prove(SLEEP, vec![ParameterValue::Floating64(0.0)]).await;
    guests.prove(NUMBER, number(0)).await;
    let pipelines = guests.pipelines().await;
    let answers = AtomicU32::new(0);
    let slow = async {
        guests.query(SLEEP, vec![ParameterValue::Floating64(2.0)]).await.unwrap();
        assert_eq!(answers.load(Ordering::Relaxed), 20, "quick ones are answered before");
    };
    let quick = async {
        while pipelines.idle() > 0 {
            tokio::task::yield_now().await;
        }
        for own in 0..20 {
            assert!(matches!(value(guests.query(NUMBER, number(own)).await), DbValue::Int32(value) if value == own));
            answers.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::join!(slow, quick);
    assert!(pipelines.place(SLEEP).is_none(), "it has to prove again that it is quick");
    guests.prove(NUMBER, number(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_is_lost_is_not_noticed() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    let admin = connect(&database.url, &settings()).await.unwrap();
    for round in 0..3 {
        guests.prove(NUMBER, number(0)).await;
        let end = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE query = $1";
        let ended: i64 = admin.query_one(end, &[&NUMBER]).await.unwrap().get(0);
        assert!(ended > 0);
        assert!(matches!(value(guests.query(NUMBER, number(round)).await), DbValue::Int32(value) if value == round));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_follows_a_table_that_changes() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    let admin = connect(&database.url, &settings()).await.unwrap();
    admin.batch_execute("CREATE TABLE runner_pipeline_table AS SELECT 1 AS x").await.unwrap();
    const ALL: &str = "SELECT * FROM runner_pipeline_table";
    for columns in 1..4 {
        guests.prove(ALL, vec![]).await;
        let result = guests.query(ALL, vec![]).await.unwrap();
        assert_eq!((result.columns.len(), result.rows[0].len()), (columns, columns));
        let add = format!("ALTER TABLE runner_pipeline_table ADD column_{columns} int4");
        admin.batch_execute(&add).await.unwrap();
    }
    admin.batch_execute("DROP TABLE runner_pipeline_table").await.unwrap();
    let error = guests.query(ALL, vec![]).await.unwrap_err();
    assert!(matches!(&error, Error::QueryFailed(QueryError::DbError(error)) if error.code == "42P01"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_that_of_its_statement() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    const DIVIDE: &str = "SELECT 12 / $1::int4";
    guests.prove(DIVIDE, number(1)).await;
    let guests = &guests;
    let divide = |by: i32| async move { (by, guests.query(DIVIDE, number(by)).await) };
    for (by, result) in futures_util::future::join_all((0..30).map(|each| divide(each % 3))).await {
        match (by, result) {
            (0, Err(Error::QueryFailed(QueryError::DbError(error)))) => assert_eq!(error.code, "22012"),
            (by, result) => assert!(matches!(value(result), DbValue::Int32(value) if value == 12 / by)),
        }
    }
    let error = guests.query(DIVIDE, vec![]).await.unwrap_err();
    assert!(matches!(&error, Error::BadParameter(text) if text.contains("takes 1 parameters")), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_write_is_never_in_a_pipeline() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |_| {});
    let admin = connect(&database.url, &settings()).await.unwrap();
    let made = "CREATE TABLE runner_pipeline_notes (x int4);
        CREATE FUNCTION runner_pipeline_note() RETURNS text LANGUAGE sql AS 'INSERT INTO runner_pipeline_notes VALUES (1); SELECT ''done''';
        COMMENT ON FUNCTION runner_pipeline_note IS 'It leaves its session as it was.'";
    admin.batch_execute(made).await.unwrap();
    let statements = [
        "SELECT runner_pipeline_note()",
        "INSERT INTO runner_pipeline_notes VALUES (2)",
        "SELECT pg_backend_pid()::text",
    ];
    for sql in statements {
        for _ in 0..20 {
            guests.query(sql, vec![]).await.unwrap();
        }
        assert!(guests.pipelines().await.place(sql).is_none(), "{sql}");
    }
    assert!(!guests.pipelines().await.are_open());
    let count: i64 = admin.query_one("SELECT count(*) FROM runner_pipeline_notes", &[]).await.unwrap().get(0);
    assert_eq!(count, 40);
    admin.batch_execute("DROP FUNCTION runner_pipeline_note; DROP TABLE runner_pipeline_notes").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_them_there_are_no_pipelines() {
    let Some(database) = Database::get().await else { return };
    type Adapt = fn(&mut settings::Postgres);
    let adapt: [Adapt; 3] = [
        |settings| settings.pg_pool_size = 7,
        |settings| settings.pg_pipelining = Switch::Off,
        |settings| settings.pg_statements = Statements::Unnamed,
    ];
    for adapt in adapt {
        let guests = Guests::new(&database, adapt);
        for _ in 0..20 {
            guests.query(NUMBER, number(1)).await.unwrap();
        }
        assert!(!guests.pipelines().await.are_open());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_that_nobody_uses_are_closed() {
    let Some(database) = Database::get().await else { return };
    let guests = Guests::new(&database, |settings| settings.pg_idle_timeout = Duration::from_millis(200));
    guests.prove(NUMBER, number(0)).await;
    let pipelines = guests.pipelines().await;
    for _ in 0..500 {
        if !pipelines.are_open() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!pipelines.are_open());
    assert!(matches!(value(guests.query(NUMBER, number(7)).await), DbValue::Int32(7)));
}
