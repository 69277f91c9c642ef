//! What the browser tests need beyond Rust, and how they are run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::cargo::prepare;
use crate::progress;
use crate::runner::Runner;
use crate::workspace::Workspace;

/// The oldest Node.js that Playwright and the tests' own runner work with.
const OLDEST_NODE: u32 = 20;

/// As distributions call it.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Each file has a wiki and a browser of its own, which take a core each.
const FILES_AT_ONCE: &str = "--test-concurrency=2";

/// For one file, in milliseconds: ten times what the longest takes.
const LIMIT: &str = "--test-timeout=600000";

/// Programs that are installed on this machine.
#[derive(Debug, PartialEq, Eq)]
pub struct Browser {
    node: PathBuf,
    npm: PathBuf,
    chromium: PathBuf,
}

impl Browser {
    /// Looks in the search path, and for Chromium in the variable CHROMIUM first; says what to install when something is
    /// missing. Nothing is ever installed here, and no browser downloaded.
    pub fn find() -> Result<Self, String> {
        let node = in_path(&["node", "nodejs"]).filter(|node| version_of(node) >= Some(OLDEST_NODE));
        let node = node.ok_or_else(|| format!("they need Node.js {OLDEST_NODE} or newer"))?;
        let npm = in_path(&["npm"]).ok_or("they need npm, which comes with Node.js or as a package of that name")?;
        let named = env::var_os("CHROMIUM").filter(|name| !name.is_empty()).map(PathBuf::from);
        let chromium = named.or_else(|| in_path(&BROWSERS));
        let chromium = chromium.ok_or("they need Chromium: install the package `chromium`, or name it in CHROMIUM")?;
        Ok(Self { node, npm, chromium })
    }

    /// Installs the libraries that the lock file names, unless that was done for this very lock file.
    pub fn prepare(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let folder = folder(workspace);
        let lock = fs::read(folder.join("package-lock.json")).context("cannot read the browser tests' lock file")?;
        // npm puts a file of its own there; ours has the lock file's whole text, and is written when npm is done.
        let installed = folder.join("node_modules/.installed");
        if fs::read(&installed).is_ok_and(|text| text == lock) {
            return Ok(());
        }
        let mut npm = Command::new(&self.npm);
        prepare(&mut npm, workspace);
        npm.arg("ci").current_dir(&folder);
        progress::run("installing the browser tests' libraries", &mut npm)?;
        fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
    }

    /// The command that runs all browser tests each file with a wiki of its own, on a database of its own.
    pub fn tests(&self, workspace: &Workspace, runner: &Runner) -> Command {
        let mut node = Command::new(&self.node);
        prepare(&mut node, workspace);
        node.args(["--test", "--test-reporter=spec", FILES_AT_ONCE, LIMIT])
            .current_dir(folder(workspace))
            // Counts are read from lines without colours.
            .env_remove("FORCE_COLOR")
            .env("CARGO_TARGET_DIR", &workspace.target)
            .env("CHROMIUM", &self.chromium)
            .env("WASIKI_RUNNER", &runner.program)
            .env("WASIKI_MANIFEST", workspace.manifest())
            .env("WASIKI_PRECOMPILED", &runner.precompiled);
        node
    }
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tests/browser")
}

fn in_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}

/// The major version of a Node.js; `None` when it does not run.
fn version_of(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").stdin(Stdio::null()).output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// The first number in `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_node_says() {
        assert_eq!(major("v20.11.1\n"), Some(20));
        assert_eq!(major("v8.0.0-nightly"), Some(8));
        for other in ["", "20.11.1", "v", "command not found"] {
            assert_eq!(major(other), None, "{other}");
        }
        assert_eq!(version_of(Path::new("/nowhere/node")), None);
    }

    #[test]
    fn a_program_is_found_by_the_first_name_that_leads_to_one() {
        assert!(in_path(&["no-such-program", "sh"]).is_some_and(|program| program.ends_with("sh")));
        assert_eq!(in_path(&["no-such-program"]), None);
    }
}
