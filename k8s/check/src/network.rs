//! Whether ports lead somewhere, and whether the network policies allow the connections that are needed and no others: only
//! we know what each pod is for.

use serde_json::Value;

use crate::objects::{Fields, Labels, Object, Pods, Set, has_all, selects};

/// The port of every database here.
const DATABASE: u64 = 5432;

/// The port of the brokers.
const BROKER: u64 = 9093;

/// The port of a sidecar's metrics: the manifests do not have the sidecars.
const SIDECAR: u64 = 9091;

/// The port of probes and metrics.
const METRICS: u64 = 9090;

/// What is wrong with the ports and policies of a set.
pub fn check(set: &Set) -> Vec<String> {
    let pods = set.pods();
    let mut wrong: Vec<String> = set.of("Service").flat_map(|service| target_ports(service, &pods)).collect();
    wrong.extend(backends(set));
    let policies: Vec<_> = set.of("NetworkPolicy").collect();
    if !policies.is_empty() {
        wrong.extend(policies.iter().flat_map(|policy| leads_nowhere(policy, &pods)));
        wrong.extend(flows(&policies, &pods));
    }
    wrong
}

/// Ports of a Service that the pods it selects do not have.
fn target_ports(service: &Object, pods: &[Pods]) -> Vec<String> {
    let selector = service.value.map("/spec/selector");
    if selector.is_empty() {
        return vec![];
    }
    let selected: Vec<_> = pods.iter().filter(|pods| !pods.is_foreign() && has_all(&pods.labels, &selector)).collect();
    let missing = |port: &Value| {
        let target = port.get("targetPort").unwrap_or(&port["port"]);
        let pods = selected.iter().find(|pods| port_number(target, pods).is_none())?;
        Some(format!("{}: {} has no port {}", service.title(), pods.owner, shown(target)))
    };
    service.value.list("/spec/ports").iter().filter_map(missing).collect()
}

/// A port as it is written.
pub fn shown(port: &Value) -> String {
    port.as_str().map_or_else(|| port.to_string(), str::to_owned)
}

/// Whether a container has a port, by number or name.
pub fn has_port(container: &Value, port: &Value) -> bool {
    container.list("/ports").iter().any(|known| known["containerPort"] == *port || known["name"] == *port)
}

/// The number of the pods' port. Of an operator's pods, the ports are unknown.
fn port_number(port: &Value, pods: &Pods) -> Option<u64> {
    if pods.is_foreign() {
        return port.as_u64();
    }
    let mut ports = pods.containers().flat_map(|container| container.list("/ports"));
    ports.find(|known| known["containerPort"] == *port || known["name"] == *port)?["containerPort"].as_u64()
}

/// Ingresses and routes to Services, or ports of Services, that do not exist.
fn backends(set: &Set) -> Vec<String> {
    let known = |name: &str, port: &Value| {
        let ports =
            set.of("Service").filter(|service| service.name == name).flat_map(|it| it.value.list("/spec/ports"));
        !port.is_null() && ports.into_iter().any(|known| known["port"] == *port || known["name"] == *port)
    };
    let mut wrong = Vec::new();
    for route in set.of("Ingress").chain(set.of("HTTPRoute")) {
        let rules = route.value.list("/spec/rules").iter();
        let services = rules.flat_map(|rule| {
            let paths = rule.list("/http/paths").iter().map(|path| &path["backend"]["service"]);
            paths.chain(rule.list("/backendRefs")).collect::<Vec<_>>()
        });
        for service in services {
            let port = &service["port"];
            let port = port.get("name").or(port.get("number")).unwrap_or(port);
            let name = service.text("/name");
            if !known(name, port) {
                wrong.push(format!("{}: there is no Service {name} with port {}", route.title(), shown(port)));
            }
        }
    }
    wrong
}

/// Selectors of a policy that select no pods of this namespace, and names of ports that its pods do not have.
fn leads_nowhere(policy: &Object, pods: &[Pods]) -> Vec<String> {
    let title = policy.title();
    let spec = &policy.value["spec"];
    let mut wrong = Vec::new();
    let selected: Vec<_> = pods.iter().filter(|pods| selects(&spec["podSelector"], &pods.labels)).collect();
    if selected.is_empty() {
        wrong.push(format!("{title}: selects no pods"));
    }
    for port in spec.list("/ingress").iter().flat_map(|rule| rule.list("/ports")).filter_map(|port| port.get("port")) {
        let is_sidecars = |pods: &Pods| pods.has_sidecar && *port == SIDECAR;
        for pods in selected.iter().filter(|pods| !is_sidecars(pods) && port_number(port, pods).is_none()) {
            wrong.push(format!("{title}: {} has no port {}", pods.owner, shown(port)));
        }
    }
    let from = spec.list("/ingress").iter().flat_map(|rule| rule.list("/from"));
    let peers = from.chain(spec.list("/egress").iter().flat_map(|rule| rule.list("/to")));
    for selector in
        peers.filter(|peer| peer.get("namespaceSelector").is_none()).filter_map(|peer| peer.get("podSelector"))
    {
        if !pods.iter().any(|pods| selects(selector, &pods.labels)) {
            wrong.push(format!("{title}: a rule is for pods that do not exist"));
        }
    }
    wrong
}

/// Connections that are needed and not allowed, or allowed and not needed, by what the pods are for.
fn flows(policies: &[&Object], pods: &[Pods]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |from: &Pods, to: &Pods, port: u64, expected: bool| {
        if allowed(policies, from, to, port) != expected {
            let verb = if expected { "cannot" } else { "can" };
            wrong.push(format!("{} {verb} reach port {port} of {}", from.owner, to.owner));
        }
    };
    for from in pods {
        for to in pods.iter().filter(|to| to.owner != from.owner) {
            // Metrics are for those outside of the set whom the values name.
            if matches!(role(to), "wiki" | "service") && !from.is_foreign() {
                expect(from, to, METRICS, false);
            }
            match (role(from), role(to)) {
                ("wiki" | "service" | "migration" | "backup" | "pooler" | "connect" | "given", "postgresql") => {
                    expect(from, to, DATABASE, true)
                }
                // Only the operator makes KafkaConnect's pods, and only by its labels can they be told from the brokers.
                ("service" | "connect", "broker") => expect(from, to, BROKER, true),
                ("wiki", "broker") => expect(from, to, BROKER, from.has_sidecar),
                ("backup" | "migration" | "postgresql", "broker") if !from.is_foreign() => {
                    expect(from, to, BROKER, false)
                }
                ("service", "wiki") => expect(from, to, 8000, false),
                ("wiki" | "service", "pooler") => expect(from, to, DATABASE, true),
                (_, "postgresql") => expect(from, to, DATABASE, false),
                ("test", "wiki") => expect(from, to, 8000, true),
                ("wiki" | "postgresql", "test") if !from.is_foreign() => expect(from, to, 80, false),
                ("wiki" | "backup" | "migration", "service") => expect(from, to, METRICS, false),
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
        Some("Kafka") => "broker",
        Some("KafkaConnect") => "connect",
        Some("Deployment") if pods.labels.get("app.kubernetes.io/component").is_some_and(|it| it != "wiki") => {
            "service"
        }
        _ => pods.labels.get("app.kubernetes.io/component").map_or("", String::as_str),
    }
}

/// The specs of the policies that select pods in a direction.
fn selecting<'a>(policies: &[&'a Object], pods: &Pods, direction: &str) -> Vec<&'a Value> {
    policies
        .iter()
        .map(|policy| &policy.value["spec"])
        .filter(|spec| selects(&spec["podSelector"], &pods.labels))
        .filter(|spec| spec.list("/policyTypes").iter().any(|kind| kind == direction))
        .collect()
}

/// Whether the policies let pods reach a port of other pods in the same namespace.
fn allowed(policies: &[&Object], from: &Pods, to: &Pods, port: u64) -> bool {
    let port_matches = |rule: &&Value| {
        let ports = rule.list("/ports");
        ports.is_empty() || ports.iter().any(|it| it.get("port").is_none_or(|it| port_number(it, to) == Some(port)))
    };
    // Pods that no policy of a direction selects are not restricted in it.
    let permitted = |pods: &Pods, direction: &str, rules: &str, peers: &str, other: &Pods| {
        let selecting = selecting(policies, pods, direction);
        let mut rules = selecting.iter().flat_map(|spec| spec.list(rules));
        selecting.is_empty() || rules.any(|rule| port_matches(&rule) && any_peer(rule.list(peers), other))
    };
    permitted(from, "Egress", "/egress", "/to", to) && permitted(to, "Ingress", "/ingress", "/from", from)
}

fn any_peer(peers: &[Value], pods: &Pods) -> bool {
    peers.is_empty()
        || peers.iter().any(|peer| {
            // A selector with labels is for another namespace; without any, it is for all.
            let namespace = peer.get("namespaceSelector").is_none_or(|selector| selects(selector, &Labels::new()));
            let labels = peer.get("podSelector").is_none_or(|selector| selects(selector, &pods.labels));
            peer.get("ipBlock").is_none() && namespace && labels
        })
}
