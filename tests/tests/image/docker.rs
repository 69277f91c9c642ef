//! Docker's command line, and things in Docker that are gone when they are dropped.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use blackbox::Output;

/// `docker <arguments>`, or the program that `DOCKER` names. Images are built by BuildKit.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("DOCKER").unwrap_or_else(|| "docker".into()));
    command.args(arguments).env("DOCKER_BUILDKIT", "1").stdin(Stdio::null());
    command
}

/// How `docker <arguments>` ended, and what it printed.
pub fn output(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap_or_else(|e| panic!("docker cannot be started: {e}")).into()
}

/// What `docker <arguments>` prints, without the line end.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert_eq!(output.code, Some(0), "docker {}: {}", arguments.join(" "), output.stderr);
    output.stdout.trim_end().to_owned()
}

/// A container, a network or a volume.
pub struct Thing {
    kind: &'static str,
    name: String,
}

impl Thing {
    /// Creates a network or a volume.
    pub fn create(kind: &'static str) -> Self {
        let thing = Self::unmade(kind);
        docker(&[kind, "create", &thing.name]);
        thing
    }

    /// Creates a container, which [`Self::start`] starts; `rest` is options, the image and its arguments.
    pub fn container(rest: &[&str]) -> Self {
        let container = Self::unmade("container");
        docker(&[&["create", "--name", &container.name], rest].concat());
        container
    }

    /// A thing with a name of its own, so that one whose creation fails half way is removed, too.
    fn unmade(kind: &'static str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { kind, name: format!("wasiki-test-{}-{count}", std::process::id()) }
    }

    /// Its name in Docker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Starts this container.
    pub fn start(&self) {
        docker(&["start", &self.name]);
    }

    /// What `docker container inspect --format` prints.
    pub fn inspect(&self, format: &str) -> String {
        docker(&["container", "inspect", "--format", format, &self.name])
    }

    /// The URL on this machine that leads to a port of this container.
    pub fn url(&self, port: u16) -> String {
        let addresses = docker(&["port", &self.name, &port.to_string()]);
        format!("http://{}", addresses.lines().next().unwrap_or_default())
    }

    /// What this container has printed and logged so far.
    pub fn log(&self) -> Output {
        output(&["logs", &self.name])
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        if self.kind == "container" {
            if std::thread::panicking() {
                eprintln!(
                    "--- {} ended with ---\n{}---",
                    self.name,
                    output(&["logs", "--tail", "5", &self.name]).stderr
                );
            }
            // It may be gone already.
            _ = output(&["rm", "--force", "--volumes", &self.name]);
        } else {
            _ = output(&[self.kind, "rm", &self.name]);
        }
    }
}
