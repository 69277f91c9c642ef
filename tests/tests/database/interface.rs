//! The Postgres interface a guest imports, through a real guest: every type, errors, sessions, what it may connect to.

use blackbox::{App, Builder, Client, Database, Value, at_once, json};

use crate::shared;

/// What `job` does at the shop's till.
async fn till(shop: &Client, job: Value) -> Value {
    shop.post("/till/4").json(job).await.expect(200).json()
}

/// What one statement returns.
async fn run(shop: &Client, sql: &str, params: Value) -> Value {
    let answer = till(shop, json!({"statements": [{"sql": sql, "params": params}]})).await;
    assert!(answer["results"].is_array(), "{sql}: {answer}");
    answer["results"][0].clone()
}

/// The only value of a result, and its column's type.
#[track_caller]
fn value(result: &Value) -> (&Value, &str) {
    let rows = result["rows"].as_array().unwrap_or_else(|| panic!("no rows: {result}"));
    assert_eq!(rows.len(), 1, "{result}");
    (&rows[0][0], result["columns"][0][1].as_str().unwrap_or_default())
}

/// One session at a time, so that the next guest gets that of the one before.
fn one_session() -> Builder {
    App::bookshop().env("RUNNER_PG_POOL_SIZE", "1").env("RUNNER_REQUEST_TIMEOUT", "3s")
}

/// The SQL type, the values sent and got back alike, and the column's type.
fn types() -> Vec<(&'static str, Vec<Value>, &'static str)> {
    vec![
        ("bool", vec![json!({"boolean": true}), json!({"boolean": false})], "Boolean"),
        ("smallint", vec![json!({"int16": -32768}), json!({"int16": 32767})], "Int16"),
        ("integer", vec![json!({"int32": i32::MIN}), json!({"int32": i32::MAX})], "Int32"),
        ("bigint", vec![json!({"int64": i64::MIN}), json!({"int64": i64::MAX})], "Int64"),
        (
            "real",
            vec![json!({"floating32": -1.5}), json!({"floating32": "NaN"}), json!({"floating32": "-inf"})],
            "Floating32",
        ),
        (
            "double precision",
            vec![json!({"floating64": 0.1}), json!({"floating64": 1e300}), json!({"floating64": "inf"})],
            "Floating64",
        ),
        ("text", vec![json!({"str": ""}), json!({"str": "é🎯'\"\\\u{1}\u{10ffff}"})], "Str"),
        ("varchar(5)", vec![json!({"str": "abcde"})], "Str"),
        ("char(3)", vec![json!({"str": "ab "})], "Str"),
        ("name", vec![json!({"str": "a_name"})], "Str"),
        ("bytea", vec![json!({"binary": []}), json!({"binary": [0, 255, 39, 92]})], "Binary"),
        (
            "date",
            vec![json!({"date": [2024, 2, 29]}), json!({"date": [1, 1, 1]}), json!({"date": [9999, 12, 31]})],
            "Date",
        ),
        ("time", vec![json!({"time": [0, 0, 0, 0]}), json!({"time": [23, 59, 59, 999_999_000]})], "Time"),
        (
            "timestamp",
            vec![
                json!({"datetime": [2024, 2, 29, 13, 14, 15, 123_456_000]}),
                json!({"datetime": [1969, 12, 31, 23, 59, 59, 0]}),
            ],
            "Datetime",
        ),
        ("timestamptz", vec![json!({"datetime": [2024, 2, 29, 13, 14, 15, 0]})], "Datetime"),
        ("uuid", vec![json!({"uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})], "Uuid"),
        ("jsonb", vec![json!({"jsonb": "{\"a\": [1, null, \"é\"]}"}), json!({"jsonb": "null"})], "Jsonb"),
        (
            "numeric",
            ["0", "-0.001", "19.99", "100.00", "123456789012345678901234567890.123456789", "NaN"]
                .map(|n| json!({"decimal": n}))
                .to_vec(),
            "Decimal",
        ),
        (
            "int4range",
            vec![
                json!({"range-int32": [[1, "inclusive"], [10, "exclusive"]]}),
                json!({"range-int32": [null, [5, "exclusive"]]}),
                json!({"range-int32": [null, null]}),
            ],
            "RangeInt32",
        ),
        ("int8range", vec![json!({"range-int64": [[i64::MIN, "inclusive"], null]})], "RangeInt64"),
        (
            "numrange",
            vec![
                json!({"range-decimal": [["1.5", "exclusive"], ["2.50", "inclusive"]]}),
                json!({"range-decimal": [null, ["0", "exclusive"]]}),
            ],
            "RangeDecimal",
        ),
        ("int4[]", vec![json!({"array-int32": []}), json!({"array-int32": [1, null, -2]})], "ArrayInt32"),
        ("int8[]", vec![json!({"array-int64": [i64::MAX, null]})], "ArrayInt64"),
        ("numeric[]", vec![json!({"array-decimal": ["1.10", null, "-99999999999999999999.5"]})], "ArrayDecimal"),
        ("text[]", vec![json!({"array-str": ["", null, "a,b", "{\"}", "NULL"]})], "ArrayStr"),
        (
            "interval",
            vec![
                json!({"interval": [1_500_000, 3, -14]}),
                json!({"interval": [0, 0, 0]}),
                json!({"interval": [-1, -1, 1]}),
            ],
            "Interval",
        ),
    ]
}

#[tokio::test]
async fn every_type_goes_in_and_comes_out_as_it_was() {
    let shop = shared::bookshop().await;
    for (sql_type, samples, column) in types() {
        for sample in samples {
            let result = run(&shop, &format!("SELECT $1::{sql_type}"), json!([sample])).await;
            assert_eq!(value(&result), (&sample, column), "{sql_type}");
        }
        let null = run(&shop, &format!("SELECT $1::{sql_type}"), json!(["db-null"])).await;
        assert_eq!(value(&null), (&json!("db-null"), column), "NULL as {sql_type}");
    }
}

#[tokio::test]
async fn every_type_is_stored_and_read_back() {
    let shop = shared::bookshop().await;
    let types = types();
    let columns: Vec<_> = types.iter().enumerate().map(|(n, (sql_type, ..))| format!("c{n} {sql_type}")).collect();
    let places: Vec<_> = (1..=types.len()).map(|n| format!("${n}")).collect();
    let row: Vec<_> = types.iter().map(|(_, samples, _)| samples[0].clone()).collect();
    let nulls = vec![json!("db-null"); types.len()];
    let insert = format!("INSERT INTO stock VALUES ({})", places.join(", "));
    let job = json!({"statements": [
        {"sql": format!("CREATE TABLE stock ({})", columns.join(", ")), "execute": true},
        {"sql": insert, "params": row, "execute": true},
        {"sql": insert, "params": nulls, "execute": true},
        {"sql": "SELECT * FROM stock"},
        {"sql": "UPDATE stock SET c0 = NOT c0", "execute": true},
    ]});
    let answer = till(&shop, job).await;
    let results = answer["results"].as_array().unwrap();
    assert_eq!((&results[1], &results[2], &results[4]), (&json!(1), &json!(1), &json!(2)), "execute counts rows");
    assert_eq!(results[3]["rows"], json!([row, nulls]));
    let described: Vec<_> =
        types.iter().enumerate().map(|(n, (_, _, column))| json!([format!("c{n}"), column])).collect();
    assert_eq!(results[3]["columns"], json!(described));
}

#[tokio::test]
async fn values_the_interface_cannot_express_are_reported() {
    let shop = shared::bookshop().await;
    let cases = [
        ("SELECT '(1,2)'::point", "unsupported", "Other(\"point\")"),
        ("SELECT '10.0.0.1'::inet", "unsupported", "Other(\"inet\")"),
        ("SELECT '{1,2}'::int2[]", "unsupported", "Other(\"_int2\")"),
    ];
    for (sql, kind, column) in cases {
        let result = run(&shop, sql, json!([])).await;
        let (value, found) = value(&result);
        assert!(value[kind].is_array(), "{sql}: {value}");
        assert_eq!(found, column, "{sql}");
    }
    for sql in ["SELECT 'infinity'::date", "SELECT '-infinity'::timestamptz", "SELECT '{{1,2},{3,4}}'::int4[]"] {
        let error = run(&shop, sql, json!([])).await["error"].clone();
        assert!(error["value-conversion-failed"].is_string(), "{sql}: {error}");
    }
    // Ordinary things that are not among the named types.
    let job = json!({"statements": [
        {"sql": "CREATE TYPE genre AS ENUM ('novel', 'poem')", "execute": true},
        {"sql": "CREATE DOMAIN isbn AS text", "execute": true},
        {"sql": "SELECT 'poem'::genre, '978'::isbn, 'x'::\"char\", '{\"a\":1}'::json, ARRAY['a','b']::varchar[]"},
    ]});
    let row = till(&shop, job).await["results"][2]["rows"][0].clone();
    let expected =
        json!([{"str": "poem"}, {"str": "978"}, {"str": "x"}, {"jsonb": "{\"a\":1}"}, {"array-str": ["a", "b"]}]);
    assert_eq!(row, expected);
}

#[tokio::test]
async fn parameters_are_fitted_where_nothing_is_lost() {
    let shop = shared::bookshop().await;
    let cases = [
        ("SELECT $1::bigint", json!({"int16": -7}), json!({"int64": -7})),
        ("SELECT $1::bigint", json!({"int32": 7}), json!({"int64": 7})),
        ("SELECT $1::int", json!({"int8": 7}), json!({"int32": 7})),
        ("SELECT $1::timestamptz", json!({"timestamp": 86_400}), json!({"datetime": [1970, 1, 2, 0, 0, 0, 0]})),
        ("SELECT $1::timestamp", json!({"timestamp": -1}), json!({"datetime": [1969, 12, 31, 23, 59, 59, 0]})),
        ("SELECT length($1)", json!({"str": "four"}), json!({"int32": 4})),
    ];
    for (sql, sent, expected) in cases {
        let result = run(&shop, sql, json!([sent])).await;
        assert_eq!(value(&result).0, &expected, "{sql} with {sent}");
    }
    for (sql, params, number) in [
        ("SELECT $1::int", json!([{"int64": i64::MAX}]), "1"),
        ("SELECT $1::int", json!([{"boolean": true}]), "1"),
        ("SELECT $1::text, $2::int", json!([{"str": "x"}, {"binary": [1]}]), "2"),
        ("SELECT $1::date", json!([{"date": [2023, 2, 29]}]), "1"),
        ("SELECT $1::time", json!([{"time": [25, 0, 0, 0]}]), "1"),
        ("SELECT $1::uuid", json!([{"uuid": "not-a-uuid"}]), "1"),
        ("SELECT $1::numeric", json!([{"decimal": "1.2.3"}]), "1"),
        ("SELECT $1::int4range", json!([{"range-int64": [null, null]}]), "1"),
    ] {
        let error = run(&shop, sql, params.clone()).await["error"].clone();
        let message = error["bad-parameter"].as_str().unwrap_or_else(|| panic!("{sql} with {params}: {error}"));
        assert!(message.contains(number), "it names the parameter: {message}");
    }
    for params in [json!([]), json!([{"int32": 1}, {"int32": 2}])] {
        let error = run(&shop, "SELECT $1::int", params.clone()).await["error"].clone();
        assert!(error["bad-parameter"].is_string(), "{params}: {error}");
    }
    // The session is as good as before.
    assert_eq!(value(&run(&shop, "SELECT 1", json!([])).await).0, &json!({"int32": 1}));
}

#[tokio::test]
async fn an_error_of_the_database_comes_with_all_it_says() {
    let shop = App::bookshop().start().await;
    let table = "CREATE TABLE sales (id int CONSTRAINT sales_once PRIMARY KEY, amount int CHECK (amount > 0))";
    let job = json!({"statements": [
        {"sql": table, "execute": true},
        {"sql": "INSERT INTO sales VALUES (1, 1)", "execute": true},
        {"sql": "INSERT INTO sales VALUES ($1, 1)", "params": [{"int32": 1}], "execute": true},
        {"sql": "INSERT INTO sales VALUES (2, -1)"},
        {"sql": "SELEKT 1"},
        {"sql": "SELECT * FROM nowhere"},
        {"sql": "SELECT 1/0"},
        {"sql": "DO $$ BEGIN RAISE EXCEPTION 'closed' USING HINT = 'come back at nine', ERRCODE = 'P0042'; END $$"},
        {"sql": "SELECT count(*) FROM sales"},
    ]});
    let results = till(&shop, job).await["results"].clone();
    let error = |n: usize| &results[n]["error"]["db-error"];
    assert_eq!(error(2)["code"], "23505", "{results}");
    assert_eq!(error(2)["severity"], "ERROR");
    assert!(error(2)["detail"].as_str().is_some_and(|detail| detail.contains("(id)=(1)")), "{results}");
    assert!(error(2)["message"].as_str().is_some_and(|message| message.contains("sales_once")), "{results}");
    assert!(error(2)["as-text"].as_str().is_some_and(|text| text.contains("sales_once")), "{results}");
    assert!(
        error(2)["extras"].to_string().contains("sales_once"),
        "the constraint's name is a field of its own: {results}"
    );
    for (n, code) in [(3, "23514"), (4, "42601"), (5, "42P01"), (6, "22012"), (7, "P0042")] {
        assert_eq!(error(n)["code"], code, "{results}");
    }
    assert!(error(7)["extras"].to_string().contains("come back at nine"), "{results}");
    assert_eq!(results[8]["rows"], json!([[{"int64": 1}]]), "the connection goes on after an error");
}

#[tokio::test]
async fn a_transaction_is_the_connections_own() {
    let shop = one_session().start().await;
    let job = json!({"statements": [
        {"sql": "CREATE TABLE sales (id int)", "execute": true},
        {"sql": "BEGIN", "execute": true},
        {"sql": "INSERT INTO sales VALUES (1)", "execute": true},
        {"sql": "ROLLBACK", "execute": true},
        {"sql": "BEGIN", "execute": true},
        {"sql": "INSERT INTO sales VALUES (2)", "execute": true},
        {"sql": "COMMIT", "execute": true},
        {"sql": "SELECT id FROM sales"},
    ]});
    let results = till(&shop, job).await["results"].clone();
    assert_eq!(results[7]["rows"], json!([[{"int32": 2}]]), "{results}");
}

/// What the next guest finds, if a session is not clean.
async fn assert_clean(shop: &Client, after: &str) {
    let job = json!({"statements": [
        {"sql": "SELECT count(*) FROM sales"},
        {"sql": "SELECT current_setting('search_path') LIKE '%evil%', current_setting('shop.clerk', true) IS NOT DISTINCT FROM 'eve'"},
        {"sql": "SELECT to_regclass('pg_temp.till') IS NULL"},
        {"sql": "SELECT count(*) FROM pg_listening_channels()"},
        {"sql": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"},
        {"sql": "SELECT count(*) FROM pg_prepared_statements WHERE name = 'leftover'"},
        {"sql": "SELECT count(*) FROM pg_cursors WHERE name = 'leftover'"},
        {"sql": "SELECT current_user = session_user"},
        {"sql": "SHOW default_transaction_read_only"},
        // Possible in a transaction only.
        {"sql": "SAVEPOINT probe"},
        // Possible only after a sequence was used.
        {"sql": "SELECT lastval()"},
    ]});
    let answer = till(shop, job).await;
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("after {after}: {answer}"));
    let expected = [
        json!([[{"int64": 0}]]),
        json!([[{"boolean": false}, {"boolean": false}]]),
        json!([[{"boolean": true}]]),
        json!([[{"int64": 0}]]),
        json!([[{"int64": 0}]]),
        json!([[{"int64": 0}]]),
        json!([[{"int64": 0}]]),
        json!([[{"boolean": true}]]),
        json!([[{"str": "off"}]]),
    ];
    assert_eq!(results[9]["error"]["db-error"]["code"], "25P01", "a transaction is open after {after}: {answer}");
    assert_eq!(results[10]["error"]["db-error"]["code"], "55000", "lastval() is known after {after}: {answer}");
    for (n, (result, expected)) in results.iter().zip(&expected).enumerate() {
        assert_eq!(&result["rows"], expected, "check {n} after {after}: {result}");
    }
}

#[tokio::test]
async fn nothing_a_guest_leaves_in_a_session_reaches_the_next_one() {
    if blackbox::is_pooled("keep sessions apart") {
        return;
    }
    let shop = one_session().start().await;
    till(&shop, json!({"statements": [{"sql": "CREATE TABLE sales (id int)", "execute": true}]})).await;
    let leftovers: &[&[&str]] = &[
        &["BEGIN", "INSERT INTO sales VALUES (1)"],
        &["BEGIN", "INSERT INTO sales VALUES (1)", "SELECT 1/0"],
        &["/* polite */ START TRANSACTION READ ONLY"],
        &["-- comment\n(SELECT 1)", "begin", "SAVEPOINT a", "INSERT INTO sales VALUES (1)"],
        &["SET search_path TO evil, public"],
        &["SET shop.clerk = 'eve'"],
        &["SELECT set_config('shop.clerk', 'eve', false)"],
        &["SELECT \"set_config\"('search_path', 'evil', false)"],
        &["SELECT pg_catalog . set_config('search_path', 'evil', false)"],
        &["WITH x AS (SELECT set_config('search_path', 'evil', false)) SELECT * FROM x"],
        &["SELECT U&\"\\0073et_config\"('search_path', 'evil', false)"],
        &["DO $$ BEGIN PERFORM set_config('search_path', 'evil', false); END $$"],
        &[
            "CREATE OR REPLACE FUNCTION sneaky() RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', 'evil', false) $$",
            "SELECT sneaky()",
        ],
        &["CREATE OR REPLACE VIEW innocent AS SELECT set_config('search_path', 'evil', false)", "TABLE innocent"],
        &["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
        &["CREATE TEMP TABLE till (id int)"],
        &["SELECT 1 AS id INTO TEMP till"],
        &["SELECT 1 AS id INTO TEMPORARY TABLE till"],
        &["LISTEN gossip"],
        &["SELECT pg_advisory_lock(7)"],
        &["SELECT pg_advisory_lock(7) FROM generate_series(1, 3)", "SELECT 1/0"],
        &["SELECT pg_try_advisory_lock_shared(7, 8)"],
        &["PREPARE leftover AS SELECT 1"],
        &["BEGIN", "DECLARE leftover CURSOR WITH HOLD FOR SELECT 1", "COMMIT"],
        &["SET SESSION AUTHORIZATION DEFAULT", "SET ROLE pg_monitor"],
        &[
            "INSERT INTO sales SELECT length(set_config('search_path', 'evil', false)) WHERE false",
            "SELECT set_config('search_path', 'evil', false)",
        ],
    ];
    for statements in leftovers {
        for then in [Value::Null, json!("trap")] {
            let job = json!({
                "statements": statements.iter().map(|sql| json!({"sql": sql})).collect::<Vec<_>>(),
                "then": then,
            });
            let answer = shop.post("/till/4").json(job).await;
            assert_eq!(answer.status(), if then == "trap" { 500 } else { 200 }, "{statements:?}: {answer:?}");
            assert_clean(&shop, &format!("{statements:?}, then {then}")).await;
        }
    }
}

#[tokio::test]
async fn what_one_guest_had_from_a_sequence_is_not_told_to_the_next() {
    let shop = one_session().start().await;
    let tables = json!({"statements": [
        {"sql": "CREATE TABLE receipts (id serial, note text CHECK (note <> 'void'))"},
        {"sql": "INSERT INTO receipts (note) VALUES ('first')"},
        {"sql": "CREATE TABLE sales (id int)"},
    ]});
    till(&shop, tables).await;
    for statements in [
        &["INSERT INTO receipts (note) VALUES (lower('A'))"][..],
        &["insert into receipts default values"],
        &["WITH sold AS (INSERT INTO receipts (note) VALUES ('b') RETURNING id) SELECT id FROM sold"],
        &["UPDATE receipts SET id = DEFAULT"],
        &["SELECT nextval('receipts_id_seq')"],
        &["BEGIN", "INSERT INTO receipts (note) VALUES ('c')", "COMMIT"],
        &["BEGIN", "INSERT INTO receipts (note) VALUES ('d')"],
        // It fails, and takes a number all the same.
        &["INSERT INTO receipts (note) VALUES ('void')"],
    ] {
        // The second time, the statement is already prepared.
        for _ in 0..2 {
            till(&shop, json!({"statements": statements.iter().map(|sql| json!({"sql": sql})).collect::<Vec<_>>()}))
                .await;
            let next =
                json!({"statements": [{"sql": "SELECT currval('receipts_id_seq')"}, {"sql": "SELECT lastval()"}]});
            let answer = till(&shop, next).await;
            for result in answer["results"].as_array().unwrap() {
                assert_eq!(result["error"]["db-error"]["code"], "55000", "{statements:?}: {answer}");
            }
            assert_clean(&shop, &format!("{statements:?}")).await;
        }
    }
}

#[tokio::test]
async fn a_constant_in_a_statement_means_what_it_says_in_each_guests_settings() {
    let shop = one_session().start().await;
    let born = json!({"sql": "SELECT '01/02/2020'::date"});
    till(&shop, json!({"statements": [{"sql": "SET DateStyle = 'SQL, DMY'"}, born]})).await;
    let answer = till(&shop, json!({"statements": [born]})).await;
    assert_eq!(answer["results"][0]["rows"], json!([[{"date": [2020, 1, 2]}]]), "{answer}");
}

#[tokio::test]
async fn a_guest_that_loops_in_a_transaction_is_rolled_back() {
    let shop = one_session().start().await;
    till(&shop, json!({"statements": [{"sql": "CREATE TABLE sales (id int)", "execute": true}]})).await;
    let job = json!({"statements": [{"sql": "BEGIN"}, {"sql": "INSERT INTO sales VALUES (1)"}], "then": "loop"});
    shop.post("/till/4").json(job).await.problem(504);
    assert_clean(&shop, "a guest that loops").await;
}

#[tokio::test]
async fn a_statement_of_a_guest_that_is_stopped_is_cancelled() {
    if blackbox::is_pooled("keep sessions apart") {
        return;
    }
    let shop = one_session().env("RUNNER_REQUEST_TIMEOUT", "1s").start().await;
    let job = json!({"statements": [{"sql": "SELECT pg_sleep(600)"}]});
    shop.post("/till/4").json(job).await.problem(504);
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(600)%' \
               AND state = 'active' AND pid <> pg_backend_pid()";
    blackbox::eventually("the statement is cancelled", || async { shop.database().column(sql).await.is_empty() }).await;
    assert_eq!(value(&run(&shop, "SELECT 1", json!([])).await).0, &json!({"int32": 1}));
}

#[tokio::test]
async fn a_result_over_the_limit_is_an_error() {
    let shop = App::bookshop().env("RUNNER_PG_MAX_RESULT", "1MiB").start().await;
    let error =
        run(&shop, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)", json!([])).await["error"].clone();
    assert!(error.is_object() && error.to_string().contains("1"), "{error}");
    let fits = run(&shop, "SELECT repeat('x', 1000) FROM generate_series(1, 500)", json!([])).await;
    assert_eq!(fits["rows"].as_array().map(Vec::len), Some(500));
}

#[tokio::test]
async fn a_changed_table_does_not_break_statements_that_were_run_before() {
    let shop = one_session().start().await;
    let statement = |sql: &str| json!({"statements": [{"sql": sql}]});
    till(&shop, statement("CREATE TABLE sales (id int)")).await;
    till(&shop, statement("INSERT INTO sales VALUES (1)")).await;
    let before = till(&shop, statement("SELECT * FROM sales")).await;
    assert_eq!(before["results"][0]["rows"], json!([[{"int32": 1}]]));
    till(&shop, statement("ALTER TABLE sales ADD COLUMN note text DEFAULT 'new'")).await;
    let after = till(&shop, statement("SELECT * FROM sales")).await;
    assert_eq!(after["results"][0]["rows"], json!([[{"int32": 1}, {"str": "new"}]]));
    till(&shop, statement("ALTER TABLE sales ALTER COLUMN id TYPE bigint")).await;
    let after = till(&shop, statement("SELECT * FROM sales")).await;
    assert_eq!(after["results"][0]["rows"], json!([[{"int64": 1}, {"str": "new"}]]));
}

#[tokio::test]
async fn many_guests_share_few_connections() {
    let shop = App::bookshop().start().await;
    let answers = at_once((0..100).map(|n| {
        let shop = shop.replica(0).clone();
        async move { (n, run(&shop, "SELECT $1::int", json!([{"int32": n}])).await) }
    }))
    .await;
    for (n, answer) in answers {
        assert_eq!(value(&answer).0, &json!({"int32": n}), "everybody gets their own answer");
    }
}

#[tokio::test]
async fn a_guest_opens_only_allowed_databases() {
    // What must not be connected to listens, and sees that nobody comes.
    let forbidden = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = forbidden.local_addr().unwrap().port();
    let shop = App::bookshop().start().await;
    let url = shop.database().url();
    let (host, own) = (url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(5432));
    let addresses = [
        format!("host=127.0.0.1 port={port} user=x dbname=x"),
        format!("host=localhost port={port} user=x dbname=x"),
        format!("postgres://x:hunter2@127.0.0.1:{port}/x"),
        format!("postgresql://x:hunter2@127.0.0.1:{port}/x?sslmode=disable"),
        format!("host={host} hostaddr=127.0.0.1 port={port} user=x dbname=x"),
        format!("host={host} hostaddr=127.0.0.2 port={own} user=x dbname=x"),
        format!("host={host},127.0.0.1 port={own},{port} user=x dbname=x"),
        format!("host=127.0.0.1,{host} port={port},{own} user=x dbname=x"),
        format!("postgres://x@{host}:{own},127.0.0.1:{port}/x"),
        format!("hostaddr=127.0.0.1 port={port} user=x dbname=x"),
        "host=/var/run/postgresql user=postgres dbname=postgres".to_owned(),
        "host=/tmp user=postgres".to_owned(),
        "postgres://%2Fvar%2Frun%2Fpostgresql/postgres?user=postgres".to_owned(),
        "host='' user=postgres".to_owned(),
        "user=postgres dbname=postgres".to_owned(),
        "host=evil.example.invalid port=5432 user=x password=hunter2".to_owned(),
        "host=169.254.169.254 user=x".to_owned(),
        format!("host={host} port={own} user=x dbname=x sslcert=/etc/passwd sslkey=/etc/passwd"),
        format!("host={host} port={own} user=x dbname=x sslrootcert=/etc/passwd sslmode=verify-full"),
        format!("host={host} port={own} user=x dbname=x passfile=/etc/passwd"),
        format!("host={host} port={own} user=x dbname=x service=admin"),
        "not a connection string".to_owned(),
        "mysql://x@127.0.0.1/x".to_owned(),
        "host=\u{1f4d6} port=abc".to_owned(),
        String::new(),
    ];
    for address in addresses {
        let answer = till(&shop, json!({"address": address, "statements": [{"sql": "SELECT 1"}]})).await;
        let error = answer["error"].as_object().unwrap_or_else(|| panic!("{address} was opened: {answer}"));
        let message = error.values().next().and_then(Value::as_str).unwrap_or_default();
        assert!(message.len() > 10, "{address}: {answer}");
        assert!(!message.contains("hunter2"), "the password is in the message: {message}");
    }
    let came = tokio::time::timeout(std::time::Duration::from_millis(100), forbidden.accept()).await;
    assert!(came.is_err(), "nobody connected");
    // Its own is open as before.
    assert_eq!(value(&run(&shop, "SELECT 1", json!([])).await).0, &json!({"int32": 1}));
}

#[tokio::test]
async fn a_refused_address_says_how_to_allow_it() {
    let shop = shared::bookshop().await;
    let answer = till(&shop, json!({"address": "host=db.example.invalid port=6543 user=x"})).await;
    let message = answer["error"]["connection-failed"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(message.contains("db.example.invalid:6543") && message.contains("allowed_outbound_hosts"), "{message}");
}

#[tokio::test]
async fn values_with_every_kind_of_quote_reach_the_database() {
    let database = Database::create_named(" it's \"quoted\" & 100%/@:\\").await;
    let shop = App::wiki().database(database).start().await;
    shop.create_user("ada").await;
    assert_eq!(shop.database().column("SELECT username FROM users").await, ["ada"]);
}
