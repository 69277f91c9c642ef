//! Checks the dependencies' licenses, sources and known vulnerabilities with cargo-deny, by the rules in `deny.toml`.

use std::env;
use std::process::{Command, Stdio};

use anyhow::ensure;

use crate::cargo::prepare;
use crate::progress::{self, note};
use crate::workspace::Workspace;

/// How to get it. Tried with 0.20.2.
const INSTALL: &str = "cargo-deny is not installed: run `cargo install --locked cargo-deny`";

/// What needs nothing but the packages.
const OFFLINE: [&str; 3] = ["licenses", "sources", "bans"];

/// Checks the dependencies. Fails without cargo-deny.
pub fn deny(workspace: &Workspace) -> anyhow::Result<()> {
    ensure!(is_installed(workspace), INSTALL);
    check(workspace)
}

/// The same as a part of all tests: without cargo-deny it is left out, with a line that says so.
pub fn test(workspace: &Workspace) -> anyhow::Result<()> {
    if is_installed(workspace) {
        return check(workspace);
    }
    note(&format!("licenses and sources of the dependencies are not checked: {INSTALL}"));
    Ok(())
}

fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut offline = cargo_deny(workspace);
    progress::run("checking the dependencies' licenses and sources", offline.arg("check").args(OFFLINE))?;
    if !fetched(workspace) {
        note("known vulnerabilities of the dependencies are not checked: the advisory database cannot be reached");
        return Ok(());
    }
    let mut advisories = cargo_deny(workspace);
    advisories.args(["check", "--disable-fetch", "advisories"]);
    progress::run("checking the dependencies for known vulnerabilities", &mut advisories)
}

/// Brings the advisory database up to date. False where it cannot be reached.
fn fetched(workspace: &Workspace) -> bool {
    let mut fetch = cargo_deny(workspace);
    fetch.args(["fetch", "db"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A connection that stands still for 20 s has failed.
    fetch.env("GIT_HTTP_LOW_SPEED_LIMIT", "1").env("GIT_HTTP_LOW_SPEED_TIME", "20").env("GIT_TERMINAL_PROMPT", "0");
    fetch.status().is_ok_and(|status| status.success())
}

fn is_installed(workspace: &Workspace) -> bool {
    let mut version = command(workspace);
    version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// cargo-deny on all packages, with the versions of Cargo.lock.
fn cargo_deny(workspace: &Workspace) -> Command {
    let mut command = command(workspace);
    command.args(["--workspace", "--locked"]);
    command
}

fn command(workspace: &Workspace) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("deny");
    prepare(&mut command, workspace);
    command
}
