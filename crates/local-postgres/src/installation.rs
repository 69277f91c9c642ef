//! Servers that are installed on this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The oldest major version the wiki works with.
pub const OLDEST: u32 = 15;

/// Folders in which distributions put a folder for each version: Debian and Ubuntu, PostgreSQL's own packages for Fedora and
/// Red Hat, Arch Linux's older ones, and Homebrew's on both kinds of Mac.
const FOLDERS: [&str; 5] = ["/usr/lib/postgresql", "/usr", "/opt", "/opt/homebrew/opt", "/usr/local/opt"];

/// What a server is made of.
const PROGRAMS: [&str; 2] = ["initdb", "postgres"];

/// A server that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    programs: PathBuf,
    version: String,
}

impl Installation {
    /// The one whose programs are in the folder `programs`. Fails if there is none, it does not run, or it is too old.
    pub fn at(programs: &Path) -> anyhow::Result<Self> {
        for program in PROGRAMS {
            ensure!(programs.join(program).is_file(), "{} has no program {program:?}", programs.display());
        }
        let postgres = programs.join("postgres");
        let output = Command::new(&postgres).arg("--version").output();
        let output = output.with_context(|| format!("cannot start {}", postgres.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = version_in(&said).with_context(|| {
            let reason = String::from_utf8_lossy(&output.stderr);
            format!("{} does not tell its version: {}", postgres.display(), reason.trim())
        })?;
        let found = Self { programs: programs.to_owned(), version: version.to_owned() };
        ensure!(found.major() >= OLDEST, "{} is PostgreSQL {version}; {OLDEST} or newer is needed", programs.display());
        Ok(found)
    }

    /// All that are new enough: those in the search path, then those where distributions put them, newest first.
    pub fn all() -> Vec<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let in_path = env::split_paths(&path).filter_map(|folder| Self::at(&folder).ok());
        let mut elsewhere: Vec<Self> = FOLDERS
            .iter()
            .flat_map(|folder| versions_in(Path::new(folder)))
            .filter_map(|bin| Self::at(&bin).ok())
            .collect();
        elsewhere.sort_by_key(|found| std::cmp::Reverse(found.major()));
        let mut all: Vec<Self> = Vec::new();
        for found in in_path.chain(elsewhere) {
            if !all.iter().any(|known| known.programs == found.programs) {
                all.push(found);
            }
        }
        all
    }

    /// The first of [`Installation::all`].
    pub fn find() -> Option<Self> {
        Self::all().into_iter().next()
    }

    /// The folder of its programs.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Its version, as in `17.11`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its major version, which reads only its own data.
    pub fn major(&self) -> u32 {
        major(&self.version).unwrap_or_default()
    }
}

/// A client program, such as `pg_dump`, of at least this major version; the newest there is.
pub fn tool(name: &str, major: u32) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let elsewhere = FOLDERS.iter().flat_map(|folder| versions_in(Path::new(folder)));
    let programs = env::split_paths(&path).chain(elsewhere).map(|folder| folder.join(name));
    let versions = programs.filter_map(|program| Some((version_of(&program)?, program)));
    versions.filter(|(version, _)| *version >= major).max_by_key(|(version, _)| *version).map(|(_, program)| program)
}

/// The major version that a program tells; `None` if it does not run.
fn version_of(program: &Path) -> Option<u32> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg("--version").output().ok()?;
    major(version_in(&String::from_utf8_lossy(&output.stdout))?)
}

/// Folders with programs below `folder`, whose own folders have a version in their name: `15`, `pgsql-17`, `postgresql@16`.
fn versions_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let has_version = |name: &str| {
        ["", "pgsql-", "postgresql@", "postgresql-"].iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(has_version))
        .map(|entry| entry.path().join("bin"))
        .collect()
}

/// The version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version_in(said: &str) -> Option<&str> {
    let version = said.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    major(version).map(|_| version)
}

/// The first number of `17.11` or `18beta1`.
pub(crate) fn major(version: &str) -> Option<u32> {
    let digits = version.find(|c: char| !c.is_ascii_digit()).map_or(version, |end| &version[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_a_server_says() {
        for (said, version, number) in [
            ("postgres (PostgreSQL) 17.11\n", "17.11", 17),
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n", "15.14", 15),
            ("postgres (PostgreSQL) 19devel\n", "19devel", 19),
        ] {
            assert_eq!(version_in(said), Some(version));
            assert_eq!(major(version), Some(number));
        }
        for said in ["", "postgres", "postgres (PostgreSQL) ", "postgres (PostgreSQL) x"] {
            assert_eq!(version_in(said), None, "{said:?}");
        }
    }

    #[test]
    fn folders_of_versions_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["15", "pgsql-17", "postgresql@16", "common", "pgsql-", "15.old"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut found = versions_in(folder.path());
        found.sort();
        assert_eq!(found, ["15", "pgsql-17", "postgresql@16"].map(|name| folder.path().join(name).join("bin")));
        assert!(versions_in(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn a_folder_without_a_server_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Installation::at(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("has no program \"initdb\""), "{error}");
    }

    #[test]
    fn a_server_that_is_too_old_or_broken_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        for (script, expected) in [
            ("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n", "is PostgreSQL 14.9; 15 or newer is needed"),
            ("#!/bin/sh\necho 'no library' >&2; exit 127\n", "does not tell its version: no library"),
        ] {
            for program in PROGRAMS {
                let path = folder.path().join(program);
                fs::write(&path, script).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            let error = format!("{:#}", Installation::at(folder.path()).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
