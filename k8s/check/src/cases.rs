//! The values that the chart is rendered with, and the other sets of objects.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::objects::Set;

/// One way to render the chart.
#[derive(Debug)]
pub struct Case {
    /// What to call it in messages.
    pub name: String,
    /// Values files; a later one overrides those before it.
    pub files: Vec<PathBuf>,
    /// Further options for Helm.
    pub options: Vec<String>,
    /// What the values expect to exist, as in `Secret/wiki-database/password` or `Pods/label=value`.
    pub given: Vec<String>,
}

/// How the first line of a values file begins that expects objects which the chart does not make.
const GIVEN: &str = "# given: ";

/// The chart's own values files, and those in `k8s/check/cases`; a `production-…` is laid over `values-production.yaml`.
pub fn all(root: &Path) -> anyhow::Result<Vec<Case>> {
    let chart = root.join("k8s/chart");
    let mut cases = vec![Case { name: "values.yaml".into(), files: vec![], options: vec![], given: vec![] }];
    let own = yaml_files(&chart)?.into_iter().filter(|file| file_name(file).starts_with("values-"));
    for file in own.chain(yaml_files(&root.join("k8s/check/cases"))?) {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let given = text.lines().next().and_then(|line| line.strip_prefix(GIVEN)).unwrap_or_default();
        let given = given.split_whitespace().map(str::to_owned).collect();
        let is_own = file.parent() == Some(&chart);
        let name = if is_own { file_name(&file) } else { format!("cases/{}", file_name(&file)) };
        let base = name.starts_with("cases/production-").then(|| chart.join("values-production.yaml"));
        cases.push(Case { name, files: base.into_iter().chain([file]).collect(), options: vec![], given });
    }
    Ok(cases)
}

/// The file for SpinKube whose events go through a broker.
const EVENTS: &str = "spinapp-events.yaml";

/// The manifests for SpinKube, each file by itself, with what its database has: that of `events` has a broker beside it.
pub fn spinkube(root: &Path, given: &[String], events: &[String]) -> anyhow::Result<Vec<Set>> {
    let folder = root.join("k8s/spinkube");
    let mut sets = Vec::new();
    for file in yaml_files(&folder)? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        // Made by commands, so that no password is in the repository.
        let secrets =
            ["Secret/wasiki-role/password", "Secret/wasiki-admin/admin-password", "Secret/wasiki-events/token"];
        let name = file_name(&file);
        let database = if name == EVENTS { events } else { given };
        let given = secrets.map(str::to_owned).into_iter().chain(database.iter().cloned()).collect();
        sets.push(Set::parse(&format!("spinkube/{name}"), &text, given)?);
    }
    Ok(sets)
}

/// The `.yaml` files in a folder, by name.
pub fn yaml_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The last part of a path, as text.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
