//! `wasiki`: a command-line client of the wiki's HTTP API.
//!
//! The layers of its modules, top to bottom. A module imports only from layers below its own:
//!
//! 1. `tasks`, `inbox`: the commands for tasks and for the inbox, which are listed as pages are; `audit`: that for the
//!    audit chain
//! 2. `import`, `export`, `pages`, `lists`: those for pages
//! 3. `args`: the command line; `authors`: who writes
//! 4. `wiki`: the API, one method per operation
//! 5. `http`: one request, with retries
//! 6. `connection`, `error`, `retry`
//! 7. `front_matter`, `output`, `text`, `workers`
//! 8. `progress`

#![forbid(unsafe_code)]

mod args;
mod audit;
mod authors;
mod connection;
mod error;
mod export;
#[cfg(test)]
mod fake;
mod front_matter;
mod http;
mod import;
mod inbox;
mod lists;
mod output;
mod pages;
mod progress;
mod retry;
mod tasks;
mod text;
mod wiki;
mod workers;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Audit, Cli, Command};
use crate::error::Error;
use crate::http::Http;
use crate::wiki::Wiki;

/// The exit code for a conflict with another edit. 1 is any other failure; 2 is a usage error, reported by clap.
const CONFLICT: u8 = 3;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        // The reader of the output has closed it, as in `wasiki list | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            match error.downcast_ref::<Error>() {
                Some(error) if error.is_conflict() => ExitCode::from(CONFLICT),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "wasiki", &mut script);
        output::bytes(&script)?;
        return Ok(ExitCode::SUCCESS);
    }
    let jobs = match &cli.command {
        Command::Import(args) => args.jobs,
        Command::Export(args) => args.jobs,
        _ => 1,
    };
    let wiki = Wiki::new(Http::new(cli.global.settings(jobs)?));
    let global = &cli.global;
    match &cli.command {
        Command::Import(args) => return import::run(&wiki, global, args),
        Command::Export(args) => export::run(&wiki, global, args)?,
        Command::Get(args) => pages::get(&wiki, global, args)?,
        Command::Put(args) => pages::put(&wiki, global, args)?,
        Command::Delete(args) => pages::delete(&wiki, global, args)?,
        Command::Restore { number } => pages::restore(&wiki, global, *number)?,
        Command::Search(args) => lists::search(&wiki, global, args)?,
        Command::List(args) => lists::pages(&wiki, global, args)?,
        Command::History(args) => lists::history(&wiki, global, args)?,
        Command::Tasks(args) => tasks::list(&wiki, global, args)?,
        Command::Done(args) => tasks::done(&wiki, global, args)?,
        Command::Audit { command: Audit::Verify(args) } => audit::verify(&wiki, global, args)?,
        Command::Inbox(args) => inbox::list(&wiki, global, args)?,
        Command::Completions { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
