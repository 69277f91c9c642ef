//! `wiki-runner`: runs a Spin HTTP application that uses PostgreSQL.
//!
//! Below the command line are these layers, from top to bottom. A module imports only from its own folder and from layers
//! below its own:
//!
//! 1. `parts`: what a host of its own needs that is built on this one
//! 2. `serve`, `migrate`, `database`, `compile`, `healthcheck`: a command each
//! 3. `admin`: the admin server, with probes and metrics
//! 4. `server`: connections of clients
//! 5. `request`: a request, from its head to the end of its response
//! 6. `guest`: instances of components
//! 7. `host`: the interfaces a guest may import
//! 8. `database_choice`: the choice between the configured and the embedded database
//! 9. `embedded`: the embedded database
//! 10. `telemetry`: logs, metrics and traces
//! 11. `memory`: budgets for what the process uses of its memory
//! 12. `config`: settings of the runner, and the application with its variables
//! 13. `database_url`: the parts of a database's address
//! 14. `stop_signal`: the signals that end a command

#![deny(unsafe_code)]

mod admin;
#[cfg(feature = "compiler")]
mod compile;
mod config;
#[cfg(feature = "embedded")]
mod database;
mod database_choice;
mod database_url;
#[cfg(feature = "embedded")]
mod embedded;
mod guest;
mod healthcheck;
mod host;
mod memory;
mod migrate;
mod request;
mod serve;
mod server;
mod stop_signal;
mod telemetry;

/// What a host of its own needs that is built on this one. The tests build one that behaves as Spin does.
#[doc(hidden)]
pub mod parts {
    pub use crate::config::application::{Application, Component};
    pub use crate::config::environment::Environment;
    pub use crate::config::manifest::Manifest;
    pub use crate::config::settings::{Limits, Logging, Postgres};
    pub use crate::guest::{engine, precompiled};
    pub use crate::host::memory::Memory;
    pub use crate::host::postgres::bindings::v4 as postgres;
    pub use crate::host::postgres::{Pools, PostgresHost, PostgresView};
    pub use crate::host::{HostState, add_to_linker};
    pub use crate::request::router::{RouteMatch, Router};
    pub use crate::telemetry::logging;
    pub use crate::telemetry::metrics::Metrics;
}

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::environment::Environment;
use crate::config::{settings, wrong_setting};
use crate::telemetry::logging;

/// Runs a Spin HTTP application that uses PostgreSQL: a small Wasmtime host.
#[derive(Debug, Parser)]
#[command(version = VERSION, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    logging: settings::Logging,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (Wasmtime ", env!("WASMTIME_VERSION"), ")");

const EXAMPLES: &str = "Examples:
  wiki-runner serve                                 run ./spin.toml, on an embedded database unless one is configured
  DATABASE_URL=postgres://me:pw@db/app wiki-runner serve --from app/spin.toml --listen 0.0.0.0:80
  DATABASE_URL=postgres://me:pw@db/app wiki-runner migrate migrations
  wiki-runner database                              run the embedded database alone, for `spin up`
  wiki-runner compile -o app.cwasm && wiki-runner serve --precompiled app.cwasm
  wiki-runner healthcheck --url http://127.0.0.1:8000/health

DATABASE_URL, or DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD, configure the database. SPIN_VARIABLE_<NAME> sets any
other variable of the application. To read the value of any of these from a file, set <NAME>_FILE.";

/// The exit code of a command line that cannot be understood, as clap has it.
const USAGE: u8 = 2;

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the application until SIGTERM or SIGINT.
    Serve(Box<settings::Serve>),
    /// Apply a folder of numbered SQL files to the application's database.
    Migrate(migrate::Migrate),
    /// Run the embedded database alone, save it, or restore it.
    #[cfg(feature = "embedded")]
    Database(database::Database),
    /// Compile a component ahead of time.
    #[cfg(feature = "compiler")]
    Compile(compile::Compile),
    /// Check whether a running server responds.
    Healthcheck(healthcheck::Healthcheck),
    /// Print a shell's completion script.
    Completions { shell: Shell },
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => match wrong_setting::value(Cli::command(), &error) {
            // clap would end with advice, and it knows the flag only.
            Some(reason) => {
                eprintln!("error: {reason}");
                return ExitCode::from(USAGE);
            }
            None => error.exit(),
        },
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let _logging = logging::start(&cli.logging)?;
    match cli.command {
        Command::Serve(args) => {
            wrong_setting::names(&Cli::command(), &Environment::of_process())?;
            block_on(serve::run(*args))
        }
        Command::Migrate(args) => block_on(migrate::run(&args)),
        #[cfg(feature = "embedded")]
        Command::Database(args) => block_on(database::run(&args)),
        #[cfg(feature = "compiler")]
        Command::Compile(args) => compile::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args),
        Command::Completions { shell } => {
            // Into memory first: the generator panics if its output is closed, as `| head` does.
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
