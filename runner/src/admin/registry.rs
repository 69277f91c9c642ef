//! The metrics that `/metrics` exports: those the runner counts, and the state of instances, pools and the process.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::process::{self, Usage};
use crate::guest::instances::{Instances, Shared};

pub fn registry(shared: Shared, instances: Vec<Arc<Instances>>) -> Registry {
    let mut registry = Registry::default();
    shared.metrics.register(&mut registry);
    registry.register_collector(Box::new(State { shared, instances }));
    registry
}

/// State that is read at every scrape.
struct State {
    shared: Shared,
    instances: Vec<Arc<Instances>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = encoder.encode_descriptor("wiki_runner_instances", "Instances", None, MetricType::Gauge)?;
        for instances in &self.instances {
            for (state, count) in [("idle", instances.idle()), ("busy", instances.busy())] {
                let labels = [("component", instances.component()), ("state", state)];
                ConstGauge::new(count).encode(gauge.encode_family(&labels)?)?;
            }
        }
        let (budget, buffers) = (&self.shared.budget, &self.shared.buffers);
        for (name, help, bytes) in [
            ("wiki_runner_guest_memory", "Memory of guests and the results of their statements", budget.used()),
            ("wiki_runner_guest_memory_limit", "The most there may be of it", budget.limit()),
            ("wiki_runner_buffer_memory", "Bytes buffered for clients", buffers.used()),
            ("wiki_runner_buffer_memory_limit", "The most there may be of them", buffers.limit()),
        ] {
            ConstGauge::new(bytes).encode(encoder.encode_descriptor(
                name,
                help,
                Some(&Unit::Bytes),
                MetricType::Gauge,
            )?)?;
        }
        let pools = self.shared.pools.states();
        let help = "Connections to a database";
        let mut gauge = encoder.encode_descriptor("wiki_runner_pool_connections", help, None, MetricType::Gauge)?;
        for pool in &pools {
            for (state, count) in [("idle", pool.idle), ("busy", pool.busy)] {
                let labels = [("database", pool.database.as_str()), ("state", state)];
                ConstGauge::new(count).encode(gauge.encode_family(&labels)?)?;
            }
        }
        let help = "Guests waiting for a connection to a database";
        let mut gauge = encoder.encode_descriptor("wiki_runner_pool_waiting", help, None, MetricType::Gauge)?;
        for pool in &pools {
            let labels = [("database", pool.database.as_str())];
            ConstGauge::new(pool.waiting).encode(gauge.encode_family(&labels)?)?;
        }
        process::usage().map_or(Ok(()), |usage| encode_process(&mut encoder, &usage))
    }
}

/// Under the names that every Prometheus client library uses.
fn encode_process(encoder: &mut DescriptorEncoder<'_>, usage: &Usage) -> fmt::Result {
    let cpu = ConstCounter::new(usage.cpu.as_secs_f64());
    let help = "CPU time used";
    cpu.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), cpu.metric_type())?)?;
    let memory = ConstGauge::new(usage.resident_bytes);
    let help = "Resident memory";
    let unit = Some(&Unit::Bytes);
    memory.encode(encoder.encode_descriptor("process_resident_memory", help, unit, memory.metric_type())?)?;
    for (name, help, number) in [
        ("process_open_fds", "Open file descriptors", usage.open_files),
        ("process_max_fds", "Limit of open file descriptors", usage.max_files),
    ] {
        let files = ConstGauge::new(number);
        files.encode(encoder.encode_descriptor(name, help, None, files.metric_type())?)?;
    }
    let start = ConstGauge::new(usage.start.as_secs_f64());
    let help = "Start time of the process, since 1970";
    start.encode(encoder.encode_descriptor("process_start_time", help, Some(&Unit::Seconds), start.metric_type())?)
}
