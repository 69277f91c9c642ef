//! The goals, and how far they were reached.

use serde::{Deserialize, Serialize};

use crate::report::{Cell, Report};

/// Connections that goals are about, unless they say otherwise.
const CONNECTIONS: u32 = 32;

/// Workloads that goals are about.
const WORKLOADS: [&str; 2] = ["get_user", "get_post"];

/// A table that is small, and one that is large.
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;

/// Pages that are searched.
const SEARCHED: u64 = 100_000;

/// A goal, and what was reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// What is compared.
    pub name: String,
    /// Whether less is better.
    pub at_most: bool,
    /// The goal.
    pub goal: f64,
    /// What would be better still.
    pub stretch: Option<f64>,
    /// What was reached; nothing where it was not measured.
    pub reached: Option<f64>,
    /// Whether that is the goal.
    pub met: Option<bool>,
    /// Whether it is more than the goal.
    pub stretch_met: Option<bool>,
    /// By how much it is not the goal, as a share of the goal.
    pub missing: Option<f64>,
}

impl Ratio {
    fn at_least(name: impl Into<String>, goal: f64, stretch: Option<f64>, reached: Option<f64>) -> Self {
        Self::new(name.into(), false, goal, stretch, reached)
    }

    fn at_most(name: impl Into<String>, goal: f64, stretch: Option<f64>, reached: Option<f64>) -> Self {
        Self::new(name.into(), true, goal, stretch, reached)
    }

    fn new(name: String, at_most: bool, goal: f64, stretch: Option<f64>, reached: Option<f64>) -> Self {
        let keeps = |limit: f64| reached.map(|reached| if at_most { reached <= limit } else { reached >= limit });
        let met = keeps(goal);
        let missing = reached.filter(|_| met == Some(false)).map(|reached| (reached - goal).abs() / goal);
        Self { name, at_most, goal, stretch, reached, met, stretch_met: stretch.and_then(keeps), missing }
    }
}

/// All goals, in the order they are shown in.
pub fn ratios(report: &Report) -> Vec<Ratio> {
    let cells = Cells(&report.cells);
    let mut ratios = Vec::new();
    let rps = |cell: &Cell| cell.rps;
    for workload in WORKLOADS {
        let ratio = |one: &str, other: &str| Some(cells.at(workload, one)?.rps / cells.at(workload, other)?.rps);
        let name = |name: &str| format!("{name}, {workload}");
        ratios.push(Ratio::at_least(name("runner/native"), 0.6, Some(0.8), ratio("runner", "native")));
        ratios.push(Ratio::at_least(
            name("runner/fastapi with 1 worker"),
            30.0,
            Some(50.0),
            ratio("runner", "fastapi"),
        ));
        let workers = cells.fastapi_with_most_workers(workload);
        let per_core = cells.at(workload, "runner").zip(workers).map(|(runner, workers)| rps(runner) / rps(workers));
        ratios.push(Ratio::at_least(name("runner/fastapi with a worker per core"), 8.0, None, per_core));
        ratios.push(Ratio::at_least(name("runner/spin"), 8.0, Some(12.0), ratio("runner", "spin")));
        ratios.push(Ratio::at_least(name("runner-fresh/spin"), 2.5, None, ratio("runner-fresh", "spin")));
        let p99 = cells
            .at(workload, "runner")
            .zip(cells.at(workload, "native"))
            .map(|(one, other)| one.p99_ms / other.p99_ms);
        ratios.push(Ratio::at_most(name("p99 of runner/native"), 2.0, Some(1.3), p99));
    }
    let large = cells
        .find("get_post", "runner", MANY)
        .zip(cells.find("get_post", "runner", FEW))
        .map(|(large, small)| large.rps / small.rps);
    ratios.push(Ratio::at_least("get_post at 1 million pages/at 1 thousand", 0.9, None, large));
    let start = report.start.as_ref();
    ratios.push(Ratio::at_most("start to first 200, ms", 30.0, None, start.map(|start| start.first_200_ms)));
    ratios.push(Ratio::at_most("idle memory, MB", 30.0, None, start.map(|start| start.idle_rss_mb)));
    let soak = report.soak.as_ref().filter(|soak| soak.requests >= MANY);
    let last = soak.and_then(|soak| soak.rss_mb.last().copied());
    ratios.push(Ratio::at_most("memory after a million requests at 256 connections, MB", 150.0, None, last));
    let flat = soak.map(|soak| if soak.flat { 1.0 } else { 0.0 });
    ratios.push(Ratio::at_least("that memory is flat (1 is yes)", 1.0, None, flat));
    let search = report.search.as_ref().filter(|search| search.pages >= SEARCHED).map(|search| search.p95_ms);
    ratios.push(Ratio::at_most("p95 of searches in 100,000 pages, ms", 50.0, None, search));
    ratios
}

struct Cells<'a>(&'a [Cell]);

impl<'a> Cells<'a> {
    fn find(&self, workload: &str, peer: &str, rows: u64) -> Option<&'a Cell> {
        let is = |cell: &&Cell| cell.workload == workload && cell.peer == peer;
        self.0.iter().filter(is).find(|cell| cell.connections == CONNECTIONS && cell.rows == rows && cell.rps > 0.0)
    }

    /// Of the smallest table that was measured.
    fn at(&self, workload: &str, peer: &str) -> Option<&'a Cell> {
        let rows = self.0.iter().map(|cell| cell.rows).min()?;
        self.find(workload, peer, rows)
    }

    fn fastapi_with_most_workers(&self, workload: &str) -> Option<&'a Cell> {
        let workers = |cell: &Cell| cell.peer.strip_prefix("fastapi-").and_then(|count| count.parse::<u32>().ok());
        let peer = self.0.iter().filter(|cell| workers(cell).is_some()).max_by_key(|cell| workers(cell))?;
        self.at(workload, &peer.peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Searches, Soak, Start};

    fn cell(workload: &str, peer: &str, rows: u64, rps: f64, p99_ms: f64) -> Cell {
        Cell { workload: workload.into(), peer: peer.into(), connections: 32, rows, rps, p99_ms, ..Cell::default() }
    }

    fn find(ratios: &[Ratio], name: &str) -> Ratio {
        ratios.iter().find(|ratio| ratio.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
    }

    #[test]
    fn ratios_are_taken_of_the_same_workload() {
        let cells = vec![
            cell("get_user", "runner", 1000, 3000.0, 4.0),
            cell("get_user", "native", 1000, 4000.0, 2.0),
            cell("get_user", "fastapi", 1000, 200.0, 90.0),
            cell("get_user", "fastapi-4", 1000, 600.0, 90.0),
            cell("get_post", "runner", 1000, 1000.0, 4.0),
            cell("get_post", "runner", 1_000_000, 800.0, 4.0),
        ];
        let ratios = ratios(&Report { cells, ..Report::default() });

        let native = find(&ratios, "runner/native, get_user");
        assert_eq!((native.reached, native.met, native.stretch_met), (Some(0.75), Some(true), Some(false)));
        assert_eq!(native.missing, None);
        let fastapi = find(&ratios, "runner/fastapi with 1 worker, get_user");
        assert_eq!((fastapi.reached, fastapi.met, fastapi.missing), (Some(15.0), Some(false), Some(0.5)));
        assert_eq!(find(&ratios, "runner/fastapi with a worker per core, get_user").reached, Some(5.0));
        assert_eq!(find(&ratios, "p99 of runner/native, get_user").met, Some(true));
        assert_eq!(find(&ratios, "get_post at 1 million pages/at 1 thousand").reached, Some(0.8));
        assert_eq!(find(&ratios, "runner/native, get_post").reached, None);
        assert_eq!(find(&ratios, "runner/spin, get_user").met, None);
    }

    #[test]
    fn limits_may_not_be_exceeded() {
        let report = Report {
            start: Some(Start { count: 1, first_200_ms: 45.0, idle_rss_mb: 30.0 }),
            soak: Some(Soak { requests: 1_000_001, rss_mb: vec![90.0, 100.0], flat: true, ..Soak::default() }),
            ..Report::default()
        };
        let ratios = ratios(&report);
        let start = find(&ratios, "start to first 200, ms");
        assert_eq!((start.met, start.missing), (Some(false), Some(0.5)));
        assert_eq!(find(&ratios, "idle memory, MB").met, Some(true));
        assert_eq!(find(&ratios, "memory after a million requests at 256 connections, MB").reached, Some(100.0));
        assert_eq!(find(&ratios, "that memory is flat (1 is yes)").met, Some(true));
    }

    #[test]
    fn less_than_the_goal_is_about_reaches_nothing() {
        let report = Report {
            soak: Some(Soak { requests: 60_000, rss_mb: vec![90.0], flat: true, ..Soak::default() }),
            search: Some(Searches { pages: 20_000, p95_ms: 1.0, ..Searches::default() }),
            ..Report::default()
        };
        let ratios = ratios(&report);
        let limits = ratios.iter().filter(|ratio| ratio.name.contains("memory") || ratio.name.contains("searches"));
        assert!(limits.clone().count() > 2 && limits.into_iter().all(|ratio| ratio.met.is_none()));
    }
}
