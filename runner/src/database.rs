//! `wiki-runner database`: runs the embedded database alone, saves it, and restores it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, ensure};
use clap::{Args, Subcommand};
use local_postgres::download::{self, DEFAULT, Release};
use local_postgres::installation;
use tokio_postgres::NoTls;

use crate::config::settings::Embedded;
use crate::embedded::{self, Access};
use crate::stop_signal::stop_signal;

/// Options of `wiki-runner database`.
#[derive(Debug, Args)]
pub struct Database {
    #[command(flatten)]
    embedded: Embedded,

    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Save all data to a file, as `pg_dump --format=custom` does. The wiki may run meanwhile.
    Dump {
        /// The file to write. It must not exist yet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Restore what `dump` has saved into an empty database. The wiki must not run meanwhile.
    Restore {
        /// The file to read.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Download a server unless that was done before, and print the folder of its programs.
    Install {
        /// Major version of the server.
        #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT.major())]
        version: u32,
    },
}

/// Runs the command. Without an action: the database until SIGTERM or SIGINT, after printing the variables that lead Spin to
/// it.
pub async fn run(args: &Database) -> anyhow::Result<()> {
    match &args.action {
        None => serve(&args.embedded).await,
        Some(Action::Dump { file }) => dump(&args.embedded, file).await,
        Some(Action::Restore { file }) => restore(&args.embedded, file).await,
        Some(Action::Install { version }) => install(&args.embedded, *version),
    }
}

async fn serve(settings: &Embedded) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let database = embedded::Database::start(settings).await?;
    println!("# {}. Run this in another terminal:", database.description());
    println!("export SPIN_VARIABLE_DB_HOST=127.0.0.1 SPIN_VARIABLE_DB_PORT={}", database.address().port);
    println!("export SPIN_VARIABLE_DB_NAME=postgres SPIN_VARIABLE_DB_USER=postgres");
    println!("export SPIN_VARIABLE_DB_PASSWORD={}", database.address().password);
    println!("spin up");
    stop.await;
    Ok(())
}

async fn dump(settings: &Embedded, file: &Path) -> anyhow::Result<()> {
    ensure!(!file.exists(), "{} exists: name another file, or remove it", file.display());
    let access = Access::get(settings).await?;
    // Under another name until it is complete.
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let result = tool("pg_dump", &access).and_then(|mut pg_dump| {
        pg_dump.args(["--format=custom", "--no-owner", "--no-privileges"]).arg("--file").arg(&part);
        finish("pg_dump", pg_dump.arg("--dbname").arg(url(&access)))?;
        fs::rename(&part, file).with_context(|| format!("cannot write {}", file.display()))
    });
    if result.is_err() {
        // Half a dump is none. There may be nothing to remove.
        let _ = fs::remove_file(&part);
    }
    result?;
    println!("saved to {}", file.display());
    Ok(())
}

async fn restore(settings: &Embedded, file: &Path) -> anyhow::Result<()> {
    fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let access = Access::get(settings).await?;
    let (client, connection) = tokio_postgres::connect(&access.url(), NoTls).await.context("cannot connect")?;
    tokio::spawn(connection);
    let row = client.query_one("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", &[]).await?;
    ensure!(
        row.get::<_, i64>(0) == 0,
        "the database in {} has data: restore into another folder (--data)",
        settings.data.display()
    );
    let mut pg_restore = tool("pg_restore", &access)?;
    pg_restore.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]);
    finish("pg_restore", pg_restore.arg("--dbname").arg(url(&access)).arg(file))?;
    println!("restored from {}", file.display());
    Ok(())
}

fn install(settings: &Embedded, version: u32) -> anyhow::Result<()> {
    let release = Release::of_major(version)
        .with_context(|| format!("PostgreSQL {version} cannot be downloaded: choose another version"))?;
    let cache = download::cache().unwrap_or_else(|| settings.data.join("cache"));
    let installed = release.cached(&cache).map_or_else(|| embedded::download(release, &cache), Ok)?;
    println!("{}", installed.programs().display());
    Ok(())
}

/// A client program that is at least as new as the server. The archives that are downloaded have none.
fn tool(name: &str, access: &Access) -> anyhow::Result<Command> {
    let major = access.major;
    let program = installation::tool(name, major).ok_or_else(|| {
        anyhow!("there is no {name} of version {major} or newer here: install the package postgresql-client-{major}")
    })?;
    let mut command = Command::new(program);
    // In the arguments everybody could read it.
    command.env("PGPASSWORD", &access.address.password);
    Ok(command)
}

fn url(access: &Access) -> String {
    format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", access.address.port)
}

fn finish(name: &str, command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed: {}", said.trim());
    Ok(())
}
