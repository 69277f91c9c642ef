//! `k8s/manifests`: the chart as plain files for `kubectl apply -k`, written by `cargo xtask k8s --write`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::cases::{Case, file_name, yaml_files};
use crate::objects::Set;
use crate::tools::Tools;

const FOLDER: &str = "k8s/manifests";

/// The values that the manifests are rendered with; not a manifest itself.
const VALUES: &str = "values.yaml";

/// The list of the other files.
const LIST: &str = "kustomization.yaml";

/// Secrets that users make.
const GIVEN: [&str; 3] =
    ["Secret/wasiki-database/password", "Secret/wasiki-role/password", "Secret/wasiki-admin/admin-password"];

/// Lines that only Helm uses.
const HELM_ONLY: [&str; 3] = ["# Source: ", "helm.sh/chart: ", "app.kubernetes.io/managed-by: "];

/// Writes the manifests, removes those that the chart no longer makes, and returns how many there are.
pub fn write(root: &Path, tools: &Tools) -> anyhow::Result<usize> {
    let folder = root.join(FOLDER);
    let wanted = wanted(root, tools)?;
    for name in present(&folder)?.keys().filter(|name| !wanted.contains_key(*name)) {
        fs::remove_file(folder.join(name)).with_context(|| format!("cannot remove {FOLDER}/{name}"))?;
    }
    for (name, text) in &wanted {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {FOLDER}/{name}"))?;
    }
    Ok(wanted.len())
}

/// How the manifests differ from what the chart renders.
pub fn differences(root: &Path, tools: &Tools) -> anyhow::Result<Vec<String>> {
    let (wanted, present) = (wanted(root, tools)?, present(&root.join(FOLDER))?);
    let names: BTreeSet<_> = wanted.keys().chain(present.keys()).collect();
    let different = names.into_iter().filter(|name| wanted.get(*name) != present.get(*name));
    Ok(different
        .map(|name| format!("{FOLDER}/{name} is not what the chart renders; run: cargo xtask k8s --write"))
        .collect())
}

/// The manifests as they are.
pub fn applied(root: &Path) -> anyhow::Result<Set> {
    let mut manifests = present(&root.join(FOLDER))?;
    manifests.remove(LIST);
    let text = manifests.into_values().collect::<Vec<_>>().join("---\n");
    Set::parse(FOLDER, &text, GIVEN.map(str::to_owned).to_vec())
}

/// The files of the folder, by name.
fn present(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let files = yaml_files(folder)?.into_iter().map(|file| (file_name(&file), file));
    let read = |file: &Path| fs::read_to_string(file).with_context(|| file.display().to_string());
    files.filter(|(name, _)| name != VALUES).map(|(name, file)| Ok((name, read(&file)?))).collect()
}

/// What the files should contain, by name.
fn wanted(root: &Path, tools: &Tools) -> anyhow::Result<BTreeMap<String, String>> {
    let values = root.join(FOLDER).join(VALUES);
    let case = Case { name: FOLDER.into(), files: vec![values], options: vec!["--skip-tests".into()], given: vec![] };
    let rendered = tools.template(&case)?;
    let mut files = BTreeMap::new();
    for document in documents(&rendered) {
        let set = Set::parse(FOLDER, &document, vec![])?;
        let [object] = set.objects.as_slice() else { continue };
        let name = format!("{}-{}.yaml", object.kind.to_lowercase(), object.name);
        ensure!(files.insert(name.clone(), document).is_none(), "two objects would be {name}");
    }
    let list: String = files.keys().map(|name| format!("  - {name}\n")).collect();
    let head = "# kubectl apply -k k8s/manifests. All files here but values.yaml are written by `cargo xtask k8s --write`.\n\
                apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n";
    files.insert(LIST.to_owned(), format!("{head}{list}"));
    Ok(files)
}

/// The documents of a rendered chart, without the lines that only Helm uses.
fn documents(rendered: &str) -> Vec<String> {
    let ours = |line: &&str| !HELM_ONLY.iter().any(|only| line.trim_start().starts_with(only));
    let documents = rendered.split("---\n").map(|document| document.lines().filter(ours).collect::<Vec<_>>());
    let texts = documents.map(|lines| lines.join("\n").trim().to_owned());
    texts.filter(|text| text.lines().any(|line| !line.starts_with('#'))).map(|text| text + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_only_helm_uses_are_left_out() {
        let rendered =
            "---\n# Source: x/y.yaml\n# Why.\na: b\nlabels:\n    helm.sh/chart: x-1\n    c: d\n---\n# Source: empty\n";
        assert_eq!(documents(rendered), ["# Why.\na: b\nlabels:\n    c: d\n"]);
    }
}
