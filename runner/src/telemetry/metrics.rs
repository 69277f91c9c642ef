//! Counters and histograms that are updated while the runner works. `admin::registry` exports them.
//!
//! Labels have a bounded number of values: routes and components come from the manifest, methods and statuses from HTTP.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds in seconds. A small request takes less than a millisecond; 30 s is the default request timeout.
const REQUEST_SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const QUERY_SECONDS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 20.0];

/// [`Metrics::register`] says what each metric counts.
#[derive(Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub in_flight: Gauge,
    pub connections: Gauge,
    pub connections_refused: Counter,
    pub rate_limited: Counter,
    pub received: Counter,
    pub sent: Counter,
    created: Family<ComponentLabels, Counter>,
    reused: Family<ComponentLabels, Counter>,
    discarded: Family<DiscardLabels, Counter>,
    timer_runs: Family<TimerLabels, Counter>,
    timer_durations: Family<PathLabels, Histogram, fn() -> Histogram>,
    pub database: DatabaseMetrics,
}

/// The guests' use of databases.
#[derive(Debug, Clone)]
pub struct DatabaseMetrics {
    /// In seconds.
    pub wait: Histogram,
    pub timeouts: Counter,
    /// In seconds.
    pub queries: Histogram,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TimerLabels {
    path: Arc<str>,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PathLabels {
    path: Arc<str>,
}

/// The counters of one timer.
#[derive(Debug)]
pub struct TimerMetrics {
    pub succeeded: Counter,
    pub failed: Counter,
    /// In seconds.
    pub duration: Histogram,
}

/// Why an instance was discarded.
#[derive(Debug, Clone, Copy)]
pub enum Discard {
    /// It served the maximum number of requests.
    Worn,
    Trapped,
    TimedOut,
    /// It kept a resource of a request, such as an open body.
    Holding,
    /// It outgrew the memory of an idle instance.
    Large,
    /// Its client went away before it finished.
    Abandoned,
    /// It was idle for too long.
    Idle,
    /// It was idle, and others needed its memory.
    Reclaimed,
    /// All guests together had no more memory.
    OutOfMemory,
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
            Self::Idle => "idle",
            Self::Reclaimed => "reclaimed",
            Self::OutOfMemory => "out_of_memory",
        }
    }
}

impl Metrics {
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
            timer_runs: Family::default(),
            timer_durations: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            database: DatabaseMetrics::new(),
        })
    }

    /// Counts a request that took `time`. `component` and `route` are empty if no route matched.
    pub fn request(&self, component: &Arc<str>, route: &Arc<str>, method: &Method, status: StatusCode, time: Duration) {
        let (component, route) = (component.clone(), route.clone());
        let labels = RouteLabels { component: component.clone(), route: route.clone() };
        self.durations.get_or_create(&labels).observe(time.as_secs_f64());
        let labels = RequestLabels { component, route, method: known(method), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
    }

    /// The counter of instances of `component` that were started.
    pub fn instances_created(&self, component: &Arc<str>) -> Counter {
        self.created.get_or_create_owned(&ComponentLabels { component: component.clone() })
    }

    /// The counter of requests to `component` that a used instance served.
    pub fn instances_reused(&self, component: &Arc<str>) -> Counter {
        self.reused.get_or_create_owned(&ComponentLabels { component: component.clone() })
    }

    pub fn instance_discarded(&self, component: &Arc<str>, reason: Discard) {
        let labels = DiscardLabels { component: component.clone(), reason: reason.label() };
        self.discarded.get_or_create(&labels).inc();
    }

    /// The counters of the timer with this path, from 0 on.
    pub fn timer(&self, path: &str) -> TimerMetrics {
        let path: Arc<str> = path.into();
        let runs = |result| self.timer_runs.get_or_create_owned(&TimerLabels { path: path.clone(), result });
        let (succeeded, failed) = (runs("succeeded"), runs("failed"));
        TimerMetrics { succeeded, failed, duration: self.timer_durations.get_or_create_owned(&PathLabels { path }) }
    }

    /// Registers everything under its exported name.
    pub fn register(&self, registry: &mut Registry) {
        let build = [("version", env!("CARGO_PKG_VERSION")), ("wasmtime", env!("WASMTIME_VERSION"))];
        let runner = registry.sub_registry_with_prefix("wiki_runner");
        runner.register("build", "The versions of the runner and its engine", Info::new(build));
        runner.register("requests", "Requests answered", self.requests.clone());
        let help = "Time from a request's head to the end of its response";
        runner.register_with_unit("request_duration", help, Unit::Seconds, self.durations.clone());
        runner.register("requests_in_flight", "Requests whose response is not complete", self.in_flight.clone());
        runner.register("connections", "Open client connections", self.connections.clone());
        let help = "Connections refused at the limit of open connections";
        runner.register("connections_refused", help, self.connections_refused.clone());
        let help = "Requests refused by the rate limit of their client address";
        runner.register("requests_rate_limited", help, self.rate_limited.clone());
        runner.register_with_unit("received", "Bytes received from clients", Unit::Bytes, self.received.clone());
        runner.register_with_unit("sent", "Bytes sent to clients", Unit::Bytes, self.sent.clone());
        runner.register("instances_created", "Instances started", self.created.clone());
        runner.register("instances_reused", "Requests served by a used instance", self.reused.clone());
        runner.register("instances_discarded", "Instances discarded", self.discarded.clone());
        runner.register("timer_runs", "Requests that the runner made because of a timer", self.timer_runs.clone());
        let help = "Time of such a request";
        runner.register_with_unit("timer_duration", help, Unit::Seconds, self.timer_durations.clone());
        let help = "Time to get a database connection";
        runner.register_with_unit("pool_wait", help, Unit::Seconds, self.database.wait.clone());
        runner.register("pool_timeouts", "Timeouts of getting a database connection", self.database.timeouts.clone());
        let help = "Time to run a statement and read its result";
        runner.register_with_unit("query_duration", help, Unit::Seconds, self.database.queries.clone());
        runner.register("query_errors", "Statements that failed", self.database.errors.clone());
    }
}

impl DatabaseMetrics {
    pub fn new() -> Self {
        Self {
            wait: Histogram::new(QUERY_SECONDS),
            timeouts: Counter::default(),
            queries: Histogram::new(QUERY_SECONDS),
            errors: Counter::default(),
        }
    }
}

/// The name of a method that HTTP defines (RFC 9110, 9 and RFC 5789), or "other": clients can make up any number of methods.
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
