//! A pooler between the service and the database: what a session of the database has is gone after each transaction, and
//! something of somebody else may be there.

use blackbox::{App, Builder, Client, Database, Pooler, Value, at_once, json};

const CLIENTS: usize = 16;
const ROUNDS: usize = 50;

fn behind(builder: Builder, pooler: &Pooler, database: Database) -> Builder {
    let url = pooler.url(&database);
    builder.without_database().env("DATABASE_URL", String::from(url)).database(database)
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    requests: usize,
    failed: usize,
    wrong: usize,
}

impl Seen {
    /// Counts an answer, which is right if it has status 200 and `is_right`.
    async fn ask(&mut self, request: blackbox::Request, is_right: impl Fn(&Value) -> bool) {
        self.requests += 1;
        let answer = request.await;
        if answer.status() != 200 {
            self.failed += 1;
        } else if !is_right(&answer.json()) {
            self.wrong += 1;
        }
    }
}

/// Edits and reads one page, on two services in turn.
async fn edit(services: [Client; 2], user: usize, page: usize) -> Seen {
    let mut seen = Seen::default();
    for round in 0..ROUNDS {
        let (one, other) = (&services[round % 2], &services[(round + 1) % 2]);
        let content = format!("Round {round} of page {page}");
        let edit = one.put(&format!("/posts/{page}")).header("if-match", "*").json(json!({"content": content}));
        seen.ask(edit, |answer| answer["content"] == content.as_str()).await;
        let right = |answer: &Value| answer["content"] == content.as_str() && answer["post_id"] == page;
        seen.ask(other.get(&format!("/posts/{page}")), right).await;
        seen.ask(one.get(&format!("/users/{user}")), |answer| answer["id"] == user).await;
        let all = |answer: &Value| answer["posts"].as_array().is_some_and(|posts| posts.len() == CLIENTS);
        seen.ask(other.get("/posts?limit=100"), all).await;
    }
    seen
}

/// What `RUNNER_PG_STATEMENTS` may be behind which settings of the pooler.
fn cases() -> Vec<(&'static str, &'static str)> {
    let mut cases = vec![("auto", ""), ("unnamed", "")];
    if Pooler::keeps_statements() {
        cases.extend([("auto", "max_prepared_statements = 0"), ("named", "max_prepared_statements = 100")]);
    }
    cases
}

#[tokio::test]
async fn nobodys_statement_is_anybody_elses() {
    if Pooler::is_missing() {
        return;
    }
    for (statements, settings) in cases() {
        edit_and_count(statements, settings).await;
    }
}

async fn edit_and_count(statements: &str, settings: &str) {
    let database = Database::create().await;
    let pooler = Pooler::start(&database, settings).await;
    // The pages are made without the pooler, so that whatever is wrong then comes from what follows.
    let first = App::wiki().database(database).start().await;
    for user in 1..=CLIENTS {
        let user = first.create_user(&format!("user{user}")).await;
        first.create_post(&user, "new").await;
    }
    let url = String::from(pooler.url(first.database()));
    let builder = App::wiki().without_database().env("DATABASE_URL", url).env("RUNNER_PG_STATEMENTS", statements);
    let wiki = builder.replicas(2).at_once().start().await;
    let clients = (1..=CLIENTS).map(|n| edit([wiki.replica(0).clone(), wiki.replica(1).clone()], n, n));
    let seen = at_once(clients).await.into_iter().fold(Seen::default(), |sum, one| Seen {
        requests: sum.requests + one.requests,
        failed: sum.failed + one.failed,
        wrong: sum.wrong + one.wrong,
    });
    let live = first.walk("/posts?limit=100", "posts").await.len();
    let Seen { requests, failed, wrong } = seen;
    println!("behind PgBouncer: {requests} requests, {failed} failed, {wrong} answered wrongly, {live} pages are left");
    assert_eq!((failed, wrong, live), (0, 0, CLIENTS), "{statements}, {settings}");
}

/// What the statements return in one session of a guest.
async fn run(shop: &Client, statements: Value) -> Vec<Value> {
    let answer = shop.post("/till/4").json(json!({"statements": statements})).await.expect(200).json();
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("{statements}: {answer}")).clone();
    assert!(results.iter().all(|result| result.get("error").is_none()), "{statements}: {answer}");
    results
}

async fn run_one(shop: &Client, sql: &str, params: Value) -> Value {
    run(shop, json!([{"sql": sql, "params": params}])).await.remove(0)
}

#[tokio::test]
async fn types_may_change_behind_a_pooler() {
    if Pooler::is_missing() {
        return;
    }
    for (statements, settings) in cases().into_iter().chain([("named", "pool_mode = session")]) {
        let database = Database::create().await;
        let pooler = Pooler::start(&database, settings).await;
        let builder = App::bookshop().env("RUNNER_PG_STATEMENTS", statements);
        let shop = behind(builder, &pooler, database).start().await;
        let admin = shop.database().client().await;
        admin
            .batch_execute(
                "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN price AS int CHECK (value > 0);
                 CREATE TABLE sales (id int PRIMARY KEY, mood mood, price price);
                 INSERT INTO sales VALUES (1, 'good', 7)",
            )
            .await
            .unwrap();
        let all = "SELECT * FROM sales WHERE id = $1";
        let sold = async |id: Value| {
            let (one, other) = tokio::join!(run_one(&shop, all, json!([id])), run_one(&shop, all, json!([id])));
            assert_eq!(one, other);
            one
        };
        for _ in 0..3 {
            let result = sold(json!({"int32": 1})).await;
            assert_eq!(result["rows"][0][0], json!({"int32": 1}), "{result}");
            assert_eq!(result["rows"][0][2], json!({"int32": 7}), "{result}");
        }
        admin.batch_execute("ALTER TABLE sales ALTER price TYPE text").await.unwrap();
        for _ in 0..3 {
            let result = sold(json!({"int32": 1})).await;
            assert_eq!(result["rows"][0][2], json!({"str": "7"}), "{statements}: {result}");
        }
        // Without a row, only the columns tell.
        let result = sold(json!({"int32": 2})).await;
        assert_eq!(result["columns"][2][1], "Str", "{statements}: {result}");
        admin.batch_execute("ALTER TABLE sales ALTER price TYPE bigint USING price::bigint").await.unwrap();
        let result = sold(json!({"int32": 2})).await;
        assert_eq!(result["columns"][2][1], "Int64", "{statements}: {result}");
        admin.batch_execute("ALTER TABLE sales DROP price, ADD customer text").await.unwrap();
        let result = sold(json!({"int32": 1})).await;
        assert_eq!(result["columns"][2][0], "customer", "{statements}: {result}");
        // The parameter's type changes as well.
        admin.batch_execute("ALTER TABLE sales ALTER id TYPE text").await.unwrap();
        for _ in 0..3 {
            let result = sold(json!({"str": "1"})).await;
            assert_eq!(result["rows"][0][0], json!({"str": "1"}), "{statements}: {result}");
        }
    }
}

#[tokio::test]
async fn a_transaction_keeps_its_session() {
    if Pooler::is_missing() {
        return;
    }
    let database = Database::create().await;
    let pooler = Pooler::start(&database, "").await;
    let shop = behind(App::bookshop(), &pooler, database).start().await;
    let admin = shop.database().client().await;
    admin.batch_execute("CREATE TABLE sales (customer int, sum bigint)").await.unwrap();
    let customers = (0..20).map(|customer| {
        let shop = Client::clone(&shop);
        async move {
            for round in 0..5 {
                let process = "SELECT pg_catalog.pg_backend_pid()";
                let params = json!([{"int32": customer}, {"int64": round}]);
                let results = run(
                    &shop,
                    json!([
                        {"sql": "BEGIN"},
                        {"sql": process},
                        {"sql": "INSERT INTO sales VALUES ($1, $2)", "params": params, "execute": true},
                        {"sql": process},
                        {"sql": "SELECT count(*) FROM sales WHERE customer = $1", "params": [{"int32": customer}]},
                        {"sql": if round == 4 { "ROLLBACK" } else { "COMMIT" }},
                    ]),
                )
                .await;
                assert_eq!(results[1]["rows"], results[3]["rows"]);
                assert_eq!(results[4]["rows"][0][0], json!({"int64": round + 1}));
            }
        }
    });
    at_once(customers).await;
    assert_eq!(shop.database().column("SELECT count(*) FROM sales").await, ["80"]);
    // One left open does not reach others.
    run(&shop, json!([{"sql": "BEGIN"}, {"sql": "INSERT INTO sales VALUES (1, 1)"}])).await;
    for _ in 0..8 {
        let result = run_one(&shop, "SELECT count(*) FROM sales", json!([])).await;
        assert_eq!(result["rows"][0][0], json!({"int64": 80}));
    }
}
