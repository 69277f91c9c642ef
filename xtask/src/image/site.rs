//! A network with a PostgreSQL, and wikis run beside it as an operator would.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use super::docker::{Docker, Thing};
use super::http::Client;

/// The database's image: the one of compose.yaml and of the chart.
const POSTGRES: &str = "postgres:17";

/// The name the database's certificate is for (tests/fixtures/tls).
pub const DATABASE: &str = "database.test";

/// Another name of the database: the one the documentation of the service this wiki replaces uses.
pub const HOST: &str = "host.docker.internal";

/// Where containers see the database's certificate.
pub const CERTIFICATE: &str = "/certificates/database.crt";

/// Starts PostgreSQL with TLS: it takes only a key that is its own and nobody else's to read.
const START: &str = "install -o postgres -m 600 /certificates/database.key /certificates/server.key && \
    exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/certificates/database.crt \
    -c ssl_key_file=/certificates/server.key";

/// How an operator who trusts nobody runs it.
const HARDENED: [&str; 9] = [
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=256m",
    "--pids-limit=64",
    "--env=DB_NAME=wikidb",
    "--env=DB_USER=postgres",
    // For whoever asks for probes from outside; an operator would not publish it.
    "--publish=127.0.0.1::9090",
    "--publish=127.0.0.1::8000",
];

/// Time for a container to do what it should.
const LIMIT: Duration = Duration::from_secs(60);

/// A network with a database. What it consists of is removed when it is dropped.
#[derive(Debug)]
pub struct Site {
    // Containers first: what they use can only be removed after them.
    database: Thing,
    network: Thing,
    certificates: Thing,
    docker: Docker,
    image: String,
}

impl Site {
    /// Starts the database; `fixtures` has its certificate. Returns when it takes connections.
    pub fn start(docker: &Docker, image: &str, fixtures: &Path) -> anyhow::Result<Self> {
        let network = Thing::network(docker)?;
        let certificates = Thing::volume(docker)?;
        let database = Thing::container(
            docker,
            &[
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
            ],
        )?;
        for file in ["database.crt", "database.key"] {
            let from = fixtures.join(file).display().to_string();
            docker.run(&["cp", &from, &format!("{}:/certificates/{file}", database.name())])?;
        }
        database.start()?;
        let site = Self { database, network, certificates, docker: docker.clone(), image: image.to_owned() };
        site.database_answers()?;
        Ok(site)
    }

    /// Runs the wiki as hardened as it can be, with these options of `docker run` and arguments of its own.
    pub fn wiki(&self, options: &[&str], arguments: &[&str]) -> anyhow::Result<Wiki> {
        let mut all: Vec<&str> = HARDENED.to_vec();
        all.extend(options);
        self.wiki_as(&all, arguments)
    }

    /// Runs the wiki with just these options of `docker run`, a network, and arguments of its own.
    pub fn wiki_as(&self, options: &[&str], arguments: &[&str]) -> anyhow::Result<Wiki> {
        let (network, volume) = (
            format!("--network={}", self.network.name()),
            format!("--volume={}:/certificates:ro", self.certificates.name()),
        );
        let mut all = vec![network.as_str(), volume.as_str()];
        all.extend(options);
        all.push(&self.image);
        all.extend(arguments);
        let container = Thing::container(&self.docker, &all)?;
        let started = Instant::now();
        container.start()?;
        Ok(Wiki { container, docker: self.docker.clone(), started })
    }

    /// Stops the database.
    pub fn stop_database(&self) -> anyhow::Result<()> {
        self.docker.run(&["stop", self.database.name()]).map(drop)
    }

    /// Starts it again, and returns when it takes connections.
    pub fn start_database(&self) -> anyhow::Result<()> {
        self.database.start()?;
        self.database_answers()
    }

    /// Copies a file to where containers see the certificates.
    pub fn place(&self, file: &Path, name: &str) -> anyhow::Result<String> {
        let path = format!("/certificates/{name}");
        let from = file.display().to_string();
        self.docker.run(&["cp", &from, &format!("{}:{path}", self.database.name())])?;
        Ok(path)
    }

    fn database_answers(&self) -> anyhow::Result<()> {
        // Over TCP, which the server that prepares a new database does not listen on.
        let ask = ["exec", self.database.name(), "pg_isready", "--quiet", "--host=127.0.0.1", "--dbname=wikidb"];
        let answered = until(|| Ok(self.docker.output(&ask)?.code == Some(0)));
        answered.or_else(|error| bail!("the database: {error:#}\n{}", self.database.last_words()))
    }
}

/// A running wiki.
#[derive(Debug)]
pub struct Wiki {
    /// Its container.
    pub container: Thing,
    docker: Docker,
    started: Instant,
}

impl Wiki {
    /// A client of the wiki.
    pub fn http(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.container.address(8000)?))
    }

    /// A client of its port for probes and metrics.
    pub fn admin(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.container.address(9090)?))
    }

    /// Waits until Docker says that it is healthy; returns the time since it was started.
    pub fn healthy(&self) -> anyhow::Result<Duration> {
        until(|| match self.container.inspect("{{.State.Status}} {{.State.Health.Status}}")?.as_str() {
            "running healthy" => Ok(true),
            "running starting" => Ok(false),
            other => bail!("it is {other}"),
        })
        .or_else(|error| bail!("{error:#}\n{}", self.container.last_words()))?;
        Ok(self.started.elapsed())
    }

    /// Waits until it is ready, which it is when its database answers.
    pub fn ready(&self) -> anyhow::Result<()> {
        let http = self.http()?;
        until(|| Ok(http.get("/ready").is_ok_and(|answer| answer.status == 200)))
            .or_else(|error| bail!("it does not become ready: {error:#}\n{}", self.container.last_words()))
    }

    /// Waits until a line of its log contains all of `words`; returns that line.
    pub fn logged(&self, words: &[&str]) -> anyhow::Result<String> {
        let find = || -> anyhow::Result<Option<String>> {
            let log = self.container.log()?;
            Ok(log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned))
        };
        let mut found = None;
        until(|| {
            found = find()?;
            Ok(found.is_some())
        })
        .or_else(|error| bail!("no line says {words:?}: {error:#}\n{}", self.container.last_words()))?;
        Ok(found.unwrap_or_default())
    }

    /// The number of the user its process runs as.
    pub fn user(&self) -> anyhow::Result<String> {
        let processes = self.docker.run(&["top", self.container.name(), "-eo", "uid,pid,comm"])?;
        let first = processes.lines().nth(1).and_then(|line| line.split_whitespace().next());
        Ok(first.unwrap_or_default().to_owned())
    }

    /// Waits until it has ended by itself; returns its exit code.
    pub fn ended(&self) -> anyhow::Result<i32> {
        until(|| Ok(self.container.inspect("{{.State.Status}}")? == "exited"))?;
        self.exit_code()
    }

    /// `docker stop`, with time enough; returns the exit code.
    pub fn stop(&self) -> anyhow::Result<i32> {
        self.docker.run(&["stop", "-t", "30", self.container.name()])?;
        self.exit_code()
    }

    fn exit_code(&self) -> anyhow::Result<i32> {
        Ok(self.container.inspect("{{.State.ExitCode}}")?.parse()?)
    }
}

/// Asks again and again until the answer is yes; fails with the question, or when it takes too long.
fn until(mut question: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    while !question()? {
        ensure!(Instant::now() < deadline, "nothing happened in {} s", LIMIT.as_secs());
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
