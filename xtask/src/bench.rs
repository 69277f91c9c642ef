//! Builds what is measured, starts a database for it, and leaves the rest to the program in bench/.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cargo::{cargo_dist, prepare};
use crate::component;
use crate::postgres::{Installation, Server};
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

    /// Measure memory over a million requests, too.
    #[arg(long)]
    soak: bool,

    /// Put the results into docs/benchmarks.md.
    #[arg(long)]
    write_docs: bool,

    /// A PostgreSQL server on which databases may be made. [default: one of our own, on --data]
    #[arg(long, value_name = "URL")]
    database: Option<String>,

    /// Folder of our own server, where the databases it took minutes to fill are kept. [default: target/bench/postgres]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// A wiki-runner to measure instead of building one; with --precompiled.
    #[arg(long, value_name = "FILE", requires = "precompiled")]
    runner: Option<PathBuf>,

    /// The ahead-of-time code for that wiki-runner.
    #[arg(long, value_name = "FILE", requires = "runner")]
    precompiled: Option<PathBuf>,

    /// Further options of the program in bench/; `-- --help` lists them.
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

/// Measures; fails when something could not be measured.
pub fn bench(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let runner = match (&args.runner, &args.precompiled) {
        (Some(program), Some(precompiled)) => Runner {
            program: program.clone(),
            component: workspace.component("wiki"),
            precompiled: precompiled.clone(),
        },
        _ => {
            let component = component::build(workspace, &Toolchain::choose(workspace)?, "wiki")?;
            runner::precompile(workspace, runner::build_dist(workspace)?, component)?
        }
    };
    // The native server is in it, and is measured as the wiki is: as it would be shipped.
    let mut build = cargo_dist(workspace, "build");
    progress::run("building the benchmark and its peers", build.args(["--package", "bench", "--bin", "bench"]))?;
    let out = workspace.target.join("bench");
    let mut command = Command::new(workspace.target.join("dist/bench"));
    command.arg("run").arg("--root").arg(&workspace.root).arg("--out").arg(&out);
    command.arg("--manifest").arg(workspace.manifest());
    for (option, file) in
        [("--runner", &runner.program), ("--component", &runner.component), ("--precompiled", &runner.precompiled)]
    {
        command.arg(option).arg(absolute(file)?);
    }
    for (option, given) in [("--quick", args.quick), ("--soak", args.soak), ("--write-docs", args.write_docs)] {
        if given {
            command.arg(option);
        }
    }
    command.args(&args.options);
    prepare(&mut command, workspace);

    let installation = Installation::find();
    if let Some(installation) = &installation {
        command.arg("--postgres-programs").arg(installation.programs());
    }
    let server = start(args, installation.as_ref(), &out)?;
    // Not an argument, which everybody on this machine could read.
    if let Some(url) = args.database.as_deref().or(server.as_ref().map(|server| &*server.url)) {
        command.env("WASIKI_BENCH_DATABASE", url);
    }
    // It has the terminal for itself, so that it can show its progress.
    let status = command.status().context("cannot start the benchmark")?;
    ensure!(status.success(), "the benchmark failed with {status}");
    Ok(())
}

fn start(args: &Args, installation: Option<&Installation>, out: &Path) -> anyhow::Result<Option<Server>> {
    if args.database.is_some() {
        return Ok(None);
    }
    let Some(installation) = installation else {
        bail!("no PostgreSQL is installed here: install one, or name a server with --database");
    };
    let folder = args.data.clone().unwrap_or_else(|| out.join("postgres"));
    installation.start_kept(&folder).map(Some)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
}
