//! Cargo, called from a program that cargo itself started.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::Command;

use crate::workspace::Workspace;

/// Settings that would lead the programs under test to a database, a port or an application of the user's.
const SETTINGS: [&str; 6] = ["DB_", "SPIN_VARIABLE_", "RUNNER_", "WASIKI_", "PG", "OTEL_"];
const SETTING_NAMES: [&str; 3] = ["DATABASE_URL", "PORT", "LISTEN_ADDR"];

/// `cargo <subcommand> --release --locked` of the toolchain in use, in the repository.
///
/// Everything is built in the release profile: Wasmtime, by far the largest part, is compiled once.
pub fn cargo(workspace: &Workspace, subcommand: &str) -> Command {
    cargo_in("release", workspace, subcommand)
}

/// The same in the profile for what is shipped.
pub fn cargo_dist(workspace: &Workspace, subcommand: &str) -> Command {
    cargo_in("dist", workspace, subcommand)
}

fn cargo_in(profile: &str, workspace: &Workspace, subcommand: &str) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.arg(subcommand).args(["--profile", profile, "--locked", "--target-dir"]).arg(&workspace.target);
    prepare(&mut command, workspace);
    command
}

/// Makes a command run in the repository, as if it had not been started from inside `cargo run`.
pub fn prepare(command: &mut Command, workspace: &Workspace) {
    command.current_dir(&workspace.root);
    // What `cargo run` says about xtask would reach build scripts of other packages and make them run again.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    if io::stdout().is_terminal() {
        // Its output goes through a pipe, so that cargo cannot see the terminal itself.
        command.env("CARGO_TERM_COLOR", "always");
    }
}

/// Keeps the user's settings from a program under test.
pub fn without_settings(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if SETTING_NAMES.contains(&&*text) || SETTINGS.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}
