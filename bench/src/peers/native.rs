//! This program itself, as the server in `native/`.

use std::env;
use std::process::Command;

use anyhow::Context;

use crate::database::Database;
use crate::process;

/// `bench native`.
pub fn command(database: &Database, port: u16) -> anyhow::Result<Command> {
    let mut command = process::command(env::current_exe().context("cannot tell where this program is")?);
    command.args(["native", "--port", &port.to_string()]).env("DATABASE_URL", database.url());
    Ok(command)
}
