//! Compiles a package to a component and puts it where the manifests look for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::progress;
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;

/// Compiles a package; returns the component's path, which is the same for every toolchain and target folder.
///
/// One package at a time: built together, packages would share their features, and the component tested would not be
/// the component shipped.
pub fn build(workspace: &Workspace, toolchain: &Toolchain, package: &str) -> anyhow::Result<PathBuf> {
    let label = format!("building the component {package} ({})", toolchain.describe());
    let mut cargo = toolchain.cargo_build(workspace);
    cargo.args(["--package", package, "--lib"]);
    // As the profile `dist`, which is for the runner: a component is small enough to be optimised as a whole each time.
    // It becomes a tenth smaller, and calls few functions, each of which looks whether the guest is to yield.
    cargo.envs([("CARGO_PROFILE_RELEASE_LTO", "fat"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")]);
    progress::run(&label, &mut cargo)?;
    let built = toolchain.target_folder(workspace).join(TARGET).join("release").join(format!("{package}.wasm"));
    let wanted = workspace.component(package);
    if built != wanted {
        publish(&built, &wanted).with_context(|| format!("cannot copy {} to {}", built.display(), wanted.display()))?;
    }
    Ok(wanted)
}

/// Copies a file unless the copy is there already, so that its time tells when the contents last changed.
fn publish(from: &Path, to: &Path) -> anyhow::Result<()> {
    let contents = fs::read(from)?;
    if fs::read(to).is_ok_and(|present| present == contents) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // Not in place: cargo may have linked the file there to its own, and somebody may be reading it.
    let draft = to.with_extension(format!("{}.draft", std::process::id()));
    fs::write(&draft, contents)?;
    fs::rename(&draft, to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_made_once_and_leaves_other_links_alone() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to, link] = ["from", "deeper/to", "link"].map(|name| folder.path().join(name));
        fs::write(&from, "one").unwrap();
        publish(&from, &to).unwrap();
        let time = fs::metadata(&to).unwrap().modified().unwrap();
        fs::hard_link(&to, &link).unwrap();

        publish(&from, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), time);

        fs::write(&from, "two").unwrap();
        publish(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");
        assert_eq!(fs::read_to_string(&link).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path().join("deeper")).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn a_missing_component_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(publish(&folder.path().join("nothing"), &folder.path().join("to")).is_err());
    }
}
