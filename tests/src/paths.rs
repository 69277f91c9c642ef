//! Where the programs under test are: the environment's word, or where the build leaves them.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is a folder of the repository")
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Cargo's target folder.
fn target() -> PathBuf {
    from_environment("CARGO_TARGET_DIR").unwrap_or_else(|| repository().join("target"))
}

/// The runner's binary: `WASIKI_RUNNER`, or the release build.
pub fn runner() -> PathBuf {
    from_environment("WASIKI_RUNNER").unwrap_or_else(|| target().join("release/wiki-runner"))
}

/// Spin, or what takes its arguments, to run the wiki on instead of the runner: `WASIKI_SPIN`.
pub fn spin() -> Option<PathBuf> {
    from_environment("WASIKI_SPIN")
}

/// The client's binary: `WASIKI_CLI`, or the release build.
pub fn client() -> PathBuf {
    from_environment("WASIKI_CLI").unwrap_or_else(|| target().join("release/wasiki"))
}

/// The wiki's manifest: `WASIKI_MANIFEST`, or the repository's.
pub fn manifest_of_the_wiki() -> PathBuf {
    from_environment("WASIKI_MANIFEST").unwrap_or_else(|| repository().join("spin.toml"))
}

/// The manifest of the application that is not the wiki.
pub fn manifest_of_the_bookshop() -> PathBuf {
    repository().join("tests/guests/bookshop/spin.toml")
}

/// The wiki compiled ahead of time, if there is such a file: `WASIKI_PRECOMPILED`. Starting is much faster with it.
pub fn precompiled() -> Option<PathBuf> {
    from_environment("WASIKI_PRECOMPILED")
}

/// The bookshop compiled ahead of time, if there is such a file: `WASIKI_PRECOMPILED_BOOKSHOP`.
pub fn precompiled_bookshop() -> Option<PathBuf> {
    from_environment("WASIKI_PRECOMPILED_BOOKSHOP")
}

/// The wiki's component: `WASIKI_COMPONENT`, or the release build.
pub fn component() -> PathBuf {
    from_environment("WASIKI_COMPONENT").unwrap_or_else(|| target().join("wasm32-wasip2/release/wiki.wasm"))
}
