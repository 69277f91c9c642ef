//! What an operator relies on, one line each.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::build::{self, SIZE_LIMIT, megabytes};
use super::docker::Docker;
use super::site::{CERTIFICATE, DATABASE, HOST, Site, Wiki};
use super::{context, load};
use crate::progress;
use crate::workspace::Workspace;

/// Programs with which somebody who got in could go on.
const TOOLS: [&str; 6] =
    ["/bin/sh", "/bin/bash", "/busybox/sh", "/usr/bin/apt-get", "/usr/bin/dpkg", "/usr/bin/python3"];

/// The database as operators name it; the password is the one [`Site`] gives it.
const AT_HOME: [&str; 2] = ["--env=DB_HOST=database.test", "--env=DB_PASSWORD=postgres"];

/// Tries an image. Goes on after a failure, and fails at the end when there was one.
pub fn check(workspace: &Workspace, docker: &Docker, image: &str) -> anyhow::Result<()> {
    let mut checks = Checks::default();
    checks.run("secrets in the tree stay out of it", || context::check(workspace, docker));
    checks.run("it is small", || small(docker, image));
    checks.run("it says what it is", || described(docker, image));
    checks.run("it has no shell and no package manager", || bare(docker, image));

    let started = Instant::now();
    let site = Site::start(docker, image, &workspace.root.join("tests/fixtures/tls"))?;
    progress::note(&format!("a PostgreSQL to try it with … {:.1} s", started.elapsed().as_secs_f64()));
    checks.run("`migrate` prepares the database", || migrates(&site));
    checks.run("the old service's `docker run` line works as it stands", || old_line(&site));
    checks.run("it runs read-only, without rights, and becomes healthy", || hardened(&site));
    checks.run("who has no account reads, and who signs in writes", || lets_in(&site));
    checks.run("it survives its database's absence", || survives(&site));
    checks.run("it stops under load and loses no request", || stops(&site));
    checks.run("a wrong password leaves it live, and is logged", || wrong_password(&site));
    checks.run("a database that is not there leaves it live, and is logged", || unreachable(&site));
    checks.run("it trusts its database by certificate and name", || trusts(&site));
    checks.run("it refuses a database of another name or authority", || distrusts(&site));
    checks.run("it refuses code of another engine", || other_engine(docker, &site, image));
    checks.finish()
}

/// Counts checks, and says of each what came out.
#[derive(Default)]
struct Checks {
    run: usize,
    failed: usize,
}

impl Checks {
    fn run(&mut self, what: &str, check: impl FnOnce() -> anyhow::Result<String>) {
        let started = Instant::now();
        let outcome = check();
        let seconds = started.elapsed().as_secs_f64();
        self.run += 1;
        match outcome {
            Ok(found) if found.is_empty() => progress::note(&format!("{what} … {seconds:.1} s")),
            Ok(found) => progress::note(&format!("{what}: {found} … {seconds:.1} s")),
            Err(error) => {
                self.failed += 1;
                progress::note(&format!("{what} … failed after {seconds:.1} s: {error:#}"));
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        let Self { run, failed } = self;
        ensure!(failed == 0, "{failed} of {run} checks of the image failed");
        progress::note(&format!("all {run} checks of the image passed"));
        Ok(())
    }
}

fn small(docker: &Docker, image: &str) -> anyhow::Result<String> {
    let size = build::size(docker, image)?;
    ensure!(size <= SIZE_LIMIT, "it has {}, more than {}", megabytes(size), megabytes(SIZE_LIMIT));
    Ok(megabytes(size))
}

fn described(docker: &Docker, image: &str) -> anyhow::Result<String> {
    let said = docker.run(&["image", "inspect", "--format", "{{json .Config}}", image])?;
    let config: Value = serde_json::from_str(&said).context("docker does not write JSON")?;
    ensure!(config["User"] == "65532:65532", "its user is {}", config["User"]);
    ensure!(config["Healthcheck"]["Test"] == json!(["CMD", "wiki-runner", "healthcheck"]), "{}", config["Healthcheck"]);
    for port in ["8000/tcp", "9090/tcp"] {
        ensure!(!config["ExposedPorts"][port].is_null(), "{port} is not among {}", config["ExposedPorts"]);
    }
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].as_str();
    for name in ["title", "description", "licenses", "version", "revision"] {
        ensure!(label(name).is_some_and(|text| !text.is_empty()), "its label {name} is missing");
    }
    Ok(format!("version {}, revision {}", label("version").unwrap_or_default(), label("revision").unwrap_or_default()))
}

fn bare(docker: &Docker, image: &str) -> anyhow::Result<String> {
    for tool in TOOLS {
        let output = docker.output(&["run", "--rm", "--network=none", "--entrypoint", tool, image, "--version"])?;
        // What Docker ends with when there is no such program.
        ensure!(output.code == Some(127), "{tool}: {output:?}");
    }
    Ok(String::new())
}

fn migrates(site: &Site) -> anyhow::Result<String> {
    let job = site.wiki(&AT_HOME, &["migrate", "migrations"])?;
    let code = job.ended()?;
    ensure!(code == 0, "it ended with {code}: {}", job.container.last_words());
    Ok(String::new())
}

fn old_line(site: &Site) -> anyhow::Result<String> {
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
    )?;
    wiki.healthy()?;
    wiki.ready()?;
    let http = wiki.http()?;
    http.get("/health")?.expect(200)?;
    let user = json!({"username": "dockertest", "email": "docker@test.com"});
    let user = http.post("/users/", &user)?.expect(201)?.json()?;
    let page = json!({"user_id": user["id"], "content": "# Hello\n\nFirst page."});
    let page = http.post("/posts", &page)?.expect(201)?.json()?;
    let read = http.get(&format!("/posts/{}", page["post_id"]))?.expect(200)?.json()?;
    ensure!(read["content"] == page["content"], "it wrote {page} and read {read}");
    Ok(format!("wrote page {} and read it", page["post_id"]))
}

fn hardened(site: &Site) -> anyhow::Result<String> {
    let wiki = site.wiki(&AT_HOME, &[])?;
    let healthy = wiki.healthy()?;
    wiki.ready()?;
    wiki.admin()?.get("/readyz")?.expect(200)?;
    wiki.http()?.get("/posts/1")?.expect(200)?;
    let user = wiki.user()?;
    ensure!(user == "65532", "it runs as user {user}");
    logs_are_json(&wiki)?;
    Ok(format!("after {:.1} s, user {user}, {} resident", healthy.as_secs_f64(), megabytes(resident(&wiki)?)))
}

/// Every line on standard error must be an object with a time, a level and a message. Standard output has one for people.
fn logs_are_json(wiki: &Wiki) -> anyhow::Result<()> {
    let log = wiki.container.errors()?;
    ensure!(!log.is_empty(), "it logs nothing");
    for line in log.lines() {
        let object: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
        for member in ["timestamp", "level", "message"] {
            ensure!(object[member].is_string(), "no {member}: {line}");
        }
    }
    Ok(())
}

/// The memory of the process, in bytes.
fn resident(wiki: &Wiki) -> anyhow::Result<u64> {
    let metrics = wiki.admin()?.get("/metrics")?.expect(200)?.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    line.and_then(|number| number.trim().parse().ok()).context("the metrics do not say how much memory it has")
}

/// As compose.yaml and the chart run it.
fn lets_in(site: &Site) -> anyhow::Result<String> {
    const PASSWORD: &str = "a few words in a row";
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let file = folder.path().join("admin");
    std::fs::write(&file, format!("{PASSWORD}\n")).context("cannot write the password")?;
    // Docker keeps the mode, and the wiki runs as somebody else.
    std::fs::set_permissions(&file, Permissions::from_mode(0o444)).context("cannot let the wiki read the password")?;
    let path = format!("--env=SPIN_VARIABLE_ADMIN_PASSWORD_FILE={}", site.place(&file, "admin")?);
    let wiki = site.wiki(&[AT_HOME[0], AT_HOME[1], "--env=SPIN_VARIABLE_ACCESS=public-read", &path], &[])?;
    wiki.ready()?;
    let page = json!({"content": "# Signed\n\nBy the administrator."});
    let nobody = wiki.http()?;
    nobody.get("/posts/1")?.expect(200)?;
    nobody.post("/posts", &page)?.expect(401)?;
    ensure!(wiki.http()?.signed_in("admin", "another few words").is_err(), "any password will do");
    let written = wiki.http()?.signed_in("admin", PASSWORD)?.post("/posts", &page)?.expect(201)?.json()?;
    nobody.get(&format!("/posts/{}", written["post_id"]))?.expect(200)?;
    Ok(String::new())
}

fn survives(site: &Site) -> anyhow::Result<String> {
    let wiki = site.wiki(&AT_HOME, &[])?;
    wiki.ready()?;
    let (http, admin, began) = (wiki.http()?, wiki.admin()?, wiki.container.inspect("{{.State.StartedAt}}")?);
    site.stop_database()?;
    http.get("/posts/1")?.expect(503)?;
    http.get("/health")?.expect(200)?;
    admin.get("/livez")?.expect(200)?;
    admin.get("/readyz")?.expect(503)?;
    site.start_database()?;
    let back = Instant::now();
    wiki.ready()?;
    http.get("/posts/1")?.expect(200)?;
    ensure!(wiki.container.inspect("{{.State.StartedAt}}")? == began, "the wiki was started anew");
    Ok(format!("ready {:.1} s after it is back", back.elapsed().as_secs_f64()))
}

fn stops(site: &Site) -> anyhow::Result<String> {
    let wiki = site.wiki(&[AT_HOME[0], AT_HOME[1], "--env=RUNNER_DRAIN_DELAY=2s"], &[])?;
    wiki.ready()?;
    let mut ended = None;
    let sent = load::during(&wiki.http()?, &wiki.admin()?, || {
        let told = Instant::now();
        ended = Some((wiki.stop()?, told.elapsed()));
        Ok(())
    })?;
    let (code, time) = ended.context("it was not stopped")?;
    ensure!(code == 0, "it ended with {code}: {}", wiki.container.last_words());
    ensure!(time < Duration::from_secs(20), "it took {time:?} to stop");
    Ok(format!("{sent} requests, all answered, ended {:.1} s after SIGTERM with 0", time.as_secs_f64()))
}

fn wrong_password(site: &Site) -> anyhow::Result<String> {
    let wiki = site.wiki(&[AT_HOME[0], "--env=DB_PASSWORD=sesame"], &[])?;
    let line = live_but_not_ready(&wiki, &[DATABASE, "password authentication failed"])?;
    ensure!(!line.contains("sesame"), "the password is in the log: {line}");
    Ok(String::new())
}

fn unreachable(site: &Site) -> anyhow::Result<String> {
    for (option, words) in [
        ("--env=DB_PORT=1", ["database.test:1", "refused"]),
        ("--env=DB_HOST=nowhere.invalid", ["nowhere.invalid:5432", "lookup"]),
    ] {
        live_but_not_ready(&site.wiki(&[AT_HOME[0], AT_HOME[1], option], &[])?, &words)?;
    }
    Ok(String::new())
}

/// The line of the log that says why, which must contain all of `words`.
fn live_but_not_ready(wiki: &Wiki, words: &[&str]) -> anyhow::Result<String> {
    wiki.healthy()?;
    let admin = wiki.admin()?;
    admin.get("/livez")?.expect(200)?;
    admin.get("/readyz")?.expect(503)?;
    wiki.logged(words)
}

fn trusts(site: &Site) -> anyhow::Result<String> {
    let url = format!("--env=DATABASE_URL=postgres://postgres:postgres@{DATABASE}/wikidb?sslmode=verify-full");
    // By the setting, and by the variable that stands for the system's authorities.
    for variable in ["RUNNER_PG_CA_FILE", "SSL_CERT_FILE"] {
        let wiki = site.wiki(&[&url, &format!("--env={variable}={CERTIFICATE}")], &[])?;
        wiki.ready().context(variable)?;
        wiki.http()?.get("/posts/1")?.expect(200)?;
    }
    Ok(String::new())
}

fn distrusts(site: &Site) -> anyhow::Result<String> {
    let url = |host: &str| format!("--env=DATABASE_URL=postgres://postgres:postgres@{host}/wikidb?sslmode=verify-full");
    let authority = format!("--env=RUNNER_PG_CA_FILE={CERTIFICATE}");
    live_but_not_ready(&site.wiki(&[&url(HOST), &authority], &[])?, &[HOST, "certificate"])?;
    // With the authorities of the image, which must be there to be asked.
    live_but_not_ready(&site.wiki(&[&url(DATABASE)], &[])?, &[DATABASE, "certificate"])?;
    Ok(String::new())
}

fn other_engine(docker: &Docker, site: &Site, image: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let file = folder.path().join("wiki.cwasm");
    {
        let wiki = site.wiki(&AT_HOME, &[])?;
        docker.run(&["cp", &format!("{}:/app/wiki.cwasm", wiki.container.name()), &file.display().to_string()])?;
    }
    let version = docker.run(&["run", "--rm", "--network=none", image, "--version"])?;
    let code = std::fs::read(&file).context("cannot read the code")?;
    std::fs::write(&file, of_another_engine(code, &version)?).context("cannot write the code")?;
    let path = site.place(&file, "wiki.cwasm")?;
    let wiki = site.wiki(&[AT_HOME[0], AT_HOME[1], &format!("--env=RUNNER_PRECOMPILED={path}")], &[])?;
    let code = wiki.ended()?;
    ensure!(code != 0, "it took it");
    wiki.logged(&[&path, "compile it again"])?;
    Ok(String::new())
}

/// Ahead-of-time code as the engine of the version before would have made it.
///
/// The code begins with the engine's major version, as text after its length.
fn of_another_engine(mut code: Vec<u8>, version: &str) -> anyhow::Result<Vec<u8>> {
    let major = version.rsplit("Wasmtime ").next().and_then(|rest| rest.split('.').next()).unwrap_or_default();
    let Ok(number) = major.parse::<u32>() else { bail!("{version:?} does not name the version of Wasmtime") };
    let mark = |text: &str| [&[u8::try_from(text.len()).unwrap_or(0)], text.as_bytes()].concat();
    let (now, before) = (mark(major), mark(&format!("{:0width$}", number.saturating_sub(1), width = major.len())));
    let at = code.windows(now.len()).position(|window| window == now).context("the code does not name its engine")?;
    code[at..at + now.len()].copy_from_slice(&before);
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_another_engine_differs_in_the_version_alone() {
        let code = b"\x7fELF 48 \x00\x0248\x18x86_64".to_vec();
        let other = of_another_engine(code, "wiki-runner 0.1.0 (Wasmtime 48.0.2)").unwrap();
        assert_eq!(other, b"\x7fELF 48 \x00\x0247\x18x86_64");
    }

    #[test]
    fn code_without_a_version_is_an_error() {
        assert!(of_another_engine(b"nothing".to_vec(), "Wasmtime 48.0.2").is_err());
        assert!(of_another_engine(b"\x0248".to_vec(), "no version").is_err());
    }
}
