//! The lines of the old documentation, as they stand there.

use std::process::Command;

use blackbox::{App, Value, metric};

/// Runs a line of the documentation against `port` instead of 8000, and returns what it prints.
fn run(line: &str, port: &str) -> String {
    let line = line.replace("localhost:8000", &format!("localhost:{port}"));
    // A proxy of this machine's is none of the documentation's business.
    let output = Command::new("sh").args(["-c", &line]).env("NO_PROXY", "*").output().expect("there is a shell");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line}\n{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_lines_of_the_old_documentation_work() {
    let wiki = App::wiki().start().await;
    let port = wiki.url().rsplit(':').next().unwrap();

    let health: Value = serde_json::from_str(&run("curl http://localhost:8000/health", port)).unwrap();
    assert_eq!(health["status"], "healthy");

    let create = r#"curl -X POST http://localhost:8000/users/ \
  -H "Content-Type: application/json" \
  -d '{"username": "dockertest", "email": "docker@test.com"}'"#;
    let user: Value = serde_json::from_str(&run(create, port)).unwrap();
    assert_eq!(user["username"], "dockertest");
    assert_eq!(user["email"], "docker@test.com");
    let id = user["id"].as_i64().unwrap();

    let metrics = run("curl http://localhost:8000/metrics", port);
    assert_eq!(metric(&metrics, "users_created_total"), Some(1), "{metrics}");

    let read: Value = serde_json::from_str(&run(&format!("curl http://localhost:8000/user/{id}"), port)).unwrap();
    assert_eq!(read, user);
}
