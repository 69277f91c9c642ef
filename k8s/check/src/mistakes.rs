//! The test of the checks: every mistake of `mistakes.yaml` must be found by a schema or by a check of its set.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::kubeconform::{Schemas, VERSIONS};
use crate::objects::{Object, Set};

/// A change that makes an object wrong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    /// The set with the object; none for the first that has it.
    set: Option<String>,
    /// As in `Deployment/wasiki`; as in `Job/wasiki-migration-*` where the chart makes the end of the name.
    object: String,
    /// What to change, as a JSON pointer.
    at: String,
    /// The new value; none to remove the old one.
    #[serde(default)]
    value: Value,
    /// What the message must contain.
    named: String,
}

/// Makes every mistake, and returns those that are not found.
pub fn check(
    root: &Path,
    work: &Path,
    sets: &[Set],
    schemas: &Schemas<'_>,
    check: impl Fn(&Set) -> Vec<String>,
) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(root.join("k8s/check/mistakes.yaml")).context("k8s/check/mistakes.yaml")?;
    let mistakes: Vec<Mistake> = serde_saphyr::from_str(&text).context("k8s/check/mistakes.yaml")?;
    let folder = work.join("mistakes");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut found = Vec::new();
    for (number, mistake) in mistakes.iter().enumerate() {
        let (set, object) = mistake.make(sets).with_context(|| format!("k8s/check/mistakes.yaml: {mistake:?}"))?;
        let file = folder.join(format!("{number:03}.json"));
        fs::write(&file, object.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
        found.push(check(&set));
    }
    for line in schemas.refused(&folder, &VERSIONS[..1])? {
        let number = line.split_once(".json - ").and_then(|(file, _)| file.rsplit('/').next()?.parse::<usize>().ok());
        // A longer list may have left further files.
        if let Some(found) = number.and_then(|number| found.get_mut(number)) {
            found.push(line);
        }
    }
    println!("{} mistakes made on purpose", mistakes.len());
    let missed = mistakes.iter().zip(&found).filter(|(it, found)| !found.iter().any(|line| line.contains(&it.named)));
    Ok(missed.map(|(mistake, found)| format!("{mistake:?} is not found, but {found:?}")).collect())
}

impl Mistake {
    /// The set with the mistake, and the object that has it.
    fn make(&self, sets: &[Set]) -> anyhow::Result<(Set, Value)> {
        let is_named = |set: &&Set| self.set.as_ref().is_none_or(|name| set.name == *name);
        let is_meant = |object: &Object| match self.object.strip_suffix('*') {
            Some(start) => object.title().starts_with(start),
            None => object.title() == self.object,
        };
        let has_object = |set: &&Set| set.objects.iter().any(is_meant);
        let mut set = sets.iter().filter(is_named).find(has_object).context("no set has this object")?.clone();
        let object = set.objects.iter_mut().find(|object| is_meant(object)).context("no such object")?;
        let (parent, key) = self.at.rsplit_once('/').context("`at` is no JSON pointer")?;
        let key = key.replace("~1", "/");
        match object.value.pointer_mut(parent).context("the object has nothing there")? {
            Value::Array(items) => {
                let index: usize = key.parse().context("not an index")?;
                *items.get_mut(index).context("no item has this index")? = self.value.clone();
            }
            Value::Object(members) if self.value.is_null() => {
                ensure!(members.remove(&key).is_some(), "there is nothing to remove");
            }
            Value::Object(members) => drop(members.insert(key, self.value.clone())),
            _ => bail!("nothing can be changed there"),
        }
        *object = Object::new(object.value.clone())?;
        let value = object.value.clone();
        Ok((set, value))
    }
}
