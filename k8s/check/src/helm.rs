//! Helm, found or installed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail, ensure};

use crate::cases::Case;

/// What to say where there is neither Helm nor a way to get it.
const MISSING: &str = "neither Helm nor Go is on this machine: install Helm 3 (https://helm.sh/docs/intro/install/) \
                           or Go 1.24 or newer (https://go.dev/dl/), with which Helm is built by itself";

/// The version that is built where none is installed, so that a new release finds nothing new on an old commit.
const PACKAGE: &str = "helm.sh/helm/v3/cmd/helm@v3.22.0";

/// The cluster that charts are rendered for: Helm takes its own default otherwise, which in a build from source is old.
const KUBERNETES: &str = "1.34.0";

/// Helm 3.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    chart: PathBuf,
}

impl Helm {
    /// Helm from the search path, or one built before in `work`, or one built now with Go. Fails where Go is missing too,
    /// or cannot get what it needs.
    pub fn find(root: &Path, work: &Path) -> anyhow::Result<Self> {
        let chart = root.join("k8s/chart");
        let folder = work.join("bin");
        let built = folder.join("helm");
        for program in [PathBuf::from("helm"), built.clone()] {
            if version(&program).is_some_and(|version| version.starts_with("v3.")) {
                return Ok(Self { program, chart });
            }
        }
        match Command::new("go").args(["install", PACKAGE]).env("GOBIN", &folder).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => bail!("{MISSING}"),
            Err(error) => Err(error).context("cannot start go"),
            Ok(output) => {
                ensure!(output.status.success(), "go install {PACKAGE} failed:\n{}", words(&output));
                Ok(Self { program: built, chart })
            }
        }
    }

    /// Lints the chart with a case's values. Fails with what Helm says.
    pub fn lint(&self, case: &Case) -> anyhow::Result<()> {
        let output = self.run("lint", case, &["--strict", "--quiet"])?;
        ensure!(output.status.success(), "{}: helm lint:\n{}", case.name, words(&output));
        Ok(())
    }

    /// Renders the chart with a case's values. Fails with what Helm says.
    pub fn template(&self, case: &Case) -> anyhow::Result<String> {
        let output = self.run("template", case, &[])?;
        if !output.status.success() {
            bail!("{}: helm template:\n{}", case.name, words(&output));
        }
        String::from_utf8(output.stdout).with_context(|| format!("{}: helm template", case.name))
    }

    fn run(&self, verb: &str, case: &Case, options: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        command.arg(verb);
        if verb == "template" {
            command.args(["wasiki", "--namespace", "wiki"]);
        }
        command.arg(&self.chart).args(["--kube-version", KUBERNETES]).args(options).args(&case.options);
        for file in &case.files {
            command.arg("--values").arg(file);
        }
        command.output().with_context(|| format!("cannot start {}", self.program.display()))
    }
}

fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).args(["version", "--template", "{{.Version}}"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// All that a program said.
fn words(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    both.join("\n").trim().to_owned()
}
