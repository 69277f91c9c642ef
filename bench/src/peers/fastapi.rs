//! The service the wiki replaces, in `fastapi/`, with a Python environment of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use super::Programs;
use crate::database::Database;
use crate::process;

fn environment(programs: &Programs) -> PathBuf {
    programs.out.join("fastapi-venv")
}

/// Installs what the service needs, unless that was done for these very versions.
pub fn prepare(programs: &Programs) -> anyhow::Result<()> {
    let wanted_file = programs.root.join("bench/fastapi/requirements.txt");
    let wanted = fs::read_to_string(&wanted_file).with_context(|| format!("cannot read {}", wanted_file.display()))?;
    let environment = environment(programs);
    let stamp = environment.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(&wanted_file))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = match output {
        Ok(output) => output,
        Err(error) => bail!("cannot start {program}, which the peer fastapi needs: {error}"),
    };
    ensure!(output.status.success(), "{program} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// uvicorn as the service's documentation starts it, but for the access log, which would cost it a line for each request.
pub fn command(programs: &Programs, database: &Database, port: u16, workers: usize) -> Command {
    let mut command = process::command(environment(programs).join("bin/uvicorn"));
    command.args(["app.main:app", "--host", "127.0.0.1", "--port", &port.to_string(), "--no-access-log"]);
    command.args(["--workers", &workers.to_string()]);
    command.current_dir(programs.root.join("bench/fastapi")).envs(database.variables());
    // As in the service's container.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    command
}
