//! Single objects against JSON schemas, with kubeconform: those of Kubernetes, those of operators in `schemas/`, and our own
//! rules in `policy.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::objects::Set;
use crate::tools::{self, Tools};

/// From the chart's `kubeVersion` to the newest that the package of schemas has.
const VERSIONS: [&str; 8] = ["1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0", "1.35.0", "1.36.0", "1.37.0"];

/// Where the schemas are.
#[derive(Debug)]
pub struct Schemas<'a> {
    tools: &'a Tools,
    policy: [PathBuf; 1],
    /// Kubernetes' and the operators'.
    kinds: [PathBuf; 2],
}

impl<'a> Schemas<'a> {
    /// Installs Kubernetes' schemas unless `work` has them. Fails without Python, and where it cannot get the package.
    pub fn install(root: &Path, work: &Path, tools: &'a Tools) -> anyhow::Result<Self> {
        let folder = tools::schemas(work, &VERSIONS).context("Kubernetes' schemas")?;
        let kubernetes = folder.join("{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json");
        let operators = root.join("k8s/check/schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json");
        Ok(Self { tools, policy: [root.join("k8s/check/policy.json")], kinds: [kubernetes, operators] })
    }

    /// The objects of all sets that do not fit.
    pub fn check(&self, work: &Path, sets: &[Set]) -> anyhow::Result<Vec<String>> {
        // The same object is in many sets.
        let objects: BTreeSet<_> = sets.iter().flat_map(|set| &set.objects).map(|it| it.value.to_string()).collect();
        let file = work.join("objects.yaml");
        // JSON is YAML.
        let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        let mut wrong = self.tools.kubeconform(&file, VERSIONS[0], &self.policy)?;
        for version in VERSIONS {
            let found = self.tools.kubeconform(&file, version, &self.kinds)?;
            wrong.extend(found.into_iter().map(|mistake| format!("Kubernetes {version}: {mistake}")));
        }
        println!("{} different objects against the schemas of Kubernetes {}", objects.len(), VERSIONS.join(", "));
        Ok(wrong)
    }

    /// What the oldest Kubernetes and our own rules say of the files in a folder.
    pub fn check_folder(&self, folder: &Path) -> anyhow::Result<Vec<String>> {
        let mut wrong = self.tools.kubeconform(folder, VERSIONS[0], &self.policy)?;
        wrong.extend(self.tools.kubeconform(folder, VERSIONS[0], &self.kinds)?);
        Ok(wrong)
    }
}
