//! Whether alerts and dashboards use metrics that exist, and whether Prometheus finds where to read them. Prometheus' own tool
//! checks the syntax of an expression, but does not know our metrics.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::network::{has_port, shown};
use crate::objects::{Fields, Object, Set, has_all, selects};

/// Every metric that alerts and dashboards may use.
const METRICS: &str = include_str!("../metrics.txt");

/// Beginnings of words that are metrics, so that any other word of an expression is none.
const PREFIXES: [&str; 8] = ["wiki_", "wasiki_", "process_", "users_", "posts_", "revisions_", "kube_", "kafka_"];

/// The port that Dapr's injector gives a sidecar for its metrics.
const SIDECAR: &str = "dapr-metrics";

/// What is wrong with the monitoring in a set.
pub fn check(set: &Set) -> Vec<String> {
    let mut wrong: Vec<String> = set.of("PrometheusRule").flat_map(alerts).collect();
    for map in set.of("ConfigMap") {
        for (key, text) in map.value.map("/data").iter().filter(|(key, _)| key.ends_with(".json")) {
            match serde_json::from_str::<Value>(text) {
                Ok(dashboard) => {
                    let unknown = expressions(&dashboard).into_iter().flat_map(unknown_metrics);
                    wrong.extend(unknown.map(|metric| format!("{}: {key}: there is no metric {metric}", map.title())));
                }
                Err(error) => wrong.push(format!("{}: {key}: {error}", map.title())),
            }
        }
    }
    wrong.extend(set.of("ServiceMonitor").flat_map(|monitor| endpoints(monitor, set)));
    wrong.extend(set.of("PodMonitor").flat_map(|monitor| pod_endpoints(monitor, set)));
    wrong
}

/// Alerts about metrics that do not exist, or whose runbook link does not lead to their name.
fn alerts(rule: &Object) -> Vec<String> {
    let mut wrong = Vec::new();
    for alert in rule.value.list("/spec/groups").iter().flat_map(|group| group.list("/rules")) {
        let name = alert.text("/alert");
        wrong.extend(unknown_metrics(alert.text("/expr")).map(|metric| format!("{name}: there is no metric {metric}")));
        if !alert.text("/annotations/runbook_url").ends_with(&format!("#{}", name.to_lowercase())) {
            wrong.push(format!("{name}: its runbook is not under its name"));
        }
    }
    wrong
}

/// Metrics in an expression that do not exist.
fn unknown_metrics(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let metrics = words.filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)));
    metrics.filter(|metric| !METRICS.lines().any(|known| known == *metric))
}

/// Every `expr` and `query` of a dashboard.
fn expressions(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(text) if name == "expr" || name == "query" => vec![text],
                _ => expressions(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(expressions).collect(),
        _ => vec![],
    }
}

/// Endpoints that no selected Service has.
fn endpoints(monitor: &Object, set: &Set) -> Vec<String> {
    let labels = monitor.value.map("/spec/selector/matchLabels");
    let selected: Vec<_> =
        set.of("Service").filter(|service| has_all(&service.value.map("/metadata/labels"), &labels)).collect();
    // With two, Prometheus would read every pod twice.
    let [service] = selected.as_slice() else {
        return vec![format!("{}: selects {} Services, not one", monitor.title(), selected.len())];
    };
    let known: Vec<_> = service.value.list("/spec/ports").iter().map(|port| port.text("/name")).collect();
    let wanted = monitor.value.list("/spec/endpoints").iter().map(|endpoint| endpoint.text("/port"));
    let missing = wanted.filter(|port| !known.contains(port));
    missing.map(|port| format!("{}: the Service has no port {port:?}", monitor.title())).collect()
}

/// Endpoints that none of the selected pods have. Ports of an operator's pods, and of sidecars, are not known here.
fn pod_endpoints(monitor: &Object, set: &Set) -> Vec<String> {
    let pods = set.pods();
    let selector = &monitor.value["spec"]["selector"];
    let cluster = monitor.value.map("/spec/selector/matchLabels").remove("strimzi.io/cluster");
    if let Some(name) = cluster {
        let exists = set.of("Kafka").any(|kafka| kafka.name == name);
        return if exists { vec![] } else { vec![format!("{}: there is no Kafka/{name}", monitor.title())] };
    }
    let selected: Vec<_> = pods.iter().filter(|pods| selects(selector, &pods.labels)).collect();
    if selected.is_empty() {
        return vec![format!("{}: selects no pods", monitor.title())];
    }
    let wanted = monitor.value.list("/spec/podMetricsEndpoints").iter().map(|endpoint| &endpoint["port"]);
    let is_missing = |port: &&Value| {
        **port != SIDECAR && selected.iter().any(|pods| !pods.containers().any(|container| has_port(container, port)))
    };
    wanted
        .filter(is_missing)
        .map(|port| format!("{}: not all pods have port {}", monitor.title(), shown(port)))
        .collect()
}

/// Metrics of the runner that docs/OPERATIONS.md has and `metrics.txt` lacks.
pub fn unlisted(root: &Path) -> anyhow::Result<Vec<String>> {
    let handbook = fs::read_to_string(root.join("docs/OPERATIONS.md")).context("docs/OPERATIONS.md")?;
    let names = handbook.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names: BTreeSet<_> = names.filter(|word| word.starts_with("wiki_runner_")).collect();
    let is_listed = |name: &str| {
        // A histogram is three metrics, and the OpenMetrics format leaves `_info` out of the name of a type.
        ["", "_bucket", "_info"].iter().any(|suffix| METRICS.lines().any(|known| known == format!("{name}{suffix}")))
    };
    let missing = names.into_iter().filter(|name| !is_listed(name));
    Ok(missing.map(|name| format!("k8s/check/metrics.txt lacks {name}, which docs/OPERATIONS.md has")).collect())
}

/// Alerts of the chart without a heading of their name in docs/OPERATIONS.md, to which their runbook links lead.
pub fn runbooks(root: &Path) -> anyhow::Result<Vec<String>> {
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let (alerts, handbook) = (read("k8s/chart/alerts.yaml")?, read("docs/OPERATIONS.md")?);
    let headings: Vec<_> =
        handbook.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim()).collect();
    let names = alerts.lines().filter_map(|line| line.strip_prefix("- alert: "));
    let missing = names.filter(|name| !headings.contains(name));
    Ok(missing.map(|name| format!("docs/OPERATIONS.md has no heading {name}")).collect())
}
