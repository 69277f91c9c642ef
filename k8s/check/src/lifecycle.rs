//! Whether pods start, are looked at and stop in the right order.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::network::shown;
use crate::objects::Set;
use crate::security::containers;

/// What is wrong with the probes of a set's pods, and with how its Deployments are replaced.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for pods in set.pods()?.iter().filter(|pods| !pods.foreign) {
        for container in containers(&pods.spec) {
            wrong.extend(ports(container).map(|what| format!("{}: container {}: {what}", pods.owner, container.name)));
        }
    }
    for deployment in set.of::<Deployment>()? {
        let name = deployment.metadata.name.clone().unwrap_or_default();
        wrong.extend(updates(&deployment, set)?.into_iter().map(|what| format!("Deployment/{name}: {what}")));
    }
    Ok(wrong)
}

/// Probes of ports that the container does not have.
fn ports(container: &Container) -> impl Iterator<Item = String> {
    let probes = [&container.startup_probe, &container.liveness_probe, &container.readiness_probe];
    let missing = |probe: &Probe| {
        let port = &probe.http_get.as_ref()?.port;
        let known = container.ports.iter().flatten().any(|known| match port {
            IntOrString::Int(number) => known.container_port == *number,
            IntOrString::String(name) => known.name.as_ref() == Some(name),
        });
        (!known).then(|| format!("a probe asks port {}, which it does not have", shown(port)))
    };
    probes.into_iter().flatten().filter_map(missing).collect::<Vec<_>>().into_iter()
}

/// A Deployment's pods have all probes, are replaced without a gap, and get the time they need to end.
fn updates(deployment: &Deployment, set: &Set) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let Some(spec) = &deployment.spec else { return Ok(vec!["has no spec".into()]) };
    let rolling = spec.strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    if rolling.and_then(|rolling| rolling.max_unavailable.as_ref()) != Some(&IntOrString::Int(0)) {
        wrong.push("maxUnavailable is not 0".into());
    }
    let Some(pod) = &spec.template.spec else { return Ok(wrong) };
    let Some(container) = pod.containers.first() else { return Ok(wrong) };
    let path = |probe: &Option<Probe>| probe.as_ref()?.http_get.as_ref()?.path.clone();
    let (startup, live, ready) =
        (path(&container.startup_probe), path(&container.liveness_probe), path(&container.readiness_probe));
    if startup.is_none() || live.is_none() || ready.is_none() {
        wrong.push("has not all three probes".into());
    }
    // Readiness asks the database; a restart would not bring that back.
    if live.is_some() && live == ready {
        wrong.push("asks the same for liveness as for readiness".into());
    }
    let sleep = container.lifecycle.as_ref().and_then(|it| it.pre_stop.as_ref()?.sleep.as_ref());
    let Some(sleep) = sleep else {
        wrong.push("has no preStop that sleeps".into());
        return Ok(wrong);
    };
    let needed =
        sleep.seconds + settings_seconds(set, "RUNNER_DRAIN_DELAY")? + settings_seconds(set, "RUNNER_GRACE_PERIOD")?;
    let granted = pod.termination_grace_period_seconds.unwrap_or(30);
    if granted <= needed {
        wrong.push(format!("is killed after {granted} s, but may take {needed} s to end"));
    }
    Ok(wrong)
}

/// A duration from the ConfigMaps, in seconds; 0 where there is none.
fn settings_seconds(set: &Set, name: &str) -> anyhow::Result<i64> {
    let maps = set.of::<ConfigMap>()?;
    let value = maps.iter().find_map(|map| map.data.as_ref()?.get(name));
    Ok(value.and_then(|value| value.strip_suffix('s')?.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const GOOD: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data: {RUNNER_DRAIN_DELAY: 5s, RUNNER_GRACE_PERIOD: 20s}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {}
  strategy: {rollingUpdate: {maxUnavailable: 0}}
  template:
    spec:
      terminationGracePeriodSeconds: 35
      containers:
        - name: c
          ports: [{name: admin, containerPort: 9090}]
          startupProbe: {httpGet: {path: /livez, port: admin}}
          livenessProbe: {httpGet: {path: /livez, port: 9090}}
          readinessProbe: {httpGet: {path: /readyz, port: admin}}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
";

    #[test]
    fn a_pod_that_starts_and_stops_in_order_is_right() {
        assert_eq!(check(&set(GOOD)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn each_disorder_is_named() {
        for (from, to, what) in [
            ("name: admin, containerPort: 9090", "name: x, containerPort: 9090", "asks port admin"),
            ("path: /livez, port: 9090", "path: /livez, port: 80", "asks port 80"),
            ("/readyz", "/livez", "asks the same for liveness"),
            ("startupProbe: {httpGet: {path: /livez, port: admin}}", "tty: false", "all three probes"),
            ("maxUnavailable: 0", "maxUnavailable: 25%", "maxUnavailable"),
            ("lifecycle: {preStop: {sleep: {seconds: 5}}}", "tty: false", "preStop"),
            ("Seconds: 35", "Seconds: 30", "killed after 30 s, but may take 30 s"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let wrong = check(&set(&GOOD.replace(from, to))).unwrap();
            assert!(wrong.iter().any(|mistake| mistake.contains(what)), "{what}: {wrong:?}");
        }
    }
}
