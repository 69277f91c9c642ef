//! Names and labels that Kubernetes would refuse when they are applied; its schemas only say that they are text.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::objects::Set;
use crate::security::containers;

/// Characters in the name of an object, in a label's value and in most other places (RFC 1123).
const LABEL: usize = 63;

/// Characters in the name of a CronJob: its Jobs have 11 more.
const CRON_JOB: usize = 52;

/// Characters in the name of a StatefulSet: a label of its pods has 11 more.
const STATEFUL_SET: usize = 52;

/// Characters in the name of a port (RFC 6335).
const PORT: usize = 15;

/// Characters in the name of a CloudNativePG cluster.
const CLUSTER: usize = 50;

/// Names of a set that are too long or have characters that names may not have.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for object in &set.objects {
        let limit = match object.kind.as_str() {
            "CronJob" => CRON_JOB,
            "StatefulSet" => STATEFUL_SET,
            "Cluster" => CLUSTER,
            _ => LABEL,
        };
        if object.name.len() > limit || !is_name(&object.name) {
            wrong.push(format!("{}: is no name of at most {limit} characters", object.title()));
        }
        wrong.extend(labels(&object.title(), &object.labels()));
    }
    for pods in set.pods()?.iter().filter(|pods| !pods.foreign) {
        wrong.extend(labels(&format!("pods of {}", pods.owner), &pods.labels));
        let ports = containers(&pods.spec).flat_map(|container| container.ports.iter().flatten());
        for name in ports.filter_map(|port| port.name.as_deref()).filter(|name| name.len() > PORT || !is_name(name)) {
            wrong.push(format!("{}: {name} is no name of a port", pods.owner));
        }
    }
    Ok(wrong)
}

fn labels<'a>(of: &str, labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |value: &str| {
        value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let wrong = labels
        .into_iter()
        .filter(|(_, value)| !value.is_empty() && (value.len() > LABEL || !value.chars().all(allowed) || !ends(value)));
    wrong.map(|(name, value)| format!("{of}: {value:?} is no value of the label {name}")).collect()
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    text.chars().all(allowed) && !text.starts_with(['-', '.']) && !text.ends_with(['-', '.']) && !text.is_empty()
}

/// Alerts of the chart without a heading of their name in docs/OPERATIONS.md, which their runbook links lead to. None while
/// there is no such file.
pub fn runbooks(root: &Path) -> anyhow::Result<Vec<String>> {
    let handbook = root.join("docs/OPERATIONS.md");
    if !handbook.exists() {
        println!("left out: docs/OPERATIONS.md, which the alerts' links lead to, is not there yet");
        return Ok(Vec::new());
    }
    let read = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
    let (alerts, handbook) = (read(&root.join("k8s/chart/alerts.yaml"))?, read(&handbook)?);
    let heading =
        |name: &str| handbook.lines().any(|line| line.starts_with('#') && line.trim_start_matches('#').trim() == name);
    let names = alerts.lines().filter_map(|line| line.strip_prefix("- alert: "));
    Ok(names.filter(|name| !heading(name)).map(|name| format!("docs/OPERATIONS.md has no heading {name}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    fn wrong(kind: &str, name: &str, label: &str) -> Vec<String> {
        check(&set(&format!(
            "apiVersion: a.b/v1\nkind: {kind}\nmetadata: {{name: {name}, labels: {{l: '{label}'}}}}\n"
        )))
        .unwrap()
    }

    #[test]
    fn names_that_kubernetes_takes_are_right() {
        assert_eq!(wrong("Thing", &"a".repeat(63), "1.0_x-Y"), Vec::<String>::new());
        assert_eq!(wrong("Thing", "a-1.b", ""), Vec::<String>::new());
    }

    #[test]
    fn names_that_it_refuses_are_named() {
        for (kind, name, label) in [
            ("Thing", "a".repeat(64), "x"),
            ("Thing", "A".into(), "x"),
            ("Thing", "a-".into(), "x"),
            ("Cluster", "a".repeat(51), "x"),
            ("Thing", "a".into(), "x/y"),
            ("Thing", "a".into(), "-x"),
            ("Thing", "a".into(), &"x".repeat(64)),
        ] {
            assert_eq!(wrong(kind, &name, label).len(), 1, "{kind} {name} {label}");
        }
    }

    #[test]
    fn every_alert_has_a_heading_once_there_is_a_handbook() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("k8s/chart")).unwrap();
        fs::create_dir_all(root.path().join("docs")).unwrap();
        fs::write(root.path().join("k8s/chart/alerts.yaml"), "- alert: Down\n- alert: Up\n").unwrap();
        assert_eq!(runbooks(root.path()).unwrap(), Vec::<String>::new());
        fs::write(root.path().join("docs/OPERATIONS.md"), "# Alerts\n\n### Down\n").unwrap();
        assert_eq!(runbooks(root.path()).unwrap(), ["docs/OPERATIONS.md has no heading Up"]);
    }
}
