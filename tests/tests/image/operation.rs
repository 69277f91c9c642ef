//! What an operator relies on.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blackbox::{Client, POLL, Value, eventually, json, of_another_engine};

use super::docker::docker;
use super::site::{CERTIFICATE, DATABASE, DATABASE_SETTINGS, HOST, Site, Wiki, image};

/// A user and a page, which become number 1 each.
async fn write_a_page(wiki: &Client) {
    let user = wiki.create_user("dockertest").await;
    wiki.create_post(&user, "# Hello\n\nFirst page.").await;
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn migrate_prepares_the_database() {
    let site = Site::start().await;
    let job = site.wiki(&DATABASE_SETTINGS, &["migrate", "migrations"]);
    assert_eq!(job.exit_code().await, 0);
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn the_docker_run_line_of_the_old_service_works() {
    let site = Site::start().await;
    let wiki = site.wiki_as(
        &[
            "--publish=127.0.0.1::8000",
            "--env=DB_USER=postgres",
            "--env=DB_PASSWORD=postgres",
            &format!("--env=DB_HOST={HOST}"),
            "--env=DB_PORT=5432",
            "--env=DB_NAME=wikidb",
        ],
        &[],
    );
    wiki.healthy().await;
    let client = wiki.client();
    client.wait_until_ready("/ready").await;
    client.get("/health").await.expect(200);
    let user = json!({"username": "dockertest", "email": "docker@test.com"});
    let user = client.post("/users/").json(user).await.expect(201).json();
    let page = client.create_post(&user, "# Hello\n\nFirst page.").await;
    let read = client.get(&format!("/posts/{}", page["post_id"])).await.expect(200).json();
    assert_eq!(read["content"], page["content"]);
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn a_read_only_container_without_privileges_becomes_healthy() {
    let site = Site::start().await;
    let wiki = site.ready_wiki(&[]).await;
    let healthy = wiki.healthy().await;
    write_a_page(&wiki.client()).await;
    let admin = wiki.admin();
    admin.get("/readyz").await.expect(200);
    wiki.client().get("/posts/1").await.expect(200);
    assert_eq!(wiki.user(), "65532");
    assert_logs_are_json(&wiki);
    let memory = admin.metric("process_resident_memory_bytes").await;
    println!("healthy after {:.1} s, {:.1} MB resident", healthy.as_secs_f64(), memory as f64 / 1e6);
}

/// Every line on standard error must be an object with a time, a level and a message. Standard output has one for people.
#[track_caller]
fn assert_logs_are_json(wiki: &Wiki) {
    let log = wiki.container.log().stderr;
    assert!(!log.is_empty(), "it logs nothing");
    for line in log.lines() {
        let object: Value = line.parse().unwrap_or_else(|e| panic!("not JSON ({e}): {line}"));
        for member in ["timestamp", "level", "message"] {
            assert!(object[member].is_string(), "no {member}: {line}");
        }
    }
}

/// As compose.yaml and the chart run it.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn anonymous_visitors_read_and_signed_in_users_write() {
    const PASSWORD: &str = "a few words in a row";
    let site = Site::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("admin");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    // Docker keeps the mode, and the wiki runs as another user.
    std::fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    let password = format!("--env=SPIN_VARIABLE_ADMIN_PASSWORD_FILE={}", site.place(&file, "admin"));
    let wiki = site.ready_wiki(&["--env=SPIN_VARIABLE_ACCESS=public-read", &password]).await;
    let client = wiki.client();
    let page = json!({"content": "# Signed\n\nBy the administrator."});
    client.post("/posts").json(page.clone()).await.expect(401);
    let wrong = [("username", "admin"), ("password", "another few words")];
    client.post("/wiki/-/sign-in").form(&wrong).await.expect(401);
    let cookie = client.sign_in("admin", PASSWORD).await;
    let written = client.post("/posts").cookie(&cookie).json(page).await.expect(201);
    client.get(written.header("location")).await.expect(200);
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn the_wiki_survives_an_outage_of_its_database() {
    let site = Site::start().await;
    let wiki = site.ready_wiki(&[]).await;
    let (client, admin, began) = (wiki.client(), wiki.admin(), wiki.container.inspect("{{.State.StartedAt}}"));
    write_a_page(&client).await;
    site.stop_database();
    client.get("/posts/1").await.expect(503);
    client.get("/health").await.expect(200);
    admin.get("/livez").await.expect(200);
    admin.get("/readyz").await.expect(503);
    site.start_database().await;
    client.wait_until_ready("/ready").await;
    client.get("/posts/1").await.expect(200);
    assert_eq!(wiki.container.inspect("{{.State.StartedAt}}"), began, "the wiki was restarted");
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn the_wiki_stops_under_load_without_losing_a_request() {
    const CLIENTS: usize = 8;
    /// Enough for all clients to be busy.
    const ENOUGH: usize = 400;
    let site = Site::start().await;
    let wiki = site.ready_wiki(&["--env=RUNNER_DRAIN_DELAY=2s"]).await;
    write_a_page(&wiki.client()).await;
    let (sent, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (client, sent, stopped) = (wiki.client(), sent.clone(), stopped.clone());
            tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    client.get("/posts/1").await.expect(200);
                    client.create_post(&json!({"id": 1}), "Written in passing.").await;
                    sent.fetch_add(2, Ordering::Relaxed);
                }
            })
        })
        .collect();
    eventually("the clients are busy", || async { sent.load(Ordering::Relaxed) >= ENOUGH }).await;
    let name = wiki.container.name().to_owned();
    let told = Instant::now();
    let stop = tokio::task::spawn_blocking(move || docker(&["stop", "-t", "30", &name]));
    // As a load balancer, which sends requests for as long as the service is ready.
    let admin = wiki.admin();
    while admin.get("/readyz").attempt().await.is_ok_and(|answer| answer.status() == 200) {
        tokio::time::sleep(POLL).await;
    }
    stopped.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    stop.await.unwrap();
    let time = told.elapsed();
    assert_eq!(wiki.exit_code().await, 0);
    assert!(time < Duration::from_secs(20), "it took {time:?} to stop");
    println!("{} requests answered, ended {:.1} s after SIGTERM", sent.load(Ordering::Relaxed), time.as_secs_f64());
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn a_wrong_database_password_leaves_it_live_and_is_logged() {
    let site = Site::start().await;
    let wiki = site.wiki(&[DATABASE_SETTINGS[0], "--env=DB_PASSWORD=sesame"], &[]);
    let line = live_but_not_ready(&wiki, &[DATABASE, "password authentication failed"]).await;
    assert!(!line.contains("sesame"), "the password is in the log: {line}");
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn an_unreachable_database_leaves_it_live_and_is_logged() {
    let site = Site::start().await;
    for (option, words) in [
        ("--env=DB_PORT=1", ["database.test:1", "refused"]),
        ("--env=DB_HOST=nowhere.invalid", ["nowhere.invalid:5432", "lookup"]),
    ] {
        live_but_not_ready(&site.wiki(&[&DATABASE_SETTINGS[..], &[option]].concat(), &[]), &words).await;
    }
}

/// The line of the log that gives the reason, which must contain all of `words`.
async fn live_but_not_ready(wiki: &Wiki, words: &[&str]) -> String {
    wiki.healthy().await;
    let admin = wiki.admin();
    admin.get("/livez").await.expect(200);
    admin.get("/readyz").await.expect(503);
    wiki.logged(words).await
}

/// The option that names the database, under this host, and asks for its certificate.
fn verified(host: &str) -> String {
    format!("--env=DATABASE_URL=postgres://postgres:postgres@{host}/wikidb?sslmode=verify-full")
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn the_database_is_trusted_by_certificate_and_name() {
    let site = Site::start().await;
    // By the setting, and by the variable that replaces the system's authorities.
    for variable in ["RUNNER_PG_CA_FILE", "SSL_CERT_FILE"] {
        let wiki = site.wiki(&[&verified(DATABASE), &format!("--env={variable}={CERTIFICATE}")], &[]);
        wiki.client().wait_until_ready("/ready").await;
        wiki.client().get("/posts").await.expect(200);
    }
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn a_database_of_another_name_or_authority_is_refused() {
    let site = Site::start().await;
    let authority = format!("--env=RUNNER_PG_CA_FILE={CERTIFICATE}");
    live_but_not_ready(&site.wiki(&[&verified(HOST), &authority], &[]), &[HOST, "certificate"]).await;
    // With the authorities of the image, which must be there to be asked.
    live_but_not_ready(&site.wiki(&[&verified(DATABASE)], &[]), &[DATABASE, "certificate"]).await;
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask image --test"]
async fn code_of_another_engine_is_refused() {
    let site = Site::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wiki.cwasm");
    {
        let wiki = site.wiki(&DATABASE_SETTINGS, &[]);
        docker(&["cp", &format!("{}:/app/wiki.cwasm", wiki.container.name()), file.to_str().unwrap()]);
    }
    let version = docker(&["run", "--rm", "--network=none", &image(), "--version"]);
    let code = of_another_engine(std::fs::read(&file).unwrap(), &version);
    std::fs::write(&file, code).unwrap();
    let path = site.place(&file, "wiki.cwasm");
    let setting = format!("--env=RUNNER_PRECOMPILED={path}");
    let wiki = site.wiki(&[&DATABASE_SETTINGS[..], &[&*setting]].concat(), &[]);
    assert_ne!(wiki.exit_code().await, 0);
    wiki.logged(&[&path, "compile it again"]).await;
}
