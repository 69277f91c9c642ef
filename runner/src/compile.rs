//! `wiki-runner compile`: compiles a component ahead of time, so that the server starts without a compiler.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::config::manifest::Manifest;
use crate::guest::engine;

/// Options of `wiki-runner compile`.
#[derive(Debug, Args)]
pub struct Compile {
    /// Manifest of the application.
    #[arg(short = 'f', long = "from", env = "RUNNER_MANIFEST", value_name = "FILE", default_value = "spin.toml")]
    pub manifest: PathBuf,

    /// Component to compile, if the application has several and they are not of one file.
    #[arg(long, value_name = "ID")]
    pub component: Option<String>,

    /// Compile for every processor of this architecture, for example for a container image. By default, the code runs on this
    /// model and newer ones.
    #[arg(long)]
    pub portable: bool,

    /// File for the code. Pass it to `wiki-runner serve --precompiled`, of the same version of the runner.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

pub fn run(args: &Compile) -> anyhow::Result<()> {
    let manifest = Manifest::load(&args.manifest)?;
    let source = match &args.component {
        Some(id) => &manifest.component(id)?.source,
        None => {
            let sources: BTreeSet<&PathBuf> = manifest.components.values().map(|component| &component.source).collect();
            match sources.into_iter().collect::<Vec<_>>()[..] {
                [only] => only,
                _ => bail!(
                    "{} has several components ({}): name one with --component",
                    args.manifest.display(),
                    manifest.ids()
                ),
            }
        }
    };
    let code = engine::compile(source, args.portable)?;
    write(&args.output, &code).with_context(|| format!("cannot write {}", args.output.display()))?;
    println!("{}: {}", args.output.display(), bytesize::ByteSize(code.len() as u64));
    Ok(())
}

/// Replaces `file` atomically: a server that starts meanwhile reads the old code or the new.
fn write(file: &Path, code: &[u8]) -> std::io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = file.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut open| open.write_all(code).and_then(|()| open.sync_all()))
        .and_then(|()| fs::rename(&temporary, file));
    if written.is_err() {
        // It may not exist. The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code");
        write(&file, b"old and longer").unwrap();
        write(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        assert!(write(&taken, b"code").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
