//! Kubernetes objects, read from YAML and typed.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use k8s_openapi::Resource;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// One object, as it was written.
#[derive(Debug, Clone)]
pub struct Object {
    /// As in `apps/v1`.
    pub api_version: String,
    /// As in `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub value: Value,
}

impl Object {
    fn new(value: Value) -> anyhow::Result<Self> {
        let text = |pointer: &str| {
            let text = value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            text.with_context(|| format!("an object has no {pointer}"))
        };
        let (api_version, kind, name) = (text("/apiVersion")?, text("/kind")?, text("/metadata/name")?);
        Ok(Self { api_version, kind, name, value })
    }

    /// As in `Deployment/wasiki`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Whether its kind is one of Kubernetes' own, and not defined by an operator.
    pub fn is_built_in(&self) -> bool {
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        !group.contains('.') || (group.ends_with(".k8s.io") && group != "gateway.networking.k8s.io")
    }

    /// The object's own labels.
    pub fn labels(&self) -> Labels {
        let labels = self.value.pointer("/metadata/labels").and_then(Value::as_object);
        let pairs = labels.into_iter().flatten();
        pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// The object as the type that the library generated from Kubernetes' own description. Fails where a member has
    /// another type.
    pub fn typed<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_value(self.value.clone()).with_context(|| self.title())
    }
}

/// Pods as some object makes them.
#[derive(Debug)]
pub struct Pods {
    /// The object, as in `Deployment/wasiki`.
    pub owner: String,
    /// The labels of each.
    pub labels: Labels,
    /// The rest of them; empty for those that an operator makes.
    pub spec: PodSpec,
    /// Whether an operator makes them, so that all one knows is their labels.
    pub foreign: bool,
}

/// Objects that are applied together.
#[derive(Debug)]
pub struct Set {
    /// What to call it in messages.
    pub name: String,
    /// The objects.
    pub objects: Vec<Object>,
    /// What is there already, as in `Secret/wiki-database/password` or `Pods/label=value`.
    pub given: Vec<String>,
}

impl Set {
    /// Reads YAML documents. Fails on what is no YAML, and on a document that is no object.
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

    /// The objects of a type.
    pub fn of<T: Resource + DeserializeOwned>(&self) -> anyhow::Result<Vec<T>> {
        self.custom(T::API_VERSION, T::KIND).map(Object::typed).collect()
    }

    /// The objects of a kind.
    pub fn custom<'a>(&'a self, api_version: &str, kind: &str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.api_version == api_version && object.kind == kind)
    }

    /// The pods that come of all objects.
    pub fn pods(&self) -> anyhow::Result<Vec<Pods>> {
        let mut pods = Vec::new();
        for given in &self.given {
            let Some((label, value)) = given.strip_prefix("Pods/").and_then(|given| given.split_once('=')) else {
                continue;
            };
            let labels = Labels::from([(label.to_owned(), value.to_owned())]);
            pods.push(Pods { owner: given.clone(), labels, spec: PodSpec::default(), foreign: true });
        }
        for object in &self.objects {
            let template = match object.kind.as_str() {
                "Deployment" => object.typed::<Deployment>()?.spec.map(|spec| spec.template),
                "StatefulSet" => object.typed::<StatefulSet>()?.spec.map(|spec| spec.template),
                "Job" => object.typed::<Job>()?.spec.map(|spec| spec.template),
                "CronJob" => {
                    let spec = object.typed::<CronJob>()?.spec.and_then(|spec| spec.job_template.spec);
                    spec.map(|spec| spec.template)
                }
                "Pod" => {
                    let Pod { metadata, spec, .. } = object.typed()?;
                    Some(PodTemplateSpec { metadata: Some(metadata), spec })
                }
                // CloudNativePG and SpinKube document these labels.
                "Cluster" => Some(foreign("cnpg.io/cluster", &object.name)),
                "Pooler" => Some(foreign("cnpg.io/poolerName", &object.name)),
                "SpinApp" => Some(foreign("core.spinkube.dev/app-name", &object.name)),
                _ => None,
            };
            let Some(PodTemplateSpec { metadata, spec }) = template else { continue };
            let labels = metadata.and_then(|metadata| metadata.labels).unwrap_or_default();
            let foreign = spec.is_none();
            pods.push(Pods { owner: object.title(), labels, spec: spec.unwrap_or_default(), foreign });
        }
        Ok(pods)
    }
}

fn foreign(label: &str, value: &str) -> PodTemplateSpec {
    let labels = Labels::from([(label.to_owned(), value.to_owned())]);
    PodTemplateSpec { metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }), spec: None }
}

/// Whether labels have all that a selector's map asks for.
pub fn has_all(labels: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// Whether a selector selects something with these labels. An empty one selects everything.
pub fn selects(selector: &LabelSelector, labels: &Labels) -> bool {
    let matches = selector.match_labels.as_ref().is_none_or(|wanted| has_all(labels, wanted));
    matches
        && selector.match_expressions.iter().flatten().all(|expression| {
            let value = labels.get(&expression.key);
            let listed = value.is_some_and(|value| expression.values.iter().flatten().any(|one| one == value));
            match expression.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                // The schemas allow no other.
                _ => false,
            }
        })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A set for the tests of the checks.
    pub fn set(text: &str) -> Set {
        Set::parse("test", text, vec![]).unwrap()
    }

    #[test]
    fn empty_documents_are_none() {
        let set = set("---\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n# nothing\n");
        assert_eq!(set.objects.iter().map(Object::title).collect::<Vec<_>>(), ["Pod/a"]);
    }

    #[test]
    fn an_object_needs_a_name() {
        let error = Set::parse("x", "apiVersion: v1\nkind: Pod\nmetadata: {}\n", vec![]).unwrap_err();
        assert_eq!(format!("{error:#}"), "x: an object has no /metadata/name");
    }

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

    #[test]
    fn kinds_of_operators_are_told_from_kubernetes_own() {
        for (api_version, built_in) in [
            ("v1", true),
            ("apps/v1", true),
            ("networking.k8s.io/v1", true),
            ("gateway.networking.k8s.io/v1", false),
            ("monitoring.coreos.com/v1", false),
        ] {
            let set = set(&format!("apiVersion: {api_version}\nkind: X\nmetadata: {{name: a}}\n"));
            assert_eq!(set.objects[0].is_built_in(), built_in, "{api_version}");
        }
    }
}
