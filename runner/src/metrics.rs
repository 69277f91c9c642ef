//! What the runner counts and measures, for Prometheus.
//!
//! Labels are bounded: routes and components come from the manifest, methods and statuses from HTTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::host::postgres::Pools;
use crate::instances::Instances;
use crate::process;

/// Upper bounds in seconds. A small request takes less than a millisecond; 30 s is the default limit of any.
const REQUEST_SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const QUERY_SECONDS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 20.0];

/// Everything that is counted while it happens.
#[derive(Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Requests whose answer is not complete.
    pub in_flight: Gauge,
    /// Open connections of clients.
    pub connections: Gauge,
    /// Connections that were refused because there were too many.
    pub connections_refused: Counter,
    /// Requests that were refused because too many came from one address.
    pub rate_limited: Counter,
    /// Bytes that came from clients.
    pub received: Counter,
    /// Bytes that went to clients.
    pub sent: Counter,
    created: Family<ComponentLabels, Counter>,
    reused: Family<ComponentLabels, Counter>,
    discarded: Family<DiscardLabels, Counter>,
    /// The guests' use of databases.
    pub database: DatabaseMetrics,
}

/// What guests do with databases.
#[derive(Debug, Clone)]
pub struct DatabaseMetrics {
    /// Time to get a connection, in seconds.
    pub wait: Histogram,
    /// Connections not to be had in time.
    pub timeouts: Counter,
    /// Time for one statement with its result, in seconds.
    pub queries: Histogram,
    /// Statements that failed, whatever the reason.
    pub errors: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    component: Arc<str>,
    route: Arc<str>,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    component: Arc<str>,
    route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComponentLabels {
    component: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DiscardLabels {
    component: Arc<str>,
    reason: &'static str,
}

/// Why an instance was not kept.
#[derive(Debug, Clone, Copy)]
pub enum Discard {
    /// It has served as many requests as it may.
    Worn,
    /// It trapped.
    Trapped,
    /// It did not answer in time.
    TimedOut,
    /// It holds on to something of a request.
    Holding,
    /// It has grown larger than one that waits may be.
    Large,
    /// Its client went away before it was done.
    Abandoned,
}

impl Discard {
    fn label(self) -> &'static str {
        match self {
            Self::Worn => "worn",
            Self::Trapped => "trapped",
            Self::TimedOut => "timed_out",
            Self::Holding => "holding",
            Self::Large => "large",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            rate_limited: Counter::default(),
            received: Counter::default(),
            sent: Counter::default(),
            created: Family::default(),
            reused: Family::default(),
            discarded: Family::default(),
            database: DatabaseMetrics::new(),
        })
    }

    /// Counts a request that took `time`; `component` and `route` are empty for one that no component answers.
    pub fn request(&self, component: &Arc<str>, route: &Arc<str>, method: &Method, status: StatusCode, time: Duration) {
        let (component, route) = (component.clone(), route.clone());
        let labels = RouteLabels { component: component.clone(), route: route.clone() };
        self.durations.get_or_create(&labels).observe(time.as_secs_f64());
        let labels = RequestLabels { component, route, method: known(method), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
    }

    /// How many instances of `component` were made.
    pub fn instances_created(&self, component: &Arc<str>) -> Counter {
        self.created.get_or_create_owned(&ComponentLabels { component: component.clone() })
    }

    /// How many requests were served by an instance of `component` that had served one before.
    pub fn instances_reused(&self, component: &Arc<str>) -> Counter {
        self.reused.get_or_create_owned(&ComponentLabels { component: component.clone() })
    }

    /// Counts an instance of `component` that was not kept.
    pub fn instance_discarded(&self, component: &Arc<str>, reason: Discard) {
        let labels = DiscardLabels { component: component.clone(), reason: reason.label() };
        self.discarded.get_or_create(&labels).inc();
    }

    /// All of it under the names it is known by, with the state of `pools` and `instances` when somebody asks.
    pub fn registry(&self, pools: Arc<Pools>, instances: Vec<Arc<Instances>>) -> Registry {
        let mut registry = Registry::default();
        let build = [("version", env!("CARGO_PKG_VERSION")), ("wasmtime", env!("WASMTIME_VERSION"))];
        let runner = registry.sub_registry_with_prefix("wiki_runner");
        runner.register("build", "The versions of the runner and its engine", Info::new(build));
        runner.register("requests", "Requests answered", self.requests.clone());
        let help = "Time from a request's head to the end of its answer";
        runner.register_with_unit("request_duration", help, Unit::Seconds, self.durations.clone());
        runner.register("requests_in_flight", "Requests being answered", self.in_flight.clone());
        runner.register("connections", "Open connections of clients", self.connections.clone());
        let help = "Connections refused because there were too many";
        runner.register("connections_refused", help, self.connections_refused.clone());
        let help = "Requests refused because too many came from one address";
        runner.register("requests_rate_limited", help, self.rate_limited.clone());
        runner.register_with_unit("received", "Bytes that came from clients", Unit::Bytes, self.received.clone());
        runner.register_with_unit("sent", "Bytes that went to clients", Unit::Bytes, self.sent.clone());
        runner.register("instances_created", "Instances made", self.created.clone());
        runner.register(
            "instances_reused",
            "Requests served by an instance that served one before",
            self.reused.clone(),
        );
        runner.register("instances_discarded", "Instances not kept after a request", self.discarded.clone());
        let help = "Time to get a database connection";
        runner.register_with_unit("pool_wait", help, Unit::Seconds, self.database.wait.clone());
        runner.register("pool_timeouts", "Database connections not to be had in time", self.database.timeouts.clone());
        let help = "Time for a statement with its result";
        runner.register_with_unit("query_duration", help, Unit::Seconds, self.database.queries.clone());
        runner.register("query_errors", "Statements that failed", self.database.errors.clone());
        registry.register_collector(Box::new(State { pools, instances }));
        registry
    }
}

impl DatabaseMetrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            wait: Histogram::new(QUERY_SECONDS),
            timeouts: Counter::default(),
            queries: Histogram::new(QUERY_SECONDS),
            errors: Counter::default(),
        }
    }
}

/// The name of a method that HTTP defines (RFC 9110, 9 and RFC 5789); clients may make up others without end.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What is looked up when somebody asks.
struct State {
    pools: Arc<Pools>,
    instances: Vec<Arc<Instances>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Instances that wait for a request, or serve one";
        let mut gauge = encoder.encode_descriptor("wiki_runner_instances", help, None, MetricType::Gauge)?;
        for instances in &self.instances {
            for (state, count) in [("idle", instances.idle()), ("busy", instances.busy())] {
                let labels = [("component", instances.component()), ("state", state)];
                ConstGauge::new(count).encode(gauge.encode_family(&labels)?)?;
            }
        }
        let pools = self.pools.states();
        let help = "Connections to a database";
        let mut gauge = encoder.encode_descriptor("wiki_runner_pool_connections", help, None, MetricType::Gauge)?;
        for pool in &pools {
            for (state, count) in [("idle", pool.idle), ("busy", pool.busy)] {
                let labels = [("database", pool.database.as_str()), ("state", state)];
                ConstGauge::new(count).encode(gauge.encode_family(&labels)?)?;
            }
        }
        let help = "Guests that wait for a connection to a database";
        let mut gauge = encoder.encode_descriptor("wiki_runner_pool_waiting", help, None, MetricType::Gauge)?;
        for pool in &pools {
            let labels = [("database", pool.database.as_str())];
            ConstGauge::new(pool.waiting).encode(gauge.encode_family(&labels)?)?;
        }
        match process::usage() {
            Some(usage) => encode_process(&mut encoder, &usage),
            None => Ok(()),
        }
    }
}

/// Under the names every Prometheus client uses.
fn encode_process(encoder: &mut DescriptorEncoder<'_>, usage: &process::Usage) -> fmt::Result {
    let cpu = ConstCounter::new(usage.cpu.as_secs_f64());
    let help = "CPU time used";
    cpu.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), cpu.metric_type())?)?;
    let memory = ConstGauge::new(usage.resident_bytes);
    let help = "Memory in use";
    let unit = Some(&Unit::Bytes);
    memory.encode(encoder.encode_descriptor("process_resident_memory", help, unit, memory.metric_type())?)?;
    for (name, help, number) in [
        ("process_open_fds", "Open file descriptors", usage.open_files),
        ("process_max_fds", "How many file descriptors may be open", usage.max_files),
    ] {
        let files = ConstGauge::new(number);
        files.encode(encoder.encode_descriptor(name, help, None, files.metric_type())?)?;
    }
    let start = ConstGauge::new(usage.start.as_secs_f64());
    let help = "When the process started, since 1970";
    start.encode(encoder.encode_descriptor("process_start_time", help, Some(&Unit::Seconds), start.metric_type())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_clients_make_up_share_a_label() {
        for name in ["GET", "PUT", "PATCH"] {
            assert_eq!(known(&name.parse().unwrap()), name);
        }
        for name in ["get", "BREW", "X".repeat(1000).as_str()] {
            assert_eq!(known(&name.parse().unwrap()), "other");
        }
    }
}
