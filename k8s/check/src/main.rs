//! Checks what is in `k8s/`: the chart with every values file, the plain manifests and the SpinApps. `cargo xtask k8s`
//! builds and runs it.

#![forbid(unsafe_code)]

mod cases;
mod fields;
mod helm;
mod labels;
mod lifecycle;
mod manifests;
mod monitoring;
mod names;
mod network;
mod objects;
mod references;
mod refusals;
mod schemas;
mod secrets;
mod security;
mod values;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::fields::Tables;
use crate::helm::Helm;
use crate::objects::Set;

/// Checks the Helm chart, the manifests and the SpinApps in k8s/.
#[derive(Debug, Parser)]
struct Args {
    /// Write k8s/manifests anew instead of comparing it with the chart.
    #[arg(long)]
    write: bool,

    /// Where Helm or the schemas are not to be had, say so and succeed.
    #[arg(long)]
    if_possible: bool,

    /// Folder for tools and rendered files.
    #[arg(long, value_name = "DIR", default_value = "target/k8s")]
    work: PathBuf,
}

/// Every check of one set of objects: its name and what it finds wrong.
type Check = (&'static str, fn(&Set) -> anyhow::Result<Vec<String>>);

const CHECKS: [Check; 8] = [
    ("pod security", security::check),
    ("names", names::check),
    ("labels and selectors", labels::check),
    ("starting and stopping", lifecycle::check),
    ("ports and network policies", network::check),
    ("references", references::check),
    ("secrets", secrets::check),
    ("metrics and alerts", monitoring::check),
];

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(mistakes) if mistakes.is_empty() => ExitCode::SUCCESS,
        Ok(mistakes) => {
            mistakes.iter().for_each(|mistake| eprintln!("error: {mistake}"));
            eprintln!("{} mistakes in k8s/", mistakes.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every check and returns all mistakes.
fn run(args: &Args) -> anyhow::Result<Vec<String>> {
    // What `cargo run` says now, before what was so when this was compiled: checkouts may share a target folder.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).ancestors().nth(2).context("k8s-check is not in k8s/check of a workspace")?;
    let work = std::path::absolute(&args.work).context("--work")?;
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let helm = match Helm::find(root, &work) {
        Err(error) if args.if_possible => {
            println!("left out: {error:#}");
            return Ok(Vec::new());
        }
        found => found?,
    };
    if args.write {
        let count = manifests::write(root, &helm)?;
        println!("wrote {count} manifests to k8s/manifests");
        return Ok(Vec::new());
    }

    let mut mistakes = values::check(&root.join("k8s/chart"))?;
    mistakes.extend(names::runbooks(root)?);
    let mut sets = Vec::new();
    for case in cases::all(root)? {
        helm.lint(&case)?;
        sets.push(Set::parse(&case.name, &helm.template(&case)?, case.given)?);
    }
    mistakes.extend(manifests::differences(root, &helm)?);
    sets.push(manifests::applied(root)?);
    sets.extend(cases::spinkube(root)?);

    let tables = Tables::load(&root.join("k8s/check/fields"))?;
    for set in &sets {
        mistakes.extend(tables.check(set));
        for (name, check) in CHECKS {
            let found = check(set).with_context(|| format!("{}: {name}", set.name))?;
            mistakes.extend(found.into_iter().map(|mistake| format!("{}: {mistake}", set.name)));
        }
    }
    let rendered: usize = sets.iter().map(|set| set.objects.len()).sum();
    println!("{} sets with {rendered} objects, {} checks on each", sets.len(), CHECKS.len() + 1);

    let (refused, wrongly) = refusals::check(&helm, &work)?;
    println!("{refused} values files with a mistake, each refused by name");
    mistakes.extend(wrongly);

    match schemas::check(&work, &sets)? {
        schemas::Outcome::Checked { objects, versions, mistakes: found } => {
            println!("{objects} different objects against the schemas of Kubernetes {}", versions.join(", "));
            mistakes.extend(found);
        }
        schemas::Outcome::Missing(reason) if args.if_possible => println!("left out: the schemas: {reason}"),
        schemas::Outcome::Missing(reason) => anyhow::bail!("the schemas cannot be had: {reason}"),
    }
    Ok(mistakes)
}
