//! `wiki-runner`: runs a Spin HTTP application that uses PostgreSQL, and the commands around that.

#![deny(unsafe_code)]

mod access;
mod admin;
mod application;
mod clients;
#[cfg(feature = "compiler")]
mod compile;
mod config;
mod database;
mod database_url;
#[cfg(feature = "embedded")]
mod embedded;
mod engine;
mod handler;
mod healthcheck;
mod host;
mod instances;
mod logging;
mod manifest;
mod metrics;
mod migrate;
#[cfg(feature = "otlp")]
mod otlp;
mod patience;
mod precompiled;
mod process;
mod received;
mod router;
mod serve;
mod server;
mod settings;
mod slots;
mod template;
mod tls;
mod trace;
mod transport;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a Spin HTTP application that uses PostgreSQL: a small Wasmtime host.
#[derive(Debug, Parser)]
#[command(version = VERSION, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    logging: logging::Logging,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (Wasmtime ", env!("WASMTIME_VERSION"), ")");

const EXAMPLES: &str = "Examples:
  wiki-runner serve                                 run ./spin.toml, on an embedded database unless one is configured
  DATABASE_URL=postgres://me:pw@db/app wiki-runner serve --from app/spin.toml --listen 0.0.0.0:80
  DATABASE_URL=postgres://me:pw@db/app wiki-runner migrate migrations
  wiki-runner compile -o app.cwasm && wiki-runner serve --precompiled app.cwasm
  wiki-runner healthcheck --url http://127.0.0.1:8000/health

The database is named by DATABASE_URL, or by DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD; the application's
other variables by SPIN_VARIABLE_<NAME>. Each of them may instead be read from a file that <NAME>_FILE names.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the application until SIGTERM or SIGINT.
    Serve(Box<settings::Serve>),
    /// Apply a folder of numbered SQL files to the application's database.
    Migrate(migrate::Migrate),
    /// Compile a component ahead of time.
    #[cfg(feature = "compiler")]
    Compile(compile::Compile),
    /// Ask a running server whether it is well.
    Healthcheck(healthcheck::Healthcheck),
    /// Print a shell's completion script.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let _logging = cli.logging.start()?;
    match cli.command {
        Command::Serve(args) => block_on(serve::run(*args)),
        Command::Migrate(args) => block_on(migrate::run(&args)),
        #[cfg(feature = "compiler")]
        Command::Compile(args) => compile::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args),
        Command::Completions { shell } => {
            // Into memory first: the generator panics when its reader is gone, as `| head` soon is.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wiki-runner", &mut script);
            io::stdout().write_all(&script).context("cannot write the script")
        }
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
