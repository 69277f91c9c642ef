//! The runner's commands, and what a start that cannot work says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blackbox::{App, Cut, Database, Output, wiki_runner};
use tempfile::TempDir;

/// An address where nothing listens: a start with it needs no database.
const NO_DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://nobody:verysecret@127.0.0.1:1/none");

async fn run(args: &[&str]) -> Output {
    wiki_runner(args, &[NO_DATABASE]).await
}

fn folder() -> TempDir {
    TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made")
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a temporary file can be written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

#[tokio::test]
async fn the_version_names_the_engine_too() {
    let output = run(&["--version"]).await;
    let version = output.success();
    assert!(version.starts_with("wiki-runner ") && version.contains("Wasmtime 48."), "{version}");
}

#[tokio::test]
async fn help_shows_every_command_with_examples() {
    let output = run(&["--help"]).await;
    let help = output.success();
    for word in ["serve", "migrate", "compile", "healthcheck", "completions", "DATABASE_URL", "Examples"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    for command in ["serve", "migrate", "compile", "healthcheck", "completions"] {
        assert!(run(&[command, "--help"]).await.success().contains("Usage: wiki-runner"), "{command}");
    }
    let help = run(&["serve", "--help"]).await;
    for word in ["--from", "--port", "--data", "--request-timeout", "30s", "RUNNER_REQUEST_TIMEOUT", "PORT", "8000"] {
        assert!(help.success().contains(word), "{word} in {}", help.stdout);
    }
}

#[tokio::test]
async fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]).await;
        assert!(output.success().contains("wiki-runner") && output.stdout.contains("healthcheck"), "{shell}");
    }
    assert_eq!(run(&["completions", "cmd.exe"]).await.code, Some(2));
}

#[tokio::test]
async fn an_invalid_command_line_is_refused() {
    for args in [
        &["--no-such-flag"][..],
        &["fly"],
        &[],
        &["serve", "--port", "70000"],
        &["serve", "--port", "x"],
        &["serve", "--request-timeout", "soon"],
        &["serve", "--max-body", "-1"],
        &["serve", "--max-concurrency", "0"],
        &["serve", "--pg-pool-size", "0"],
        &["migrate"],
        &["compile", "--nonsense"],
    ] {
        let output = run(args).await;
        assert_eq!(output.code, Some(2), "{args:?}: {output:#?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

/// Operators look at the last line of a log.
#[tokio::test]
async fn the_last_line_names_the_setting_that_is_wrong() {
    let manifest = blackbox::manifest_of_the_wiki();
    for (name, value) in [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", ""),
        ("RUNNER_MAX_QUEUE", "many"),
        ("RUNNER_MAX_CONCURRENCY", "0"),
        ("RUNNER_WRITE_BURST", "0"),
        ("RUNNER_PG_POOL_SIZE", "1001"),
        ("RUNNER_MAX_BODY", "much"),
        ("RUNNER_MAX_BODY", "16 MiBytes"),
        ("RUNNER_MAX_MEMORY", "1KiB"),
        ("RUNNER_REQUEST_TIMEOUT", "-1s"),
        ("RUNNER_REQUEST_TIMEOUT", "30"),
        ("RUNNER_HEADER_TIMEOUT", "0s"),
        ("RUNNER_IDLE_TIMEOUT", "75 parsecs"),
        ("RUNNER_PG_STATEMENT_TIMEOUT", "0s"),
        ("LISTEN_ADDR", "example.com:80"),
        ("LISTEN_ADDR", "192.0.2.1:80"),
        ("RUNNER_ADMIN", "9090"),
        ("RUNNER_ADMIN", "192.0.2.1:9090"),
        ("RUNNER_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example"),
        ("RUNNER_ACCESS_LOG", "yes"),
        ("RUNNER_COMPRESSION", "br"),
        ("RUNNER_REQUEST_ID", "everyone"),
        ("RUNNER_READY_PATH", "ready"),
        ("RUNNER_LOG", "info,=x"),
        ("RUNNER_LOG_FORMAT", "xml"),
        ("RUNNER_TLS_CERT", "/nowhere/cert.pem"),
        ("RUNNER_MANIFEST", "/nowhere/spin.toml"),
        ("RUNNER_PRECOMPILED", "/nowhere/wiki.cwasm"),
        ("RUNNER_PG_CA_FILE", "/nowhere/ca.pem"),
        ("RUNNER_X", "foo"),
        ("RUNNER_MAX_BDOY", "1MiB"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("SPIN_VARIABLE_DB_PORT", "none"),
        ("SPIN_VARIABLE_DB_HOST", "a,b"),
        ("SPIN_VARIABLE_DB_HOST", "/run/postgresql"),
        ("SPIN_VARIABLE_ACCESS_FILE", "/nowhere/access"),
        ("DB_HOST", "db.example:5432"),
        ("DB_PASSWORD_FILE", "/nowhere/password"),
        ("DATABASE_URL", "mysql://db.example"),
    ] {
        let env = [
            NO_DATABASE,
            ("RUNNER_MANIFEST", text(&manifest)),
            ("RUNNER_ADMIN", "off"),
            ("LISTEN_ADDR", "127.0.0.1:0"),
            ("RUNNER_LOG_FORMAT", "json"),
        ];
        let mut env: Vec<_> = env.into_iter().filter(|(known, _)| *known != name).collect();
        env.push((name, value));
        let output = wiki_runner(&["serve"], &env).await;
        assert!(matches!(output.code, Some(1 | 2)), "{name}={value}: {output:#?}");
        let last = output.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(name), "{name}={value}: {output:#?}");
    }
}

#[tokio::test]
async fn a_value_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStringExt as _;

    for name in ["RUNNER_MAX_QUEUE", "RUNNER_LOG", "SPIN_VARIABLE_ACCESS"] {
        let env = [(NO_DATABASE.0, NO_DATABASE.1.into()), (name, OsString::from_vec(b"1\xff".to_vec()))];
        let output = wiki_runner(&["serve", "--from", text(&blackbox::manifest_of_the_wiki())], &env).await;
        let last = output.stderr.lines().last().unwrap_or_default();
        assert!(output.code != Some(0) && last.contains(name), "{name}: {output:#?}");
    }
}

#[tokio::test]
async fn a_variable_the_application_does_not_have_is_warned_of() {
    let wiki = App::wiki().env("SPIN_VARIABLE_ACESS", "private").env("RUNNER_OS", "Linux").start().await;
    wiki.runner().logged("SPIN_VARIABLE_ACESS has no effect", 1).await;
    assert!(wiki.runner().stderr().contains("did you mean"), "{}", wiki.runner().stderr());
    assert!(!wiki.runner().stderr().contains("RUNNER_OS"), "{}", wiki.runner().stderr());
}

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"a\"\nversion = \"1\"\n";
const ROUTE: &str = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n";

#[tokio::test]
async fn an_invalid_manifest_stops_the_start_with_a_precise_error() {
    let folder = folder();
    write(&folder, "text.wasm", "not a component");
    // A core module: a magic number and the version of modules, not of components.
    std::fs::write(folder.path().join("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let with = |rest: &str| format!("{HEAD}{ROUTE}[component.c]\n{rest}");
    let cases = [
        ("not = [toml".to_owned(), "wrong.toml"),
        (String::new(), "spin_manifest_version"),
        (HEAD.replace('2', "1") + ROUTE, "spin_manifest_version"),
        (HEAD.to_owned(), "trigger"),
        (format!("{HEAD}{ROUTE}"), "[component.c]"),
        (with(""), "source"),
        (with("source = \"missing.wasm\""), "missing.wasm"),
        (with("source = \"text.wasm\""), "text.wasm"),
        (with("source = \"core.wasm\""), "core.wasm"),
        (with("source = { url = \"https://example.org/x.wasm\", digest = \"sha256:00\" }"), "source"),
        (with("source = \"text.wasm\"\nfiles = [\"*\"]"), "files"),
        (with("source = \"text.wasm\"\nkey_value_stores = [\"default\"]"), "key_value_stores"),
        (with("source = \"text.wasm\"\nallowed_outbound_host = []"), "allowed_outbound_hosts"),
        (with("source = \"text.wasm\"\nallowed_outbound_hosts = [\"nonsense\"]"), "nonsense"),
        (with("source = \"text.wasm\"\nallowed_outbound_hosts = [\"postgres://{{ db_hots }}:5432\"]"), "db_hots"),
        (with("source = \"text.wasm\"\n[component.c.variables]\na = \"{{ b\""), "[component.c]"),
        (with("source = \"text.wasm\"\n[component.c.variables]\nA-B = \"x\""), "A-B"),
        (with("source = \"text.wasm\"\nenvironment = 5"), "environment"),
        (with("source = \"text.wasm\"\n") + ROUTE, "/..."),
        (with("source = \"text.wasm\"\n[variables]\nDB = { default = \"x\" }"), "DB"),
        (with("source = \"text.wasm\"\n[variables]\nx = {}"), "x"),
        (with("source = \"text.wasm\"\n[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"c\""), "redis"),
    ];
    for (manifest, named) in cases {
        let path = write(&folder, "wrong.toml", &manifest);
        let output = run(&["serve", "--from", text(&path), "--port", "0"]).await;
        let error = output.error();
        assert!(error.contains(named), "{named:?} in {error:?} of\n{manifest}");
        assert!(!error.contains("verysecret"), "{error}");
    }
    let output = run(&["serve", "--from", "/nowhere/spin.toml"]).await;
    assert!(output.error().contains("/nowhere/spin.toml"), "{}", output.error());
}

#[tokio::test]
async fn a_missing_variable_stops_the_start_and_says_how_to_set_it() {
    let manifest = blackbox::manifest_of_the_bookshop();
    let output = run(&["serve", "--from", text(&manifest), "--port", "0"]).await;
    let error = output.error();
    assert!(error.contains("motto") && error.contains("SPIN_VARIABLE_MOTTO"), "{error}");
}

#[tokio::test]
async fn an_invalid_database_address_stops_the_start_without_showing_the_password() {
    for url in [
        "mysql://nobody:verysecret@127.0.0.1/x",
        "postgres://nobody:verysecret@127.0.0.1:port/x",
        "postgres://nobody:verysecret@/x?host=/var/run/postgresql",
        "nobody:verysecret@127.0.0.1",
    ] {
        let manifest = blackbox::manifest_of_the_wiki();
        let args = ["serve", "--from", text(&manifest), "--port", "0"];
        let output = wiki_runner(&args, &[("DATABASE_URL", url)]).await;
        let error = output.error();
        assert!(error.contains("DATABASE_URL"), "{url}: {error}");
        assert!(!error.contains("secret"), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_password_can_come_from_a_file() {
    let folder = folder();
    let missing = folder.path().join("no-such-file");
    let manifest = blackbox::manifest_of_the_wiki();
    let args = ["serve", "--from", text(&manifest), "--port", "0"];
    let env = [("DB_HOST", "127.0.0.1"), ("DB_PORT", "1"), ("DB_PASSWORD_FILE", text(&missing))];
    let error = wiki_runner(&args, &env).await;
    assert!(error.error().contains("DB_PASSWORD_FILE") && error.error().contains("no-such-file"), "{}", error.error());

    // The separate settings of the old service, with the password in a file that ends in a line end, as editors leave it.
    let database = Database::create().await;
    let url = database.url();
    let password = write(&folder, "password", &format!("{}\n", url.password().unwrap_or("x")));
    let wiki = App::wiki()
        .without_database()
        .env("DB_HOST", url.host_str().unwrap())
        .env("DB_PORT", url.port().unwrap_or(5432).to_string())
        .env("DB_NAME", database.name())
        .env("DB_USER", url.username())
        .env("DB_PASSWORD_FILE", password)
        .start()
        .await;
    wiki.create_user("ada").await;
    assert_eq!(database.column("SELECT username FROM users").await, ["ada"]);
    drop(wiki);
}

#[tokio::test]
async fn an_address_that_is_in_use_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let manifest = blackbox::manifest_of_the_wiki();
    let output = run(&["serve", "--from", text(&manifest), "--listen", &address]).await;
    assert!(output.error().contains(&address), "{}", output.error());
    let output = run(&["serve", "--from", text(&manifest), "--listen", "no address"]).await;
    assert!(output.error().contains("no address"), "{}", output.error());
}

#[tokio::test]
async fn the_first_lines_name_the_address() {
    let wiki = App::wiki().start().await;
    let printed = format!("{}{}", wiki.runner().stdout(), wiki.runner().stderr());
    assert!(printed.contains(wiki.url()), "{printed}");
}

#[tokio::test]
async fn data_survives_a_restart() {
    let mut wiki = App::wiki().start().await;
    for round in 0..3 {
        wiki.create_user(&format!("user{round}")).await;
        wiki.restart().await;
        assert_eq!(wiki.walk("/users", "users").await.len(), round + 1);
    }
}

#[tokio::test]
async fn healthcheck_asks_the_running_service() {
    let wiki = App::wiki().start().await;
    let (_, port) = wiki.url().rsplit_once(':').unwrap();
    let none: [(&str, &str); 0] = [];
    let url = format!("{}/health", wiki.url());
    wiki_runner(&["healthcheck", "--url", &url], &none).await.success();
    wiki_runner(&["healthcheck"], &[("PORT", port)]).await.success();
    wiki_runner(&["healthcheck"], &[("LISTEN_ADDR", format!("127.0.0.1:{port}").as_str())]).await.success();

    let missing = format!("{}/nothing", wiki.url());
    let output = wiki_runner(&["healthcheck", "--url", &missing], &none).await;
    assert!(output.error().contains("404"), "{}", output.error());
    let nobody = Cut::cut_off("127.0.0.1:1".to_owned());
    let output = wiki_runner(&["healthcheck"], &[("PORT", nobody.address().port().to_string().as_str())]).await;
    assert!(output.error().contains(&nobody.address().port().to_string()), "{}", output.error());
    let output = wiki_runner(&["healthcheck", "--url", "https://example.org/"], &none).await;
    assert_ne!(output.code, Some(0));
}

/// The environment that names a database.
fn address(database: &Database) -> [(&'static str, String); 1] {
    [("DATABASE_URL", database.url().into())]
}

#[tokio::test]
async fn migrations_are_applied_ahead_of_a_rollout() {
    let migrations = blackbox::repository().join("migrations");
    let manifest = blackbox::manifest_of_the_wiki();
    let database = Database::create().await;
    let args = ["migrate", text(&migrations), "--from", text(&manifest)];
    let first = wiki_runner(&args, &address(&database)).await;
    for file in std::fs::read_dir(&migrations).unwrap() {
        let name = file.unwrap().file_name();
        assert!(first.success().contains(name.to_str().unwrap()), "{name:?} in {first:#?}");
    }
    let second = wiki_runner(&args, &address(&database)).await;
    assert!(second.success().contains("up to date") && !second.stdout.contains(".sql"), "{second:#?}");
    // What the command applied is what the component needs.
    let wiki = App::wiki().database(database).start().await;
    wiki.create_user("ada").await;
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing_and_is_named() {
    let folder = folder();
    write(&folder, "0001_fine.sql", "CREATE TABLE fine (id int);");
    write(&folder, "0002_broken.sql", "CREATE TABLE half (id int); CREATE TABEL broken (id int);");
    let manifest = blackbox::manifest_of_the_wiki();
    let database = Database::create().await;
    let args = ["migrate", text(folder.path()), "--from", text(&manifest)];
    let output = wiki_runner(&args, &address(&database)).await;
    assert!(output.error().contains("0002_broken.sql") && output.error().contains("TABEL"), "{}", output.error());
    let tables = database
        .column("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('half', 'broken')")
        .await;
    assert_eq!(tables, Vec::<String>::new());

    write(&folder, "nonsense.sql", "SELECT 1;");
    let output = wiki_runner(&args, &address(&database)).await;
    assert!(output.error().contains("nonsense.sql"), "{}", output.error());
    let output = run(&["migrate", "/no/such/folder", "--from", text(&manifest)]).await;
    assert!(output.error().contains("/no/such/folder"), "{}", output.error());
    let migrations = blackbox::repository().join("migrations");
    let output = run(&["migrate", text(&migrations), "--from", text(&manifest)]).await;
    assert!(output.error().contains("127.0.0.1:1") && !output.error().contains("verysecret"), "{}", output.error());
}

#[tokio::test]
async fn a_migration_waits_for_its_database() {
    let migrations = blackbox::repository().join("migrations");
    let manifest = blackbox::manifest_of_the_wiki();
    let args = ["migrate", text(&migrations), "--from", text(&manifest)];
    let nothing = Cut::cut_off("127.0.0.1:1".to_owned());
    let url = format!("postgres://nobody:verysecret@{}/none", nothing.address());
    let began = Instant::now();
    let output = wiki_runner(&args, &[("DATABASE_URL", url.as_str()), ("RUNNER_MIGRATE_WAIT", "1s")]).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{output:#?}");
    let port = nothing.address().port().to_string();
    assert!(output.error().contains("gave up after 1s") && output.error().contains(&port), "{}", output.error());

    let database = Database::create().await;
    let mut url = database.url();
    let mut wire = Cut::cut_off(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)));
    url.set_ip_host(wire.address().ip()).unwrap();
    url.set_port(Some(wire.address().port())).unwrap();
    let env = [("DATABASE_URL", url.as_str()), ("RUNNER_MIGRATE_WAIT", "20s")];
    let mending = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        wire.mend();
    };
    let (output, ()) = tokio::join!(wiki_runner(&args, &env), mending);
    assert!(output.success().contains("applied 0001_"), "{output:#?}");
    let said = format!("{}{}", output.stdout, output.stderr);
    assert_eq!(said.matches("waiting for the database").count(), 1, "{said}");
}

#[tokio::test]
async fn every_setting_is_documented_with_its_default() {
    let document = std::fs::read_to_string(blackbox::repository().join("docs/OPERATIONS.md")).unwrap();
    let none: [(&str, &str); 0] = [];
    let output = wiki_runner(&["serve", "--help"], &none).await;
    let mut settings = 0;
    for option in output.success().split("\n      --").skip(1) {
        let Some((_, rest)) = option.split_once("[env: ") else { continue };
        let name = rest.split('=').next().unwrap();
        let row = document.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in docs/OPERATIONS.md"));
        if let Some((_, default)) = option.split_once("[default: ") {
            let default = default.split(']').next().unwrap();
            // Where it depends on the machine, the help says so in words.
            assert!(default.contains(' ') || row.contains(&format!("`{default}`")), "{name}: {default} in {row}");
        }
        settings += 1;
    }
    assert!(settings > 25, "{settings} settings were found in:\n{}", output.success());
}
