//! Runs the program that checks `k8s/`.

use std::process::Command;

use crate::cargo::cargo;
use crate::progress;
use crate::workspace::Workspace;

/// Options of `cargo xtask k8s`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write k8s/manifests from the chart instead of comparing it.
    #[arg(long)]
    write: bool,
}

/// Checks the chart, the manifests and the SpinApps. Fails where the tools cannot be installed.
pub fn check(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let mut command = program(workspace);
    if args.write {
        command.arg("--write");
    }
    progress::run("checking k8s/", &mut command)
}

/// The same as a part of all tests. What needs tools that cannot be installed is left out, with a line that says so.
pub fn test(workspace: &Workspace) -> anyhow::Result<()> {
    progress::run("checking k8s/", program(workspace).arg("--if-possible"))
}

fn program(workspace: &Workspace) -> Command {
    let mut command = cargo(workspace, "run");
    command.args(["--quiet", "--package", "k8s-check", "--", "--work"]).arg(workspace.target.join("k8s"));
    command
}
