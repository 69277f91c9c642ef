//! A database that is not there, goes away and comes back.

use std::time::{Duration, Instant};

use blackbox::{App, Client, Cut, Database, Response, eventually, json};

/// What the wiki answers without its database.
#[track_caller]
fn assert_unavailable(answer: &Response) {
    answer.problem(503);
    let seconds: u64 = answer.header("retry-after").parse().expect("Retry-After is a number of seconds");
    assert!((1..=60).contains(&seconds), "{answer:?}");
}

/// Every path that needs the database says so; health does not need it.
async fn assert_all_unavailable(wiki: &Client) {
    for path in ["/ready", "/metrics", "/users", "/users/1", "/posts", "/posts/1"] {
        assert_unavailable(&wiki.get(path).await);
    }
    assert_unavailable(&wiki.post("/users").json(json!({"username": "ada"})).await);
    assert_unavailable(&wiki.post("/posts").json(json!({"user_id": 1, "content": "x"})).await);
    assert_unavailable(&wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "x"})).await);
    assert_unavailable(&wiki.delete("/users/1").await);
    wiki.get("/health").await.expect(200);
    wiki.get("/").await.expect(200);
    // What can be refused without the database still is.
    wiki.post("/users").json(json!({"username": "a b"})).await.problem(422);
    wiki.get("/nothing").await.problem(404);
    wiki.get("/users/abc").await.problem(404);
}

/// `host:port` of the database's server.
fn server(database: &Database) -> String {
    let url = database.url();
    format!("{}:{}", url.host_str().unwrap_or("localhost"), url.port().unwrap_or(5432))
}

#[tokio::test]
async fn without_a_database_the_service_is_healthy_but_not_ready() {
    let nothing = Cut::cut_off("127.0.0.1:1".to_owned());
    let address = format!("postgres://wiki:verysecret@{}/wiki", nothing.address());
    let wiki = App::wiki().without_database().env("DATABASE_URL", address).at_once().start().await;
    assert_all_unavailable(&wiki).await;
    // The log names what cannot be reached.
    wiki.runner().logged(&nothing.address().to_string(), 1).await;
    let log = format!("{}{}", wiki.runner().stdout(), wiki.runner().stderr());
    assert!(!log.contains("verysecret"), "the password is in the log:\n{log}");
}

#[tokio::test]
async fn a_form_that_meets_no_database_comes_back_with_what_was_typed() {
    let nothing = Cut::cut_off("127.0.0.1:1".to_owned());
    let address = format!("postgres://wiki:wiki@{}/wiki", nothing.address());
    let wiki = App::wiki().without_database().env("DATABASE_URL", address).at_once().start().await;
    let typed =
        [("title", "A title"), ("content", "All of\r\nthis"), ("tags", "a, b"), ("comment", "why"), ("author", "Ada")];
    for path in ["/wiki/-/new", "/wiki/some-page/edit"] {
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(typed).append_pair("version", "7").finish();
        let request = wiki.post(path).header("accept", "text/html").header("sec-fetch-site", "same-origin");
        let answer = request.body("application/x-www-form-urlencoded", body).await.expect(503);
        assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer:?}");
        let action = format!("action=\"{path}\"");
        for expected in [action.as_str(), "value=\"A title\"", "All of\nthis</textarea>", "a, b", "why", "value=\"7\""]
        {
            assert!(answer.text().contains(expected), "{expected} in {}", answer.text());
        }
    }
    // What happened is said once.
    let page = wiki.get("/wiki/some-page").header("accept", "text/html").await.expect(503);
    assert_eq!(page.text().matches("temporarily unavailable").count(), 2, "in the title and the heading: {page:?}");
    let delete =
        wiki.post("/wiki/some-page/delete").header("accept", "text/html").form(&[("version", "1"), ("reason", "x")]);
    let delete = delete.await.expect(503);
    assert!(delete.text().contains("<h1>The wiki is temporarily unavailable</h1>"), "{delete:?}");
    // To sign in, too, but for the password.
    let typed = [("username", "ada"), ("password", "four words in a row"), ("next", "/wiki/some-page")];
    let answer = wiki.post("/wiki/-/sign-in").header("accept", "text/html").form(&typed).await.expect(503);
    for expected in ["id=\"_sign-in-form\"", "value=\"ada\"", "name=\"next\" value=\"/wiki/some-page\""] {
        assert!(answer.text().contains(expected), "{expected} in {}", answer.text());
    }
    assert!(!answer.text().contains("four words"), "{answer:?}");
}

#[tokio::test]
async fn a_refused_password_answers_503() {
    let database = Database::create().await;
    let mut url = database.url();
    url.set_username("nobody_of_this_name").unwrap();
    url.set_password(Some("verysecret")).unwrap();
    let wiki = App::wiki().without_database().env("DATABASE_URL", String::from(url)).at_once().start().await;
    let refused = wiki.get("/users").await;
    assert_unavailable(&refused);
    assert!(!refused.text().contains("nobody_of_this_name"), "{refused:?}");
    assert!(!wiki.runner().stderr().contains("verysecret"));
}

#[tokio::test]
async fn a_database_that_comes_up_later_is_used_without_a_restart() {
    let database = Database::create().await;
    let mut wire = Cut::cut_off(server(&database));
    let wiki = App::wiki().through(&wire, database).at_once().start().await;
    assert_all_unavailable(&wiki).await;
    wire.mend();
    // The first request already: nothing has to notice or be told.
    wiki.get("/ready").await.expect(200);
    wiki.create_user("ada").await;
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_is_used_again_at_once() {
    let database = Database::create().await;
    let mut wire = Cut::mended(server(&database));
    let wiki = App::wiki().through(&wire, database).start().await;
    let user = wiki.create_user("ada").await;
    // All of the pool's connections are in use once.
    blackbox::at_once((0..20).map(|_| {
        let client = wiki.replica(0).clone();
        async move { client.get("/users/1").await.expect(200) }
    }))
    .await;
    for round in 0..3 {
        wire.cut().await;
        assert_all_unavailable(&wiki).await;
        wire.mend();
        // Not one request fails on a connection that broke meanwhile.
        for n in 0..8 {
            wiki.get("/users/1").await.expect(200);
            wiki.create_post(&user, &format!("Page {n} of round {round}")).await;
        }
    }
    assert_eq!(wiki.metric("posts_created_total").await, 24);
}

#[tokio::test]
async fn a_database_restart_between_two_requests_is_invisible() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    for _ in 0..3 {
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        assert!(!wiki.database().column(sql).await.is_empty(), "there were connections to end");
        wiki.get("/users/1").await.expect(200);
        wiki.patch("/users/1").json(json!({"name": "Ada"})).await.expect(200);
    }
}

/// Waits until a session of `database` waits for a lock.
async fn somebody_waits_for_a_lock(database: &Database) {
    let sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a request waits for a lock", || async { !database.column(sql).await.is_empty() }).await;
}

#[tokio::test]
async fn losing_the_database_during_a_request_answers_503() {
    let database = Database::create().await;
    let mut wire = Cut::mended(server(&database));
    let wiki = App::wiki().through(&wire, database).start().await;
    let mut blocker = wiki.database().client().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();

    let client = wiki.replica(0).clone();
    let reading = tokio::spawn(async move { client.get("/users").await });
    let client = wiki.replica(0).clone();
    let writing = tokio::spawn(async move { client.post("/users").json(json!({"username": "ada"})).await });
    somebody_waits_for_a_lock(wiki.database()).await;
    let cut = Instant::now();
    wire.cut().await;
    assert_unavailable(&reading.await.unwrap());
    assert_unavailable(&writing.await.unwrap());
    assert!(
        cut.elapsed() < Duration::from_secs(10),
        "they are told at once, not after a time-out: {:?}",
        cut.elapsed()
    );

    lock.rollback().await.unwrap();
    wire.mend();
    wiki.get("/users").await.expect(200);
}

/// The longest that people wait for an answer, whatever hangs; with something for a busy machine.
const LONGEST: Duration = Duration::from_secs(10 + 3);

#[tokio::test]
async fn a_database_that_does_not_answer_keeps_nobody_waiting_for_long() {
    let database = Database::create().await;
    let mut wire = Cut::mended(server(&database));
    let wiki = App::wiki().access("public-read").through(&wire, database).start().await;
    let cookie = wiki.administrator().await;
    // Connections that worked a moment ago.
    blackbox::at_once((0..8).map(|_| wiki.get("/posts").into_future())).await;
    wire.hold();
    // First on those connections, then on new ones; more than there are connections.
    for _ in 0..2 {
        let saves = (0..12).map(|number| {
            let (wiki, cookie) = (wiki.replica(0).clone(), cookie.clone());
            async move {
                let typed = format!("All of this, {number} times");
                let form = [("title", "A title"), ("content", &*typed)];
                let begun = Instant::now();
                let request = wiki.post("/wiki/-/new").header("accept", "text/html").cookie(&cookie).form(&form);
                let answer = request.await.expect(503);
                assert!(begun.elapsed() < LONGEST, "{number}: {:?}", begun.elapsed());
                assert!(answer.text().contains(&typed), "{answer:?}");
            }
        });
        blackbox::at_once(saves).await;
    }
    wire.cut().await;
    wire.mend();
    wiki.get("/posts").await.expect(200);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let wiki = App::wiki().env("RUNNER_PG_STATEMENT_TIMEOUT", "2s").start().await;
    let mut blocker = wiki.database().client().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert_unavailable(&wiki.get("/users").await);
    // Others are served meanwhile.
    wiki.get("/posts").await.expect(200);
    wiki.get("/health").await.expect(200);
    lock.rollback().await.unwrap();
    wiki.get("/users").await.expect(200);
}

#[tokio::test]
async fn a_request_without_a_connection_in_time_answers_503() {
    let builder = App::wiki().env("RUNNER_PG_POOL_SIZE", "1").env("RUNNER_PG_WAIT_TIMEOUT", "500ms");
    let wiki = builder.start().await;
    let mut blocker = wiki.database().client().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let client = wiki.replica(0).clone();
    let waiting = tokio::spawn(async move { client.get("/users").await });
    somebody_waits_for_a_lock(wiki.database()).await;
    assert_unavailable(&wiki.get("/posts").await);
    wiki.get("/health").await.expect(200);
    lock.rollback().await.unwrap();
    waiting.await.unwrap().expect(200);
    wiki.get("/posts").await.expect(200);
}

#[tokio::test]
async fn a_read_only_database_answers_503() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let name = blackbox::quoted(wiki.database().name());
    let admin = wiki.database().client().await;
    let end_sessions = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin
        .batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on; {end_sessions}"))
        .await
        .unwrap();
    wiki.get("/users/1").await.expect(200);
    assert_unavailable(&wiki.post("/users").json(json!({"username": "grace"})).await);
    let back = format!("SET default_transaction_read_only = off; ALTER DATABASE {name} RESET ALL; {end_sessions}");
    admin.batch_execute(&back).await.unwrap();
    wiki.create_user("grace").await;
}
