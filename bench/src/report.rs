//! What was measured, as `report.json` has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::goals::Ratio;
use crate::stats::median;

/// Everything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The day, in UTC.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// What, by name.
    pub versions: BTreeMap<String, String>,
    /// How.
    pub method: Method,
    /// The measurements with load.
    pub cells: Vec<Cell>,
    /// What was not measured because a peer answered errors.
    pub refused: Vec<String>,
    /// The runner's start and idle memory.
    pub start: Option<Start>,
    /// Searches, one after another.
    pub search: Option<Searches>,
    /// Memory under load that lasts.
    pub soak: Option<Soak>,
    /// The goals, and what was reached.
    pub ratios: Vec<Ratio>,
}

/// The machine, by what matters and not by its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model.
    pub processor: String,
    /// Processors the system sees.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gb: u64,
    /// The operating system's kernel.
    pub kernel: String,
    /// The share of the processors that other programs used, before the run began or when it was over: from 0 to 1.
    pub busy: f64,
}

/// How the cells were measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Measurements of each cell; the medians are reported.
    pub rounds: u32,
    /// Seconds of each.
    pub seconds: u32,
    /// Seconds of load before each.
    pub warm_up: u32,
}

/// One workload on one peer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What was asked.
    pub workload: String,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// Pages in the database.
    pub rows: u64,
    /// Who answered.
    pub peer: String,
    /// Requests in a second.
    pub rps: f64,
    /// Half of the answers came in at most this time.
    pub p50_ms: f64,
    /// 99 % of the answers.
    pub p99_ms: f64,
    /// 99.9 % of the answers.
    pub p999_ms: f64,
    /// Processor time of the server's processes for each request, without the database; nothing for pgbench.
    pub cpu_us: Option<f64>,
    /// The most memory that the server's processes had; nothing for pgbench.
    pub rss_mb: Option<f64>,
    /// Requests that failed, in all rounds.
    pub errors: u64,
    /// Processor time of the load generator for each request.
    pub load_cpu_us: Option<f64>,
    /// The share of the processors that a hypervisor gave to others meanwhile, from 0 to 1.
    pub stolen: f64,
}

/// One measurement of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// See [`Cell`].
    pub rps: f64,
    /// See [`Cell`].
    pub p50_ms: f64,
    /// See [`Cell`].
    pub p99_ms: f64,
    /// See [`Cell`].
    pub p999_ms: f64,
    /// See [`Cell`].
    pub cpu_us: Option<f64>,
    /// See [`Cell`].
    pub rss_mb: Option<f64>,
    /// See [`Cell`].
    pub errors: u64,
    /// See [`Cell`].
    pub load_cpu_us: Option<f64>,
    /// See [`Cell`].
    pub stolen: f64,
}

impl Cell {
    /// The medians of some samples; nothing of none.
    pub fn of(workload: &str, connections: u32, rows: u64, peer: &str, samples: &[Sample]) -> Option<Self> {
        let of = |field: fn(&Sample) -> f64| median(samples.iter().map(field));
        let maybe = |field: fn(&Sample) -> Option<f64>| median(samples.iter().filter_map(field));
        Some(Self {
            workload: workload.to_owned(),
            connections,
            rows,
            peer: peer.to_owned(),
            rps: of(|sample| sample.rps)?,
            p50_ms: of(|sample| sample.p50_ms)?,
            p99_ms: of(|sample| sample.p99_ms)?,
            p999_ms: of(|sample| sample.p999_ms)?,
            cpu_us: maybe(|sample| sample.cpu_us),
            rss_mb: maybe(|sample| sample.rss_mb),
            errors: samples.iter().map(|sample| sample.errors).sum(),
            load_cpu_us: maybe(|sample| sample.load_cpu_us),
            stolen: of(|sample| sample.stolen)?,
        })
    }
}

/// The runner before there is any load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Starts.
    pub count: u32,
    /// Median of the times from the process's start to the first answer 200.
    pub first_200_ms: f64,
    /// Memory a second after that.
    pub idle_rss_mb: f64,
}

/// Searches over one connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Searches {
    /// Pages that were searched.
    pub pages: u64,
    /// 95 % of all searches took at most this time.
    pub p95_ms: f64,
    /// By kind.
    pub kinds: Vec<SearchKind>,
}

/// Searches of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchKind {
    /// Which.
    pub kind: String,
    /// How many.
    pub searches: usize,
    /// Half of them took at most this time.
    pub p50_ms: f64,
    /// 95 %.
    pub p95_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// The runner under load that lasts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Soak {
    /// Answers.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Connections.
    pub connections: u32,
    /// Memory every few seconds.
    pub rss_mb: Vec<f64>,
    /// Whether it had stopped growing by the half.
    pub flat: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_medians_and_all_errors() {
        let sample = |rps, errors, cpu_us| Sample { rps, errors, cpu_us, ..Sample::default() };
        let samples = [sample(3.0, 1, Some(9.0)), sample(1.0, 0, None), sample(2.0, 2, Some(5.0))];
        let cell = Cell::of("get_user", 32, 1000, "runner", &samples).unwrap();
        assert_eq!((cell.rps, cell.errors, cell.cpu_us, cell.rss_mb), (2.0, 3, Some(7.0), None));
        assert_eq!(Cell::of("get_user", 32, 1000, "runner", &[]), None);
    }
}
