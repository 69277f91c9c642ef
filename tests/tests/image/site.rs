//! A network with a PostgreSQL, and wikis run beside it as an operator would.

use std::future::ready;
use std::path::Path;
use std::time::{Duration, Instant};

use blackbox::{Client, eventually, repository};

use super::docker::{Thing, docker, output};

/// The database's image: the one of compose.yaml and of the chart.
const POSTGRES: &str = "postgres:17";

/// The name the database's certificate is for (tests/fixtures/tls).
pub const DATABASE: &str = "database.test";

/// Another name of the database: the one the documentation of the service this wiki replaces uses.
pub const HOST: &str = "host.docker.internal";

/// Where containers see the database's certificate.
pub const CERTIFICATE: &str = "/certificates/database.crt";

/// The database's host and password as operators set them.
pub const DATABASE_SETTINGS: [&str; 2] = ["--env=DB_HOST=database.test", "--env=DB_PASSWORD=postgres"];

/// Starts PostgreSQL with TLS: it takes only a key that is its own and nobody else's to read.
const START: &str = "install -o postgres -m 600 /certificates/database.key /certificates/server.key && \
    exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/certificates/database.crt \
    -c ssl_key_file=/certificates/server.key";

/// The options of a cautious operator.
const HARDENED: [&str; 9] = [
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=256m",
    "--pids-limit=64",
    "--env=DB_NAME=wikidb",
    "--env=DB_USER=postgres",
    // For the probes of the tests; an operator would not publish it.
    "--publish=127.0.0.1::9090",
    "--publish=127.0.0.1::8000",
];

/// The image under test: `WASIKI_TEST_IMAGE`, which `cargo xtask image --test` sets.
pub fn image() -> String {
    std::env::var("WASIKI_TEST_IMAGE").expect("WASIKI_TEST_IMAGE names the image; cargo xtask image --test sets it")
}

/// A network with a database.
pub struct Site {
    // Containers first: what they use can only be removed after them.
    database: Thing,
    network: Thing,
    certificates: Thing,
}

impl Site {
    /// Starts the database, and waits until it takes connections.
    pub async fn start() -> Self {
        let (network, certificates) = (Thing::create("network"), Thing::create("volume"));
        let database = Thing::container(&[
            &format!("--network={}", network.name()),
            &format!("--network-alias={DATABASE}"),
            &format!("--network-alias={HOST}"),
            &format!("--volume={}:/certificates", certificates.name()),
            "--env=POSTGRES_PASSWORD=postgres",
            "--env=POSTGRES_DB=wikidb",
            "--env=LANG=C.UTF-8",
            "--entrypoint=sh",
            POSTGRES,
            "-c",
            START,
        ]);
        let site = Self { database, network, certificates };
        for file in ["database.crt", "database.key"] {
            site.place(&repository().join("tests/fixtures/tls").join(file), file);
        }
        site.start_database().await;
        site
    }

    /// Starts a hardened wiki with further options of `docker run` and arguments of its own.
    pub fn wiki(&self, options: &[&str], arguments: &[&str]) -> Wiki {
        self.wiki_as(&[&HARDENED, options].concat(), arguments)
    }

    /// Starts a wiki with no other options than these.
    pub fn wiki_as(&self, options: &[&str], arguments: &[&str]) -> Wiki {
        let network = format!("--network={}", self.network.name());
        let volume = format!("--volume={}:/certificates:ro", self.certificates.name());
        let container = Thing::container(&[&[&*network, &*volume], options, &[&*image()], arguments].concat());
        let started = Instant::now();
        container.start();
        Wiki { container, started }
    }

    /// Starts a hardened wiki with further options, and waits until it is ready.
    pub async fn ready_wiki(&self, options: &[&str]) -> Wiki {
        let wiki = self.wiki(&[&DATABASE_SETTINGS, options].concat(), &[]);
        wiki.client().wait_until_ready("/ready").await;
        wiki
    }

    /// Stops the database.
    pub fn stop_database(&self) {
        docker(&["stop", self.database.name()]);
    }

    /// Starts the database, and waits until it takes connections.
    pub async fn start_database(&self) {
        self.database.start();
        // Over TCP, which the server that prepares a new database does not listen on.
        let ask = ["exec", self.database.name(), "pg_isready", "--quiet", "--host=127.0.0.1", "--dbname=wikidb"];
        eventually("the database takes connections", || ready(output(&ask).code == Some(0))).await;
    }

    /// Copies a file to where containers see the certificates; returns its path there.
    pub fn place(&self, file: &Path, name: &str) -> String {
        let path = format!("/certificates/{name}");
        let from = file.to_str().expect("paths of tests are UTF-8");
        docker(&["cp", from, &format!("{}:{path}", self.database.name())]);
        path
    }
}

/// A running wiki.
pub struct Wiki {
    pub container: Thing,
    started: Instant,
}

impl Wiki {
    /// A client of the wiki.
    pub fn client(&self) -> Client {
        Client::new(&self.container.url(8000))
    }

    /// A client of its port for probes and metrics.
    pub fn admin(&self) -> Client {
        Client::new(&self.container.url(9090))
    }

    /// Waits until Docker reports it healthy; returns the time since it was started.
    pub async fn healthy(&self) -> Duration {
        eventually("the wiki is healthy", || {
            ready(match &*self.container.inspect("{{.State.Status}} {{.State.Health.Status}}") {
                "running healthy" => true,
                "running starting" => false,
                other => panic!("it is {other}"),
            })
        })
        .await;
        self.started.elapsed()
    }

    /// Waits until a line of its log contains all of `words`; returns that line.
    pub async fn logged(&self, words: &[&str]) -> String {
        let mut found = None;
        eventually(&format!("a line of the log has {words:?}"), || {
            let log = self.container.log();
            let mut lines = log.stdout.lines().chain(log.stderr.lines());
            found = lines.find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned);
            ready(found.is_some())
        })
        .await;
        found.unwrap_or_default()
    }

    /// The user id its process runs as.
    pub fn user(&self) -> String {
        let processes = docker(&["top", self.container.name(), "-eo", "uid,pid,comm"]);
        let first = processes.lines().nth(1).and_then(|line| line.split_whitespace().next());
        first.unwrap_or_default().to_owned()
    }

    /// Waits until it has ended by itself; returns its exit code.
    pub async fn exit_code(&self) -> i32 {
        eventually("the wiki ends", || ready(self.container.inspect("{{.State.Status}}") == "exited")).await;
        self.container.inspect("{{.State.ExitCode}}").parse().expect("an exit code is a number")
    }
}
