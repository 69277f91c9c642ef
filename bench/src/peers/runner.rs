//! wiki-runner.

use std::process::Command;

use super::Programs;
use crate::database::Database;
use crate::process;

/// `wiki-runner serve` with its own settings and these.
pub fn command(programs: &Programs, database: &Database, port: u16, options: &[&str]) -> Command {
    let mut command = process::command(&programs.runner);
    command.args(["serve", "--from"]).arg(&programs.manifest).arg("--precompiled").arg(&programs.precompiled);
    command.args(["--listen", "127.0.0.1", "--port", &port.to_string()]).args(options);
    command.env("DATABASE_URL", database.url());
    command
}
