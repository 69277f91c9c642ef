//! Whether selectors find their own pods and no others. An operator's pods are known by their labels only, which is why no
//! linter can check this.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::objects::{Fields, Object, Pods, Set, has_all, selects};

/// Names that two objects share, and selectors of a set that find too much or too little.
pub fn check(set: &Set) -> Vec<String> {
    let mut known = BTreeSet::new();
    let titles = set.objects.iter().map(Object::title);
    let mut wrong: Vec<_> =
        titles.filter(|title| !known.insert(title.clone())).map(|title| format!("{title}: twice")).collect();
    let pods = set.pods();
    wrong.extend(workloads(set, &pods));
    wrong.extend(others(set, &pods));
    let scalers = set.of("HorizontalPodAutoscaler").chain(set.of("ScaledObject"));
    wrong.extend(scalers.filter_map(|scaler| target(scaler, set)));
    wrong
}

/// Deployments and StatefulSets select their own pods, and no others; so do the rules that spread them.
fn workloads(set: &Set, pods: &[Pods]) -> Vec<String> {
    let mut wrong = Vec::new();
    let owners: Vec<_> = set.of("Deployment").chain(set.of("StatefulSet")).collect();
    for pods in pods {
        for owner in &owners {
            let (own, title) = (owner.title() == pods.owner, owner.title());
            match (own, selects(&owner.value["spec"]["selector"], &pods.labels)) {
                (true, false) => wrong.push(format!("{title}: does not select its own pods")),
                (false, true) => wrong.push(format!("{title}: selects the pods of {}", pods.owner)),
                _ => {}
            }
        }
        for rule in pods.spec.list("/topologySpreadConstraints") {
            if !rule.get("labelSelector").is_some_and(|selector| selects(selector, &pods.labels)) {
                wrong.push(format!("{}: is spread by the labels of others", pods.owner));
            }
        }
    }
    wrong
}

/// Services and disruption budgets select the pods of one object.
fn others(set: &Set, pods: &[Pods]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect_one = |object: &Object, selected: Vec<&Pods>| {
        if selected.len() != 1 {
            let owners: Vec<_> = selected.iter().map(|pods| pods.owner.as_str()).collect();
            wrong.push(format!(
                "{}: selects the pods of {} objects, not one: {owners:?}",
                object.title(),
                owners.len()
            ));
        }
    };
    // One without a selector is where nothing is to be reached.
    for service in set.of("Service").filter(|service| service.value.pointer("/spec/selector").is_some()) {
        let selector = service.value.map("/spec/selector");
        expect_one(service, pods.iter().filter(|pods| has_all(&pods.labels, &selector)).collect());
    }
    for budget in set.of("PodDisruptionBudget") {
        let selector = &budget.value["spec"]["selector"];
        expect_one(budget, pods.iter().filter(|pods| selects(selector, &pods.labels)).collect());
    }
    wrong
}

/// What is wrong with the target of an autoscaler. SpinKube makes a Deployment with the name of the SpinApp.
fn target(scaler: &Object, set: &Set) -> Option<String> {
    let Value::Object(target) = scaler.value.pointer("/spec/scaleTargetRef")? else { return None };
    // KEDA's default.
    let kind = target.get("kind").and_then(Value::as_str).unwrap_or("Deployment");
    let name = target.get("name")?.as_str()?;
    match set.of(kind).find(|object| object.name == name) {
        Some(scaled) if scaled.value.pointer("/spec/replicas").is_some() => {
            Some(format!("{}: sets replicas, which {} decides", scaled.title(), scaler.title()))
        }
        None if !set.of("SpinApp").any(|app| app.name == name) => {
            Some(format!("{}: there is no {kind}/{name}", scaler.title()))
        }
        _ => None,
    }
}
