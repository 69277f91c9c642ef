//! Manifests of the bookshop that differ from the one in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::paths;

/// The bookshop's manifest with something more to it, in a folder of its own.
pub struct Changed {
    path: PathBuf,
    _folder: TempDir,
}

impl Changed {
    /// The manifest with `more` tables at its end.
    ///
    /// # Panics
    /// When it cannot be read or written.
    pub fn with(more: &str) -> Self {
        let folder = TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made");
        let manifest = fs::read_to_string(paths::manifest_of_the_bookshop()).expect("the bookshop has a manifest");
        // Relative to the manifest, which is elsewhere.
        let target = paths::repository().join("target").display().to_string();
        let manifest = manifest.replace("../../../target", &target);
        let path = folder.path().join("spin.toml");
        fs::write(&path, format!("{manifest}\n{more}")).expect("a temporary file can be written");
        Self { path, _folder: folder }
    }

    /// The file, which is removed with `self`.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
