//! Docker's command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// The command line of an engine that answers.
#[derive(Debug)]
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

    /// What `docker <arguments>` prints, without the line end; fails with its error message.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments).output().context("cannot start docker")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "docker {}: {}", arguments.join(" "), error.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }
}
