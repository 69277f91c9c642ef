//! What bad input gets: a problem that says what to change, and nothing worse.

use blackbox::{App, json, send_raw};

use crate::shared;

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let wiki = shared::wiki().await;
    let user = format!("/users/{}", wiki.create_user("not-json").await["id"]);
    let deep = "[".repeat(50_000);
    let bodies: [&[u8]; 13] = [
        b"",
        b"{",
        b"{\"username\": }",
        b"{\"username\": \"ada\"",
        b"{'username': 'ada'}",
        b"{\"username\": \"ada\",}",
        b"{\"username\": \"ada\"} {}",
        b"username=ada",
        b"{\"username\": \"\\ud800\"}",
        b"{\"username\": \"\\udc00\\ud800\"}",
        b"{\"username\": \"\xff\xfe\"}",
        b"{\"username\": \"raw\x00nul\"}",
        deep.as_bytes(),
    ];
    for (method, path) in [("POST", "/users"), ("PATCH", &*user), ("POST", "/posts")] {
        for body in bodies {
            let refused = wiki.request(method, path).body("application/json", body.to_vec()).await;
            assert_eq!(
                refused.status(),
                400,
                "{method} {path} {:?}: {refused:?}",
                String::from_utf8_lossy(&body[..body.len().min(60)])
            );
            refused.problem(400);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused() {
    let wiki = shared::wiki().await;
    for path in ["/users", "/posts"] {
        for body in ["[]", "[{\"username\": \"ada\"}]", "5", "null", "true", "\"username\""] {
            wiki.post(path).body("application/json", body).await.problem(422);
        }
    }
}

#[tokio::test]
async fn a_body_of_another_media_type_is_refused() {
    let wiki = shared::wiki().await;
    let user = format!("/users/{}", wiki.create_user("media-type").await["id"]);
    let body = r#"{"username": "eve", "user_id": 1, "content": "x"}"#;
    for media_type in
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "json"]
    {
        for (method, path) in [("POST", "/users"), ("PATCH", &*user), ("POST", "/posts"), ("PUT", "/posts/1")] {
            let refused = wiki.request(method, path).header("if-match", "*").body(media_type, body).await;
            let problem = refused.problem(415);
            assert!(problem.detail.contains("application/json"), "{method} {path}: {}", problem.detail);
        }
    }
    for (n, media_type) in
        ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"].iter().enumerate()
    {
        wiki.post("/users").body(media_type, format!(r#"{{"username": "media-type-{n}"}}"#)).await.expect(201);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_announced_or_not() {
    let wiki = App::wiki().start().await;
    for size in [9 << 20, 20 << 20] {
        let body = format!("{{\"username\": \"ada\", \"padding\": \"{}\"}}", "x".repeat(size));
        // A service may answer and close before it has read it all: then the client may see the connection break.
        if let Ok(refused) = wiki.post("/users").body("application/json", body).attempt().await {
            assert_eq!(refused.status(), 413, "{refused:?}");
        }
    }
    let announced = "POST /users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(send_raw(wiki.url(), announced).await.status, Some(413));
    let mut chunked = b"POST /users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..10 {
        chunked.extend_from_slice(format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let status = send_raw(wiki.url(), chunked).await.status;
    assert!(matches!(status, Some(413) | None), "{status:?}");
    assert_eq!(wiki.metric("users_created_total").await, 0);
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let wiki = shared::wiki().await;
    for path in [
        "/nothing",
        "/user",
        "/Users",
        "/users//",
        "//users",
        "/users/1/2",
        "/health/x",
        "/metrics.txt",
        "/posts/1/nothing",
        "/.git/config",
        "/%2e%2e/etc/passwd",
        "/users%2f1",
        "/%00",
        "/%FF",
        "/wp-login.php",
    ] {
        for method in ["GET", "POST", "DELETE", "BREW"] {
            let answer = wiki.request(method, path).await;
            assert_eq!(answer.status(), 404, "{method} {path}: {answer:?}");
            if method == "GET" {
                answer.problem(404);
            }
        }
    }
    let long = format!("/{}", "x".repeat(5000));
    let status = wiki.get(&long).await.status();
    assert!(matches!(status, 404 | 414), "{status}");
}

#[tokio::test]
async fn sql_in_any_field_is_only_text() {
    let wiki = App::wiki().start().await;
    let attacks = [
        "'; DROP TABLE users; --",
        "' OR '1'='1",
        "\"; DELETE FROM posts; --",
        "1); DELETE FROM users; --",
        "\\'; SELECT pg_sleep(10); --",
        "$1 $2 $$ $tag$ DROP TABLE users $tag$",
        "%' OR username LIKE '%",
        "'||(SELECT current_user)||'",
        "E'\\x27' /* */ --",
        "robert'); DROP SCHEMA public CASCADE;--",
    ];
    let first = wiki.create_user("ada").await;
    for (n, attack) in attacks.iter().enumerate() {
        wiki.post("/users").json(json!({"username": attack})).await.invalid("username");
        let email = format!("{}@example.org", attack.replace(' ', ""));
        let user = wiki.post("/users").json(json!({"name": attack, "email": email})).await.expect(201).json();
        assert_eq!((&user["name"], &user["email"]), (&json!(attack), &json!(email)));
        let path = format!("/users/{}", user["id"]);
        assert_eq!(wiki.patch(&path).json(json!({"name": attack})).await.expect(200).json()["name"], *attack);

        let body = json!({"user_id": first["id"], "title": attack, "content": attack, "comment": attack, "slug": format!("attack-{n}")});
        let post = wiki.post("/posts").json(body).await.expect(201).json();
        let path = format!("/posts/{}", post["post_id"]);
        let edit = json!({"content": format!("{attack}{attack}"), "title": attack, "comment": attack});
        let edited = wiki.put(&path).header("if-match", "*").json(edit).await.expect(200).json();
        assert_eq!(edited["title"], *attack);
        wiki.post("/posts").json(json!({"user_id": first["id"], "content": "x", "slug": attack})).await.invalid("slug");
        wiki.post("/posts").json(json!({"user_id": attack, "content": "x"})).await.invalid("user_id");
        wiki.put(&path).json(json!({"content": "x", "version": attack})).await.invalid("version");
        wiki.put(&path)
            .header("if-match", format!("\"{}\"", attack.replace('"', "")))
            .json(json!({"content": "x"}))
            .await
            .problem(412);

        let encoded = blackbox::percent_encoded(attack);
        wiki.get(&format!("/users/{encoded}")).await.problem(404);
        wiki.get(&format!("/posts/{encoded}")).await.problem(404);
        wiki.get(&format!("/posts?user_id={encoded}&tag={encoded}")).await.expect(200);
        wiki.get(&format!("/posts?sort={encoded}")).await.invalid("sort");
        wiki.get(&format!("/users?limit={encoded}")).await.invalid("limit");
        wiki.get(&format!("/users?cursor={encoded}")).await.invalid("cursor");
    }
    assert_eq!(wiki.walk("/users", "users").await.len(), 1 + attacks.len());
    assert_eq!(wiki.walk("/posts", "posts").await.len(), attacks.len());
}

#[tokio::test]
async fn malformed_http_is_harmless() {
    let wiki = shared::wiki().await;
    let long_header =
        format!("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: {}\r\n\r\n", "x".repeat(2 << 20));
    let many_headers =
        format!("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", "X-A: b\r\n".repeat(5000));
    let requests: [&[u8]; 9] = [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA B: c\r\n\r\n",
        b"POST /users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: abc\r\n\r\n",
        b"POST /users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        long_header.as_bytes(),
        many_headers.as_bytes(),
    ];
    for request in requests {
        // The far end is closed for what would otherwise wait for more.
        let answer = send_raw(wiki.url(), request).await;
        assert!(
            matches!(answer.status, None | Some(400..=499) | Some(505)),
            "{:?}: {answer:?}",
            String::from_utf8_lossy(&request[..request.len().min(80)])
        );
    }
    wiki.get("/health").await.expect(200);
}

#[tokio::test]
async fn a_body_that_ends_too_early_creates_nothing() {
    let wiki = App::wiki().start().await;
    let request = "POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"username\": \"ada\"}";
    let mut stream = blackbox::connect(wiki.url()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    drop(stream);
    wiki.create_user("grace").await;
    assert_eq!(wiki.metric("users_created_total").await, 1);
}
