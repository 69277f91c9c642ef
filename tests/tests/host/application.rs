//! The runner as a host of somebody else's Spin application: routes, the request's shape, variables, what is allowed, limits.

use std::time::{Duration, Instant};

use blackbox::{App, Value, json, send_raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::shared;

#[tokio::test]
async fn another_application_runs_from_its_own_manifest() {
    let shop = App::bookshop().start().await;
    assert_eq!(shop.get("/health").await.expect(200).json(), json!({"status": "open"}));
    let book = json!({"title": "Gödel, Escher, Bach", "price": "19.99"});
    shop.put("/books/978-0465026562").json(book).await.expect(200);
    shop.put("/books/978-0465026562").json(json!({"title": "Gödel, Escher, Bach", "price": null})).await.expect(200);
    let book = shop.get("/books/978-0465026562").await.expect(200).json();
    assert_eq!(book, json!({"isbn": "978-0465026562", "title": "Gödel, Escher, Bach", "price": null}));
    shop.get("/books/0").await.expect(404);
    // Paths no route matches are the host's to refuse.
    for path in ["/", "/users", "/healthy", "/health/x", "/books", "/books/1/2", "/Shelf"] {
        shop.get(path).await.problem(404);
    }
}

#[tokio::test]
async fn the_most_specific_route_answers() {
    let shop = shared::bookshop().await;
    let cases = [
        // Path, what the wildcard matched, the route, the component's badge.
        ("/shelf/a/b", "/a/b", "/shelf/...", None),
        ("/shelf", "", "/shelf/...", None),
        ("/shelf/7/place", "/7/place", "/shelf/...", None),
        ("/shelf/7/place/12", "", "/shelf/:row/place/:number", None),
        ("/shelf/7/place/12/x", "/7/place/12/x", "/shelf/...", None),
        ("/clerk/a%20b", "/a%20b", "/clerk/...", Some("clerk")),
    ];
    for (path, rest, route, badge) in cases {
        let shape = shop.get(path).await.expect(200).json();
        let header = |name: &str| shape["headers"][name][0].as_str();
        assert_eq!(header("spin-path-info"), Some(rest), "{path}: {shape}");
        assert_eq!(header("spin-raw-component-route"), Some(route), "{path}");
        assert_eq!(header("spin-matched-route"), Some(route), "{path}");
        assert_eq!(header("spin-component-route"), Some(route.trim_end_matches("/...")), "{path}");
        assert_eq!(header("spin-base-path"), Some("/"), "{path}");
        let (row, number) = (header("spin-path-match-row"), header("spin-path-match-number"));
        let expected = if route.contains(':') { (Some("7"), Some("12")) } else { (None, None) };
        assert_eq!((row, number), expected, "{path}");
        assert_eq!(shape["badge"].as_str(), badge, "{path} is answered by its component");
    }
}

#[tokio::test]
async fn a_guest_sees_the_request_as_every_spin_host_shows_it() {
    let shop = shared::bookshop().await;
    let request = shop
        .patch("/shelf/a/b?x=1&x=2&y=%20")
        .header("host", "books.example:81")
        .header("x-own", "kept")
        .header("spin-full-url", "http://evil.example/")
        .header("spin-client-addr", "6.6.6.6:6")
        .header("spin-path-match-user", "root")
        .header("Spin-Anything", "forged")
        .header("Spin_Client_Addr", "6.6.6.6:6")
        .header("spin_path-info", "/root")
        .body("text/plain", "a body");
    let shape = request.await.expect(200).json();
    assert_eq!(shape["method"], "PATCH");
    assert_eq!(shape["scheme"], "http");
    assert_eq!(shape["authority"], "books.example:81");
    assert_eq!(shape["path_with_query"], "/shelf/a/b?x=1&x=2&y=%20");
    assert_eq!(shape["headers"]["x-own"], json!(["kept"]));
    assert_eq!(shape["headers"]["content-type"], json!(["text/plain"]));
    assert_eq!(shape["headers"]["spin-full-url"], json!(["http://books.example:81/shelf/a/b?x=1&x=2&y=%20"]));
    let client = shape["headers"]["spin-client-addr"][0].as_str().unwrap_or_default();
    assert!(client.starts_with("127.0.0.1:"), "{shape}");

    let headers = shape["headers"].as_object().unwrap();
    let mut names: Vec<&str> = headers.keys().map(String::as_str).filter(|name| name.starts_with("spin")).collect();
    names.sort_unstable();
    let promised = [
        "spin-base-path",
        "spin-client-addr",
        "spin-component-route",
        "spin-full-url",
        "spin-matched-route",
        "spin-path-info",
        "spin-raw-component-route",
    ];
    assert_eq!(names, promised, "no header of that kind is the client's");
    assert!(names.iter().all(|name| headers[*name].as_array().is_some_and(|values| values.len() == 1)), "{shape}");
}

#[tokio::test]
async fn variables_come_from_the_manifest_and_the_environment() {
    let shop = App::bookshop()
        .env("SPIN_VARIABLE_MOTTO", "It's 100% \"read\" {{ more }}")
        .env("SPIN_VARIABLE_UNDECLARED", "x")
        .start()
        .await;
    let get = async |name: &str| shop.get(&format!("/variables/{name}")).await.expect(200).json();
    assert_eq!(get("motto").await, json!({"value": "It's 100% \"read\" {{ more }}"}));
    assert_eq!(get("sign").await["value"], "Welcome. It's 100% \"read\" {{ more }} It's 100% \"read\" {{ more }}");
    assert_eq!(get("till_code").await, json!({"value": "0000"}), "the default");
    // An application's variable is not the component's until the manifest says so.
    for undeclared in ["undeclared", "catalogue_port", "path", "a"] {
        assert_eq!(get(undeclared).await, json!({"error": "undefined"}), "{undeclared}");
    }
    for malformed in ["UPPER", "two-words", "9lives", "_x", "x_", "a__b", "a.b"] {
        assert_eq!(get(malformed).await, json!({"error": "invalid-name"}), "{malformed}");
    }
}

#[tokio::test]
async fn a_guest_has_its_own_environment_and_no_files() {
    let shop = App::bookshop().env("HOST_SECRET", "not for guests").start().await;
    let room = shop.get("/room").await.expect(200).json();
    assert_eq!(room["environment"], json!({"OPENING_HOURS": "9 to 5", "EMPTY": ""}));
    for attempt in ["read", "list", "write"] {
        assert_ne!(room[attempt], "done", "{room}");
    }
    assert!(!room.to_string().contains("wiki-runner"), "the host's command line is not the guest's: {room}");
}

/// A server that answers every request with its own text, and the requests it got.
async fn catalogue() -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (got, requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut request, mut buffer) = (String::new(), [0; 4096]);
            while !request.ends_with("a question") && !request.ends_with("0\r\n\r\n") {
                match stream.read(&mut buffer).await {
                    Ok(read @ 1..) => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
                    _ => break,
                }
            }
            _ = got.send(request);
            let answer = "HTTP/1.1 203 Fine\r\nContent-Length: 6\r\nConnection: close\r\n\r\nanswer";
            _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, requests)
}

#[tokio::test]
async fn a_guest_calls_only_allowed_hosts() {
    let (port, mut requests) = catalogue().await;
    let (other, mut others) = catalogue().await;
    let shop = App::bookshop().env("SPIN_VARIABLE_CATALOGUE_PORT", port.to_string()).start().await;

    let answer = shop.get(&format!("/catalogue?http://127.0.0.1:{port}/books?q=1")).await.expect(200).json();
    assert_eq!(answer, json!({"status": 203, "body": "answer"}));
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("POST /books?q=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_ascii_lowercase().contains("x-shop: bookshop\r\n"), "{request}");
    assert!(request.contains("a question"), "{request}");

    let refused = [
        format!("http://127.0.0.1:{other}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.0.0.1.evil.example:{port}/"),
        format!("http://user:hunter2@127.0.0.1:{other}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://2130706433:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://127.0.0.1/".to_owned(),
    ];
    for url in &refused {
        let answer = shop.get(&format!("/catalogue?{url}")).await.expect(200).json();
        assert!(answer["error"].is_string(), "{url} is refused: {answer}");
    }
    assert!(others.try_recv().is_err() && requests.try_recv().is_err(), "nothing was sent");
    shop.runner().logged("refused an outbound request", refused.len()).await;
    assert!(!shop.runner().stderr().contains("hunter2"), "a URL's password is not logged");
}

#[tokio::test]
async fn a_guest_does_not_wait_for_ever_for_another_host() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let shop = App::bookshop().env("SPIN_VARIABLE_CATALOGUE_PORT", port.to_string()).start().await;
    let began = Instant::now();
    let answer = shop.get(&format!("/catalogue?http://127.0.0.1:{port}/")).await.expect(200).json();
    assert!(answer["error"].as_str().is_some_and(|error| error.contains("Timeout")), "{answer}");
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_empty_list_of_hosts_stops_the_start() {
    // On Spin, the component could then reach nothing at all.
    let manifest = blackbox::manifest_of_the_bookshop().display().to_string();
    let changed = std::fs::read_to_string(&manifest).unwrap();
    let folder = tempfile::TempDir::with_prefix("wasiki-test-").unwrap();
    let path = folder.path().join("spin.toml");
    let hosts = "allowed_outbound_hosts = [";
    let changed = changed.replacen(hosts, &format!("{hosts}'{{{{ more_hosts }}}}', "), 1);
    let changed = changed.replacen("[variables]\n", "[variables]\nmore_hosts = { default = '' }\n", 1);
    std::fs::write(&path, changed).unwrap();
    let env = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), ("SPIN_VARIABLE_MOTTO", "-")];
    let output = blackbox::wiki_runner(&["serve", "--port", "0", "--from", path.to_str().unwrap()], &env).await;
    let reason = "[component.shop]: allowed_outbound_hosts: \"{{ more_hosts }}\": its value is empty";
    assert!(output.error().contains(reason), "{}", output.error());
}

#[tokio::test]
async fn a_guest_may_not_open_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shop = App::bookshop().env("SPIN_VARIABLE_CATALOGUE_PORT", port.to_string()).start().await;
    let outcome = shop.get(&format!("/socket?{port}")).await.expect(200).json();
    assert_ne!(outcome["outcome"], "connected", "plain sockets are no HTTP requests");
    let accepted = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(accepted.is_err(), "nobody connected");
}

#[tokio::test]
async fn a_body_over_the_hosts_limit_is_refused() {
    let shop = App::bookshop().env("RUNNER_MAX_BODY", "64KiB").start().await;
    shop.post("/shelf").body("text/plain", "x".repeat(64 << 10)).await.expect(200);
    if let Ok(refused) = shop.post("/shelf").body("text/plain", "x".repeat((64 << 10) + 1)).attempt().await {
        refused.problem(413);
    }
    let announced = "POST /shelf HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(send_raw(shop.url(), announced).await.status, Some(413));
    // The rest of such a body is not read: whoever would go on with the connection is told that it ends.
    let kept = "POST /shelf HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
    let refused = send_raw(shop.url(), kept).await;
    assert!(refused.text.to_ascii_lowercase().contains("connection: close\r\n"), "{refused:?}");
    shop.get("/health").await.expect(200);
}

#[tokio::test]
async fn requests_follow_one_another_on_a_connection() {
    let shop = shared::bookshop().await;
    let requests = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3)
        + "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = send_raw(shop.url(), requests).await;
    assert_eq!(answer.text.matches("HTTP/1.1 200 OK").count(), 4, "{answer:?}");
}

#[tokio::test]
async fn a_request_in_progress_is_finished_before_the_service_ends() {
    let shop = App::bookshop().start().await;
    let client = shop.replica(0).clone();
    let slow = tokio::spawn(async move { client.get("/misbehave/sleep?1500").await });
    shop.runner().logged("about to sleep", 1).await;
    let status = shop.runner().terminate().await;
    assert!(status.success(), "{status}");
    assert_eq!(slow.await.unwrap().expect(200).json(), json!({"slept_ms": 1500}));
    assert!(blackbox::connect(shop.url()).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_does_not_finish_in_the_grace_period_is_cut_off() {
    let shop = App::bookshop().env("RUNNER_GRACE_PERIOD", "500ms").start().await;
    let client = shop.replica(0).clone();
    let slow = tokio::spawn(async move { client.get("/misbehave/sleep?20000").attempt().await });
    shop.runner().logged("about to sleep", 1).await;
    let began = Instant::now();
    shop.runner().terminate().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test]
async fn a_setting_says_who_sees_the_id_of_a_request() {
    for (place, in_response, in_request) in [("log", false, false), ("response", true, false), ("guest", true, true)] {
        let shop = App::bookshop().env("RUNNER_REQUEST_ID", place).env("RUNNER_ACCESS_LOG", "true").start().await;
        let answer = shop.get("/shelf").header("x-request-id", "abc-123").await.expect(200);
        assert_eq!(answer.has_header("x-request-id"), in_response, "{place}: {answer:?}");
        shop.runner().logged("abc-123", 1).await;
        let made = shop.get("/shelf").await.expect(200);
        let seen = made.json()["headers"]["x-request-id"].clone();
        assert_eq!(seen != Value::Null, in_request, "{place}: {seen}");
        if in_request {
            assert_eq!(seen, json!([made.header("x-request-id")]), "the guest sees what the client gets");
        }
        assert_eq!(
            shop.get("/nothing").await.problem(404).body["request_id"].as_str().map(str::len),
            Some(32),
            "{place}"
        );
    }
}

#[tokio::test]
async fn a_database_host_may_be_an_ipv6_address() {
    for host in ["::1", "[::1]"] {
        let Ok(listener) = TcpListener::bind("[::1]:0").await else {
            return println!("skipped: this machine has no IPv6");
        };
        let port = listener.local_addr().unwrap().port().to_string();
        let shop = App::bookshop().without_database().env("DB_HOST", host).env("DB_PORT", &port).start().await;
        let sale = json!({"statements": [{"sql": "SELECT 1"}]});
        let (client, connected) = (shop.replica(0).clone(), listener.accept());
        let sold = tokio::spawn(async move { client.post("/till/4").json(sale).await });
        let connected = tokio::time::timeout(Duration::from_secs(10), connected).await;
        assert!(connected.is_ok(), "{host}: {:?}", sold.await.unwrap());
    }
}

#[tokio::test]
async fn requests_have_an_id() {
    let shop = shared::bookshop().await;
    let given = shop.get("/shelf").header("x-request-id", "abc-123").await.expect(200);
    assert_eq!(given.header("x-request-id"), "abc-123");
    let made = shop.get("/shelf").header("x-request-id", "no\"t one").await.expect(200);
    let id = made.header("x-request-id");
    assert!(id.len() >= 16 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{id}");
    assert_eq!(made.json()["headers"]["x-request-id"], json!(["no\"t one"]), "the guest sees what the client sent");
    let none = shop.get("/shelf").await.expect(200);
    assert_eq!(none.json()["headers"]["x-request-id"], Value::Null, "as on Spin, the host adds none");
    assert_eq!(
        shop.get("/nothing").await.problem(404).body.get("detail").and_then(Value::as_str).map(str::is_empty),
        Some(false)
    );
}

#[tokio::test]
async fn what_the_runner_answers_itself_has_security_headers() {
    let refused = shared::bookshop().await.get("/").header("host", "a b").await;
    assert_eq!((refused.status(), refused.header("x-content-type-options")), (400, "nosniff"));
}
