//! Whether a database has enough connections for the SpinApps that are meant for it. The chart checks its own pods by itself.

use anyhow::Context;
use serde_json::Value;

use crate::objects::{Fields, Object, Set};

/// The chart's values for a database of SpinApps, and for one with a broker.
pub const DATABASE: &str = "values-database-only.yaml";
pub const EVENTS: &str = "values-database-events.yaml";

/// How `given` of a set of SpinApps says how many connections that database has.
const GIVEN: &str = "Connections/";

/// Spin's pool for each database: `CONNECTION_POOL_SIZE` in its crates/factor-outbound-pg/src/client.rs.
const POOL: u64 = 64;

/// For dumps, administrators and PostgreSQL's own, as in the chart.
const RESERVE: u64 = 10;

/// The connections of the database that the chart makes with some values, as an entry of `given`.
pub fn given(sets: &[Set], values: &str) -> anyhow::Result<String> {
    let set = sets.iter().find(|set| set.name == values).with_context(|| values.to_owned())?;
    let pods = set.pods();
    let mut args = pods.iter().flat_map(|pods| pods.containers()).flat_map(|container| container.list("/args"));
    let connections = args.find_map(|arg| arg.as_str()?.strip_prefix("max_connections="));
    Ok(format!("{GIVEN}{}", connections.with_context(|| format!("{values}: no max_connections"))?))
}

/// SpinApps that may open more connections than the database of their set has.
pub fn check(set: &Set) -> Vec<String> {
    let Some(most) = set.given.iter().find_map(|given| given.strip_prefix(GIVEN)?.parse::<u64>().ok()) else {
        return vec![];
    };
    let mut wrong = Vec::new();
    let mut sum = RESERVE;
    for app in set.of("SpinApp") {
        match replicas(app, set) {
            Some(replicas) => sum += (replicas + replicas.div_ceil(4)) * POOL,
            None => wrong.push(format!("{}: nothing says how many pods it may have", app.title())),
        }
    }
    if sum > most {
        wrong.push(format!("SpinApps may open {sum} connections, but their database allows {most}"));
    }
    wrong
}

/// The most pods of an app. A quarter more run during an update: the default of the Deployment that SpinKube makes.
fn replicas(app: &Object, set: &Set) -> Option<u64> {
    if app.value.pointer("/spec/enableAutoscaling").and_then(Value::as_bool) != Some(true) {
        return app.value.pointer("/spec/replicas")?.as_u64();
    }
    let scalers = set.of("HorizontalPodAutoscaler").chain(set.of("ScaledObject"));
    let of_app = scalers.filter(|scaler| scaler.value.text("/spec/scaleTargetRef/name") == app.name);
    let most =
        of_app.filter_map(|it| it.value.pointer("/spec/maxReplicas").or(it.value.pointer("/spec/maxReplicaCount")));
    most.filter_map(Value::as_u64).max()
}
