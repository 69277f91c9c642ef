//! Whether what events go through fits together: Dapr's annotations, components, subscriptions and retries, and Kafka's topics,
//! users and listeners. Neither Dapr nor Kafka refuses what leads nowhere: events would just not arrive.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::cases::yaml_files;
use crate::objects::{Fields, Labels, Object, Set, selects};
use crate::settings;

/// Dapr's annotations of a pod.
const APP_ID: &str = "dapr.io/app-id";
const APP_PORT: &str = "dapr.io/app-port";
const APP_TOKEN: &str = "dapr.io/app-token-secret";
const METRICS_PORT: &str = "dapr.io/metrics-port";

/// Where the sidecar shows metrics unless it is told otherwise.
const METRICS: &str = "9090";

/// What the sidecars of `compose.yaml` read.
const COMPOSE: &str = "compose/dapr";

/// Where events are sent to, before the name of what consumes them.
const ROUTE: &str = "/-/consumers/";

/// An application with a sidecar.
struct App {
    title: String,
    id: String,
    annotations: Labels,
    container: Value,
}

/// What is wrong with the events of a set.
pub fn check(set: &Set) -> Vec<String> {
    let apps = apps(set);
    let mut wrong: Vec<String> = apps.iter().flat_map(|app| sidecar(app, set)).collect();
    let mut ids = BTreeSet::new();
    wrong.extend(apps.iter().filter(|app| !ids.insert(&app.id)).map(|app| {
        format!("{}: has the app-id {}, which another has: each would get a part of the events", app.title, app.id)
    }));
    wrong.extend(set.of("Subscription").flat_map(|subscription| leads_nowhere(subscription, set)));
    wrong.extend(set.of("Component").flat_map(component));
    wrong.extend(resiliency(set));
    wrong.extend(set.of("KafkaUser").filter_map(|user| cluster(user, set, "Kafka")));
    wrong.extend(set.of("KafkaTopic").chain(set.of("KafkaNodePool")).filter_map(|it| cluster(it, set, "Kafka")));
    wrong.extend(set.of("KafkaConnector").filter_map(|connector| cluster(connector, set, "KafkaConnect")));
    wrong.extend(set.of("Component").flat_map(|component| rights(component, set)));
    wrong.extend(set.of("Kafka").flat_map(|kafka| listener(kafka, set)));
    wrong
}

/// What is wrong with what `compose.yaml` gives to its sidecars, by itself or beside that of the chart in `set`.
pub fn compose(root: &Path, set: &Set) -> anyhow::Result<Vec<String>> {
    let texts = yaml_files(&root.join(COMPOSE))?
        .into_iter()
        .map(|file| fs::read_to_string(&file).with_context(|| file.display().to_string()));
    let compose = Set::parse(COMPOSE, &texts.collect::<anyhow::Result<Vec<_>>>()?.join("---\n"), vec![])?;
    let mut wrong = check(&compose);
    let (here, there) = (consumed(&compose), consumed(set));
    let different = here.symmetric_difference(&there);
    wrong
        .extend(different.map(|(route, topic)| format!("{route} gets {topic} from one of Compose and the chart only")));
    Ok(wrong.into_iter().map(|mistake| format!("{COMPOSE}: {mistake}")).collect())
}

/// Which path gets which topic.
fn consumed(set: &Set) -> BTreeSet<(&str, &str)> {
    set.of("Subscription").map(|it| (it.value.text("/spec/routes/default"), it.value.text("/spec/topic"))).collect()
}

/// Everything that has a sidecar.
fn apps(set: &Set) -> Vec<App> {
    let mut apps = Vec::new();
    for object in &set.objects {
        let (annotations, container) = match object.kind.as_str() {
            "Deployment" => {
                let container = object.value.list("/spec/template/spec/containers").first();
                (object.value.map("/spec/template/metadata/annotations"), container.cloned().unwrap_or_default())
            }
            "SpinApp" => (object.value.map("/spec/podAnnotations"), Value::Null),
            _ => continue,
        };
        if let Some(id) = annotations.get(APP_ID).cloned() {
            apps.push(App { title: object.title(), id, annotations, container });
        }
    }
    apps
}

/// What is wrong with the annotations of a pod.
fn sidecar(app: &App, set: &Set) -> Vec<String> {
    let App { title, annotations, container, .. } = app;
    let mut wrong = Vec::new();
    let settings = settings::of(container, set);
    if let Some(port) = annotations.get(APP_PORT) {
        // The port that Spin listens on in a SpinApp.
        let served = if container.is_null() { "80" } else { settings.get("PORT").map_or("", String::as_str) };
        if port != served {
            wrong.push(format!("{title}: its sidecar calls port {port}, but it listens on {served}"));
        }
        if !annotations.contains_key(APP_TOKEN) {
            wrong.push(format!("{title}: its sidecar does not send the token, so that every event gets a 401"));
        }
    }
    let metrics = annotations.get(METRICS_PORT).map_or(METRICS, String::as_str);
    let own = container.list("/ports").iter().map(|port| port["containerPort"].to_string());
    if own.into_iter().any(|port| port == metrics) {
        wrong.push(format!("{title}: port {metrics} is its own, and its sidecar's for metrics"));
    }
    wrong
}

/// What a subscription names and does not exist.
fn leads_nowhere(subscription: &Object, set: &Set) -> Vec<String> {
    let title = subscription.title();
    let spec = &subscription.value["spec"];
    let mut wrong = Vec::new();
    let pubsub = spec.text("/pubsubname");
    let components: Vec<_> = set.of("Component").filter(|component| component.name == pubsub).collect();
    if components.is_empty() {
        wrong.push(format!("{title}: there is no Component/{pubsub}"));
    }
    for scope in scopes(subscription) {
        // They need not run in this set.
        if components.iter().any(|component| !scopes(component).contains(&scope)) {
            wrong.push(format!("{title}: Component/{pubsub} is not for {scope}"));
        }
    }
    let route = spec.text("/routes/default");
    let is_own = route.strip_prefix(ROUTE).is_some_and(|name| scopes(subscription).iter().all(|it| it.ends_with(name)));
    if !is_own {
        wrong.push(format!("{title}: {route} is not where its service consumes"));
    }
    let topics: Vec<_> = set.of("KafkaTopic").map(|topic| topic.value.text("/spec/topicName")).collect();
    for topic in [spec.text("/topic"), spec.text("/deadLetterTopic")] {
        if topic.is_empty() || !topics.is_empty() && !topics.contains(&topic) {
            wrong.push(format!("{title}: there is no topic {topic:?}"));
        }
    }
    let retried =
        set.of("Resiliency").any(|it| it.value.pointer(&format!("/spec/targets/components/{pubsub}")).is_some());
    if !retried {
        wrong.push(format!("{title}: no Resiliency is for {pubsub}: the first failure would make a dead letter"));
    }
    wrong
}

/// Metadata that Dapr's Kafka needs, and a default of its that loses events.
fn component(component: &Object) -> Vec<String> {
    let value = |name: &str| metadata(component, name).map_or("", |it| it.text("/value"));
    let mut wrong = Vec::new();
    if value("authType").is_empty() {
        wrong.push(format!("{}: without authType, the sidecar does not start", component.title()));
    }
    if value("initialOffset") != "oldest" {
        wrong.push(format!("{}: what is published before the first pod is there would be lost", component.title()));
    }
    if metadata(component, "consumerGroup").is_some() {
        wrong.push(format!("{}: with a consumerGroup, services would share their events", component.title()));
    }
    if scopes(component).is_empty() {
        wrong.push(format!("{}: is for every application of the namespace", component.title()));
    }
    wrong
}

fn metadata<'a>(component: &'a Object, name: &str) -> Option<&'a Value> {
    component.value.list("/spec/metadata").iter().find(|item| item.text("/name") == name)
}

fn scopes(object: &Object) -> Vec<&str> {
    object.value.list("/scopes").iter().filter_map(Value::as_str).collect()
}

/// Retries for components that do not exist, or by policies that do not.
fn resiliency(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for resiliency in set.of("Resiliency") {
        let title = resiliency.title();
        let targets = resiliency.value.pointer("/spec/targets/components").and_then(Value::as_object);
        for (name, target) in targets.into_iter().flatten() {
            if !set.of("Component").any(|component| component.name == *name) {
                wrong.push(format!("{title}: there is no Component/{name}"));
            }
            let policy = target.text("/inbound/retry");
            if resiliency.value.pointer(&format!("/spec/policies/retries/{policy}")).is_none() {
                wrong.push(format!("{title}: there is no policy {policy:?}"));
            }
        }
    }
    wrong
}

/// Strimzi passes over objects whose label names no cluster.
fn cluster(object: &Object, set: &Set, kind: &str) -> Option<String> {
    let name = object.value.map("/metadata/labels").remove("strimzi.io/cluster").unwrap_or_default();
    let exists = set.of(kind).any(|cluster| cluster.name == name);
    (!exists).then(|| format!("{}: there is no {kind}/{name}", object.title()))
}

/// What the user of a component may not do at the brokers, and has to.
fn rights(component: &Object, set: &Set) -> Vec<String> {
    let name = metadata(component, "saslUsername").map_or("", |it| it.text("/value"));
    let Some(user) = set.of("KafkaUser").find(|user| user.name == name) else { return vec![] };
    let may = |kind: &str, name: &str, operation: &str| {
        user.value.list("/spec/authorization/acls").iter().any(|acl| {
            acl.text("/resource/type") == kind
                && acl.text("/resource/name") == name
                && acl.list("/operations").iter().any(|it| it == operation)
        })
    };
    let mut wrong = Vec::new();
    let mut expect = |kind: &str, name: &str, operation: &str| {
        if !may(kind, name, operation) {
            wrong.push(format!("{}: may not {operation} the {kind} {name}", user.title()));
        }
    };
    let subscriptions: Vec<_> =
        set.of("Subscription").filter(|it| it.value.text("/spec/pubsubname") == component.name).collect();
    for subscription in &subscriptions {
        expect("topic", subscription.value.text("/spec/topic"), "Read");
        expect("topic", subscription.value.text("/spec/deadLetterTopic"), "Write");
        scopes(subscription).iter().for_each(|group| expect("group", group, "Read"));
    }
    if subscriptions.is_empty() {
        let read = set.of("Subscription").map(|it| it.value.text("/spec/topic"));
        read.for_each(|topic| expect("topic", topic, "Write"));
    }
    wrong
}

/// Pods that need the brokers and that Strimzi's policy would keep out.
fn listener(kafka: &Object, set: &Set) -> Vec<String> {
    let listeners = kafka.value.list("/spec/kafka/listeners");
    let peers: Vec<_> = listeners.iter().flat_map(|listener| listener.list("/networkPolicyPeers")).collect();
    let is_let_in = |labels: &Labels| {
        peers.iter().any(|peer| {
            peer.get("namespaceSelector").is_none()
                && peer.get("podSelector").is_some_and(|selector| selects(selector, labels))
        })
    };
    let mut wrong = Vec::new();
    for object in set.of("Deployment") {
        let has_sidecar = object.value.map("/spec/template/metadata/annotations").contains_key(APP_ID);
        if has_sidecar && !is_let_in(&object.value.map("/spec/template/metadata/labels")) {
            wrong.push(format!("{}: {} is kept out", kafka.title(), object.title()));
        }
    }
    for connect in set.of("KafkaConnect") {
        let labels = [("strimzi.io/cluster", connect.name.as_str()), ("strimzi.io/kind", "KafkaConnect")];
        if !is_let_in(&labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()) {
            wrong.push(format!("{}: {} is kept out", kafka.title(), connect.title()));
        }
    }
    wrong
}
