//! The container image: builds it, says how large it is, and tries it as an operator would.

mod build;
mod docker;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use crate::cargo::cargo;
use crate::cargo::without_settings;
use crate::progress;
use crate::workspace::Workspace;
use docker::Docker;

/// Which image to build, and whether to try it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image's name. [default: wasiki:<version>]
    #[arg(long, value_name = "NAME:TAG")]
    tag: Option<String>,

    /// What to build for, such as linux/arm64. [default: what Docker runs on]
    #[arg(long)]
    platform: Option<String>,

    /// Try the image beside a PostgreSQL of its own. Everything made for that is removed.
    #[arg(long)]
    test: bool,

    /// Try the image that is there instead of building one.
    #[arg(long, requires = "test", conflicts_with_all = ["platform", "options"])]
    no_build: bool,

    /// Further options of `docker build`.
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

/// Builds, reports and tries; fails where there is no Docker, where the image does not build, and when a check fails.
pub fn image(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let docker = Docker::find()?;
    let tag = args.tag.clone().unwrap_or_else(|| format!("wasiki:{}", env!("CARGO_PKG_VERSION")));
    if !args.no_build {
        build::build(workspace, &docker, &tag, args.platform.as_deref(), &args.options)?;
    }
    build::report(&docker, &tag)?;
    if args.test {
        let mut tests = cargo(workspace, "test");
        without_settings(&mut tests);
        tests.args(["--workspace", "--test", "suite", "--", "--ignored", "--show-output", "image::"]);
        tests.env("WASIKI_TEST_IMAGE", &tag);
        progress::run(&format!("testing {tag}"), &mut tests)?;
    }
    Ok(())
}
