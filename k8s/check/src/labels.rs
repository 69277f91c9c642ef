//! Whether what belongs together finds each other by labels, and nothing else.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::objects::{Object, Set, has_all, selects};

/// The labels that every object has (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels).
const COMMON: [&str; 3] = ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"];

/// What is wrong with the labels of a set.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let mut wrong = names(&set.objects);
    for object in &set.objects {
        let labels = object.labels();
        for missing in COMMON.iter().filter(|name| !labels.contains_key(**name)) {
            wrong.push(format!("{}: has no label {missing}", object.title()));
        }
    }
    wrong.extend(workloads(set)?);
    wrong.extend(others(set)?);
    Ok(wrong)
}

/// Names that two objects of a kind share.
fn names(objects: &[Object]) -> Vec<String> {
    let mut known = BTreeSet::new();
    objects
        .iter()
        .map(Object::title)
        .filter(|title| !known.insert(title.clone()))
        .map(|t| format!("{t}: twice"))
        .collect()
}

/// Deployments and StatefulSets select their own pods, and no others; so do the rules that spread them.
fn workloads(set: &Set) -> anyhow::Result<Vec<String>> {
    let deployments = set.of::<Deployment>()?.into_iter();
    let stateful = set.of::<StatefulSet>()?.into_iter();
    let selectors: Vec<(String, LabelSelector)> = deployments
        .filter_map(|it| Some((format!("Deployment/{}", it.metadata.name?), it.spec?.selector)))
        .chain(stateful.filter_map(|it| Some((format!("StatefulSet/{}", it.metadata.name?), it.spec?.selector))))
        .collect();
    let mut wrong = Vec::new();
    for pods in set.pods()? {
        for (owner, selector) in &selectors {
            let own = *owner == pods.owner;
            match (own, selects(selector, &pods.labels)) {
                (true, false) => wrong.push(format!("{owner}: does not select its own pods")),
                (false, true) => wrong.push(format!("{owner}: selects the pods of {}", pods.owner)),
                _ => {}
            }
        }
        for rule in pods.spec.topology_spread_constraints.iter().flatten() {
            if !rule.label_selector.as_ref().is_some_and(|selector| selects(selector, &pods.labels)) {
                wrong.push(format!("{}: is spread by the labels of others", pods.owner));
            }
        }
    }
    Ok(wrong)
}

/// Services, budgets and autoscalers have something to select.
fn others(set: &Set) -> anyhow::Result<Vec<String>> {
    let pods = set.pods()?;
    let mut wrong = Vec::new();
    for service in set.of::<Service>()? {
        let name = service.metadata.name.unwrap_or_default();
        let selector = service.spec.and_then(|spec| spec.selector).unwrap_or_default();
        let selected: Vec<_> = pods.iter().filter(|pods| has_all(&pods.labels, &selector)).collect();
        if selected.len() != 1 {
            let owners: Vec<_> = selected.iter().map(|pods| pods.owner.as_str()).collect();
            wrong.push(format!("Service/{name}: selects the pods of {} objects, not one: {owners:?}", owners.len()));
        }
    }
    for budget in set.of::<PodDisruptionBudget>()? {
        let selector = budget.spec.and_then(|spec| spec.selector).unwrap_or_default();
        if pods.iter().filter(|pods| selects(&selector, &pods.labels)).count() != 1 {
            let name = budget.metadata.name.unwrap_or_default();
            wrong.push(format!("PodDisruptionBudget/{name}: does not select the pods of one object"));
        }
    }
    for scaler in set.of::<HorizontalPodAutoscaler>()? {
        let name = scaler.metadata.name.unwrap_or_default();
        let Some(target) = scaler.spec.map(|spec| spec.scale_target_ref) else { continue };
        let scaled = set.objects.iter().find(|object| object.kind == target.kind && object.name == target.name);
        // SpinKube makes a Deployment of the SpinApp's name.
        let app = set.objects.iter().find(|object| object.kind == "SpinApp" && object.name == target.name);
        match (scaled, app) {
            (Some(scaled), _) if scaled.value.pointer("/spec/replicas").is_some() => {
                wrong.push(format!("{}: names a number of replicas, which HPA/{name} decides", scaled.title()));
            }
            (None, None) => wrong.push(format!("HPA/{name}: there is no {}/{}", target.kind, target.name)),
            _ => {}
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const LABELS: &str =
        "{app.kubernetes.io/name: wiki, app.kubernetes.io/instance: i, app.kubernetes.io/component: c}";

    fn good() -> String {
        format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d, labels: {LABELS}}}
spec:
  selector: {{matchLabels: {LABELS}}}
  template:
    metadata: {{labels: {LABELS}}}
    spec:
      topologySpreadConstraints: [{{topologyKey: k, labelSelector: {{matchLabels: {{app.kubernetes.io/name: wiki}}}}}}]
      containers: []
---
apiVersion: v1
kind: Service
metadata: {{name: s, labels: {LABELS}}}
spec: {{selector: {{app.kubernetes.io/component: c}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: b, labels: {LABELS}}}
spec: {{selector: {{matchLabels: {{app.kubernetes.io/component: c}}}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: h, labels: {LABELS}}}
spec: {{maxReplicas: 2, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: d}}}}
"
        )
    }

    #[test]
    fn what_finds_each_other_is_right() {
        assert_eq!(check(&set(&good())).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_is_named() {
        let good = good();
        for (from, to, what) in [
            (
                format!("template:\n    metadata: {{labels: {LABELS}}}"),
                "template: ".to_owned(),
                "does not select its own pods",
            ),
            (
                "labelSelector: {matchLabels: {app.kubernetes.io/name: wiki}}".into(),
                "labelSelector: {matchLabels: {a: b}}".into(),
                "spread",
            ),
            (
                "spec: {selector: {app.kubernetes.io/component: c}}".into(),
                "spec: {selector: {a: b}}".into(),
                "Service/s",
            ),
            (
                "spec: {selector: {matchLabels: {app.kubernetes.io/component: c}}}".into(),
                "spec: {selector: {matchLabels: {a: b}}}".into(),
                "PodDisruptionBudget/b",
            ),
            ("name: d}}".into(), "name: x}}".into(), "there is no Deployment/x"),
            ("spec:\n  selector".into(), "spec:\n  replicas: 2\n  selector".into(), "names a number of replicas"),
            (
                "{name: s, labels: {app.kubernetes.io/name: wiki,".into(),
                "{name: s, labels: {".into(),
                "has no label app.kubernetes.io/name",
            ),
        ] {
            assert!(good.contains(&from), "{from}");
            let wrong = check(&set(&good.replace(&from, &to))).unwrap();
            assert!(wrong.iter().any(|mistake| mistake.contains(what)), "{what}: {wrong:?}");
        }
        let twice = check(&set(&format!("{good}\n---\n{good}"))).unwrap();
        assert!(twice.contains(&"Deployment/d: twice".to_owned()), "{twice:?}");
    }
}
