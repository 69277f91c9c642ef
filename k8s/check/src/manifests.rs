//! `k8s/manifests`: the chart as plain files for `kubectl apply -k`, written by `cargo xtask k8s --write`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::cases::{Case, file_name, yaml_files};
use crate::helm::Helm;
use crate::objects::Set;

const FOLDER: &str = "k8s/manifests";

/// The values that the manifests are made with; no manifest itself.
const VALUES: &str = "values.yaml";

/// The list of the others.
const LIST: &str = "kustomization.yaml";

/// What the values say is there already.
const GIVEN: [&str; 2] = ["Secret/wasiki-database/password", "Secret/wasiki-admin/admin-password"];

/// What only Helm has a use for.
const HELM_ONLY: [&str; 3] = ["# Source: ", "helm.sh/chart: ", "app.kubernetes.io/managed-by: "];

/// Writes the manifests anew, removes those that are no more, and returns how many there are.
pub fn write(root: &Path, helm: &Helm) -> anyhow::Result<usize> {
    let folder = root.join(FOLDER);
    let wanted = wanted(root, helm)?;
    for file in manifests(&folder)?.into_iter().filter(|file| !wanted.contains_key(&file_name(file))) {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    for (name, text) in &wanted {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(wanted.len())
}

/// How the manifests differ from what the chart would make of them.
pub fn differences(root: &Path, helm: &Helm) -> anyhow::Result<Vec<String>> {
    let folder = root.join(FOLDER);
    let wanted = wanted(root, helm)?;
    let present: Vec<_> = manifests(&folder)?.iter().map(|file| file_name(file)).collect();
    let mut wrong: Vec<String> =
        present.iter().filter(|name| !wanted.contains_key(*name)).map(|name| format!("{name} is too much")).collect();
    for (name, text) in &wanted {
        match fs::read_to_string(folder.join(name)) {
            Ok(present) if present == *text => {}
            Ok(_) => wrong.push(format!("{name} differs from the chart")),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    Ok(wrong.into_iter().map(|what| format!("{FOLDER}: {what}; run: cargo xtask k8s --write")).collect())
}

/// The manifests as they are.
pub fn applied(root: &Path) -> anyhow::Result<Set> {
    let mut text = String::new();
    for file in manifests(&root.join(FOLDER))?.iter().filter(|file| file_name(file) != LIST) {
        text += &fs::read_to_string(file).with_context(|| file.display().to_string())?;
        text += "---\n";
    }
    Set::parse(FOLDER, &text, GIVEN.map(str::to_owned).to_vec())
}

fn manifests(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(yaml_files(folder)?.into_iter().filter(|file| file_name(file) != VALUES).collect())
}

/// What the files should hold, by name.
fn wanted(root: &Path, helm: &Helm) -> anyhow::Result<BTreeMap<String, String>> {
    let values = root.join(FOLDER).join(VALUES);
    let case = Case { name: FOLDER.into(), files: vec![values], options: vec!["--skip-tests".into()], given: vec![] };
    let rendered = helm.template(&case)?;
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

/// The documents of a rendered chart, without what only Helm has a use for.
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
    fn what_only_helm_has_a_use_for_is_left_out() {
        let rendered =
            "---\n# Source: x/y.yaml\n# Why.\na: b\nlabels:\n    helm.sh/chart: x-1\n    c: d\n---\n# Source: empty\n";
        assert_eq!(documents(rendered), ["# Why.\na: b\nlabels:\n    c: d\n"]);
    }
}
