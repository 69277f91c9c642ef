//! Builds the image and says what is in it.

use std::ffi::OsString;
use std::process::Command;

use anyhow::Context;

use super::docker::Docker;
use crate::progress;
use crate::workspace::Workspace;

/// `docker build` of the repository; fails after Docker's own words when a base image cannot be had or something does
/// not compile.
pub fn build(
    workspace: &Workspace,
    docker: &Docker,
    tag: &str,
    platform: Option<&str>,
    options: &[OsString],
) -> anyhow::Result<()> {
    let mut command = docker.command(["build", "--progress", "plain", "--tag", tag]);
    command.args(["--build-arg", &format!("VERSION={}", env!("CARGO_PKG_VERSION"))]);
    if let Some(revision) = revision(workspace) {
        command.args(["--build-arg", &format!("REVISION={revision}")]);
    }
    if let Some(platform) = platform {
        command.args(["--platform", platform]);
    }
    command.args(options).arg(&workspace.root);
    progress::run(&format!("building {tag}"), &mut command)
}

/// Says how large the image is, as a whole and by layers.
pub fn report(docker: &Docker, tag: &str) -> anyhow::Result<()> {
    let size = docker.run(&["image", "inspect", "--format", "{{.Size}}", tag])?;
    let size = size.parse().with_context(|| format!("docker reports {size:?} as the size of {tag}"))?;
    let history =
        docker.run(&["history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}", tag])?;
    let layers = layers(&history);
    progress::note(&format!("{tag}: {} in {} layers", megabytes(size), layers.len()));
    for (size, made_by) in layers {
        progress::say(&format!("    {:>8}  {made_by}", megabytes(size)));
    }
    Ok(())
}

/// Bytes as a person reads them.
fn megabytes(bytes: u64) -> String {
    // Exact far beyond the size of any image.
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Layers that contain something, from the lowest: their size in bytes and the instruction that made them.
fn layers(history: &str) -> Vec<(u64, String)> {
    let mut layers: Vec<_> = history
        .lines()
        .filter_map(|line| {
            let (size, made_by) = line.split_once('\t').unwrap_or((line, ""));
            let size = size.parse().ok().filter(|size| *size > 0)?;
            let made_by = made_by.split(" # ").next().unwrap_or_default().trim();
            Some((size, if made_by.is_empty() { "the base image".to_owned() } else { made_by.to_owned() }))
        })
        .collect();
    layers.reverse();
    layers
}

/// The commit that is checked out; none outside of git, or when files differ from it.
fn revision(workspace: &Workspace) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(&workspace.root).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let clean = git(&["status", "--porcelain"])?.is_empty();
    git(&["rev-parse", "HEAD"]).filter(|_| clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_listed_from_the_lowest_without_empty_ones() {
        let history = "0\tCMD [\"serve\"]\n4800000\tCOPY wiki.cwasm ./ # buildkit\n220000";
        let expected = [(220_000, "the base image".to_owned()), (4_800_000, "COPY wiki.cwasm ./".to_owned())];
        assert_eq!(layers(history), expected);
    }

    #[test]
    fn sizes_are_written_as_docker_does() {
        assert_eq!(megabytes(19_240_000), "19.2 MB");
    }
}
