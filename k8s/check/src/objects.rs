//! Kubernetes objects, read from YAML, and the pods they make.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// Reads parts of an object that may be missing. kubeconform has checked that those which are there have the right type.
pub trait Fields {
    /// The text at a JSON pointer, empty if there is none.
    fn text(&self, pointer: &str) -> &str;
    /// The items of the list at a JSON pointer.
    fn list(&self, pointer: &str) -> &[Value];
    /// The members of the object at a JSON pointer whose values are text.
    fn map(&self, pointer: &str) -> Labels;
}

impl Fields for Value {
    fn text(&self, pointer: &str) -> &str {
        self.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn list(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn map(&self, pointer: &str) -> Labels {
        let members = self.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }
}

/// One object, as it was written.
#[derive(Debug, Clone)]
pub struct Object {
    /// As in `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub value: Value,
}

impl Object {
    /// Fails on what has no kind or no name.
    pub fn new(value: Value) -> anyhow::Result<Self> {
        let text = |pointer: &str| {
            let text = value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            text.with_context(|| format!("an object has no {pointer}"))
        };
        let (kind, name) = (text("/kind")?, text("/metadata/name")?);
        Ok(Self { kind, name, value })
    }

    /// As in `Deployment/wasiki`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// Pods as some object makes them.
#[derive(Debug)]
pub struct Pods {
    /// The object, as in `Deployment/wasiki`.
    pub owner: String,
    /// The labels of each.
    pub labels: Labels,
    /// Whether Dapr puts a sidecar beside them.
    pub has_sidecar: bool,
    /// The rest of them; null for those that an operator makes, of which only the labels are known.
    pub spec: Value,
}

impl Pods {
    /// Whether an operator makes them.
    pub fn is_foreign(&self) -> bool {
        self.spec.is_null()
    }

    /// Every container.
    pub fn containers(&self) -> impl Iterator<Item = &Value> {
        self.spec.list("/initContainers").iter().chain(self.spec.list("/containers"))
    }
}

/// Objects that are applied together.
#[derive(Debug, Clone)]
pub struct Set {
    /// What to call it in messages.
    pub name: String,
    /// The objects.
    pub objects: Vec<Object>,
    /// What exists already, as in `Secret/wiki-database/password` or `Pods/label=value`.
    pub given: Vec<String>,
}

impl Set {
    /// Reads YAML documents. Fails on invalid YAML, and on a document that is no object.
    pub fn parse(name: &str, text: &str, given: Vec<String>) -> anyhow::Result<Self> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).with_context(|| name.to_owned())?;
        let objects: Vec<Object> = documents
            .into_iter()
            .filter(|document| !document.is_null())
            .map(|document| Object::new(document).with_context(|| name.to_owned()))
            .collect::<anyhow::Result<_>>()?;
        ensure!(!objects.is_empty(), "{name}: there is no object");
        Ok(Self { name: name.to_owned(), objects, given })
    }

    /// The objects of a kind.
    pub fn of<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.kind == kind)
    }

    /// The pods that all objects make.
    pub fn pods(&self) -> Vec<Pods> {
        let one = |label: &str, value: &str| Labels::from([(label.to_owned(), value.to_owned())]);
        let given = self.given.iter().filter_map(|given| {
            let (label, value) = given.strip_prefix("Pods/")?.split_once('=')?;
            Some(Pods { owner: given.clone(), labels: one(label, value), has_sidecar: false, spec: Value::Null })
        });
        let made = self.objects.iter().filter_map(|object| {
            let template = match object.kind.as_str() {
                "Deployment" | "StatefulSet" | "Job" => "/spec/template",
                "CronJob" => "/spec/jobTemplate/spec/template",
                "Pod" => "",
                kind => {
                    // CloudNativePG, SpinKube and Strimzi document these labels.
                    let label = match kind {
                        "Cluster" => "cnpg.io/cluster",
                        "Pooler" => "cnpg.io/poolerName",
                        "SpinApp" => "core.spinkube.dev/app-name",
                        "Kafka" | "KafkaConnect" => "strimzi.io/cluster",
                        _ => return None,
                    };
                    let mut labels = one(label, &object.name);
                    if label.starts_with("strimzi.io/") {
                        labels.insert("strimzi.io/kind".to_owned(), kind.to_owned());
                    }
                    return Some(Pods { owner: object.title(), labels, has_sidecar: false, spec: Value::Null });
                }
            };
            let template = object.value.pointer(template)?;
            let spec = template.get("spec")?.clone();
            let has_sidecar = template.map("/metadata/annotations").contains_key("dapr.io/app-id");
            Some(Pods { owner: object.title(), labels: template.map("/metadata/labels"), has_sidecar, spec })
        });
        given.chain(made).collect()
    }
}

/// Whether labels have all that a selector's map asks for.
pub fn has_all(labels: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// Whether a selector selects something with these labels. An empty one selects everything.
pub fn selects(selector: &Value, labels: &Labels) -> bool {
    has_all(labels, &selector.map("/matchLabels"))
        && selector.list("/matchExpressions").iter().all(|expression| {
            let value = labels.get(expression.text("/key"));
            let listed = value.is_some_and(|value| expression.list("/values").iter().any(|one| one == value.as_str()));
            match expression.text("/operator") {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                // Kubernetes has no other.
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_select_what_kubernetes_would() {
        let labels = Labels::from([("a".to_owned(), "1".to_owned())]);
        for (selector, selected) in [
            (r#"{}"#, true),
            (r#"{"matchLabels": {"a": "1"}}"#, true),
            (r#"{"matchLabels": {"a": "2"}}"#, false),
            (r#"{"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}"#, true),
            (r#"{"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}"#, false),
            (r#"{"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}"#, true),
            (r#"{"matchExpressions": [{"key": "b", "operator": "Exists"}]}"#, false),
            (r#"{"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}"#, true),
        ] {
            assert_eq!(selects(&serde_json::from_str(selector).unwrap(), &labels), selected, "{selector}");
        }
    }
}
