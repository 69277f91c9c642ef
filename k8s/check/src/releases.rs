//! What Helm does with a release besides creating its objects: it runs hooks, before anything else is there or once all
//! of it is ready, and with `--wait` it waits for pods and claims.

use std::collections::BTreeSet;

use crate::objects::{Fields, Object, Pods, Set};

/// The only phase of hooks here. Others run before the release's own objects are there, or after its pods are ready,
/// which wait for the migration.
const PHASE: &str = "test";

/// What is wrong with the hooks and claims of a set that Helm installs.
pub fn check(set: &Set) -> Vec<String> {
    let hooks: Vec<_> = set.objects.iter().filter(|object| !phase(object).is_empty()).collect();
    let mut wrong = Vec::new();
    for hook in &hooks {
        let title = hook.title();
        if hook.kind == "PersistentVolumeClaim" {
            wrong.push(format!("{title}: is a hook, which Helm deletes with all that is in it"));
        }
        if phase(hook) != PHASE {
            wrong.push(format!("{title}: is a hook: helm --wait would not end, or other objects are not there yet"));
        }
    }
    if set.objects.iter().any(|object| annotation(object, "labels", "app.kubernetes.io/managed-by") == "Helm") {
        wrong.extend(claims(set, &hooks));
    }
    wrong
}

fn annotation(object: &Object, kind: &str, name: &str) -> String {
    object.value.map(&format!("/metadata/{kind}")).remove(name).unwrap_or_default()
}

/// When Helm runs an object as a hook; empty if it is none.
fn phase(object: &Object) -> String {
    annotation(object, "annotations", "helm.sh/hook")
}

/// Claims that Helm would wait for in vain, where the storage class binds them at their first use, and those that go with the
/// release.
fn claims(set: &Set, hooks: &[&Object]) -> Vec<String> {
    let starts = |pods: &Pods| {
        let Some(owner) = set.objects.iter().find(|object| object.title() == pods.owner) else { return false };
        let is_hook = hooks.iter().any(|hook| hook.title() == pods.owner);
        let is_stopped = owner.value.pointer("/spec/replicas").is_some_and(|replicas| replicas == 0);
        owner.kind != "CronJob" && !is_hook && !is_stopped
    };
    let pods = set.pods();
    let mounted: BTreeSet<_> = pods
        .iter()
        .filter(|pods| starts(pods))
        .flat_map(|pods| pods.spec.list("/volumes"))
        .map(|volume| volume.text("/persistentVolumeClaim/claimName"))
        .collect();
    let mut wrong = Vec::new();
    for claim in set.of("PersistentVolumeClaim") {
        if !mounted.contains(claim.name.as_str()) {
            wrong.push(format!("{}: no pod that the release starts mounts it: helm --wait may not end", claim.title()));
        }
        if annotation(claim, "annotations", "helm.sh/resource-policy") != "keep" {
            wrong.push(format!("{}: helm uninstall deletes it", claim.title()));
        }
    }
    wrong
}
