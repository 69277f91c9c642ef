//! Every chore of this repository, as `cargo xtask <chore>`.

mod architecture;
mod bench;
mod browser;
mod cargo;
mod component;
mod deny;
mod docs;
mod image;
mod k8s;
mod kafka;
mod postgres;
mod progress;
mod runner;
mod schemathesis;
mod spin;
mod tally;
mod test;
mod toolchain;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

/// Every chore of this repository. Each one does its own set-up.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build the component, the runner and the component's ahead-of-time code.
    Build,
    /// Set up what compiles the component, unless it is there.
    Toolchain,
    /// Build the component alone.
    Component,
    /// Build what changed, then run the wiki until Ctrl-C and print its address.
    Up(up::Args),
    /// Run every check and every test, on two versions of PostgreSQL.
    Test(test::Args),
    /// Check the Helm chart, the manifests and the SpinApps in k8s/.
    K8s(k8s::Args),
    /// Check the licenses, sources and known vulnerabilities of the dependencies with cargo-deny.
    Deny,
    /// Build the container image and say how large it is, and with --test try it.
    Image(image::Args),
    /// Measure the wiki beside a native server, the service it replaces, Spin and PostgreSQL itself.
    Bench(bench::Args),
    /// Renew openapi.json, the description of the API, from the routes and their types.
    Openapi,
    /// Check the imports between modules, and draw them for docs/ARCHITECTURE.md.
    Architecture(architecture::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match chore {
        Chore::Build => build(&workspace).map(drop),
        Chore::Toolchain => Toolchain::choose(&workspace).map(|chosen| progress::note(&chosen.describe())),
        Chore::Component => component::build(&workspace, &Toolchain::choose(&workspace)?, "wiki").map(drop),
        Chore::Up(args) => up::up(&workspace, &build(&workspace)?, args),
        Chore::Test(args) => test::test(&workspace, &Cli::command(), &args),
        Chore::K8s(args) => k8s::check(&workspace, &args),
        Chore::Deny => deny::deny(&workspace),
        Chore::Image(args) => image::image(&workspace, &args),
        Chore::Bench(args) => bench::bench(&workspace, &args),
        Chore::Openapi => openapi(&workspace),
        Chore::Architecture(args) => architecture::architecture(&workspace, &args),
    }
}

/// Builds everything that `up` needs.
fn build(workspace: &Workspace) -> anyhow::Result<runner::Runner> {
    let toolchain = Toolchain::choose(workspace)?;
    let component = component::build(workspace, &toolchain, "wiki")?;
    let program = runner::build(workspace)?;
    runner::precompile(workspace, program, component)
}

/// Runs the test that compares openapi.json, asking it to write the file instead.
fn openapi(workspace: &Workspace) -> anyhow::Result<()> {
    let mut test = cargo::cargo(workspace, "test");
    test.args(["--package", "wiki", "--lib", "openapi::"]).env("WASIKI_RENEW_OPENAPI", "1");
    progress::run("describing the API", &mut test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
