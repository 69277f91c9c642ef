//! The Pod Security Standard "restricted" (kubernetes.io/docs/concepts/security/pod-security-standards), and what we ask
//! of pods besides.

use k8s_openapi::api::core::v1::{Container, PodSpec, SecurityContext, Volume};

use crate::objects::{Pods, Set};

/// What is wrong with the pods of a set.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let pods = set.pods()?;
    Ok(pods.iter().filter(|pods| !pods.foreign).flat_map(pod).collect())
}

fn pod(pods: &Pods) -> Vec<String> {
    let spec = &pods.spec;
    let security = spec.security_context.clone().unwrap_or_default();
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{}: {what}", pods.owner));
        }
    };
    let shared = [spec.host_network, spec.host_pid, spec.host_ipc];
    demand(!shared.contains(&Some(true)), "shares the host's network, processes or memory");
    demand(spec.volumes.iter().flatten().all(allowed_volume), "has a volume of a kind that is not allowed");
    demand(security.sysctls.iter().flatten().next().is_none(), "sets sysctls");
    demand(spec.automount_service_account_token == Some(false), "has the token of its service account");
    demand(spec.enable_service_links == Some(false), "has enableServiceLinks, which makes Services settings");
    for container in containers(spec) {
        for what in restricted(container, spec).into_iter().chain(our_own(container)) {
            wrong.push(format!("{}: container {}: {what}", pods.owner, container.name));
        }
    }
    wrong
}

/// Every container of a pod.
pub fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// What the standard allows.
fn allowed_volume(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.csi.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.ephemeral.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.projected.is_some()
        || volume.secret.is_some()
}

fn restricted(container: &Container, spec: &PodSpec) -> Vec<&'static str> {
    let own = container.security_context.clone().unwrap_or_default();
    let pod = spec.security_context.clone().unwrap_or_default();
    let seccomp = own.seccomp_profile.as_ref().or(pod.seccomp_profile.as_ref()).map(|profile| profile.type_.as_str());
    let user = own.run_as_user.or(pod.run_as_user);
    let demands = [
        (own.run_as_non_root.or(pod.run_as_non_root) == Some(true), "runAsNonRoot is not true"),
        // A number: the node cannot tell whether a name is root.
        (user.is_some_and(|user| user > 0), "runAsUser is no number above 0"),
        (matches!(seccomp, Some("RuntimeDefault" | "Localhost")), "seccompProfile is not RuntimeDefault"),
        (own.allow_privilege_escalation == Some(false), "allowPrivilegeEscalation is not false"),
        (own.privileged != Some(true), "is privileged"),
        (drops_all(&own), "does not drop all capabilities"),
        (own.proc_mount.is_none(), "sets procMount"),
        (container.ports.iter().flatten().all(|port| port.host_port.is_none()), "has a hostPort"),
    ];
    demands.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

fn drops_all(security: &SecurityContext) -> bool {
    let capabilities = security.capabilities.clone().unwrap_or_default();
    let dropped = capabilities.drop.iter().flatten().any(|name| name == "ALL");
    dropped && capabilities.add.iter().flatten().all(|name| name == "NET_BIND_SERVICE")
}

/// What we ask besides the standard.
fn our_own(container: &Container) -> Vec<&'static str> {
    let read_only = container.security_context.as_ref().and_then(|security| security.read_only_root_filesystem);
    let resources = container.resources.clone().unwrap_or_default();
    let (requests, limits) = (resources.requests.unwrap_or_default(), resources.limits.unwrap_or_default());
    let image = container.image.as_deref().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    let demands = [
        (read_only == Some(true), "its root file system can be written"),
        (requests.contains_key("cpu") && requests.contains_key("memory"), "requests no CPU or no memory"),
        (limits.contains_key("memory"), "has no limit of memory"),
        (last.contains([':', '@']) && !last.ends_with(":latest"), "its image has no version"),
    ];
    demands.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const GOOD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  volumes: [{name: v, emptyDir: {}}]
  containers:
    - name: c
      image: example/c:1
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {memory: 1Mi}}
";

    fn wrong(text: &str) -> Vec<String> {
        check(&set(text)).unwrap()
    }

    #[test]
    fn a_restricted_pod_is_right() {
        assert_eq!(wrong(GOOD), Vec::<String>::new());
    }

    #[test]
    fn each_thing_that_is_missing_is_named() {
        for (from, to, what) in [
            ("automountServiceAccountToken: false", "", "has the token"),
            ("enableServiceLinks: false", "", "enableServiceLinks"),
            ("runAsNonRoot: true, ", "", "runAsNonRoot"),
            ("runAsUser: 65532", "runAsUser: 0", "runAsUser"),
            ("type: RuntimeDefault", "type: Unconfined", "seccompProfile"),
            ("emptyDir: {}", "hostPath: {path: /}", "volume"),
            ("allowPrivilegeEscalation: false", "", "allowPrivilegeEscalation"),
            ("readOnlyRootFilesystem: true", "", "root file system"),
            ("drop: [ALL]", "drop: [NET_RAW]", "capabilities"),
            ("drop: [ALL]", "drop: [ALL], add: [SYS_ADMIN]", "capabilities"),
            (
                "allowPrivilegeEscalation: false",
                "allowPrivilegeEscalation: false\n        privileged: true",
                "privileged",
            ),
            ("cpu: 1m, ", "", "requests no CPU"),
            (", limits: {memory: 1Mi}", "", "limit of memory"),
            ("example/c:1", "example:5000/c", "no version"),
            ("example/c:1", "example/c:latest", "no version"),
            ("spec:", "spec:\n  hostNetwork: true", "host's network"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let wrong = wrong(&GOOD.replace(from, to));
            assert!(wrong.len() == 1 && wrong[0].contains(what), "{what}: {wrong:?}");
        }
    }
}
