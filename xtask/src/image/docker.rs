//! Docker, as its own command line: what it says, and things that are gone when they are dropped.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, bail, ensure};

/// The command line of an engine that answers.
#[derive(Debug, Clone)]
pub struct Docker {
    program: OsString,
}

impl Docker {
    /// Finds `docker`, or what the variable `DOCKER` names; fails with what to install or to start.
    pub fn find() -> anyhow::Result<Self> {
        let docker = Self { program: env::var_os("DOCKER").unwrap_or_else(|| OsString::from("docker")) };
        let mut version = docker.command(["version", "--format", "{{.Server.Version}}"]);
        let Ok(output) = version.output() else {
            bail!(
                "{} cannot be started: install Docker Engine (https://docs.docker.com/engine/install/; on Debian \
                 `sudo apt-get install docker.io`), or name a program like it in DOCKER",
                docker.program.display()
            );
        };
        ensure!(
            output.status.success(),
            "Docker is installed, but its engine does not answer ({}): start it, or become a user who may use it",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(docker)
    }

    /// `docker <arguments>`, to be run by the caller. Images are built by BuildKit.
    pub fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("DOCKER_BUILDKIT", "1").stdin(Stdio::null());
        command
    }

    /// What `docker <arguments>` prints, without the line end; fails with what it complains of.
    pub fn run<A: AsRef<str>>(&self, arguments: &[A]) -> anyhow::Result<String> {
        let output = self.output(arguments)?;
        ensure!(output.code == Some(0), "docker {}: {}", words(arguments), output.stderr.trim());
        Ok(output.stdout.trim_end().to_owned())
    }

    /// The same, whatever its end; fails only when it cannot be started.
    pub fn output<A: AsRef<str>>(&self, arguments: &[A]) -> anyhow::Result<Output> {
        let output = self
            .command(arguments.iter().map(AsRef::as_ref))
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; nothing if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Something Docker keeps, removed when this is dropped.
#[derive(Debug)]
pub struct Thing {
    docker: Docker,
    kind: Kind,
    name: String,
}

/// A kind of thing, by the command that manages it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }
}

impl Thing {
    /// Makes a network.
    pub fn network(docker: &Docker) -> anyhow::Result<Self> {
        let network = Self::unmade(docker, Kind::Network);
        docker.run(&["network", "create", network.name()])?;
        Ok(network)
    }

    /// Makes a volume.
    pub fn volume(docker: &Docker) -> anyhow::Result<Self> {
        let volume = Self::unmade(docker, Kind::Volume);
        docker.run(&["volume", "create", volume.name()])?;
        Ok(volume)
    }

    /// Makes a container, to be started by [`Self::start`]; `rest` is options, the image and its arguments.
    pub fn container<A: AsRef<str>>(docker: &Docker, rest: &[A]) -> anyhow::Result<Self> {
        let container = Self::unmade(docker, Kind::Container);
        let mut arguments = vec!["create", "--name", container.name()];
        arguments.extend(rest.iter().map(AsRef::as_ref));
        docker.run(&arguments)?;
        Ok(container)
    }

    /// A thing with a name of its own. Made by the caller, so that one that is made by half is removed, too.
    fn unmade(docker: &Docker, kind: Kind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { docker: docker.clone(), kind, name: format!("wasiki-test-{}-{count}", std::process::id()) }
    }

    /// The name it has in Docker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Starts this container.
    pub fn start(&self) -> anyhow::Result<()> {
        self.docker.run(&["start", self.name()]).map(drop)
    }

    /// What `docker container inspect --format` says.
    pub fn inspect(&self, format: &str) -> anyhow::Result<String> {
        self.docker.run(&["container", "inspect", "--format", format, self.name()])
    }

    /// The address on this machine that leads to a port of this container.
    pub fn address(&self, port: u16) -> anyhow::Result<String> {
        let said = self.docker.run(&["port", self.name(), &port.to_string()])?;
        Ok(said.lines().next().unwrap_or_default().to_owned())
    }

    /// What it has written to standard error so far.
    pub fn errors(&self) -> anyhow::Result<String> {
        Ok(self.docker.output(&["logs", self.name()])?.stderr)
    }

    /// The end of what it has written, for messages.
    pub fn last_words(&self) -> String {
        let log = self.log().unwrap_or_else(|error| error.to_string());
        let lines: Vec<String> = log.lines().rev().take(5).map(|line| line.chars().take(300).collect()).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// All it has written so far.
    pub fn log(&self) -> anyhow::Result<String> {
        let output = self.docker.output(&["logs", self.name()])?;
        Ok(output.stdout + &output.stderr)
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        // It need not be there any more, and nobody would hear of another failure.
        let _ = match self.kind {
            Kind::Container => self.docker.output(&["rm", "--force", "--volumes", &self.name]),
            Kind::Network | Kind::Volume => self.docker.output(&[self.kind.word(), "rm", &self.name]),
        };
    }
}

/// Arguments in one line, for messages.
fn words<A: AsRef<str>>(arguments: &[A]) -> String {
    arguments.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
}
