//! What operators and their tools see: probes, metrics, logs.

use blackbox::{App, Client, Value, at_once, eventually, json, manifest_of_the_wiki, wiki_runner};

/// The value of a sample, by its name with its labels as they are written.
async fn sample(admin: &Client, name: &str) -> Option<f64> {
    let text = admin.get("/metrics").await.expect(200).text().to_owned();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn without_its_database_a_process_is_live_but_not_ready() {
    let wiki = App::wiki()
        .without_database()
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing")
        .at_once()
        .start()
        .await;
    let admin = wiki.admin();
    assert_eq!(admin.get("/livez").await.expect(200).text(), "live\n");
    let refusal = admin.get("/readyz").await.problem(503);
    assert_eq!(refusal.detail, "The application answers /ready with 503.");
    wiki.get("/health").await.expect(200);
    wiki.runner().logged("no longer ready: The application answers /ready with 503.", 1).await;
}

#[tokio::test]
async fn a_service_is_ready_when_its_application_and_database_are() {
    let wiki = App::wiki().start().await;
    let admin = wiki.admin();
    let ready = admin.get("/readyz").await.expect(200);
    assert_eq!((ready.text(), ready.header("cache-control")), ("ready\n", "no-store"));
    admin.head("/readyz").await.expect(200);
}

#[tokio::test]
async fn an_application_without_a_readiness_path_is_ready() {
    let shop = App::bookshop().start().await;
    shop.admin().get("/readyz").await.expect(200);
}

#[tokio::test]
async fn the_readiness_path_is_configurable() {
    let shop = App::bookshop().env("RUNNER_READY_PATH", "/misbehave/trap").start().await;
    let refusal = shop.admin().get("/readyz").await.problem(503);
    assert_eq!(refusal.detail, "The application answers /misbehave/trap with 500.");
}

#[tokio::test]
async fn other_admin_paths_are_refused() {
    let shop = App::bookshop().start().await;
    let admin = shop.admin();
    admin.get("/").await.problem(404);
    admin.get("/metrics/x").await.problem(404);
    let refused = admin.post("/readyz").await;
    assert_eq!(refused.allow(), ["GET", "HEAD"]);
    refused.problem(405);
    // The application does not have these paths, and clients of the application do not see them.
    shop.get("/livez").await.expect(404);
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status() {
    let shop = App::bookshop().start().await;
    let admin = shop.admin();
    at_once((0..20).map(|_| shop.get("/shelf/a").into_future())).await;
    shop.get("/nothing/here").await.expect(404);
    for method in ["BREW", "MAKEUP"] {
        shop.request(method, "/shelf/a").await.expect(200);
    }
    eventually("the requests are counted", || async {
        let found = r#"wiki_runner_requests_total{component="shop",route="/shelf/...",method="GET",status="200"}"#;
        sample(&admin, found).await == Some(20.0)
    })
    .await;
    let text = admin.get("/metrics").await.expect(200);
    assert!(text.media_type().starts_with("application/openmetrics-text"), "{text:?}");
    let text = text.text();
    assert!(text.contains(r#"method="other""#) && !text.contains("BREW"), "{text}");
    assert!(!text.contains("/nothing"), "a path is no label:\n{text}");
    assert!(text.ends_with("# EOF\n"));
    let duration = r#"wiki_runner_request_duration_seconds_count{component="shop",route="/shelf/..."}"#;
    assert_eq!(sample(&admin, duration).await, Some(22.0));
    assert_eq!(sample(&admin, "wiki_runner_requests_in_flight").await, Some(0.0));
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds"] {
        assert!(sample(&admin, name).await.is_some_and(|value| value > 0.0), "{name}\n{text}");
    }
    assert!(sample(&admin, "process_cpu_seconds_total").await.is_some(), "{text}");
    let start = sample(&admin, "process_start_time_seconds").await;
    for _ in 0..5 {
        assert_eq!(
            sample(&admin, "process_start_time_seconds").await,
            start,
            "a start that changes looks like a restart"
        );
    }
    for name in ["wiki_runner_received_bytes_total", "wiki_runner_sent_bytes_total"] {
        assert!(sample(&admin, name).await.is_some_and(|value| value > 1000.0), "{name}\n{text}");
    }
    assert!(text.contains("wiki_runner_build_info{version="), "{text}");
}

#[tokio::test]
async fn instances_are_counted_by_outcome() {
    let shop = App::bookshop().env("RUNNER_INSTANCE_REUSE", "3").start().await;
    let admin = shop.admin();
    for _ in 0..6 {
        shop.get("/shelf/a").await.expect(200);
    }
    shop.get("/misbehave/trap").await.expect(500);
    let discarded =
        |reason: &str| format!("wiki_runner_instances_discarded_total{{component=\"shop\",reason=\"{reason}\"}}");
    eventually("instances are counted", || async {
        let created = sample(&admin, r#"wiki_runner_instances_created_total{component="shop"}"#).await;
        // Whoever waited for the service to be ready has made requests, too.
        created.is_some_and(|created| created >= 3.0)
            && sample(&admin, &discarded("worn")).await >= Some(2.0)
            && sample(&admin, &discarded("trapped")).await == Some(1.0)
            && sample(&admin, r#"wiki_runner_instances{component="shop",state="busy"}"#).await == Some(0.0)
    })
    .await;
    assert!(sample(&admin, r#"wiki_runner_instances_reused_total{component="shop"}"#).await >= Some(4.0));
}

#[tokio::test]
async fn statements_and_connections_are_counted() {
    let shop = App::bookshop().start().await;
    let admin = shop.admin();
    let sale = json!({"statements": [{"sql": "SELECT 1"}, {"sql": "SELECT nonsense"}]});
    shop.post("/till/4").json(sale).await.expect(200);
    eventually("statements are counted", || async {
        sample(&admin, "wiki_runner_query_duration_seconds_count").await == Some(2.0)
            && sample(&admin, "wiki_runner_query_errors_total").await == Some(1.0)
            && sample(&admin, "wiki_runner_pool_wait_seconds_count").await == Some(1.0)
            && sample(&admin, "wiki_runner_pool_timeouts_total").await == Some(0.0)
    })
    .await;
    let text = admin.get("/metrics").await.expect(200).text().to_owned();
    let connections: Vec<_> = text.lines().filter(|l| l.starts_with("wiki_runner_pool_connections{")).collect();
    assert_eq!(connections.len(), 2, "{text}");
    assert!(connections.iter().all(|line| !line.contains('@')), "no user and no password: {connections:?}");
    assert!(text.contains("wiki_runner_pool_waiting{"), "{text}");
}

#[tokio::test]
async fn an_address_for_operators_that_is_in_use_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (given, error) in [
        (address.as_str(), format!("cannot listen on {address} (--admin, RUNNER_ADMIN)")),
        ("nowhere", "--admin (RUNNER_ADMIN) \"nowhere\" is not an address".to_owned()),
    ] {
        let manifest = manifest_of_the_wiki().display().to_string();
        let env = [("RUNNER_ADMIN", given), ("PORT", "0"), ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing")];
        let output = wiki_runner(&["serve", "--from", &manifest], &env).await;
        assert!(output.error().contains(&error), "{output:?}");
    }
}

#[tokio::test]
async fn the_access_log_has_every_request() {
    let wiki = App::wiki().env("RUNNER_ACCESS_LOG", "true").env("RUNNER_LOG_FORMAT", "json").start().await;
    wiki.get("/search?q=diary-of-mine").header("x-request-id", "mine").await.expect(200);
    wiki.runner().logged("\"path\":\"/search\"", 1).await;
    let log = wiki.runner().stderr();
    let line = log.lines().find(|line| line.contains("/search")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["method"], &line["status"], &line["target"]), (&json!("GET"), &json!(200), &json!("access")));
    assert_eq!(line["span"]["id"], "mine");
    assert!(line["ms"].as_f64().is_some_and(|ms| ms > 0.0) && line["bytes"].as_u64() > Some(10), "{line}");
    assert!(line["client"].as_str().is_some_and(|client| client.starts_with("127.0.0.1:")), "{line}");
}

#[tokio::test]
async fn log_lines_have_the_request_id() {
    for filter in ["warn", "info,wiki_runner=debug", "debug"] {
        let wiki = App::wiki()
            .without_database()
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing")
            .env("RUNNER_LOG", filter)
            .env("RUNNER_LOG_FORMAT", "json")
            .at_once()
            .start()
            .await;
        wiki.get("/users/1").header("x-request-id", "mine").await.problem(503);
        eventually(&format!("with {filter}, the reason is logged under the request's id"), || async {
            let log = wiki.runner().stderr();
            let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.any(|line| line["span"]["id"] == "mine" && line.to_string().contains("database unavailable"))
        })
        .await;
    }
}

#[tokio::test]
async fn secrets_and_queries_are_not_logged() {
    let wiki = App::wiki().env("RUNNER_ACCESS_LOG", "true").env("RUNNER_LOG", "debug").start().await;
    wiki.get("/search?q=needle-in-the-query").await.expect(200);
    wiki.get("/posts?cursor=needle-in-the-cursor").await.problem(422);
    wiki.get("/health").header("authorization", "Bearer needle-in-a-header").await.expect(200);
    wiki.post("/posts").json(json!({"user_id": 99, "content": "needle-in-the-body"})).await;
    wiki.runner().logged("path", 4).await;
    let log = wiki.runner().stderr();
    assert!(!log.contains("needle"), "{log}");
    if let Some(password) = wiki.database().url().password() {
        assert!(!log.contains(password), "{log}");
    }
}
