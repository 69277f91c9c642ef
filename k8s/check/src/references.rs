//! Whether the Secrets, ConfigMaps, claims and accounts that pods name are there.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ConfigMap, PodSpec, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::Value;

use crate::objects::{Object, Set};
use crate::security::containers;

/// References of a set's objects that lead nowhere.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let known = known(set)?;
    let mut wrong = Vec::new();
    for pods in set.pods()?.iter().filter(|pods| !pods.foreign) {
        for wanted in wanted(&pods.spec).into_iter().filter(|wanted| !known.contains(wanted)) {
            wrong.push(format!("{}: there is no {wanted}", pods.owner));
        }
    }
    for app in set.custom("core.spinkube.dev/v1alpha1", "SpinApp") {
        for wanted in variables(app).into_iter().filter(|wanted| !known.contains(wanted)) {
            wrong.push(format!("{}: there is no {wanted}", app.title()));
        }
    }
    for monitor in set.custom("monitoring.coreos.com/v1", "ServiceMonitor") {
        for wanted in credentials(monitor).filter(|wanted| !known.contains(wanted)) {
            wrong.push(format!("{}: there is no {wanted}", monitor.title()));
        }
    }
    for ingress in set.of::<Ingress>()? {
        // cert-manager makes the Secret.
        let made = ingress.metadata.annotations.iter().flatten().any(|(name, _)| name.starts_with("cert-manager.io/"));
        let tls = ingress.spec.and_then(|spec| spec.tls).unwrap_or_default();
        for name in tls.into_iter().filter_map(|tls| tls.secret_name).filter(|_| !made) {
            let wanted = format!("Secret/{name}/tls.crt");
            if !known.contains(&wanted) {
                wrong.push(format!("Ingress: there is no {wanted}"));
            }
        }
    }
    Ok(wrong)
}

/// What there is: `Kind/name`, and `Kind/name/key` for each key.
fn known(set: &Set) -> anyhow::Result<BTreeSet<String>> {
    let mut known: BTreeSet<String> = set.given.iter().cloned().collect();
    known.extend(set.given.iter().filter_map(|given| Some(given.rsplit_once('/')?.0.to_owned())));
    // Every namespace has it.
    known.insert("ServiceAccount/default".into());
    known.extend(set.objects.iter().map(Object::title));
    for map in set.of::<ConfigMap>()? {
        let name = map.metadata.name.unwrap_or_default();
        known.extend(map.data.into_iter().flatten().map(|(key, _)| format!("ConfigMap/{name}/{key}")));
    }
    for secret in set.of::<Secret>()? {
        let name = secret.metadata.name.unwrap_or_default();
        let keys = secret.data.into_iter().flatten().map(|(key, _)| key);
        let keys = keys.chain(secret.string_data.into_iter().flatten().map(|(key, _)| key));
        known.extend(keys.map(|key| format!("Secret/{name}/{key}")));
    }
    // CloudNativePG makes these of a Cluster.
    for cluster in set.custom("postgresql.cnpg.io/v1", "Cluster") {
        known.insert(format!("Secret/{}-app/password", cluster.name));
        known.insert(format!("Secret/{}-ca/ca.crt", cluster.name));
    }
    Ok(known)
}

/// What a pod cannot start without.
fn wanted(spec: &PodSpec) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    wanted.extend(spec.service_account_name.iter().map(|name| format!("ServiceAccount/{name}")));
    wanted.extend(spec.image_pull_secrets.iter().flatten().map(|secret| format!("Secret/{}", secret.name)));
    for container in containers(spec) {
        for source in container.env_from.iter().flatten() {
            wanted.extend(source.config_map_ref.iter().map(|map| format!("ConfigMap/{}", map.name)));
            wanted.extend(source.secret_ref.iter().map(|secret| format!("Secret/{}", secret.name)));
        }
        for source in container.env.iter().flatten().filter_map(|env| env.value_from.as_ref()) {
            wanted.extend(source.config_map_key_ref.iter().map(|it| format!("ConfigMap/{}/{}", it.name, it.key)));
            wanted.extend(source.secret_key_ref.iter().map(|it| format!("Secret/{}/{}", it.name, it.key)));
        }
        let volumes: BTreeSet<_> = spec.volumes.iter().flatten().map(|volume| &volume.name).collect();
        // The claims of a StatefulSet are volumes too, with the names of their templates.
        let mounts = container.volume_mounts.iter().flatten().filter(|it| !volumes.contains(&it.name));
        wanted.extend(mounts.filter(|mount| mount.name != "data").map(|mount| format!("volume {}", mount.name)));
    }
    for volume in spec.volumes.iter().flatten() {
        let claim = volume.persistent_volume_claim.iter().map(|it| &it.claim_name);
        wanted.extend(claim.map(|name| format!("PersistentVolumeClaim/{name}")));
        for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
            for secret in source.secret.iter() {
                let keys = secret.items.iter().flatten();
                wanted.extend(keys.map(|item| format!("Secret/{}/{}", secret.name, item.key)));
            }
            for map in source.config_map.iter() {
                let keys = map.items.iter().flatten();
                wanted.extend(keys.map(|item| format!("ConfigMap/{}/{}", map.name, item.key)));
            }
        }
    }
    wanted
}

/// What the variables of a SpinApp take from elsewhere.
fn variables(app: &Object) -> BTreeSet<String> {
    let variables = app.value.pointer("/spec/variables").and_then(Value::as_array);
    let mut wanted = BTreeSet::new();
    for source in variables.into_iter().flatten().filter_map(|variable| variable.get("valueFrom")) {
        for (member, kind) in [("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")] {
            let Some(reference) = source.get(member) else { continue };
            let text = |member: &str| reference.get(member).and_then(Value::as_str).unwrap_or_default();
            wanted.insert(format!("{kind}/{}/{}", text("name"), text("key")));
        }
    }
    wanted
}

/// The tokens that Prometheus shows.
fn credentials(monitor: &Object) -> impl Iterator<Item = String> {
    let endpoints = monitor.value.pointer("/spec/endpoints").and_then(Value::as_array);
    let found = endpoints.into_iter().flatten().filter_map(|endpoint| endpoint.pointer("/authorization/credentials"));
    found.map(|reference| {
        let text = |member: &str| reference.get(member).and_then(Value::as_str).unwrap_or_default();
        format!("Secret/{}/{}", text("name"), text("key"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PODS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {p: cA==}
---
apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  containers:
    - name: c
      envFrom: [{configMapRef: {name: m}}]
      env: [{name: E, valueFrom: {secretKeyRef: {name: s, key: p}}}]
      volumeMounts: [{name: v, mountPath: /v}]
  volumes:
    - name: v
      projected: {sources: [{secret: {name: given, items: [{key: k, path: k}]}}]}
---
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
metadata: {name: app}
spec: {variables: [{name: a, valueFrom: {configMapKeyRef: {name: m, key: a}}}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: m}
spec: {endpoints: [{port: a}, {port: b, authorization: {credentials: {name: s, key: p}}}]}
";

    fn wrong(text: &str) -> Vec<String> {
        check(&Set::parse("test", text, vec!["Secret/given/k".into()]).unwrap()).unwrap()
    }

    #[test]
    fn what_is_there_is_found() {
        assert_eq!(wrong(PODS), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (from, to, what) in [
            ("configMapRef: {name: m}", "configMapRef: {name: o}", "Pod/x: there is no ConfigMap/o"),
            ("secretKeyRef: {name: s, key: p}", "secretKeyRef: {name: s, key: q}", "Pod/x: there is no Secret/s/q"),
            ("key: k,", "key: l,", "Pod/x: there is no Secret/given/l"),
            ("{name: v, mountPath", "{name: w, mountPath", "Pod/x: there is no volume w"),
            ("key: a}", "key: b}", "SpinApp/app: there is no ConfigMap/m/b"),
            ("{credentials: {name: s,", "{credentials: {name: t,", "ServiceMonitor/m: there is no Secret/t/p"),
        ] {
            assert!(PODS.contains(from), "{from}");
            assert_eq!(wrong(&PODS.replace(from, to)), [what]);
        }
    }
}
