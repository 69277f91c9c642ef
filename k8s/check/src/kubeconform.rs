//! Single objects against JSON schemas, with kubeconform: those of Kubernetes, those of operators in `schemas/`, and our own
//! rules in `policy.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::objects::Set;
use crate::tools::{self, Tools};

/// From the chart's `kubeVersion` to the newest that the package of schemas has.
pub const VERSIONS: [&str; 8] = ["1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0", "1.35.0", "1.36.0", "1.37.0"];

/// The schemas of everything that is checked.
#[derive(Debug)]
pub struct Schemas<'a> {
    tools: &'a Tools,
    policy: [PathBuf; 1],
    /// Kubernetes' and the operators'.
    kinds: Option<[PathBuf; 2]>,
}

impl<'a> Schemas<'a> {
    /// Installs Kubernetes' schemas unless `work` has them. Fails where that is not possible, or does without them if
    /// `optional`.
    pub fn install(root: &Path, work: &Path, tools: &'a Tools, optional: bool) -> anyhow::Result<Self> {
        let kinds = match tools::schemas(work, &VERSIONS) {
            Ok(folder) => Some([
                folder.join("{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json"),
                root.join("k8s/check/schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"),
            ]),
            Err(error) if optional => {
                println!("left out: Kubernetes' schemas: {error:#}");
                None
            }
            Err(error) => return Err(error).context("Kubernetes' schemas"),
        };
        Ok(Self { tools, policy: [root.join("k8s/check/policy.json")], kinds })
    }

    /// The objects of all sets that do not fit.
    pub fn check(&self, work: &Path, sets: &[Set]) -> anyhow::Result<Vec<String>> {
        // The same object is in many sets.
        let objects: BTreeSet<_> = sets.iter().flat_map(|set| &set.objects).map(|it| it.value.to_string()).collect();
        let file = work.join("objects.yaml");
        // JSON is YAML.
        let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        if self.kinds.is_some() {
            println!("{} different objects against the schemas of Kubernetes 1.30 to 1.37", objects.len());
        }
        self.refused(&file, &VERSIONS)
    }

    /// What our own rules refuse of the objects in a file or folder, and the schemas of some versions of Kubernetes.
    pub fn refused(&self, path: &Path, versions: &[&str]) -> anyhow::Result<Vec<String>> {
        let mut wrong = self.tools.kubeconform(path, VERSIONS[0], &self.policy)?;
        let mut refused: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (version, kinds) in versions.iter().filter_map(|version| Some((*version, self.kinds.as_ref()?))) {
            for mistake in self.tools.kubeconform(path, version, kinds)? {
                refused.entry(mistake).or_default().push(version);
            }
        }
        wrong.extend(refused.into_iter().map(|(what, by)| format!("{what} (Kubernetes {})", by.join(", "))));
        Ok(wrong)
    }

    /// Whether Kubernetes' schemas are there.
    pub fn are_complete(&self) -> bool {
        self.kinds.is_some()
    }
}
