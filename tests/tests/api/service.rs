//! What the service says of itself: `/`, `/health`, `/ready`, `/metrics`, and what holds for every path.

use blackbox::{App, assert_time, at_once, json, metric};

use crate::shared;

#[tokio::test]
async fn the_root_lists_the_endpoints_as_json() {
    let wiki = shared::wiki().await;
    for accept in ["", "*/*", "application/json", "application/json, text/plain, */*", "image/png", "nonsense"] {
        let request = wiki.get("/");
        let request = if accept.is_empty() { request } else { request.header("accept", accept) };
        let front = request.await.expect(200).json();
        assert!(front["message"].is_string(), "{accept}: {front}");
        let endpoints = front["endpoints"].to_string();
        for endpoint in ["/health", "/ready", "/metrics", "/users", "/posts"] {
            assert!(endpoints.contains(endpoint), "{endpoint} in {endpoints}");
        }
    }
}

#[tokio::test]
async fn a_browser_is_shown_a_page_that_escapes_what_people_write() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let title = "<script>alert('1')</script> & \"more\"";
    wiki.post("/posts").json(json!({"user_id": user["id"], "title": title, "content": "x"})).await.expect(201);

    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    let page = wiki.get("/").header("accept", browser).await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("vary").to_ascii_lowercase().contains("accept"));
    let html = page.text().to_ascii_lowercase();
    assert!(html.starts_with("<!doctype html>"), "{page:?}");
    assert!(html.contains("&lt;script&gt;alert("), "the title is there, escaped: {page:?}");
    assert!(!html.contains("<script>alert("), "{page:?}");
}

#[tokio::test]
async fn health_has_a_timestamp() {
    let wiki = shared::wiki().await;
    let health = wiki.get("/health").await.expect(200).json();
    assert_eq!(health["status"], "healthy");
    assert_time(&health["timestamp"]);
}

#[tokio::test]
async fn a_running_service_is_ready() {
    let wiki = shared::wiki().await;
    wiki.get("/ready").await.expect(200).json();
    wiki.head("/ready").await.expect(200);
}

#[tokio::test]
async fn metrics_are_in_the_format_of_prometheus() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let metrics = wiki.get("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"), "{metrics:?}");
    assert!(metrics.text().ends_with('\n'));
    let mut declared = std::collections::HashSet::new();
    for line in metrics.text().lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (kind, name, rest) = (words.next(), words.next(), words.next());
            assert!(matches!(kind, Some("HELP" | "TYPE")) && rest.is_some_and(|rest| !rest.is_empty()), "{line}");
            if kind == Some("TYPE") {
                assert!(declared.insert(name), "{name:?} is declared once");
            }
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a sample is a series and a value");
            let name = series.split('{').next();
            assert!(declared.contains(&name), "{line} is declared before");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    for name in ["users_created_total", "posts_created_total"] {
        assert!(metrics.text().contains(&format!("# TYPE {name} counter\n")), "{metrics:?}");
    }
    assert_eq!(metric(metrics.text(), "users_created_total"), Some(1));
    assert_eq!(metric(metrics.text(), "posts_created_total"), Some(0));
}

#[tokio::test]
async fn the_counters_count_what_was_created_and_nothing_else() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    for n in 0..9 {
        wiki.create_user(&format!("user{n}")).await;
    }
    for n in 0..7 {
        wiki.create_post(&user, &format!("Page {n}")).await;
    }
    // Refused ones do not count, neither those the wiki refuses itself nor those the database does.
    wiki.post("/users").json(json!({"username": "ada"})).await.expect(409);
    wiki.post("/users").json(json!({"username": "not a username"})).await.expect(422);
    wiki.post("/posts").json(json!({"user_id": 999_999, "content": "x"})).await.expect(404);
    wiki.post("/posts").json(json!({"user_id": user["id"], "content": "x", "slug": "page-1"})).await.expect(409);
    // A change is no creation, and a deletion takes none back.
    wiki.patch(&format!("/users/{}", user["id"])).json(json!({"name": "Ada"})).await.expect(200);
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "changed"})).await.expect(200);
    wiki.delete("/posts/2").await.expect(204);
    wiki.delete("/users/3").await.expect(204);

    assert_eq!(wiki.metric("users_created_total").await, 10);
    assert_eq!(wiki.metric("posts_created_total").await, 7);
}

#[tokio::test]
async fn the_counters_are_exact_when_many_write_at_once() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await["id"].clone();
    at_once((0..40).map(|n| {
        let (client, user) = (wiki.replica(0).clone(), user.clone());
        async move {
            client.create_user(&format!("user{n}")).await;
            client.create_post(&json!({"id": user}), "The same title for all of them").await;
        }
    }))
    .await;
    assert_eq!(wiki.metric("users_created_total").await, 41);
    assert_eq!(wiki.metric("posts_created_total").await, 40);
}

#[tokio::test]
async fn the_counters_are_the_same_from_every_replica_and_survive_a_restart() {
    let mut wiki = App::wiki().replicas(2).start().await;
    let last = wiki.replicas() - 1;
    for n in 0..6 {
        let user = wiki.replica(n % wiki.replicas()).create_user(&format!("user{n}")).await;
        wiki.replica((n + 1) % wiki.replicas()).create_post(&user, "A page").await;
    }
    for _ in 0..2 {
        for replica in [0, last] {
            assert_eq!(wiki.replica(replica).metric("users_created_total").await, 6);
            assert_eq!(wiki.replica(replica).metric("posts_created_total").await, 6);
        }
        wiki.restart().await;
    }
}

/// Every path of the wiki with the methods it has, of which HEAD and OPTIONS follow.
const PATHS: &[(&str, &[&str])] = &[
    ("/", &["GET"]),
    ("/health", &["GET"]),
    ("/ready", &["GET"]),
    ("/metrics", &["GET"]),
    ("/users", &["GET", "POST"]),
    ("/users/1", &["DELETE", "GET", "PATCH"]),
    ("/user/1", &["DELETE", "GET", "PATCH"]),
    ("/posts", &["GET", "POST"]),
    ("/posts/1", &["DELETE", "GET", "PUT"]),
];

#[tokio::test]
async fn every_path_lists_its_methods_and_refuses_others() {
    let wiki = shared::wiki().await;
    let endpoints = wiki.get("/").await.expect(200).json()["endpoints"].clone();
    for (path, methods) in PATHS {
        assert!(endpoints.get(path.replace('1', "{id}")).is_some(), "GET / lists {path}");
        assert_eq!(
            *methods,
            wiki.options(path)
                .await
                .expect(204)
                .allow()
                .iter()
                .filter(|m| !["HEAD", "OPTIONS"].contains(m))
                .copied()
                .collect::<Vec<_>>()
        );
    }
    for (path, methods) in endpoints.as_object().expect("endpoints by path") {
        let path = path
            .replace("{id}", "1")
            .replace("{version}", "1")
            .replace("{slug}", "x")
            .replace("{tag}", "x")
            .replace("{name}", "x");
        let mut allowed: Vec<&str> =
            methods.as_array().unwrap().iter().map(|method| method.as_str().unwrap()).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.push("OPTIONS");
        allowed.sort_unstable();
        let path = path.as_str();
        let options = wiki.options(path).await.expect(204);
        assert_eq!(options.allow(), allowed, "OPTIONS {path}");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"] {
            if !allowed.contains(&method) {
                let refused = wiki.request(method, path).await;
                let problem = refused.problem(405);
                assert_eq!(refused.allow(), allowed, "{method} {path}");
                assert!(problem.detail.contains(method), "{}", problem.detail);
            }
        }
    }
}

#[tokio::test]
async fn head_answers_as_get_does_but_without_a_body() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "A page").await;
    // Not /health: its length may change with the fraction of a second.
    for path in
        ["/", "/ready", "/metrics", "/users", "/users/1", "/user/1", "/posts", "/posts/1", "/posts/99", "/nothing"]
    {
        let (get, head) = (wiki.get(path).await, wiki.head(path).await);
        assert_eq!(head.status(), get.status(), "{path}");
        assert!(head.bytes().is_empty(), "{head:?}");
        for header in ["content-type", "etag", "vary"] {
            assert_eq!(head.has_header(header), get.has_header(header), "{header} of {path}: {head:?} {get:?}");
            if get.has_header(header) {
                assert_eq!(head.header(header), get.header(header), "{header} of {path}");
            }
        }
        assert_eq!(head.header("content-length"), get.bytes().len().to_string(), "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_makes_no_difference() {
    let wiki = App::wiki().start().await;
    let user = wiki.post("/users/").json(json!({"username": "ada"})).await.expect(201).json();
    wiki.post("/posts/").json(json!({"user_id": user["id"], "content": "A page"})).await.expect(201);
    for path in ["/users", "/users/1", "/user/1", "/posts", "/posts/1", "/ready", "/metrics"] {
        let (without, with) = (wiki.get(path).await.expect(200), wiki.get(&format!("{path}/")).await.expect(200));
        assert_eq!(without.text(), with.text(), "{path}");
    }
    wiki.get("/health/").await.expect(200);
}

#[tokio::test]
async fn responses_forbid_content_sniffing() {
    let wiki = shared::wiki().await;
    for path in ["/", "/users", "/posts", "/metrics", "/nothing"] {
        assert_eq!(wiki.get(path).await.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    let wiki = shared::wiki().await;
    let description = wiki.get("/openapi.json").await.expect(200);
    assert_eq!(description.media_type(), "application/json");
    let document = description.json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    assert!(document["paths"]["/posts/{id}"]["put"]["responses"]["412"].is_object());
    wiki.get("/openapi.json").header("if-none-match", description.header("etag")).await.expect(304);

    let page = wiki.get("/docs").await.expect(200);
    assert_eq!(page.media_type(), "text/html");
    assert!(!page.header("content-security-policy").contains("unsafe"), "{page:?}");
    let mut files = 0;
    for path in page.links().iter().filter(|link| link.starts_with("/static/")) {
        let file = wiki.get(path).header("accept-encoding", "gzip").await.expect(200);
        assert!(file.header("cache-control").contains("immutable"), "{path}");
        files += 1;
    }
    assert!(files >= 4, "{}", page.text());
    assert!(!page.text().contains("http://") && !page.text().contains("https://"), "nothing comes from elsewhere");
}
