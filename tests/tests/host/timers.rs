//! Requests that the runner itself makes to the application, again and again.

use std::time::{Duration, Instant};

use blackbox::{App, Builder, Changed, Client, Value, eventually, json, metric, wiki_runner};

const TIMER: &str =
    "[[application.tool.wiki-runner.timer]]\npath = '/counter/shop'\nseconds = 1\ntoken = 'till_code'\n";

/// The bookshop with a timer that counts every second, and shows the code of the till.
fn shop() -> Builder {
    App::bookshop_with(TIMER)
}

/// Those who have been counted so far.
async fn counted(shop: &Client) -> Vec<Value> {
    let list = shop.get("/counter/shop").await.expect(200).json();
    list["counted"].as_array().unwrap().clone()
}

/// Waits until `count` have been counted and are done.
async fn until(shop: &Client, count: usize) -> Vec<Value> {
    eventually("enough have been counted", || async {
        counted(shop).await.iter().filter(|one| one["ended"].is_number()).count() >= count
    })
    .await;
    counted(shop).await
}

fn millis(one: &Value, which: &str) -> i64 {
    one[which].as_i64().unwrap()
}

async fn metrics(shop: &App) -> String {
    shop.admin().get("/metrics").await.expect(200).text().to_owned()
}

async fn runs(shop: &App, result: &str) -> u64 {
    let metrics = metrics(shop).await;
    let name = format!("wiki_runner_timer_runs_total{{path=\"/counter/shop\",result=\"{result}\"}}");
    metric(&metrics, &name).unwrap_or_else(|| panic!("no {name} in:\n{metrics}"))
}

#[tokio::test]
async fn a_timer_calls_its_path_while_the_application_runs() {
    let shop = shop().env("RUNNER_ACCESS_LOG", "true").env("SPIN_VARIABLE_TILL_CODE", "hunter2").start().await;
    let began = Instant::now();
    let counted = until(&shop, 3).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for two in counted.windows(2) {
        let pause = millis(&two[1], "began") - millis(&two[0], "began");
        assert!(pause >= 500, "{pause} ms between two: {counted:?}");
    }
    for one in &counted {
        assert_eq!(one["authorized"], true, "{one}");
        let header = |name: &str| one["headers"][name].as_str().unwrap_or_default();
        assert_eq!(header("authorization"), "Bearer hunter2", "{one}");
        assert_eq!(header("spin-full-url"), "http://localhost/counter/shop", "{one}");
        assert_eq!(header("spin-raw-component-route"), "/counter/:name", "{one}");
        assert!(header("traceparent").starts_with("00-"), "{one}");
    }
    // They are counted for themselves, and neither among the requests of clients nor in their log.
    assert!(runs(&shop, "succeeded").await >= 3);
    assert_eq!(runs(&shop, "failed").await, 0);
    let metrics = metrics(&shop).await;
    assert!(metrics.contains("wiki_runner_timer_duration_seconds_count{path=\"/counter/shop\"}"), "{metrics}");
    assert!(!metrics.contains("method=\"POST\""), "{metrics}");
    let log = shop.runner().stderr();
    assert!(log.contains("GET") && !log.contains("POST") && !log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn an_empty_token_is_made_up_by_each_process() {
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let shop = shop().env("SPIN_VARIABLE_TILL_CODE", "").start().await;
        let counted = until(&shop, 2).await;
        assert!(counted.iter().all(|one| one["authorized"] == true), "{counted:?}");
        let seen = shop.get("/variables/till_code").await.expect(200).json();
        let token = seen["value"].as_str().unwrap().to_owned();
        assert_eq!(counted[0]["headers"]["authorization"], format!("Bearer {token}"));
        assert_eq!((token.len(), token.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true));
        assert!(!shop.runner().stderr().contains(&token));
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn a_request_that_takes_longer_delays_the_next() {
    let shop = shop().start().await;
    shop.put("/counter/shop").json(json!({"sleep_ms": 1700})).await.expect(200);
    let counted = until(&shop, 5).await;
    for two in counted.windows(2).filter(|two| two[1]["ended"].is_number()) {
        assert!(millis(&two[1], "began") >= millis(&two[0], "ended"), "two at once: {counted:?}");
    }
    assert!(counted.iter().any(|one| one["ended"].is_number() && millis(one, "ended") - millis(one, "began") >= 1700));
}

#[tokio::test]
async fn a_timer_that_fails_is_logged_once_until_it_works_again() {
    let shop = shop().env("RUNNER_REQUEST_TIMEOUT", "1s").start().await;
    let log = || shop.runner().stderr();
    for (round, (order, status, reason)) in [
        (json!({"status": 418}), "418", "the application refuses its request"),
        (json!({"trap": true}), "500", "the guest failed"),
        (json!({"sleep_ms": 5000}), "504", "the guest did not respond within 1s"),
    ]
    .into_iter()
    .enumerate()
    {
        let (failed, begun) = (runs(&shop, "failed").await, round + 1);
        shop.put("/counter/shop").json(order).await.expect(200);
        eventually("it has failed a few times", || async { runs(&shop, "failed").await >= failed + 3 }).await;
        shop.put("/counter/shop").json(json!({})).await.expect(200);
        shop.runner().logged("the timer works again", begun).await;
        assert_eq!(log().matches("the timer fails").count(), begun, "{}", log());
        let line = log().lines().rfind(|line| line.contains("the timer fails")).unwrap().to_owned();
        assert!(line.contains("WARN") && line.contains("/counter/shop"), "{line}");
        assert!(line.contains(status) && line.contains(reason), "{line}");
    }
}

#[tokio::test]
async fn a_timer_takes_no_place_of_a_client_and_needs_none() {
    let shop = shop().env("RUNNER_MAX_CONCURRENCY", "1").env("RUNNER_MAX_QUEUE", "0").start().await;
    // The only place there is, taken by a client.
    let client = shop.replica(0).clone();
    let slow = tokio::spawn(async move { client.get("/misbehave/sleep?4000").await });
    shop.runner().logged("about to sleep", 1).await;
    let before = runs(&shop, "succeeded").await;
    eventually("the timer goes on", || async { runs(&shop, "succeeded").await >= before + 2 }).await;
    assert!(!slow.is_finished(), "the place was taken all the time");
    shop.get("/health").await.problem(503);
    slow.await.unwrap().expect(200);
    // The other way round: clients are served while a request of the timer takes its time.
    shop.put("/counter/shop").json(json!({"sleep_ms": 3000})).await.expect(200);
    eventually("a slow one has begun", || async { counted(&shop).await.iter().any(|one| one["ended"].is_null()) })
        .await;
    for _ in 0..20 {
        shop.get("/health").await.expect(200);
    }
    assert!(counted(&shop).await.iter().any(|one| one["ended"].is_null()), "it is not done yet");
}

#[tokio::test]
async fn a_timer_runs_although_guests_have_all_the_memory() {
    let shop = shop().env("RUNNER_GUEST_MEMORY", "16MiB").env("RUNNER_QUEUE_TIMEOUT", "10s").start().await;
    until(&shop, 1).await;
    // One that has most of the memory, and others that want some.
    let hoards = (0..6).map(|_| {
        let shop = shop.replica(0).clone();
        tokio::spawn(async move { shop.get("/misbehave/hoard?8").await.status() })
    });
    let hoards: Vec<_> = hoards.collect();
    shop.runner().logged("has its hoard", 1).await;
    let (before, failed) = (runs(&shop, "succeeded").await, runs(&shop, "failed").await);
    eventually("the timer goes on", || async { runs(&shop, "succeeded").await >= before + 2 }).await;
    for hoard in hoards {
        hoard.await.unwrap();
    }
    assert_eq!(runs(&shop, "failed").await, failed);
}

#[tokio::test]
async fn a_stopping_service_finishes_what_its_timer_has_begun_and_no_more() {
    let shop = shop().env("RUNNER_DRAIN_DELAY", "2s").start().await;
    shop.put("/counter/shop").json(json!({"sleep_ms": 3000})).await.expect(200);
    eventually("a slow one has begun", || async { counted(&shop).await.iter().any(|one| one["ended"].is_null()) })
        .await;
    let before = counted(&shop).await.len();
    let status = shop.runner().terminate().await;
    assert!(status.success(), "{status}");
    let ended = shop.database().column("SELECT (ended IS NOT NULL)::text FROM counted ORDER BY number").await;
    assert_eq!(ended, vec!["true".to_owned(); before]);
}

#[tokio::test]
async fn a_request_of_a_timer_is_cut_off_after_the_grace_period() {
    let shop = shop().env("RUNNER_GRACE_PERIOD", "500ms").start().await;
    shop.put("/counter/shop").json(json!({"sleep_ms": 20_000})).await.expect(200);
    eventually("a slow one has begun", || async { counted(&shop).await.iter().any(|one| one["ended"].is_null()) })
        .await;
    let began = Instant::now();
    shop.runner().terminate().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn timers_can_be_turned_off() {
    let shop = shop().env("RUNNER_TIMERS", "off").env("SPIN_VARIABLE_TILL_CODE", "").start().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(counted(&shop).await, [Value::Null; 0]);
    assert!(!metrics(&shop).await.contains("wiki_runner_timer_runs_total{"));
    // The paths stay closed to everybody who does not know the token.
    let seen = shop.get("/variables/till_code").await.expect(200).json();
    assert_eq!(seen["value"].as_str().map(str::len), Some(64), "{seen}");
}

#[tokio::test]
async fn a_timer_that_cannot_run_stops_the_start() {
    let timer = |rest: &str| format!("[[application.tool.wiki-runner.timer]]\n{rest}\n");
    for (timer, variable, reason) in [
        (timer("path = '/nowhere'\nseconds = 1"), "0000", "timer]] path \"/nowhere\": no route leads there"),
        (timer("path = '/health'\nseconds = 0"), "0000", "timer]] seconds = 0 must be 1 to 86400"),
        (timer("path = '/health'"), "0000", "missing field `seconds`"),
        (timer("path = '/health'\nseconds = 1\nevery = 1"), "0000", "unknown field `every`"),
        (timer("path = '/health'\nseconds = 1\ntoken = 'till'"), "0000", "there is no variable \"till\""),
        (timer("path = '/health'\nseconds = 1\ntoken = 'motto'"), "0000", "\"motto\": write secret = true"),
        (
            timer("path = '/health'\nseconds = 1\ntoken = 'till_code'"),
            "hunter 2",
            "the value of the variable \"till_code\" must be made of visible ASCII characters",
        ),
    ] {
        let manifest = Changed::with(&timer);
        let args = ["serve", "--from", manifest.path().to_str().unwrap(), "--port", "0"];
        let env = [
            ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
            ("SPIN_VARIABLE_MOTTO", "-"),
            ("SPIN_VARIABLE_TILL_CODE", variable),
        ];
        let output = wiki_runner(&args, &env).await;
        assert!(output.error().contains(reason), "{reason:?} in {:?}", output.error());
        assert!(!output.error().contains("hunter"), "{}", output.error());
    }
}
