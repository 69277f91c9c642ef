//! Which server to run: the one that is named, one that is installed, or one that is downloaded.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use local_postgres::Installation;
use local_postgres::download::{self, DEFAULT, Release};

/// The server whose programs are in `named`; without that the first that is installed, was downloaded before, or can be
/// downloaded. Where there are data, of `major` version, only a server of that version will do.
///
/// Downloads go to the user's cache folder or, where there is none, into `data`.
pub fn installation(named: &Option<PathBuf>, major: Option<u32>, data: &Path) -> anyhow::Result<Installation> {
    if let Some(programs) = named {
        let found = Installation::at(programs).context("RUNNER_POSTGRES_BIN (--postgres-bin)")?;
        return matching(found, major);
    }
    let installed = Installation::all();
    if let Some(found) = installed.iter().find(|found| major.is_none_or(|major| found.major() == major)) {
        return Ok(found.clone());
    }
    let Some(release) = major.map_or(Some(DEFAULT), Release::of_major) else {
        let found = installed.into_iter().next().context("no PostgreSQL was found on this machine")?;
        return matching(found, major);
    };
    let cache = download::cache().unwrap_or_else(|| data.join("cache"));
    release.cached(&cache).map_or_else(|| download(release, &cache), Ok).context(
        "no database is configured, and there is no PostgreSQL to run: install the package `postgresql` (version 15 or newer), \
         name its programs in RUNNER_POSTGRES_BIN, or name a server elsewhere in DATABASE_URL",
    )
}

/// `found`, if it reads data of `major` version.
fn matching(found: Installation, major: Option<u32>) -> anyhow::Result<Installation> {
    let Some(major) = major.filter(|major| *major != found.major()) else { return Ok(found) };
    Err(anyhow::anyhow!(
        "the data are of PostgreSQL {major}, which {} in {} cannot read: name the programs of a PostgreSQL {major} in \
         RUNNER_POSTGRES_BIN; to move on, save the data with them (`wiki-runner database dump FILE`), and restore them \
         into a new folder (`wiki-runner database --data NEW restore FILE`)",
        found.version(),
        found.programs().display()
    ))
}

/// Downloads `release`, and shows how far it is.
pub fn download(release: &Release, cache: &Path) -> anyhow::Result<Installation> {
    eprintln!("downloading PostgreSQL {} into {}", release.version, cache.display());
    let bar = ProgressBar::new(0);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    let installed = release.install(cache, &|come, total| {
        bar.set_length(total);
        bar.set_position(come);
    });
    bar.finish_and_clear();
    installed.with_context(|| format!("cannot download PostgreSQL {}", release.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_major_version_is_refused_with_the_way_on() {
        let Some(found) = Installation::find() else {
            println!("skipped: no PostgreSQL server is installed");
            return;
        };
        let named = Some(found.programs().to_owned());
        assert!(installation(&named, Some(found.major()), Path::new("data")).is_ok());
        let refusal = installation(&named, Some(9), Path::new("data")).unwrap_err().to_string();
        assert!(
            refusal.starts_with("the data are of PostgreSQL 9, which ") && refusal.contains("dump FILE"),
            "{refusal}"
        );
        // Nobody can have it.
        let refusal = installation(&None, Some(9), Path::new("data")).unwrap_err().to_string();
        assert!(refusal.contains("name the programs of a PostgreSQL 9"), "{refusal}");
    }
}
