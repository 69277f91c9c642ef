//! Measures the wiki beside other services, on the same machine and database. Started by `cargo xtask bench`.

#![forbid(unsafe_code)]

mod alone;
mod check;
mod database;
mod goals;
mod machine;
mod markdown;
mod measure;
mod native;
mod options;
mod peer;
mod peers;
mod pgbench;
mod process;
mod report;
mod run;
mod seed;
mod stats;
mod workload;
mod wrk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures the wiki beside other services, on the same machine and database.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, and write report.md.
    Run(Box<options::Options>),
    /// Serve as the peer `native`.
    Native(native::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(options) => run::run(&options).await,
        Command::Native(args) => native::serve(&args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
