//! What is in the image, and what Docker is given to build it from: enough, little, and no secrets.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use blackbox::{Value, json, repository};

use super::docker::{command, docker, output};
use super::site::image;

/// How large the image may be, in bytes as `docker image inspect` counts them.
const IMAGE_LIMIT: u64 = 25_000_000;

/// How large the build context may be, in bytes.
const CONTEXT_LIMIT: u64 = 2_000_000;

/// What must stay out of the context, wherever it is. The test makes the first three.
const SECRETS: [&str; 5] = [".env", "src/.env", "migrations/server.key", ".git", "target"];

/// Programs that would help an intruder.
const TOOLS: [&str; 6] =
    ["/bin/sh", "/bin/bash", "/busybox/sh", "/usr/bin/apt-get", "/usr/bin/dpkg", "/usr/bin/python3"];

#[test]
#[ignore = "needs Docker: cargo xtask image --test"]
fn secrets_in_the_tree_stay_out_of_the_context() {
    let root = repository();
    let _planted: Vec<_> = SECRETS[..3].iter().map(|file| Planted::new(root.join(file))).collect();
    let folder = tempfile::tempdir().unwrap();
    let destination = format!("type=local,dest={}", folder.path().display());
    let mut build = command(&["build", "--quiet", "--file", "-", "--output", &destination]);
    let mut build = build.arg(root).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    build.stdin.take().unwrap().write_all(b"FROM scratch\nCOPY . /\n").unwrap();
    assert!(build.wait().unwrap().success());
    for secret in SECRETS {
        assert!(!folder.path().join(secret).exists(), "{secret} is in the context");
    }
    let size = size(folder.path());
    assert!(size <= CONTEXT_LIMIT, "the context has {size} bytes");
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.metadata().unwrap() {
            found if found.is_dir() => size(&entry.path()),
            found => found.len(),
        })
        .sum()
}

/// A file that was not there before and is gone when this is dropped. One that was there does as well, and stays.
struct Planted(Option<PathBuf>);

impl Planted {
    fn new(file: PathBuf) -> Self {
        match OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(mut new) => {
                let planted = Self(Some(file));
                new.write_all(b"DB_PASSWORD=sesame\n").unwrap();
                planted
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self(None),
            Err(error) => panic!("{}: {error}", file.display()),
        }
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            _ = fs::remove_file(file);
        }
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask image --test"]
fn the_image_is_small() {
    let size: u64 = docker(&["image", "inspect", "--format", "{{.Size}}", &image()]).parse().unwrap();
    assert!(size <= IMAGE_LIMIT, "it has {size} bytes");
}

#[test]
#[ignore = "needs Docker: cargo xtask image --test"]
fn the_image_describes_itself() {
    let config: Value = docker(&["image", "inspect", "--format", "{{json .Config}}", &image()]).parse().unwrap();
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Healthcheck"]["Test"], json!(["CMD", "wiki-runner", "healthcheck"]));
    for port in ["8000/tcp", "9090/tcp"] {
        assert!(!config["ExposedPorts"][port].is_null(), "{port} is not among {}", config["ExposedPorts"]);
    }
    for name in ["title", "description", "licenses", "version", "revision"] {
        let label = config["Labels"][format!("org.opencontainers.image.{name}")].as_str();
        assert!(label.is_some_and(|text| !text.is_empty()), "its label {name} is missing");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask image --test"]
fn the_image_has_no_shell_and_no_package_manager() {
    for tool in TOOLS {
        let output = output(&["run", "--rm", "--network=none", "--entrypoint", tool, &image(), "--version"]);
        // Docker's exit code when there is no such program.
        assert_eq!(output.code, Some(127), "{tool}: {output:?}");
    }
}
