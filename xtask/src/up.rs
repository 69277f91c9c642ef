//! Runs the wiki on this machine.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::cargo::prepare;
use crate::runner::Runner;
use crate::workspace::Workspace;

/// Where to serve and where to keep the data. DATABASE_URL, DB_HOST and the like, PORT and LISTEN_ADDR are honoured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port to listen on; 0 takes a free one. [default: PORT, or 8000]
    #[arg(long)]
    port: Option<u16>,

    /// Folder of the wiki's own database, used when no other one is configured. [default: .wasiki]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Further options of `wiki-runner serve`.
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

/// Becomes the runner, so that signals reach it and its end is ours; returns only when that fails.
pub fn up(workspace: &Workspace, runner: &Runner, args: Args) -> anyhow::Result<()> {
    let data = args.data.as_deref().map(absolute).transpose()?;
    let mut command = Command::new(&runner.program);
    prepare(&mut command, workspace);
    command.args(serve_arguments(&workspace.manifest(), &runner.precompiled, args.port, data.as_deref()));
    command.args(args.options);
    Err(command.exec()).with_context(|| format!("cannot start {}", runner.program.display()))
}

/// A path as the user meant it: the runner is started in the repository, not where the user is.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
}

fn serve_arguments(manifest: &Path, precompiled: &Path, port: Option<u16>, data: Option<&Path>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["serve".into(), "--from".into(), manifest.into()];
    arguments.extend(["--precompiled".into(), precompiled.into()]);
    if let Some(port) = port {
        arguments.extend(["--port".into(), port.to_string().into()]);
    }
    if let Some(data) = data {
        arguments.extend(["--data".into(), data.into()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_does_not_say_is_left_to_the_runner() {
        let arguments = serve_arguments(Path::new("spin.toml"), Path::new("wiki.cwasm"), None, None);
        assert_eq!(arguments, ["serve", "--from", "spin.toml", "--precompiled", "wiki.cwasm"]);
    }

    #[test]
    fn what_the_user_says_is_passed_on() {
        let arguments = serve_arguments(Path::new("m"), Path::new("c"), Some(0), Some(Path::new("/my data")));
        assert_eq!(arguments[5..], ["--port", "0", "--data", "/my data"]);
    }
}
