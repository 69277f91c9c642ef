//! Whether ports lead somewhere, and whether the network policies let through what must go and nothing else.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{
    Ingress, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use crate::objects::{Pods, Set, has_all, selects};
use crate::security::containers;

/// The port of every database here.
const DATABASE: i32 = 5432;

/// What is wrong with the ports and policies of a set.
pub fn check(set: &Set) -> anyhow::Result<Vec<String>> {
    let pods = set.pods()?;
    let services = set.of::<Service>()?;
    let mut wrong: Vec<String> = services.iter().flat_map(|service| target_ports(service, &pods)).collect();
    wrong.extend(backends(set, &services)?);
    let policies = set.of::<NetworkPolicy>()?;
    if !policies.is_empty() {
        wrong.extend(policies.iter().flat_map(|policy| leads_nowhere(policy, &pods)));
        let specs: Vec<_> = policies.into_iter().filter_map(|policy| policy.spec).collect();
        wrong.extend(flows(&specs, &pods));
    }
    Ok(wrong)
}

/// Ports of a Service that the pods it selects do not have.
fn target_ports(service: &Service, pods: &[Pods]) -> Vec<String> {
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = &service.spec else { return vec![format!("Service/{name}: has no spec")] };
    let selector = spec.selector.clone().unwrap_or_default();
    let selected: Vec<_> = pods.iter().filter(|pods| !pods.foreign && has_all(&pods.labels, &selector)).collect();
    let ports = spec.ports.iter().flatten();
    ports
        .filter_map(|port| {
            let target = port.target_port.clone().unwrap_or(IntOrString::Int(port.port));
            let missing = selected.iter().find(|pods| port_number(&target, pods).is_none())?;
            Some(format!("Service/{name}: {} has no port {}", missing.owner, shown(&target)))
        })
        .collect()
}

/// A port as it is written.
pub fn shown(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

/// The number of a container's port.
fn port_number(port: &IntOrString, pods: &Pods) -> Option<i32> {
    if let (IntOrString::Int(number), true) = (port, pods.foreign) {
        return Some(*number);
    }
    let mut ports = containers(&pods.spec).flat_map(|container| container.ports.iter().flatten());
    let found = ports.find(|known| match port {
        IntOrString::Int(number) => known.container_port == *number,
        IntOrString::String(name) => known.name.as_ref() == Some(name),
    });
    found.map(|port| port.container_port)
}

/// Ingresses and routes to Services, or ports of Services, that are not there.
fn backends(set: &Set, services: &[Service]) -> anyhow::Result<Vec<String>> {
    let known = |name: &str, port: &IntOrString| {
        let service = services.iter().find(|service| service.metadata.name.as_deref() == Some(name));
        let ports = service.and_then(|service| service.spec.as_ref()?.ports.as_ref());
        ports.into_iter().flatten().any(|known| match port {
            IntOrString::Int(number) => known.port == *number,
            IntOrString::String(name) => known.name.as_ref() == Some(name),
        })
    };
    let mut wrong = Vec::new();
    for ingress in set.of::<Ingress>()? {
        let rules = ingress.spec.and_then(|spec| spec.rules).unwrap_or_default();
        let paths = rules.into_iter().filter_map(|rule| rule.http).flat_map(|http| http.paths);
        for backend in paths.filter_map(|path| path.backend.service) {
            let port = backend.port.unwrap_or_default();
            let port = port.name.map_or(IntOrString::Int(port.number.unwrap_or_default()), IntOrString::String);
            if !known(&backend.name, &port) {
                wrong.push(format!("Ingress: there is no Service {} with port {}", backend.name, shown(&port)));
            }
        }
    }
    for route in set.custom("gateway.networking.k8s.io/v1", "HTTPRoute") {
        let rules = route.value.pointer("/spec/rules").and_then(Value::as_array);
        let backends = rules.into_iter().flatten().filter_map(|rule| rule.get("backendRefs")?.as_array()).flatten();
        for backend in backends {
            let name = backend.get("name").and_then(Value::as_str).unwrap_or_default();
            let port = backend.get("port").and_then(Value::as_i64).and_then(|port| port.try_into().ok());
            if !port.is_some_and(|port| known(name, &IntOrString::Int(port))) {
                wrong.push(format!("{}: there is no Service {name} with such a port", route.title()));
            }
        }
    }
    Ok(wrong)
}

/// Selectors of a policy that select no pods of this namespace, and names of ports that its pods do not have.
fn leads_nowhere(policy: &NetworkPolicy, pods: &[Pods]) -> Vec<String> {
    let name = policy.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = &policy.spec else { return vec![format!("NetworkPolicy/{name}: has no spec")] };
    let mut wrong = Vec::new();
    let Some(selector) = &spec.pod_selector else { return wrong };
    let selected: Vec<_> = pods.iter().filter(|pods| selects(selector, &pods.labels)).collect();
    if selected.is_empty() {
        wrong.push(format!("NetworkPolicy/{name}: selects no pods"));
    }
    let ports = spec.ingress.iter().flatten().flat_map(|rule| rule.ports.iter().flatten());
    for port in ports.filter_map(|port| port.port.as_ref()) {
        for pods in selected.iter().filter(|pods| port_number(port, pods).is_none()) {
            wrong.push(format!("NetworkPolicy/{name}: {} has no port {}", pods.owner, shown(port)));
        }
    }
    for peer in peers(spec).filter(|peer| peer.namespace_selector.is_none()) {
        let nobody = |selector| !pods.iter().any(|pods| selects(selector, &pods.labels));
        if peer.pod_selector.as_ref().is_some_and(nobody) {
            wrong.push(format!("NetworkPolicy/{name}: a rule is for pods that are not there"));
        }
    }
    wrong
}

fn peers(spec: &NetworkPolicySpec) -> impl Iterator<Item = &NetworkPolicyPeer> {
    let from = spec.ingress.iter().flatten().flat_map(|rule| rule.from.iter().flatten());
    from.chain(spec.egress.iter().flatten().flat_map(|rule| rule.to.iter().flatten()))
}

/// What must go through and what must not, by what the pods are for.
fn flows(policies: &[NetworkPolicySpec], pods: &[Pods]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |from: &Pods, to: &Pods, port: i32, expected: bool| {
        if allowed(policies, from, to, port) != expected {
            let verb = if expected { "cannot" } else { "can" };
            wrong.push(format!("{} {verb} reach port {port} of {}", from.owner, to.owner));
        }
    };
    let pooled = pods.iter().any(|pods| role(pods) == "pooler");
    for from in pods {
        for to in pods.iter().filter(|to| to.owner != from.owner) {
            match (role(from), role(to)) {
                ("wiki" | "migration" | "backup" | "pooler" | "given", "postgresql") => {
                    expect(from, to, DATABASE, true)
                }
                ("wiki", "pooler") => expect(from, to, DATABASE, pooled),
                (_, "postgresql") => expect(from, to, DATABASE, false),
                ("test", "wiki") => expect(from, to, 8000, true),
                ("wiki" | "postgresql", "test") if !from.foreign => expect(from, to, 80, false),
                ("backup" | "migration", "wiki") => expect(from, to, 8000, false),
                _ => {}
            }
        }
    }
    wrong
}

/// What pods are for: their component, or what an operator makes of them.
fn role(pods: &Pods) -> &str {
    match pods.owner.split('/').next() {
        Some("Cluster") => "postgresql",
        Some("Pooler") => "pooler",
        Some("Pods") => "given",
        _ => pods.labels.get("app.kubernetes.io/component").map_or("", String::as_str),
    }
}

/// Whether the policies let pods reach a port of other pods in the same namespace.
fn allowed(policies: &[NetworkPolicySpec], from: &Pods, to: &Pods, port: i32) -> bool {
    let of_kind = |pods: &Pods, kind: &str| {
        let selecting = |policy: &&NetworkPolicySpec| {
            let kinds = policy.policy_types.iter().flatten();
            let selected = policy.pod_selector.as_ref().is_none_or(|selector| selects(selector, &pods.labels));
            selected && kinds.into_iter().any(|known| known == kind)
        };
        policies.iter().filter(selecting).collect::<Vec<_>>()
    };
    let port_matches = |ports: &Option<Vec<NetworkPolicyPort>>| {
        let ports = ports.as_deref().unwrap_or_default();
        ports.is_empty() || ports.iter().any(|it| it.port.as_ref().is_none_or(|it| port_number(it, to) == Some(port)))
    };
    let out = of_kind(from, "Egress");
    let mut sending = out.iter().flat_map(|policy| policy.egress.iter().flatten());
    let may_send = out.is_empty() || sending.any(|rule| port_matches(&rule.ports) && any_peer(&rule.to, to));
    let into = of_kind(to, "Ingress");
    let mut receiving = into.iter().flat_map(|policy| policy.ingress.iter().flatten());
    may_send && (into.is_empty() || receiving.any(|rule| port_matches(&rule.ports) && any_peer(&rule.from, from)))
}

fn any_peer(peers: &Option<Vec<NetworkPolicyPeer>>, pods: &Pods) -> bool {
    let peers = peers.as_deref().unwrap_or_default();
    peers.is_empty()
        || peers.iter().any(|peer| {
            // A selector with labels is for another namespace; without any, it is for all.
            let namespace = peer.namespace_selector.as_ref().is_none_or(|it| selects(it, &Default::default()));
            let labels = peer.pod_selector.as_ref().is_none_or(|selector| selects(selector, &pods.labels));
            peer.ip_block.is_none() && namespace && labels
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const GOOD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec:
  selector: {}
  template:
    metadata: {labels: {app.kubernetes.io/component: wiki}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 8000}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: p}
spec:
  serviceName: p
  selector: {}
  template:
    metadata: {labels: {app.kubernetes.io/component: postgresql}}
    spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: t, labels: {app.kubernetes.io/component: test}}
spec: {containers: []}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app.kubernetes.io/component: wiki}, ports: [{name: web, port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {name: web}}}}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {rules: [{backendRefs: [{name: s, port: 80}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: postgresql}}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{port: sql}]
      from: [{podSelector: {matchLabels: {app.kubernetes.io/component: wiki}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nw}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: wiki}}
  policyTypes: [Ingress, Egress]
  ingress: [{ports: [{port: http}]}]
  egress:
    - ports: [{port: 53, protocol: UDP}]
    - ports: [{port: 5432}]
      to: [{podSelector: {matchLabels: {app.kubernetes.io/component: postgresql}}}]
";

    #[test]
    fn what_leads_somewhere_is_right() {
        assert_eq!(check(&set(GOOD)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_leads_nowhere_or_too_far_is_named() {
        for (from, to, what) in [
            ("targetPort: http", "targetPort: x", "Service/s: Deployment/w has no port x"),
            ("port: {name: web}", "port: {number: 81}", "Ingress: there is no Service s with port 81"),
            ("{name: s, port: 80}", "{name: s, port: 81}", "HTTPRoute/r: there is no Service s"),
            ("[{port: sql}]", "[{port: x}]", "StatefulSet/p has no port x"),
            (
                "- ports: [{port: 5432}]",
                "- ports: [{port: 5433}]",
                "Deployment/w cannot reach port 5432 of StatefulSet/p",
            ),
            (
                "from: [{podSelector: {matchLabels: {app.kubernetes.io/component: wiki}}}]",
                "",
                "Pod/t can reach port 5432",
            ),
            (
                "from: [{podSelector: {matchLabels: {app.kubernetes.io/component: wiki}}}]",
                "from: [{podSelector: {matchLabels: {a: b}}}]",
                "a rule is for pods that are not there",
            ),
            ("[{port: 53, protocol: UDP}]", "[]", "Deployment/w can reach port 80 of Pod/t"),
            ("ingress: [{ports: [{port: http}]}]", "ingress: []", "Pod/t cannot reach port 8000"),
            (
                "name: nw}\nspec:\n  podSelector: {matchLabels: {app.kubernetes.io/component: wiki}}",
                "name: nw}\nspec:\n  podSelector: {matchLabels: {a: b}}",
                "NetworkPolicy/nw: selects no pods",
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let wrong = check(&set(&GOOD.replace(from, to))).unwrap();
            assert!(wrong.iter().any(|mistake| mistake.contains(what)), "{what}: {wrong:?}");
        }
    }
}
