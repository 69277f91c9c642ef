//! Checks what is in `k8s/`: the chart with every values file, the plain manifests and the SpinApps. `cargo xtask k8s`
//! builds and runs it.
//!
//! Helm, helm-unittest and kubeconform check what one object or one template says. What is here is about several objects:
//! whether they refer to each other correctly, and who can reach whom.

#![forbid(unsafe_code)]

mod cases;
mod commands;
mod connections;
mod events;
mod kubeconform;
mod manifests;
mod memory;
mod mistakes;
mod monitoring;
mod network;
mod objects;
mod references;
mod releases;
mod roles;
mod selectors;
mod settings;
mod tools;
mod values;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::kubeconform::Schemas;
use crate::objects::Set;
use crate::tools::Tools;

/// Checks the Helm chart, the manifests and the SpinApps in k8s/.
#[derive(Debug, Parser)]
struct Args {
    /// Write k8s/manifests from the chart instead of comparing it.
    #[arg(long)]
    write: bool,

    /// Succeed with a message where the tools or the schemas cannot be installed.
    #[arg(long)]
    if_possible: bool,

    /// Folder for tools and rendered files.
    #[arg(long, value_name = "DIR", default_value = "target/k8s")]
    work: PathBuf,
}

/// A case with the chart's services that consume events.
const EVENTS: &str = "cases/dapr.yaml";

/// Checks of objects that are applied together.
const CHECKS: [fn(&Set) -> Vec<String>; 10] = [
    selectors::check,
    references::check,
    network::check,
    settings::check,
    memory::check,
    monitoring::check,
    releases::check,
    connections::check,
    roles::check,
    events::check,
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
    // `cargo run` sets it. The value at compile time may be another checkout's that shares the target folder.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).ancestors().nth(2).context("k8s-check is not in k8s/check of a workspace")?;
    let work = std::path::absolute(&args.work).context("--work")?;
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let tools = match Tools::install(root, &work) {
        Err(error) if args.if_possible => {
            println!("left out: {error:#}");
            return Ok(Vec::new());
        }
        installed => installed?,
    };
    if args.write {
        let count = manifests::write(root, &tools)?;
        println!("wrote {count} manifests to k8s/manifests");
        return Ok(Vec::new());
    }

    let mut mistakes = values::check(&root.join("k8s/chart"))?;
    mistakes.extend(monitoring::runbooks(root)?);
    mistakes.extend(monitoring::unlisted(root)?);
    mistakes.extend(commands::check(root)?);
    mistakes.extend(memory::compose(root)?);
    mistakes.extend(manifests::differences(root, &tools)?);
    let mut sets = Vec::new();
    for case in cases::all(root)? {
        tools.lint(&case)?;
        sets.push(Set::parse(&case.name, &tools.template(&case)?, case.given)?);
    }
    sets.push(manifests::applied(root)?);
    let database =
        |values: &str| -> anyhow::Result<_> { Ok([connections::given(&sets, values)?, roles::given(&sets, values)?]) };
    let apps = cases::spinkube(root, &database(connections::DATABASE)?, &database(connections::EVENTS)?)?;
    sets.extend(apps);
    for set in &sets {
        mistakes.extend(check(set).into_iter().map(|mistake| format!("{}: {mistake}", set.name)));
    }
    let events = sets.iter().find(|set| set.name == EVENTS).context(EVENTS)?;
    mistakes.extend(events::compose(root, events)?);
    let rendered: usize = sets.iter().map(|set| set.objects.len()).sum();
    println!("{} sets with {rendered} objects", sets.len());

    mistakes.extend(tools.unit_tests()?);
    let schemas = Schemas::install(root, &work, &tools, args.if_possible)?;
    mistakes.extend(schemas.check(&work, &sets)?);
    if schemas.are_complete() {
        mistakes.extend(mistakes::check(root, &work, &sets, &schemas, check)?);
    }
    Ok(mistakes)
}

/// What all checks find in a set.
fn check(set: &Set) -> Vec<String> {
    CHECKS.iter().flat_map(|check| check(set)).collect()
}
