//! What Helm does with a release besides creating its objects: it runs hooks, some of them before anything else is there, and
//! with `--wait` it waits for claims.

use std::collections::BTreeSet;

use crate::network;
use crate::objects::{Fields, Object, Pods, Set};
use crate::references;

/// Phases in which the release's own objects do not exist, or are those of the release before.
const EARLY: [&str; 3] = ["pre-install", "pre-upgrade", "pre-rollback"];

/// An object that is a hook.
struct Hook<'a> {
    object: &'a Object,
    phases: BTreeSet<String>,
    weight: i64,
    delete: String,
}

/// What is wrong with the hooks and claims of a set that Helm installs.
pub fn check(set: &Set) -> Vec<String> {
    let hooks: Vec<_> = set.objects.iter().filter_map(hook).collect();
    let mut wrong = Vec::new();
    for hook in &hooks {
        let title = hook.object.title();
        if hook.object.kind == "PersistentVolumeClaim" {
            wrong.push(format!("{title}: is a hook, which Helm deletes with all that is in it"));
        }
        if hook.object.kind == "Job" && hook.delete.contains("hook-failed") {
            wrong.push(format!("{title}: goes with its log when it fails"));
        }
        if hook.phases.iter().any(|phase| EARLY.contains(&phase.as_str())) {
            let before = |other: &&Hook<'_>| other.weight < hook.weight && other.phases.is_superset(&hook.phases);
            let earlier: Vec<_> = hooks.iter().filter(before).map(|other| other.object.clone()).collect();
            wrong.extend(early(hook, earlier, set));
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

fn hook(object: &Object) -> Option<Hook<'_>> {
    let annotation = |name: &str| annotation(object, "annotations", name);
    let phases = annotation("helm.sh/hook");
    (!phases.is_empty()).then(|| Hook {
        object,
        phases: phases.split(',').map(|phase| phase.trim().to_owned()).collect(),
        weight: annotation("helm.sh/hook-weight").parse().unwrap_or_default(),
        delete: annotation("helm.sh/hook-delete-policy"),
    })
}

/// What a hook needs, and neither exists before the release nor is an earlier hook.
fn early(hook: &Hook<'_>, earlier: Vec<Object>, set: &Set) -> Vec<String> {
    let title = hook.object.title();
    let mut known = references::given(set);
    known.extend(earlier.iter().flat_map(references::names));
    let missing = references::wanted(hook.object).into_iter().filter(|wanted| !known.contains(wanted));
    let mut wrong: Vec<_> = missing.map(|wanted| format!("{title}: runs before there is a {wanted}")).collect();
    let pods = set.pods();
    if set.of("NetworkPolicy").next().is_some()
        && let Some(own) = pods.iter().find(|pods| pods.owner == title)
    {
        let policies: Vec<_> = earlier.iter().filter(|object| object.kind == "NetworkPolicy").collect();
        if !network::may_leave(&policies, own) {
            wrong.push(format!("{title}: runs before there is a NetworkPolicy by which it reaches the database"));
        }
        for database in pods.iter().filter(|pods| network::is_database(pods)) {
            if !network::lets_in(&policies, own, database) {
                wrong.push(format!(
                    "{title}: runs before there is a NetworkPolicy that lets it in at {}",
                    database.owner
                ));
            }
        }
    }
    wrong
}

/// Claims that Helm would wait for in vain, where the storage class binds them at their first use, and those that go with the
/// release.
fn claims(set: &Set, hooks: &[Hook<'_>]) -> Vec<String> {
    let starts = |pods: &Pods| {
        let Some(owner) = set.objects.iter().find(|object| object.title() == pods.owner) else { return false };
        let is_hook = hooks.iter().any(|hook| hook.object.title() == pods.owner);
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
