//! Whether what objects name exists: Secrets, ConfigMaps, claims, accounts, volumes. The keys and the objects that operators
//! or users make are known here only, from `# given:` of the values files.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::objects::{Fields, Object, Set};

/// References of a set's objects that lead nowhere.
pub fn check(set: &Set) -> Vec<String> {
    let known = known(set);
    let mut wrong = Vec::new();
    for object in &set.objects {
        let mut wanted = wanted(object);
        if object.kind == "Ingress" && !has_issuer(object) {
            wanted.extend(
                object.value.list("/spec/tls").iter().map(|tls| format!("Secret/{}/tls.crt", tls.text("/secretName"))),
            );
        }
        let missing = wanted.into_iter().filter(|wanted| !known.contains(wanted));
        wrong.extend(missing.map(|wanted| format!("{}: there is no {wanted}", object.title())));
        wrong.extend(
            volumes(object, set).into_iter().map(|name| format!("{}: there is no volume {name}", object.title())),
        );
    }
    wrong
}

/// What exists: `Kind/name`, and `Kind/name/key` for each key.
fn known(set: &Set) -> BTreeSet<String> {
    let mut known = given(set);
    known.extend(set.objects.iter().flat_map(names));
    known
}

/// `Kind/name` of an object, and `Kind/name/key` for each key.
pub fn names(object: &Object) -> BTreeSet<String> {
    let mut names = BTreeSet::from([object.title()]);
    if matches!(object.kind.as_str(), "ConfigMap" | "Secret") {
        let keys = ["/data", "/stringData"].into_iter().flat_map(|data| object.value.map(data).into_keys());
        names.extend(keys.map(|key| format!("{}/{key}", object.title())));
    }
    names
}

/// What exists without the set's own objects: what users, Kubernetes and operators make.
pub fn given(set: &Set) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = set.given.iter().cloned().collect();
    known.extend(set.given.iter().filter_map(|given| Some(given.rsplit_once('/')?.0.to_owned())));
    // Every namespace has it.
    known.insert("ServiceAccount/default".into());
    // Strimzi makes these.
    for kafka in set.of("Kafka") {
        known.insert(format!("Secret/{}-cluster-ca-cert", kafka.name));
        known.insert(format!("Secret/{}-cluster-ca-cert/ca.crt", kafka.name));
    }
    for user in set.of("KafkaUser") {
        known.insert(format!("Secret/{}/password", user.name));
    }
    // CloudNativePG makes these of a Cluster.
    for cluster in set.of("Cluster") {
        known.insert(format!("Secret/{}-app/password", cluster.name));
        known.insert(format!("Secret/{}-ca", cluster.name));
        known.insert(format!("Secret/{}-ca/ca.crt", cluster.name));
    }
    known
}

/// cert-manager makes the Secret of an Ingress with its annotations.
fn has_issuer(ingress: &Object) -> bool {
    ingress.value.map("/metadata/annotations").keys().any(|name| name.starts_with("cert-manager.io/"))
}

/// What an object refers to.
pub fn wanted(object: &Object) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    collect(&object.value, &mut wanted);
    wanted
}

/// Every reference in an object, by the names that Kubernetes and the operators have for them.
fn collect(value: &Value, wanted: &mut BTreeSet<String>) {
    let members = match value {
        Value::Object(members) => members,
        Value::Array(items) => return items.iter().for_each(|item| collect(item, wanted)),
        _ => return,
    };
    for (field, value) in members {
        let (name, key) = (value.text("/name"), value.text("/key"));
        match field.as_str() {
            // `credentials` is a ServiceMonitor's token.
            "secretKeyRef" | "credentials" => wanted.extend([format!("Secret/{name}/{key}")]),
            "configMapKeyRef" => wanted.extend([format!("ConfigMap/{name}/{key}")]),
            // CloudNativePG names the Secret, and Strimzi its key as well.
            "passwordSecret" if name.is_empty() => {
                wanted.extend([format!("Secret/{}/{}", value.text("/secretName"), value.text("/password"))]);
            }
            "passwordSecret" => wanted.extend([format!("Secret/{name}")]),
            "trustedCertificates" => {
                let keys = value.list("").iter().map(|it| (it.text("/secretName"), it.text("/certificate")));
                wanted.extend(keys.map(|(secret, key)| format!("Secret/{secret}/{key}")));
            }
            "pushSecret" => wanted.extend(value.as_str().map(|name| format!("Secret/{name}"))),
            // KEDA's.
            "secretTargetRef" | "configMapTargetRef" => {
                let kind = if field == "secretTargetRef" { "Secret" } else { "ConfigMap" };
                let keys = value.list("").iter().map(|it| (it.text("/name"), it.text("/key")));
                wanted.extend(keys.map(|(name, key)| format!("{kind}/{name}/{key}")));
            }
            "authenticationRef" => wanted.extend([format!("TriggerAuthentication/{name}")]),
            // Dapr prescribes the key.
            "dapr.io/app-token-secret" => {
                wanted.extend(value.as_str().map(|name| format!("Secret/{name}/token")));
            }
            "secretRef" => wanted.extend([format!("Secret/{name}")]),
            "configMapRef" => wanted.extend([format!("ConfigMap/{name}")]),
            "serviceAccountName" => wanted.extend(value.as_str().map(|name| format!("ServiceAccount/{name}"))),
            "imagePullSecrets" => {
                wanted.extend(value.list("").iter().map(|secret| format!("Secret/{}", secret.text("/name"))));
            }
            "persistentVolumeClaim" => wanted.extend([format!("PersistentVolumeClaim/{}", value.text("/claimName"))]),
            // A volume of its own.
            "secret" if name.is_empty() => wanted.extend([format!("Secret/{}", value.text("/secretName"))]),
            "configMap" if value.list("/items").is_empty() => wanted.extend([format!("ConfigMap/{name}")]),
            // Sources of a projected volume.
            "secret" => {
                wanted.extend(value.list("/items").iter().map(|it| format!("Secret/{name}/{}", it.text("/key"))))
            }
            "configMap" => {
                wanted.extend(value.list("/items").iter().map(|it| format!("ConfigMap/{name}/{}", it.text("/key"))));
            }
            _ => {}
        }
        collect(value, wanted);
    }
}

/// Volumes that containers mount and the pods do not have.
fn volumes(object: &Object, set: &Set) -> BTreeSet<String> {
    // The claims of a StatefulSet are volumes with the names of their templates.
    let claims = object.value.list("/spec/volumeClaimTemplates").iter().map(|claim| claim.text("/metadata/name"));
    let mut mounted = BTreeSet::new();
    for pods in set.pods().iter().filter(|pods| pods.owner == object.title()) {
        let known: BTreeSet<_> =
            pods.spec.list("/volumes").iter().map(|volume| volume.text("/name")).chain(claims.clone()).collect();
        let mounts = pods.containers().flat_map(|container| container.list("/volumeMounts"));
        mounted.extend(mounts.map(|it| it.text("/name")).filter(|name| !known.contains(name)).map(str::to_owned));
    }
    mounted
}
