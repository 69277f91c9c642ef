//! Whether the runner's settings fit the pod they are for: its files, the administrator's password, the time it has to stop,
//! and the ports that probes ask.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::network::{has_port, shown};
use crate::objects::{Fields, Labels, Pods, Set};

/// The variables with the access mode and the password, as the runner reads them.
const ACCESS: &str = "SPIN_VARIABLE_ACCESS";
const ADMIN_PASSWORD: &str = "SPIN_VARIABLE_ADMIN_PASSWORD";

/// The flag of a runner that serves one component alone.
const COMPONENT: &str = "--component";

/// How the names of the Secrets end that the chart makes for administrators.
const ADMIN_SECRET: &str = "-admin";

/// Kubernetes' default for `terminationGracePeriodSeconds`.
const GRACE_PERIOD: u64 = 30;

/// What is wrong with the settings of a set's pods.
pub fn check(set: &Set) -> Vec<String> {
    let made = set.of("Secret").any(|secret| secret.name.ends_with(ADMIN_SECRET));
    let mut wrong = Vec::new();
    for pods in set.pods() {
        for container in pods.containers() {
            let settings = of(container, set);
            let mut found = missing_files(&settings, container, &pods);
            // Nobody signs in at one component alone that is not the wiki.
            if !container.list("/args").iter().any(|arg| arg == COMPONENT) {
                found.extend(administrator(&settings, made));
            }
            found.extend(probes(container));
            found.extend(killed(&settings, container, &pods));
            wrong.extend(
                found.iter().map(|what| format!("{}: container {}: {what}", pods.owner, container.text("/name"))),
            );
        }
    }
    wrong
}

/// The variables of a container, those from Secrets without their values.
pub fn of(container: &Value, set: &Set) -> Labels {
    let mut settings = Labels::new();
    for source in container.list("/envFrom") {
        let map = set.of("ConfigMap").find(|map| map.name == source.text("/configMapRef/name"));
        settings.extend(map.map(|map| map.value.map("/data")).unwrap_or_default());
    }
    let own = container
        .list("/env")
        .iter()
        .filter(|it| it.get("value").is_some() || it.pointer("/valueFrom/secretKeyRef").is_some());
    settings.extend(own.map(|it| (it.text("/name").to_owned(), it.text("/value").to_owned())));
    settings
}

/// Settings with the path of a file that no volume has. A value that is no path is a name in a folder the program knows.
fn missing_files(settings: &Labels, container: &Value, pods: &Pods) -> Vec<String> {
    let mut files = BTreeSet::new();
    for mount in container.list("/volumeMounts") {
        let volumes = pods.spec.list("/volumes").iter().filter(|volume| volume.text("/name") == mount.text("/name"));
        for source in volumes.flat_map(|volume| volume.list("/projected/sources")) {
            let items = source.list("/secret/items").iter().chain(source.list("/configMap/items"));
            files.extend(items.map(|item| format!("{}/{}", mount.text("/mountPath"), item.text("/path"))));
        }
    }
    let paths = settings.iter().filter(|(name, path)| name.ends_with("_FILE") && path.starts_with('/'));
    let missing = paths.filter(|(_, path)| !files.contains(*path));
    missing.map(|(name, path)| format!("{name}: no volume has {path}")).collect()
}

fn administrator(settings: &Labels, made: bool) -> Option<String> {
    let mode = settings.get(ACCESS)?;
    let has_password =
        [ADMIN_PASSWORD.to_owned(), format!("{ADMIN_PASSWORD}_FILE")].iter().any(|name| settings.contains_key(name));
    match mode.as_str() {
        "open" if has_password || made => Some("is open, and has a password for an administrator".into()),
        "public-read" | "private" if !has_password => {
            Some(format!("is {mode}, and nobody can become its administrator"))
        }
        "open" | "public-read" | "private" => None,
        _ => Some(format!("{ACCESS}: there is no mode {mode:?}")),
    }
}

/// Probes of ports that the container does not have.
fn probes(container: &Value) -> Vec<String> {
    let probes = ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| &container[probe]["httpGet"]["port"]);
    let missing = probes.into_iter().filter(|port| !port.is_null() && !has_port(container, port));
    missing.map(|port| format!("a probe asks port {}, which it does not have", shown(port))).collect()
}

/// Whether Kubernetes kills a pod that takes its time to stop before the runner has stopped.
fn killed(settings: &Labels, container: &Value, pods: &Pods) -> Option<String> {
    let sleep = container.pointer("/lifecycle/preStop/sleep/seconds")?.as_u64()?;
    let seconds = |name: &str| settings.get(name).and_then(|value| value.strip_suffix('s')?.parse::<u64>().ok());
    let needed = sleep + seconds("RUNNER_DRAIN_DELAY").unwrap_or(0) + seconds("RUNNER_GRACE_PERIOD").unwrap_or(0);
    let granted = pods.spec.get("terminationGracePeriodSeconds").and_then(Value::as_u64).unwrap_or(GRACE_PERIOD);
    (granted <= needed).then(|| format!("is killed after {granted} s, but may take {needed} s to stop"))
}
