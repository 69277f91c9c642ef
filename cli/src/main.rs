//! `wasiki`: a client of the wiki's HTTP API, for people and for scripts.

#![forbid(unsafe_code)]

mod args;
mod authors;
mod export;
#[cfg(test)]
mod fake;
mod front_matter;
mod http;
mod import;
mod lists;
mod output;
mod pages;
mod problem;
mod progress;
mod retry;
mod slug;
mod text;
mod wiki;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::http::Http;
use crate::problem::Error;
use crate::wiki::Wiki;

/// Somebody else's edit stood in the way. (1 is any other failure, 2 wrong usage, as clap has it.)
const CONFLICT: u8 = 3;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        // Whoever read the output has read enough, as `| head` soon has.
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
    let jobs = match &cli.command {
        Command::Import(args) => args.jobs,
        Command::Export(args) => args.jobs,
        _ => 1,
    };
    let wiki = Wiki::new(Http::new(cli.global.settings(jobs)?));
    let global = &cli.global;
    match &cli.command {
        Command::Import(args) => return import::run(&wiki, global, args),
        Command::Export(args) => return export::run(&wiki, global, args),
        Command::Get(args) => pages::get(&wiki, global, args)?,
        Command::Put(args) => pages::put(&wiki, global, args)?,
        Command::Delete(args) => pages::delete(&wiki, global, args)?,
        Command::Restore { number } => pages::restore(&wiki, global, *number)?,
        Command::Search(args) => lists::search(&wiki, global, args)?,
        Command::List(args) => lists::pages(&wiki, global, args)?,
        Command::History(args) => lists::history(&wiki, global, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
