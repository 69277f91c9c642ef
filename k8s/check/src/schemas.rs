//! Kubernetes' own schemas, in strict mode, for every version the chart is for. They come with the Python package
//! kubernetes-validate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, ensure};

use crate::objects::Set;

/// The package and its version, so that a new release finds nothing new on an old commit.
const PACKAGE: &str = "kubernetes-validate==1.37.0";

/// From the chart's `kubeVersion` to the newest that the package knows.
const VERSIONS: [&str; 8] = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The objects were compared with the schemas.
    Checked {
        /// How many, each counted once.
        objects: usize,
        /// The versions of Kubernetes.
        versions: Vec<&'static str>,
        /// What is wrong.
        mistakes: Vec<String>,
    },
    /// The package cannot be had.
    Missing(String),
}

/// Checks the objects that are Kubernetes' own.
pub fn check(work: &Path, sets: &[Set]) -> anyhow::Result<Outcome> {
    let program = match install(work) {
        Ok(program) => program,
        Err(error) => return Ok(Outcome::Missing(format!("{error:#}"))),
    };
    // The same object comes up in many sets.
    let mut objects: BTreeMap<String, String> = BTreeMap::new();
    for set in sets {
        for object in set.objects.iter().filter(|object| object.is_built_in()) {
            objects.entry(object.value.to_string()).or_insert_with(|| format!("{}: {}", set.name, object.title()));
        }
    }
    let file = work.join("objects.yaml");
    // JSON is YAML.
    let text: String = objects.keys().map(|object| format!("---\n{object}\n")).collect();
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    // One process a version: Python uses one core.
    let mut mistakes = Vec::new();
    thread::scope(|scope| {
        let running: Vec<_> = VERSIONS.map(|version| scope.spawn(|| validate(&program, &file, version))).into();
        for one in running {
            let found = one.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
            mistakes.extend(found);
        }
        anyhow::Ok(())
    })?;
    Ok(Outcome::Checked { objects: objects.len(), versions: VERSIONS.into(), mistakes })
}

/// The program, installed unless it is already.
fn install(work: &Path) -> anyhow::Result<PathBuf> {
    let environment = work.join("python");
    let program = environment.join("bin/kubernetes-validate");
    let installed = work.join("python.txt");
    if program.exists() && fs::read_to_string(&installed).is_ok_and(|present| present == PACKAGE) {
        return Ok(program);
    }
    println!("installing {PACKAGE} in {}", environment.display());
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check", PACKAGE]))?;
    fs::write(&installed, PACKAGE).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(program)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {program}"))?;
    ensure!(status.success(), "{program} failed with {status}");
    Ok(())
}

/// What the schemas of one version refuse, and what they do not know: an object without a schema was not checked.
fn validate(program: &Path, file: &Path, version: &str) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(program);
    let output = command.args(["--strict", "--kubernetes-version", version]).arg(file).output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mistakes: Vec<_> = text.lines().filter(|line| !line.starts_with("INFO ")).map(str::to_owned).collect();
    ensure!(
        output.status.success() || !mistakes.is_empty(),
        "{} failed with {}: {}",
        program.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(text.lines().next().is_some(), "{} said nothing", program.display());
    Ok(mistakes)
}
