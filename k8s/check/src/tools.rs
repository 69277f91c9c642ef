//! The programs that do most of the checking, installed in the versions that this repository pins.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail, ensure};

use crate::cases::Case;

/// The Python package with Kubernetes' JSON schemas. Their usual source, GitHub, is not reachable from every build machine.
const SCHEMAS: &str = "kubernetes-validate==1.37.0";

/// The cluster that charts are rendered for. Without it, Helm takes the version of its own libraries.
const KUBERNETES: &str = "1.34.0";

/// The message where there is no Go.
const NO_GO: &str = "Go is not installed: install Go 1.26 or newer (https://go.dev/dl/), which builds Helm, helm-unittest \
                     and kubeconform";

/// Helm, helm-unittest and kubeconform.
#[derive(Debug)]
pub struct Tools {
    folder: PathBuf,
    chart: PathBuf,
}

impl Tools {
    /// Builds what `k8s/check/tools/go.mod` lists, unless `work` has it. Fails without Go, and where Go cannot get the
    /// modules.
    pub fn install(root: &Path, work: &Path) -> anyhow::Result<Self> {
        let modules = root.join("k8s/check/tools");
        let read =
            |name: &str| fs::read_to_string(modules.join(name)).with_context(|| format!("k8s/check/tools/{name}"));
        let pinned = read("go.mod")? + &read("go.sum")?;
        let tools = Self { folder: work.join("bin"), chart: root.join("k8s/chart") };
        once(&tools.folder, &pinned, || {
            println!("building Helm, helm-unittest and kubeconform in {}", tools.folder.display());
            let mut go = Command::new("go");
            // The empty name makes a folder of the path. Without debug information the programs are half as large.
            go.args(["build", "-ldflags=-s -w", "-o"]).arg(tools.folder.join("")).arg("tool").current_dir(&modules);
            match go.output() {
                Err(error) if error.kind() == ErrorKind::NotFound => bail!("{NO_GO}"),
                Err(error) => Err(error).context("cannot start go"),
                Ok(output) => succeeded(&output).context("go build tool, in k8s/check/tools"),
            }
        })?;
        Ok(tools)
    }

    /// Lints the chart with a case's values. Fails with Helm's message.
    pub fn lint(&self, case: &Case) -> anyhow::Result<()> {
        let output = self.helm(&["lint", "--strict", "--quiet"], case)?;
        succeeded(&output).with_context(|| format!("{}: helm lint", case.name))
    }

    /// Renders the chart with a case's values. Fails with Helm's message.
    pub fn template(&self, case: &Case) -> anyhow::Result<String> {
        let output = self.helm(&["template", "wasiki", "--namespace", "wiki"], case)?;
        succeeded(&output).with_context(|| format!("{}: helm template", case.name))?;
        String::from_utf8(output.stdout).with_context(|| format!("{}: helm template", case.name))
    }

    fn helm(&self, verb: &[&str], case: &Case) -> anyhow::Result<Output> {
        let mut helm = Command::new(self.folder.join("helm"));
        helm.args(verb).arg(&self.chart).args(["--kube-version", KUBERNETES]).args(&case.options);
        for file in &case.files {
            helm.arg("--values").arg(file);
        }
        helm.output().context("cannot start helm")
    }

    /// Runs the chart's own tests. Returns the report of helm-unittest if one fails.
    pub fn unit_tests(&self) -> anyhow::Result<Option<String>> {
        let mut unittest = Command::new(self.folder.join("helm-unittest"));
        let output = unittest.args(["--strict", "--color=false"]).arg(&self.chart).output();
        let output = output.context("cannot start helm-unittest")?;
        let report = words(&output);
        let count = report.lines().find(|line| line.starts_with("Tests:")).with_context(|| report.clone())?;
        println!("chart tests: {}", count.trim_start_matches("Tests:").trim());
        Ok((!output.status.success()).then_some(report))
    }

    /// Every object in `path` that does not fit the schemas in `locations`, as kubeconform describes it.
    pub fn kubeconform(&self, path: &Path, version: &str, locations: &[PathBuf]) -> anyhow::Result<Vec<String>> {
        let mut kubeconform = Command::new(self.folder.join("kubeconform"));
        kubeconform.args(["-strict", "-summary", "-kubernetes-version", version]);
        for location in locations {
            kubeconform.arg("-schema-location").arg(location);
        }
        let output = kubeconform.arg(path).output().context("cannot start kubeconform")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (summary, invalid): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("Summary: "));
        // An object that was skipped was not checked.
        let complete = summary.first().is_some_and(|line| line.ends_with("Skipped: 0"));
        ensure!(complete && (output.status.success() || !invalid.is_empty()), "kubeconform: {}", words(&output));
        // Without the paths of files: that of the schema differs between versions of Kubernetes.
        let place = format!("{} - ", path.display());
        let short = |line: &str| {
            let line = line.strip_prefix(&place).unwrap_or(line);
            match line.split_once(" problem validating schema. ").zip(line.split_once("#' - ")) {
                Some(((object, _), (_, reason))) => format!("{object} {reason}"),
                None => line.to_owned(),
            }
        };
        let unique: BTreeSet<_> = invalid.into_iter().map(short).collect();
        Ok(unique.into_iter().collect())
    }
}

/// The folder with Kubernetes' schemas, one folder a version; installed unless `work` has it.
pub fn schemas(work: &Path, versions: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = work.join("schemas");
    once(&folder, &format!("{SCHEMAS} {versions:?}"), || {
        println!("installing {SCHEMAS} in {}", folder.display());
        let (python, packages) = (work.join("python"), work.join("python/packages"));
        let run = |command: &mut Command| succeeded(&command.output().context("cannot start python3")?);
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&python))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"];
        run(Command::new(python.join("bin/python")).args(pip).args([SCHEMAS, "--target"]).arg(&packages))?;
        let package = packages.join("kubernetes_validate/kubernetes-json-schema");
        for version in versions {
            relocate(&package.join(format!("v{version}-local-strict")), &folder.join(format!("v{version}")))?;
        }
        Ok(())
    })?;
    Ok(folder)
}

/// Copies schemas so that they refer to each other as files: the package's names are addresses on the Web.
fn relocate(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot copy {} to {}", from.display(), to.display());
    fs::create_dir_all(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let text = fs::read_to_string(entry.path()).with_context(failed)?;
        let text =
            text.replace("\"$id\": ", "\"$comment\": ").replace("\"/api/_definitions.json#", "\"_definitions.json#");
        fs::write(to.join(entry.file_name()), text).with_context(failed)?;
    }
    Ok(())
}

/// Does what `install` does, unless a file beside the folder says that this version is in it.
fn once(folder: &Path, version: &str, install: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let stamp = folder.with_extension("txt");
    if folder.is_dir() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == version) {
        return Ok(());
    }
    install()?;
    fs::write(&stamp, version).with_context(|| format!("cannot write {}", stamp.display()))
}

fn succeeded(output: &Output) -> anyhow::Result<()> {
    ensure!(output.status.success(), "failed with {}:\n{}", output.status, words(output));
    Ok(())
}

/// All output of a program.
fn words(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    both.join("\n").trim().to_owned()
}
