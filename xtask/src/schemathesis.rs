//! Schemathesis: asks the wiki whatever its description lets a client ask, and checks that it answers as described.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::Context;

use crate::cargo::{prepare, without_settings};
use crate::progress::{self, note};
use crate::runner::Runner;
use crate::workspace::Workspace;

/// The packages, each with its version, so that a new release finds nothing new on an old commit.
const PACKAGES: &str = "xtask/schemathesis.txt";

/// What is expected of the answers.
const CONFIGURATION: &str = "xtask/schemathesis.toml";

/// Requests made up for each operation and kind of test; with the fixed seed they are the same every time.
const EXAMPLES: &str = "20";

/// Seconds after which a wiki that does not answer has failed; no request takes one.
const TIMEOUT: &str = "10";

/// Tests the component on a database of its own. Without Python or its packages it is left out.
pub fn test(workspace: &Workspace, runner: &Runner) -> anyhow::Result<()> {
    let folder = workspace.target.join("schemathesis");
    let Some(program) = install(workspace, &folder)? else { return Ok(()) };
    // What the wiki says, and the failures Schemathesis remembers: another run begins without them.
    let traces = folder.join("run");
    if traces.exists() {
        fs::remove_dir_all(&traces).with_context(|| format!("cannot remove {}", traces.display()))?;
    }
    fs::create_dir_all(&traces).with_context(|| format!("cannot make {}", traces.display()))?;
    let log = traces.join("wiki.log");
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    // Not below this user's home: for root, the database is another user's.
    let data = env::temp_dir().join(format!("wasiki-schemathesis-{}", std::process::id()));
    let wiki = Wiki::start(workspace, runner, &data, file).with_context(|| format!("see {}", log.display()))?;
    let mut command = Command::new(program);
    prepare(&mut command, workspace);
    command
        .current_dir(&traces)
        .arg("--config-file")
        .arg(workspace.root.join(CONFIGURATION))
        .arg("run")
        .arg(workspace.root.join("openapi.json"))
        .args(["--url", &wiki.url])
        .args(["--checks", "all", "--max-examples", EXAMPLES, "--seed", "1", "--workers", "1"])
        .args(["--request-timeout", TIMEOUT, "--generation-database", "none"])
        .args(["--continue-on-failure", "--no-shrink", "--warnings", "off"]);
    let result = progress::run("schemathesis", &mut command);
    drop(wiki);
    fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    result
}

/// The program, installed unless it is already; none, and a note, where that cannot be done.
fn install(workspace: &Workspace, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let packages = fs::read_to_string(workspace.root.join(PACKAGES)).context(PACKAGES)?;
    let environment = folder.join("python");
    let program = environment.join("bin/schemathesis");
    let installed = folder.join("installed.txt");
    if program.exists() && fs::read_to_string(&installed).is_ok_and(|present| present == packages) {
        return Ok(Some(program));
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&environment);
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement", PACKAGES]);
    prepare(&mut pip, workspace);
    let made = progress::run("making a Python environment", &mut venv)
        .and_then(|()| progress::run("installing Schemathesis", &mut pip));
    if let Err(error) = made {
        note(&format!("Schemathesis is left out: {error:#}"));
        return Ok(None);
    }
    fs::write(&installed, packages).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(Some(program))
}

/// A wiki that runs until this is dropped.
struct Wiki {
    process: Child,
    url: String,
}

impl Wiki {
    fn start(workspace: &Workspace, runner: &Runner, data: &Path, log: File) -> anyhow::Result<Self> {
        let mut command = Command::new(&runner.program);
        prepare(&mut command, workspace);
        without_settings(&mut command);
        command
            .args(["serve", "--log", "error", "--listen", "127.0.0.1:0", "--from"])
            .arg(workspace.manifest())
            .arg("--precompiled")
            .arg(&runner.precompiled)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = command.spawn().with_context(|| format!("cannot start {}", runner.program.display()))?;
        let output = process.stdout.take().context("the wiki has no output")?;
        let mut wiki = Self { process, url: String::new() };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        wiki.url = lines.find_map(|line| address_in(&line)).context("the wiki ended before it said where it runs")?;
        // Whatever else it says is read, so that it never waits for a reader.
        thread::spawn(move || lines.for_each(drop));
        Ok(wiki)
    }
}

impl Drop for Wiki {
    fn drop(&mut self) {
        // In order, so that its database has ended, too, when its folder is removed.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    Some(format!("http://{}", rest.split_whitespace().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_line() {
        assert_eq!(address_in("wasiki runs on http://127.0.0.1:81").as_deref(), Some("http://127.0.0.1:81"));
        assert_eq!(address_in("postgres://127.0.0.1:81"), None);
    }

    #[test]
    fn every_package_has_its_version() {
        let packages = include_str!("../schemathesis.txt");
        assert!(packages.lines().any(|line| line.starts_with("schemathesis==")));
        assert!(packages.lines().all(|line| line.contains("==")));
    }
}
