//! Spin with the same component.

use std::fs;
use std::process::Command;

use anyhow::Context;

use super::Programs;
use crate::database::Database;
use crate::process;

/// `spin up`, on a copy of the manifest that names the component by its full path.
pub fn command(programs: &Programs, database: &Database, port: u16) -> anyhow::Result<Command> {
    let text = fs::read_to_string(&programs.manifest)
        .with_context(|| format!("cannot read {}", programs.manifest.display()))?;
    let component = std::path::absolute(&programs.component).context("cannot tell where the component is")?;
    let folder = programs.out.join("spin");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let manifest = folder.join("spin.toml");
    let text = with_source(&text, &component.to_string_lossy());
    fs::write(&manifest, text).with_context(|| format!("cannot write {}", manifest.display()))?;

    let mut command = process::command(programs.spin.as_deref().context("SPIN names no spin")?);
    command.args(["up", "--quiet", "--listen", &format!("127.0.0.1:{port}"), "--from"]).arg(&manifest);
    command.args(["--state-dir"]).arg(folder.join("state"));
    for (name, value) in database.variables() {
        command.env(format!("SPIN_VARIABLE_{name}"), value);
    }
    Ok(command)
}

fn with_source(manifest: &str, component: &str) -> String {
    let line = |line: &str| {
        if line.starts_with("source = ") { format!("source = {component:?}\n") } else { format!("{line}\n") }
    };
    manifest.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_source_is_replaced() {
        let manifest = "[component.wiki]\nsource = \"target/wiki.wasm\"\nwatch = [\"src\"]\n";
        assert_eq!(with_source(manifest, "/a"), "[component.wiki]\nsource = \"/a\"\nwatch = [\"src\"]\n");
    }
}
