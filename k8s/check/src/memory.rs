//! Whether what the runner may use of its memory fits the limit of its pod, and whether the wiki has the same limit wherever it
//! runs.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::objects::{Labels, Set};
use crate::settings;

/// The setting that every container has which runs `wiki-runner serve`.
const SERVES: &str = "LISTEN_ADDR";

/// What the runner takes itself beside guests and buffers, in bytes: `docs/OPERATIONS.md`, "Sizing".
const OWN: u64 = 64 << 20;

/// What Spin takes with 256 clients, in bytes: `docs/DEPLOYMENT.md`, "SpinKube".
const SPIN: u64 = 1_650_000_000;

/// Pods whose limit does not fit what runs in them.
pub fn check(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        for container in pods.containers() {
            let settings = settings::of(container, set);
            if settings.contains_key(SERVES) {
                wrong.extend(runner(container, &settings).map(|what| format!("{}: {what}", pods.owner)));
            }
        }
    }
    for app in set.of("SpinApp") {
        if limit(&app.value, "/spec/resources/limits/memory").is_none_or(|limit| limit < SPIN) {
            wrong.push(format!("{}: Spin needs a memory limit of at least {SPIN} bytes", app.title()));
        }
    }
    wrong
}

fn runner(container: &Value, settings: &Labels) -> Option<String> {
    let Some(limit) = limit(container, "/resources/limits/memory") else {
        return Some("without a memory limit, the runner takes what it would take of a whole machine".into());
    };
    let setting = |name: &str, default: u64| match settings.get(name) {
        None => Some(default),
        Some(given) => bytes(given.trim_end_matches('B').trim_end()),
    };
    let guests = setting("RUNNER_GUEST_MEMORY", limit / 2);
    let buffers = setting("RUNNER_BUFFER_MEMORY", limit / 8);
    match (guests, buffers) {
        (Some(guests), Some(buffers)) if guests + buffers + OWN <= limit => None,
        (Some(guests), Some(buffers)) => Some(format!(
            "guests may take {guests} bytes, buffers {buffers}, and the runner takes {OWN}, but the memory limit is {limit}"
        )),
        _ => Some("RUNNER_GUEST_MEMORY and RUNNER_BUFFER_MEMORY are sizes such as 128MiB".into()),
    }
}

/// Whether Compose limits the wiki as the chart does.
pub fn compose(root: &Path) -> anyhow::Result<Vec<String>> {
    let read = |file: &str| -> anyhow::Result<Value> {
        let text = fs::read_to_string(root.join(file)).with_context(|| file.to_owned())?;
        serde_saphyr::from_str(&text).with_context(|| file.to_owned())
    };
    let chart = limit(&read("k8s/chart/values.yaml")?, "/wiki/resources/limits/memory");
    let compose = limit(&read("compose.yaml")?, "/services/wiki/mem_limit");
    Ok(if chart.is_some() && chart == compose {
        vec![]
    } else {
        vec![format!("compose.yaml limits the wiki to {compose:?} bytes, and values.yaml of the chart to {chart:?}")]
    })
}

fn limit(value: &Value, pointer: &str) -> Option<u64> {
    match value.pointer(pointer)? {
        Value::String(text) => bytes(text),
        number => number.as_u64(),
    }
}

/// A quantity of Kubernetes, whole and without exponents, or a size of Docker (`256m`).
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" | "m" => 1 << 20,
        "Gi" | "g" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, size) in [
            ("256Mi", Some(256 << 20)),
            ("256m", Some(256 << 20)),
            ("1Gi", Some(1 << 30)),
            ("200M", Some(200_000_000)),
            ("1024", Some(1024)),
            ("Mi", None),
            ("1.5Gi", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }

    #[test]
    fn guests_and_buffers_fit_into_the_limit() {
        let found = |limit: &str, settings: &[(&str, &str)]| {
            let container = serde_json::json!({"resources": {"limits": {"memory": limit}}});
            let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            runner(&container, &settings)
        };
        assert_eq!(found("256Mi", &[]), None);
        assert_eq!(found("256Mi", &[("RUNNER_GUEST_MEMORY", "160MiB")]), None);
        assert!(found("256Mi", &[("RUNNER_GUEST_MEMORY", "192MiB")]).is_some());
        assert!(found("256Mi", &[("RUNNER_BUFFER_MEMORY", "much")]).is_some());
        assert!(found("128Mi", &[]).is_some(), "too small for the runner itself");
        assert!(runner(&serde_json::json!({}), &Labels::new()).is_some());
    }
}
