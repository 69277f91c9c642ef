//! Where things are: the repository and cargo's target folder.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The repository this program was built from.
#[derive(Debug)]
pub struct Workspace {
    /// The folder with the workspace's `Cargo.toml` and `spin.toml`.
    pub root: PathBuf,
    /// Cargo's target folder, wherever the user's configuration puts it.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the repository and the target folder; fails when this program does not run from where cargo put it.
    pub fn find() -> anyhow::Result<Self> {
        // What `cargo run` says now, before what was so when this was compiled: checkouts that share a target folder
        // share this program.
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).parent().context("xtask is not in a folder of a workspace")?.to_owned();
        // Cargo puts this program at <target>/<profile>/xtask; asking `cargo metadata` costs a tenth of a second.
        let program = env::current_exe().context("cannot tell where this program is")?;
        let target = program
            .ancestors()
            .nth(2)
            .with_context(|| format!("{} is not in a target folder: run it as `cargo xtask`", program.display()))?;
        Ok(Self { root, target: target.to_owned() })
    }

    /// The application's description, which every host reads.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// Where a component is looked for by the manifests of this repository, whatever the target folder is.
    pub fn component(&self, package: &str) -> PathBuf {
        self.root.join(format!("target/wasm32-wasip2/release/{package}.wasm"))
    }
}
