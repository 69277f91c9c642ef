//! Builds what is measured, starts a database for it, and leaves the rest to the program in bench/.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use local_postgres::Installation;

use crate::cargo::{cargo_dist, prepare};
use crate::component;
use crate::postgres;
use crate::progress;
use crate::runner::{self, Runner};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

/// What to measure, and on which database.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Measure little, in a few minutes.
    #[arg(long)]
    quick: bool,

    /// Also measure memory over a million requests.
    #[arg(long)]
    soak: bool,

    /// Write the results to docs/benchmarks.md.
    #[arg(long)]
    write_docs: bool,

    /// A PostgreSQL server on which databases may be created. [default: a server of its own, in --data]
    #[arg(long, value_name = "URL")]
    database: Option<String>,

    /// Folder of that server, which keeps databases that take minutes to fill. [default: target/bench/postgres]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// A wiki-runner to measure instead of building one; with --precompiled.
    #[arg(long, value_name = "FILE", requires = "precompiled")]
    runner: Option<PathBuf>,

    /// The component's ahead-of-time code for that wiki-runner.
    #[arg(long, value_name = "FILE", requires = "runner")]
    precompiled: Option<PathBuf>,

    /// More options; `-- --help` lists them.
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

/// Measures; fails when something could not be measured.
pub fn bench(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let (runner, precompiled) = match (&args.runner, &args.precompiled) {
        (Some(runner), Some(precompiled)) => (runner.clone(), precompiled.clone()),
        _ => {
            let component = component::build(workspace, &Toolchain::choose(workspace)?, "wiki")?;
            let built = runner::precompile(workspace, runner::build_dist(workspace)?, component)?;
            (built.program, built.precompiled)
        }
    };
    // It contains the native server, which is measured as the wiki is: as it would be shipped.
    let mut build = cargo_dist(workspace, "build");
    progress::run("building the benchmark and its peers", build.args(["--package", "bench", "--bin", "bench"]))?;
    let out = workspace.target.join("bench");
    let mut command = Command::new(workspace.target.join("dist/bench"));
    command.arg("run");
    for (option, path) in [("--out", &out), ("--runner", &runner), ("--precompiled", &precompiled)] {
        command.arg(option).arg(std::path::absolute(path).context("there is no current folder")?);
    }
    let flags = [("--quick", args.quick), ("--soak", args.soak), ("--write-docs", args.write_docs)];
    command.args(flags.iter().filter(|(_, given)| *given).map(|(option, _)| option)).args(&args.options);
    prepare(&mut command, workspace);

    let installation = Installation::find();
    if let Some(installation) = &installation {
        // Where pgbench is, on Debian and its like.
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain([installation.programs().to_owned()]);
        command.env("PATH", env::join_paths(folders).context("a folder of PostgreSQL has a colon in its name")?);
    }
    let mut server = None;
    if args.database.is_none() {
        let installation =
            installation.context("no PostgreSQL is installed: install one, or name a server with --database")?;
        server = Some(postgres::start_kept(&installation, args.data.as_ref().unwrap_or(&out.join("postgres")))?);
    }
    // Not an argument, because every user of this machine could read it.
    if let Some(url) = args.database.clone().or(server.as_ref().map(|server| server.address().url())) {
        command.env("WASIKI_BENCH_DATABASE", url);
    }
    let status = command.status().context("cannot start the benchmark")?;
    ensure!(status.success(), "the benchmark failed with {status}");
    Ok(())
}

/// Checks that the native server does the work of the wiki, on the server at `database`: what is measured is compared only then.
pub fn compare(workspace: &Workspace, runner: &Runner, database: &str) -> anyhow::Result<()> {
    let mut command = Command::new(workspace.target.join("release/bench"));
    command.args(["run", "--compare", "--rows", "1000", "--peers", "runner,native"]);
    let out = workspace.target.join("bench");
    for (option, path) in [("--out", &out), ("--runner", &runner.program), ("--precompiled", &runner.precompiled)] {
        command.arg(option).arg(path);
    }
    prepare(command.env("WASIKI_BENCH_DATABASE", database), workspace);
    progress::run("comparing the peers of the benchmark", &mut command)
}
