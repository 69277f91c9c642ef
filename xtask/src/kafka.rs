//! Kafka with Debezium for the black-box tests: fetched from Maven Central, in fixed versions, and kept in the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::cargo::prepare;
use crate::progress;
use crate::workspace::Workspace;

/// The packages with their versions, and the checksums of all files that they consist of.
const PACKAGES: &str = "tests/kafka/pom.xml";
const CHECKSUMS: &str = "tests/kafka/jars.sha256";

/// The folder with the files, fetched unless they are there. Fails without Java and Maven, or if a file is not what it should be.
pub fn jars(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    for program in ["java", "mvn"] {
        if Command::new(program).arg("--version").output().is_err() {
            bail!("{program} is not installed: Kafka needs Java 17 or newer, and Maven to fetch it");
        }
    }
    let folder = workspace.target.join("kafka");
    let checksums = workspace.root.join(CHECKSUMS);
    if check(&folder, &checksums).is_err() {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        let mut fetch = Command::new("mvn");
        prepare(&mut fetch, workspace);
        fetch.args(["--batch-mode", "--strict-checksums", "--no-transfer-progress", "--file", PACKAGES]);
        fetch.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
        fetch.arg(format!("-DoutputDirectory={}", folder.display()));
        progress::run("fetching Kafka and Debezium", &mut fetch)?;
        check(&folder, &checksums)?;
    }
    Ok(folder)
}

/// Fails unless `folder` has the files of the list `checksums`, and no other that would be loaded with them.
fn check(folder: &Path, checksums: &Path) -> anyhow::Result<()> {
    let list = fs::read_to_string(checksums).with_context(|| format!("cannot read {}", checksums.display()))?;
    let known: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for file in files {
        let name = file?.file_name();
        if !known.iter().any(|known| name == *known) {
            bail!("{} is not in {CHECKSUMS}", name.to_string_lossy());
        }
    }
    let mut sums = Command::new("sha256sum");
    let output = sums.args(["--check", "--quiet"]).arg(checksums).current_dir(folder).output();
    let output = output.context("cannot run sha256sum")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        bail!("{CHECKSUMS}: {}", said.lines().next().unwrap_or("a file is missing"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_the_list_says() {
        let folder = tempfile::tempdir().unwrap();
        let (jars, list) = (folder.path().join("jars"), folder.path().join("list"));
        fs::create_dir(&jars).unwrap();
        fs::write(jars.join("a.jar"), "a").unwrap();
        let sum = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
        let check_with = |text: String| {
            fs::write(&list, text).unwrap();
            check(&jars, &list).is_ok()
        };
        assert!(check_with(format!("{sum}  a.jar\n")));
        assert!(!check_with(format!("{}  a.jar\n", sum.replace('c', "d"))), "another content");
        assert!(!check_with(format!("{sum}  a.jar\n{sum}  b.jar\n")), "one is missing");
        fs::write(jars.join("b.jar"), "b").unwrap();
        assert!(!check_with(format!("{sum}  a.jar\n")), "one too many");
    }

    #[test]
    fn every_file_has_its_checksum() {
        let list = include_str!("../../tests/kafka/jars.sha256");
        assert!(list.lines().any(|line| line.contains("  kafka_2.13-")));
        assert!(list.lines().all(|line| line.len() > 66 && line.ends_with(".jar")));
    }
}
