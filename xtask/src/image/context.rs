//! What Docker is given to build from: enough, little, and no secrets.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail, ensure};

use super::build::megabytes;
use super::docker::Docker;
use crate::workspace::Workspace;

/// How large it may be, in bytes.
const LIMIT: u64 = 2_000_000;

/// What must stay out, wherever it is; the first ones are put there for the occasion.
const SECRETS: [&str; 5] = [".env", "src/.env", "migrations/server.key", ".git", "target"];

/// Puts secrets into the repository, looks at what Docker gets of it, and takes them away again; returns the size.
pub fn check(workspace: &Workspace, docker: &Docker) -> anyhow::Result<String> {
    let _planted =
        SECRETS[..3].iter().map(|file| Planted::new(workspace.root.join(file))).collect::<Result<Vec<_>, _>>()?;
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let mut command = docker.command(["build", "--quiet", "--file", "-", "--output"]);
    command.arg(format!("type=local,dest={}", folder.path().display())).arg(&workspace.root);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start docker")?;
    let mut input = child.stdin.take().context("docker has no input")?;
    input.write_all(b"FROM scratch\nCOPY . /\n").context("docker does not read its Dockerfile")?;
    drop(input);
    let output = child.wait_with_output().context("cannot wait for docker")?;
    ensure!(output.status.success(), "docker build: {}", String::from_utf8_lossy(&output.stderr).trim());

    for secret in SECRETS {
        ensure!(!folder.path().join(secret).exists(), "{secret} is in the context");
    }
    let size = size(folder.path())?;
    ensure!(size <= LIMIT, "the context has {}, more than {}", megabytes(size), megabytes(LIMIT));
    Ok(megabytes(size))
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

/// A file that was not there before and is gone when this is dropped.
struct Planted(Option<PathBuf>);

impl Planted {
    /// One that is there already does as well, and stays.
    fn new(file: PathBuf) -> anyhow::Result<Self> {
        match OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(mut new) => {
                let planted = Self(Some(file));
                new.write_all(b"DB_PASSWORD=sesame\n").context("cannot write a file")?;
                Ok(planted)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self(None)),
            Err(error) => bail!("cannot make {}: {error}", file.display()),
        }
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // Nobody would hear of a failure.
            let _ = fs::remove_file(file);
        }
    }
}
