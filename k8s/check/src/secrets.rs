//! Whether passwords are in Secrets and nowhere else, and whether the first administrator's reaches the wiki when it is needed.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, Secret};
use serde_json::Value;

use crate::objects::{Object, Pods, Set};
use crate::security::containers;

/// What the names of settings have in them that must stay secret.
const SECRET: [&str; 3] = ["PASSWORD", "SECRET", "TOKEN"];

/// The variables by which the wiki knows whom to let in, as the runner reads them.
const ACCESS: &str = "SPIN_VARIABLE_ACCESS";
const ADMIN_PASSWORD: &str = "SPIN_VARIABLE_ADMIN_PASSWORD";

/// How the Secrets that the chart makes for administrators end.
const ADMIN_SECRET: &str = "-admin";

/// What is wrong with the passwords of a set.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let maps: Maps = set
        .of::<ConfigMap>()?
        .into_iter()
        .map(|map| (map.metadata.name.unwrap_or_default(), map.data.unwrap_or_default()))
        .collect();
    let mut wrong = Vec::new();
    for (name, data) in &maps {
        let shown = data.keys().filter(|key| is_secret(key));
        wrong.extend(shown.map(|key| format!("ConfigMap/{name}: {key} is no secret there")));
    }
    let made: Vec<_> = set.of::<Secret>()?.into_iter().filter_map(|secret| secret.metadata.name).collect();
    let made: Vec<_> = made.iter().filter(|name| name.ends_with(ADMIN_SECRET)).collect();
    for pods in set.pods()?.iter().filter(|pods| !pods.foreign) {
        for container in containers(&pods.spec) {
            let settings = Settings::of(container, &maps);
            let found =
                settings.check(container, &pods.spec).into_iter().chain(settings.administrator(!made.is_empty()));
            wrong.extend(found.map(|what| format!("{}: container {}: {what}", pods.owner, container.name)));
        }
        wrong.extend(read_by_others(pods, &maps));
    }
    for app in set.custom("core.spinkube.dev/v1alpha1", "SpinApp") {
        wrong.extend(variables(app).into_iter().map(|what| format!("{}: {what}", app.title())));
    }
    Ok(wrong)
}

/// What ConfigMaps hold, by their names.
type Maps = BTreeMap<String, BTreeMap<String, String>>;

fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    SECRET.iter().any(|word| name.contains(word)) && !name.ends_with("_FILE")
}

/// What a container finds in its environment.
#[derive(Debug, Default)]
struct Settings {
    /// In plain text.
    plain: BTreeMap<String, String>,
    /// Plain text of the pod's own, and not from a ConfigMap.
    own: BTreeSet<String>,
    /// From Secrets.
    secret: BTreeSet<String>,
}

impl Settings {
    fn of(container: &Container, maps: &Maps) -> Self {
        let mut settings = Self::default();
        for source in container.env_from.iter().flatten().filter_map(|source| source.config_map_ref.as_ref()) {
            settings.plain.extend(maps.get(&source.name).cloned().unwrap_or_default());
        }
        for variable in container.env.iter().flatten() {
            if variable.value_from.as_ref().is_some_and(|from| from.secret_key_ref.is_some()) {
                settings.secret.insert(variable.name.clone());
            } else if let Some(value) = &variable.value {
                settings.own.insert(variable.name.clone());
                settings.plain.insert(variable.name.clone(), value.clone());
            }
        }
        settings
    }

    /// Passwords in plain text, and settings that name files which no volume has.
    fn check(&self, container: &Container, spec: &PodSpec) -> Vec<String> {
        let files = files(container, spec);
        let shown = self.own.iter().filter(|name| is_secret(name));
        // One that is no path is the name of a file in a folder that the program knows.
        let paths = self.plain.iter().filter(|(name, value)| name.ends_with("_FILE") && value.starts_with('/'));
        let missing = paths.filter(|(_, path)| !files.contains(*path));
        shown
            .map(|name| format!("{name} is no secret there"))
            .chain(missing.map(|(name, path)| format!("{name}: no volume has {path}")))
            .collect()
    }

    /// A wiki that is not open has a password for its first administrator, and one that is open has none.
    fn administrator(&self, made: bool) -> Vec<String> {
        let Some(mode) = self.plain.get(ACCESS) else { return vec![] };
        let has_password =
            self.plain.contains_key(&format!("{ADMIN_PASSWORD}_FILE")) || self.secret.contains(ADMIN_PASSWORD);
        administrator(mode, has_password, made)
    }
}

fn administrator(mode: &str, has_password: bool, made: bool) -> Vec<String> {
    match mode {
        "open" if has_password || made => vec!["is open, and has a password for an administrator".into()],
        "public-read" | "private" if !has_password => {
            vec![format!("is {mode}, and nobody can become its administrator")]
        }
        "open" | "public-read" | "private" => vec![],
        _ => vec![format!("{ACCESS}: there is no mode {mode:?}")],
    }
}

/// The files that the volumes of a container have, as far as they are named one by one.
fn files(container: &Container, spec: &PodSpec) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for mount in container.volume_mounts.iter().flatten() {
        let volume = spec.volumes.iter().flatten().find(|volume| volume.name == mount.name);
        let sources = volume.and_then(|volume| volume.projected.as_ref()?.sources.as_ref());
        for source in sources.into_iter().flatten() {
            let secret = source.secret.iter().flat_map(|secret| secret.items.iter().flatten());
            let items = secret.chain(source.config_map.iter().flat_map(|map| map.items.iter().flatten()));
            files.extend(items.map(|item| format!("{}/{}", mount.mount_path, item.path)));
        }
    }
    files
}

/// Pods that have the administrator's password without being the wiki or its test: jobs and the database have no use for it.
fn read_by_others(pods: &Pods, maps: &Maps) -> Option<String> {
    let is_wiki = containers(&pods.spec).any(|container| Settings::of(container, maps).plain.contains_key(ACCESS));
    let is_test = pods.labels.get("app.kubernetes.io/component").is_some_and(|component| component == "test");
    let has_it = pods.spec.volumes.iter().flatten().any(|volume| volume.name == "admin");
    (has_it && !is_wiki && !is_test).then(|| format!("{}: has the administrator's password", pods.owner))
}

/// The same for the variables of a SpinApp.
fn variables(app: &Object) -> Vec<String> {
    let variables = app.value.pointer("/spec/variables").and_then(Value::as_array);
    let variables: BTreeMap<_, _> = variables
        .into_iter()
        .flatten()
        .filter_map(|variable| Some((variable.get("name")?.as_str()?, variable)))
        .collect();
    let shown = variables.iter().filter(|(name, variable)| is_secret(name) && variable.get("value").is_some());
    let mut wrong: Vec<_> = shown.map(|(name, _)| format!("{name} is no secret there")).collect();
    if let Some(mode) = variables.get("access").and_then(|variable| variable.get("value")?.as_str()) {
        let password = variables.get("admin_password");
        let has_password = password.is_some_and(|variable| variable.pointer("/valueFrom/secretKeyRef").is_some());
        wrong.extend(administrator(mode, has_password, false));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const GOOD: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data: {SPIN_VARIABLE_ACCESS: private, SPIN_VARIABLE_ADMIN_PASSWORD_FILE: /run/secrets/admin/password}
---
apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  containers:
    - name: c
      envFrom: [{configMapRef: {name: m}}]
      env: [{name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: p}}}, {name: A, value: b}, {name: B_FILE, value: b}]
      volumeMounts: [{name: admin, mountPath: /run/secrets/admin}]
  volumes:
    - name: admin
      projected: {sources: [{secret: {name: a, items: [{key: k, path: password}]}}]}
---
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
metadata: {name: app}
spec:
  variables:
    - {name: access, value: public-read}
    - {name: admin_password, valueFrom: {secretKeyRef: {name: s, key: p}}}
";

    #[test]
    fn passwords_in_secrets_are_right() {
        assert_eq!(check(&set(GOOD)).unwrap(), Vec::<String>::new());
        assert_eq!(check(&set(&GOOD.replace("private", "public-read"))).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_shown_or_missing_is_named() {
        for (from, to, what) in [
            ("data: {", "data: {DB_PASSWORD: x, ", "ConfigMap/m: DB_PASSWORD is no secret there"),
            ("{name: A, value: b}", "{name: A_TOKEN, value: b}", "Pod/x: container c: A_TOKEN is no secret there"),
            (
                "path: password}",
                "path: pw}",
                "Pod/x: container c: SPIN_VARIABLE_ADMIN_PASSWORD_FILE: no volume has /run/secrets/admin/password",
            ),
            (
                ", SPIN_VARIABLE_ADMIN_PASSWORD_FILE: /run/secrets/admin/password",
                "",
                "Pod/x: container c: is private, and nobody can become its administrator",
            ),
            (
                "SPIN_VARIABLE_ACCESS: private",
                "SPIN_VARIABLE_ACCESS: public",
                "Pod/x: container c: SPIN_VARIABLE_ACCESS: there is no mode \"public\"",
            ),
            (
                "SPIN_VARIABLE_ACCESS: private",
                "SPIN_VARIABLE_ACCESS: open",
                "Pod/x: container c: is open, and has a password for an administrator",
            ),
            ("SPIN_VARIABLE_ACCESS: private, ", "", "Pod/x: has the administrator's password"),
            (
                "admin_password, valueFrom: {secretKeyRef: {name: s, key: p}}",
                "admin_password, value: sesame",
                "SpinApp/app: admin_password is no secret there",
            ),
            (
                "    - {name: admin_password, valueFrom: {secretKeyRef: {name: s, key: p}}}",
                "",
                "SpinApp/app: is public-read, and nobody can become its administrator",
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let wrong = check(&set(&GOOD.replace(from, to))).unwrap();
            assert!(wrong.iter().any(|mistake| mistake == what), "{what}: {wrong:?}");
        }
    }

    #[test]
    fn an_open_wiki_has_no_secret_of_an_administrator() {
        let open = "
apiVersion: v1
kind: Pod
metadata: {name: x}
spec: {containers: [{name: c, env: [{name: SPIN_VARIABLE_ACCESS, value: open}]}]}
";
        assert_eq!(check(&set(open)).unwrap(), Vec::<String>::new());
        let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: wasiki-admin}\n";
        let wrong = check(&set(&format!("{open}{secret}"))).unwrap();
        assert_eq!(wrong, ["Pod/x: container c: is open, and has a password for an administrator"]);
    }
}
