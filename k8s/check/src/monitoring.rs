//! Whether alerts and dashboards ask for numbers that exist, and whether Prometheus finds where to read them.

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use serde_json::Value;

use crate::objects::{Object, Set, has_all};

/// Histograms, of which Prometheus has `_bucket`, `_sum` and `_count`.
const HISTOGRAMS: [&str; 3] =
    ["wiki_runner_request_duration_seconds", "wiki_runner_pool_wait_seconds", "wiki_runner_query_duration_seconds"];

/// The other metrics: the runner's, the wiki's (docs/API.md), and those of kube-state-metrics that alerts use.
const METRICS: [&str; 32] = [
    "wiki_runner_requests_total",
    "wiki_runner_requests_in_flight",
    "wiki_runner_connections",
    "wiki_runner_connections_refused_total",
    "wiki_runner_instances",
    "wiki_runner_instances_created_total",
    "wiki_runner_instances_reused_total",
    "wiki_runner_instances_discarded_total",
    "wiki_runner_pool_connections",
    "wiki_runner_pool_waiting",
    "wiki_runner_pool_timeouts_total",
    "wiki_runner_query_errors_total",
    "wiki_runner_received_bytes_total",
    "wiki_runner_sent_bytes_total",
    "wiki_runner_build_info",
    // What the HPA's metrics adapter is told to make of requests_total.
    "wiki_runner_requests_per_second",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
    "users_created_total",
    "posts_created_total",
    "revisions_created_total",
    "wiki_users",
    "wiki_posts",
    "wiki_revisions",
    "wiki_build_info",
    "kube_cronjob_status_last_successful_time",
    "kube_deployment_status_replicas_available",
    "kube_pod_container_resource_limits",
    "kube_pod_container_status_restarts_total",
];

/// Beginnings of words that are metrics, so that any other word of an expression is none.
const PREFIXES: [&str; 6] = ["wiki_", "process_", "users_", "posts_", "revisions_", "kube_"];

/// What the chart's alerts.yaml has in place of labels.
const PLACEHOLDERS: [&str; 3] = ["<runner>", "<namespace>", "<name>"];

/// What is wrong with the monitoring in a set.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for rule in set.custom("monitoring.coreos.com/v1", "PrometheusRule") {
        wrong.extend(alerts(rule));
    }
    for map in set.of::<ConfigMap>()? {
        let name = map.metadata.name.unwrap_or_default();
        for (key, text) in map.data.into_iter().flatten().filter(|(key, _)| key.ends_with(".json")) {
            match serde_json::from_str::<Value>(&text) {
                Ok(dashboard) => {
                    let unknown = expressions(&dashboard).into_iter().flat_map(unknown_metrics);
                    wrong.extend(unknown.map(|metric| format!("ConfigMap/{name}: {key}: there is no metric {metric}")));
                }
                Err(error) => wrong.push(format!("ConfigMap/{name}: {key}: {error}")),
            }
        }
    }
    let services = set.of::<Service>()?;
    for monitor in set.custom("monitoring.coreos.com/v1", "ServiceMonitor") {
        wrong.extend(endpoints(monitor, &services));
    }
    Ok(wrong)
}

/// Alerts that ask for what nobody measures, or whose runbook is not under their name.
fn alerts(rule: &Object) -> Vec<String> {
    let mut wrong = Vec::new();
    let groups = rule.value.pointer("/spec/groups").and_then(Value::as_array).into_iter().flatten();
    for alert in groups.filter_map(|group| group.get("rules")?.as_array()).flatten() {
        let text = |pointer: &str| alert.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = text("/alert");
        wrong.extend(unknown_metrics(text("/expr")).map(|metric| format!("{name}: there is no metric {metric}")));
        if !text("/annotations/runbook_url").ends_with(&format!("#{}", name.to_lowercase())) {
            wrong.push(format!("{name}: its runbook is not under its name"));
        }
        if PLACEHOLDERS.iter().any(|placeholder| text("/expr").contains(placeholder)) {
            wrong.push(format!("{name}: a placeholder was left"));
        }
        for needed in ["/labels/severity", "/annotations/summary", "/annotations/description"] {
            if text(needed).is_empty() {
                wrong.push(format!("{name}: has no {needed}"));
            }
        }
    }
    wrong
}

/// Metrics in an expression that nobody measures.
fn unknown_metrics(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let metrics = words.filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)));
    metrics.filter(|metric| {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| metric.strip_suffix(suffix));
        !METRICS.contains(metric) && !histogram.is_some_and(|histogram| HISTOGRAMS.contains(&histogram))
    })
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
fn endpoints(monitor: &Object, services: &[Service]) -> Vec<String> {
    let labels = monitor.value.pointer("/spec/selector/matchLabels").cloned().unwrap_or_default();
    let Ok(labels) = serde_json::from_value(labels) else {
        return vec![format!("{}: selects nothing", monitor.title())];
    };
    let selected: Vec<_> = services
        .iter()
        .filter(|service| has_all(&service.metadata.labels.clone().unwrap_or_default(), &labels))
        .collect();
    // Two would mean that every pod is read twice.
    let [service] = selected.as_slice() else {
        return vec![format!("{}: selects {} Services, not one", monitor.title(), selected.len())];
    };
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let known: Vec<_> = ports.filter_map(|port| port.name.as_deref()).collect();
    let endpoints = monitor.value.pointer("/spec/endpoints").and_then(Value::as_array).into_iter().flatten();
    let wanted = endpoints.map(|endpoint| endpoint.get("port").and_then(Value::as_str).unwrap_or_default());
    let missing = wanted.filter(|port| !known.contains(port));
    missing.map(|port| format!("{}: the Service has no port {port:?}", monitor.title())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const GOOD: &str = "
apiVersion: v1
kind: Service
metadata: {name: s, labels: {a: b}}
spec: {ports: [{name: admin, port: 9090}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: m}
spec: {selector: {matchLabels: {a: b}}, endpoints: [{port: admin}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: r}
spec:
  groups:
    - rules:
        - alert: Down
          expr: up == 0 or wiki_runner_pool_wait_seconds_bucket > 1
          labels: {severity: critical}
          annotations: {summary: s, description: d, runbook_url: x#down}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: d}
data: {x.json: '{\"panels\": [{\"targets\": [{\"expr\": \"rate(wiki_posts[5m])\"}]}]}'}
";

    #[test]
    fn what_is_measured_may_be_asked_for() {
        assert_eq!(check(&set(GOOD)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_measured_is_named() {
        for (from, to, what) in [
            ("wait_seconds_bucket", "wait_seconds", "Down: there is no metric wiki_runner_pool_wait_seconds"),
            ("wiki_posts", "wiki_pages", "ConfigMap/d: x.json: there is no metric wiki_pages"),
            ("x#down", "x#up", "Down: its runbook is not under its name"),
            ("up == 0", "up{<runner>} == 0", "Down: a placeholder was left"),
            ("severity: critical", "", "Down: has no /labels/severity"),
            ("endpoints: [{port: admin}]", "endpoints: [{port: http}]", "the Service has no port \"http\""),
            ("labels: {a: b}}\nspec: {ports", "labels: {a: c}}\nspec: {ports", "selects 0 Services"),
            ("{\\\"panels", "{panels", "ConfigMap/d: x.json: key must be a string"),
        ] {
            let from = from.replace('\\', "");
            assert!(GOOD.contains(&from), "{from}");
            let wrong = check(&set(&GOOD.replace(&from, to))).unwrap();
            assert!(wrong.iter().any(|mistake| mistake.contains(what)), "{what}: {wrong:?}");
        }
    }
}
