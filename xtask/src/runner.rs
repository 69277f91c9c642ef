//! Builds the host and the component's ahead-of-time code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context;

use crate::cargo::{cargo, cargo_dist, prepare};
use crate::progress;
use crate::workspace::Workspace;

/// A host ready to serve the wiki.
#[derive(Debug)]
pub struct Runner {
    /// The program `wiki-runner`.
    pub program: PathBuf,
    /// The component, as WebAssembly.
    pub component: PathBuf,
    /// The component, compiled for this machine and this very host.
    pub precompiled: PathBuf,
}

/// Builds `wiki-runner`; returns the program's path.
///
/// The whole workspace is selected, so that its libraries are compiled with the features they have in the tests: once,
/// that is, instead of twice.
pub fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    progress::run("building the runner", cargo(workspace, "build").args(["--workspace", "--bin", "wiki-runner"]))?;
    Ok(workspace.target.join("release/wiki-runner"))
}

/// Builds `wiki-runner` as it is shipped and measured, which takes longer; returns the program's path.
pub fn build_dist(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let mut build = cargo_dist(workspace, "build");
    build.args(["--package", "wiki-runner", "--features", "mimalloc"]);
    progress::run("building the runner as it is shipped, in some minutes", &mut build)?;
    Ok(workspace.target.join("dist/wiki-runner"))
}

/// Compiles the wiki ahead of time.
pub fn precompile(workspace: &Workspace, program: PathBuf, component: PathBuf) -> anyhow::Result<Runner> {
    let precompiled = compile(workspace, &program, &component, &workspace.manifest(), "wiki")?;
    Ok(Runner { program, component, precompiled })
}

/// Compiles the component `id` of a manifest ahead of time, unless that was done by this program for this component;
/// returns where the code is.
pub fn compile(
    workspace: &Workspace,
    program: &Path,
    component: &Path,
    manifest: &Path,
    id: &str,
) -> anyhow::Result<PathBuf> {
    let code = workspace.target.join(format!("{id}.cwasm"));
    if is_stale(&code, &[program, component, manifest])? {
        let mut command = Command::new(program);
        prepare(&mut command, workspace);
        command.args(["compile", "--component", id, "--from"]).arg(manifest).arg("-o").arg(&code);
        progress::run(&format!("compiling the component {id} for this machine"), &mut command)?;
    }
    Ok(code)
}

/// Whether a file is missing or older than one of those it is made from; fails when one of those is missing.
fn is_stale(made: &Path, sources: &[&Path]) -> anyhow::Result<bool> {
    let Ok(made) = modified(made) else { return Ok(true) };
    for source in sources {
        if modified(source)? > made {
            return Ok(true);
        }
    }
    Ok(false)
}

fn modified(file: &Path) -> anyhow::Result<SystemTime> {
    fs::metadata(file).and_then(|found| found.modified()).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_is_stale_when_missing_or_older_than_a_source() {
        let folder = tempfile::tempdir().unwrap();
        let [made, old, new] = ["made", "old", "new"].map(|name| folder.path().join(name));
        for (file, second) in [(&old, 1), (&new, 3)] {
            File::create(file).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
        }
        assert!(is_stale(&made, &[&old]).unwrap());
        File::create(&made).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(2)).unwrap();
        assert!(!is_stale(&made, &[&old]).unwrap());
        assert!(is_stale(&made, &[&old, &new]).unwrap());
    }

    #[test]
    fn a_missing_source_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        File::create(&made).unwrap();
        let error = is_stale(&made, &[&folder.path().join("gone")]).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
