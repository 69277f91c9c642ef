//! Where the embedded database's library unpacks itself: the user's cache folder, or else the data folder.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Makes sure that the library finds a cache folder that it can write to.
///
/// It looks for one by the environment alone (XDG base directories), and a process cannot safely change its own. So
/// where the user has none, as with a home that is missing or read-only, the program begins again with the cache
/// folder in `dir`. Fails if that cannot be written either.
pub fn provide(dir: &Path) -> anyhow::Result<()> {
    if user_cache().is_some_and(|cache| writable(&cache)) {
        return Ok(());
    }
    let cache = dir.join("cache");
    if env::var_os("XDG_CACHE_HOME").is_some_and(|current| Path::new(&current) == cache) {
        bail!("cannot be written: the embedded database needs about 70 MB below it");
    }
    let program = env::current_exe().context("cannot find this program's file")?;
    let error = Command::new(program).args(env::args_os().skip(1)).env("XDG_CACHE_HOME", cache).exec();
    Err(error).context("cannot start again with a cache folder in it")
}

/// The folder the library will take.
fn user_cache() -> Option<PathBuf> {
    let set = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|cache| cache.is_absolute());
    set.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache")))
}

/// Whether files can be made in `folder`, or it itself.
fn writable(folder: &Path) -> bool {
    fs::create_dir_all(folder).is_ok() && tempfile_in(folder).is_ok()
}

fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".wiki-runner.{}", std::process::id()));
    fs::write(&probe, b"")?;
    fs::remove_file(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_writable_if_files_can_be_made_in_it() {
        let dir = tempfile::tempdir().unwrap();
        assert!(writable(&dir.path().join("new/folder")));
        fs::write(dir.path().join("file"), b"").unwrap();
        assert!(!writable(&dir.path().join("file")));
        assert!(!writable(Path::new("/proc/none")));
    }
}
