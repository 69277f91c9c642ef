//! What was measured.

use std::collections::BTreeMap;

use crate::peer::Peer;
use crate::stats::median;
use crate::workload::Workload;

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Report {
    /// The day, the machine, the programs, and how they were measured.
    pub setting: String,
    /// The share of the processors, from 0 to 1, that other programs used before the run or after it.
    pub busy: f64,
    pub cells: Vec<Cell>,
    /// Why cells are missing.
    pub refused: Vec<String>,
    /// The runner's start, and its memory before there are requests.
    pub start_ms: Option<f64>,
    pub idle_mb: Option<f64>,
    /// Pages that were searched, and the milliseconds within which 95 % of the slowest kind of searches were answered.
    pub search: Option<(u64, f64)>,
    /// Requests of the load that lasts, the memory after them, and whether it stopped growing.
    pub soak: Option<(u64, f64, bool)>,
    /// What was measured without peers, as Markdown.
    pub sections: String,
}

/// What is measured of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Requests per second.
    Rps,
    /// Milliseconds within which 50, 99 and 99.9 % of the answers came.
    P50,
    P99,
    P999,
    /// Microseconds of processor time per request of the server's processes, without the database; not of pgbench.
    Cpu,
    /// Peak memory of the server's processes in MB; not of pgbench.
    Memory,
    /// Microseconds of processor time per request of the load generator.
    LoadCpu,
    /// Requests that failed.
    Errors,
    /// The share of the processors, from 0 to 1, that a hypervisor gave to other machines.
    Stolen,
}

/// One measurement of a cell.
pub type Sample = BTreeMap<Metric, f64>;

/// One workload on one peer.
#[derive(Debug)]
pub struct Cell {
    pub workload: Workload,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// Pages in the database.
    pub pages: u64,
    pub peer: Peer,
    /// The medians of all rounds, but the sum of their errors.
    values: Sample,
}

impl Cell {
    pub fn of(workload: Workload, connections: u32, pages: u64, peer: Peer, samples: &[Sample]) -> Self {
        let all = |metric: Metric| samples.iter().filter_map(move |sample| sample.get(&metric).copied());
        let value = |metric: &Metric| match metric {
            Metric::Errors => Some((*metric, all(*metric).sum())),
            _ => Some((*metric, median(all(*metric))?)),
        };
        let values = samples.first().into_iter().flat_map(BTreeMap::keys).filter_map(value).collect();
        Self { workload, connections, pages, peer, values }
    }

    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values.get(&metric).copied()
    }

    pub fn show(&self, metric: Metric, format: fn(f64) -> String) -> String {
        self.get(metric).map(format).unwrap_or_default()
    }
}

/// A whole number with commas between thousands.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
}

/// A number with as many digits as a benchmark can distinguish.
pub fn significant(number: f64) -> String {
    match number.abs() {
        size if size >= 99.95 => grouped(number),
        size if size >= 9.995 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_medians_and_all_errors() {
        let sample = |rps, errors| Sample::from([(Metric::Rps, rps), (Metric::Errors, errors)]);
        let samples = [sample(3.0, 1.0), sample(1.0, 0.0), sample(2.0, 2.0)];
        let cell = Cell::of(Workload::GetUser, 32, 1000, Peer::Runner, &samples);
        let values = [Metric::Rps, Metric::Errors, Metric::Memory].map(|metric| cell.get(metric));
        assert_eq!(values, [Some(2.0), Some(3.0), None]);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.4].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 0.756, 9.99, 12.34, 1234.0].map(significant), ["0.00", "0.76", "9.99", "12.3", "1,234"]);
    }
}
