//! The crates of the workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// The root files of all libraries, programs, tests, benchmarks, examples and build scripts, relative to `root`.
pub fn crate_roots(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).current_dir(root);
    let output = command.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata does not print JSON")?;
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut roots = Vec::new();
    for target in list(&metadata, "packages").iter().flat_map(|package| list(package, "targets")) {
        let path = Path::new(target["src_path"].as_str().context("cargo metadata shows a target without a path")?);
        roots.push(path.strip_prefix(root).with_context(|| format!("{} is elsewhere", path.display()))?.to_owned());
    }
    roots.sort_unstable();
    roots.dedup();
    ensure!(!roots.is_empty(), "cargo metadata shows no crate");
    Ok(roots)
}
