//! The black-box tests on Spin, and on a host of the tests' own that behaves as Spin does.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::cargo::cargo;
use crate::workspace::Workspace;

/// The list of tests that only wiki-runner has to pass, relative to the repository.
const LIST: &str = "tests/runner-only.txt";

/// A host that takes the arguments of `spin up`.
pub enum Host {
    /// Our own, with the texts of this release's errors.
    Like(&'static str),
    /// The Spin that `SPIN` names, or the one in the search path.
    Real {
        program: PathBuf,
        /// What it says its version is.
        version: String,
    },
}

impl Host {
    /// The real one. Fails where there is none.
    pub fn real() -> anyhow::Result<Self> {
        let program = PathBuf::from(env::var_os("SPIN").unwrap_or_else(|| "spin".into()));
        let output = Command::new(&program).arg("--version").output().ok().filter(|output| output.status.success());
        let output = output
            .with_context(|| format!("cannot run {}: install Spin, or set SPIN to its path", program.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Self::Real { program, version })
    }

    /// What to call the tests on it.
    pub fn label(&self) -> String {
        match self {
            Self::Like(release) => format!("like Spin {release}"),
            Self::Real { version, .. } => version.clone(),
        }
    }

    /// Has black-box tests run on it.
    pub fn choose(&self, workspace: &Workspace, tests: &mut Command) {
        match self {
            Self::Like(release) => {
                tests.env("WASIKI_SPIN", workspace.target.join("release/spin-like")).env("WASIKI_SPIN_LIKE", release)
            }
            Self::Real { program, .. } => tests.env("WASIKI_SPIN", program),
        };
    }
}

/// A test, or some with a common part of their names, that only wiki-runner has to pass.
#[derive(Debug, PartialEq, Eq)]
pub struct RunnerOnly {
    /// The name, or the part of it.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// The list. Fails if it names a test that does not exist.
pub fn runner_only(workspace: &Workspace) -> anyhow::Result<Vec<RunnerOnly>> {
    let text = fs::read_to_string(workspace.root.join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let list = parse(&text)?;
    let mut command = cargo(workspace, "test");
    let output = command.args(["--workspace", "--test", "suite", "--", "--list"]).output();
    let output = output.context("cannot list the tests")?;
    ensure!(output.status.success(), "cannot list the tests: {}", String::from_utf8_lossy(&output.stderr));
    let tests = String::from_utf8_lossy(&output.stdout);
    for RunnerOnly { name, .. } in &list {
        ensure!(tests.lines().any(|test| test.contains(name.as_str())), "{LIST}: no test is called {name}");
    }
    Ok(list)
}

fn parse(text: &str) -> anyhow::Result<Vec<RunnerOnly>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) =
                line.split_once("  ").with_context(|| format!("{LIST}: {line}: no reason is given"))?;
            Ok(RunnerOnly { name: name.to_owned(), reason: reason.trim().to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_has_a_reason() {
        let list = parse("# words\n\nhost::   the runner's own\n").unwrap();
        assert_eq!(list, [RunnerOnly { name: "host::".to_owned(), reason: "the runner's own".to_owned() }]);
        assert!(parse("host::\n").is_err());
    }
}
