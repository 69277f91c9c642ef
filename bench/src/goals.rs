//! The goals, and what was reached of them.

use crate::peer::Peer;
use crate::report::{Cell, Metric, Report, significant};
use crate::workload::Workload;

/// Connections that goals are about, and many of them.
const CONNECTIONS: u32 = 32;
const MANY_CONNECTIONS: u32 = 256;

/// The smallest soak and the smallest number of searched pages that goals are about.
const SOAKED: u64 = 1_000_000;
const SEARCHED: u64 = 100_000;

/// Where docs/benchmarks.md has the reasons.
const WHY: &str = "[why](#what-stands-in-the-way)";

/// The table of goals. What was not measured reaches nothing.
pub fn table(report: &Report) -> String {
    let value = |workload, peer, (pages, connections), metric| {
        let is = |cell: &&Cell| {
            (cell.workload, cell.peer, cell.pages, cell.connections) == (workload, peer, pages, connections)
        };
        report.cells.iter().find(is)?.get(metric).filter(|value| *value > 0.0)
    };
    let fewest = report.cells.iter().map(|cell| cell.pages).min().unwrap_or_default();
    let usual = (fewest, CONNECTIONS);
    let of_peers = |metric, workload, one, other| {
        Some(value(workload, one, usual, metric)? / value(workload, other, usual, metric)?)
    };
    let rps = |workload, one, other| of_peers(Metric::Rps, workload, one, other);
    let of_runner = |metric, (workload, of), (other_workload, other_of)| {
        Some(value(workload, Peer::Runner, of, metric)? / value(other_workload, Peer::Runner, other_of, metric)?)
    };
    let workers = report.cells.iter().filter_map(|cell| match cell.peer {
        Peer::FastApi(workers) if workers > 1 => Some(workers),
        _ => None,
    });
    let workers = Peer::FastApi(workers.max().unwrap_or_default());
    let mut table = format!("| at {CONNECTIONS} connections | goal | stretch | reached | |\n|---|--:|--:|--:|---|\n");
    let mut add = |name: &str, sign, goal, stretch, reached| table += &row(name, sign, goal, stretch, reached);
    for workload in [Workload::GetUser, Workload::GetPost] {
        let mut add = |name, sign, goal, stretch, reached| {
            add(&format!("{name}, {workload}"), sign, goal, stretch, reached);
        };
        let native = |metric| of_peers(metric, workload, Peer::Runner, Peer::Native);
        let many = of_runner(Metric::Rps, (workload, (fewest, MANY_CONNECTIONS)), (workload, usual));
        add("runner/native", '≥', 0.65, Some(0.8), native(Metric::Rps));
        add("processor time, runner/native", '≤', 2.5, Some(2.0), native(Metric::Cpu));
        add("p99 of runner/native", '≤', 1.3, None, native(Metric::P99));
        add("runner/fastapi with 1 worker", '≥', 30.0, Some(50.0), rps(workload, Peer::Runner, Peer::FastApi(1)));
        add("runner/fastapi with a worker per core", '≥', 8.0, None, rps(workload, Peer::Runner, workers));
        add("runner/spin", '≥', 8.0, Some(12.0), rps(workload, Peer::Runner, Peer::Spin));
        add("runner-fresh/spin", '≥', 2.5, None, rps(workload, Peer::RunnerFresh, Peer::Spin));
        add(&format!("{MANY_CONNECTIONS} connections/{CONNECTIONS}"), '≥', 1.0, None, many);
    }
    for workload in [Workload::EditPost, Workload::CreatePost] {
        let native = rps(workload, Peer::Runner, Peer::Native);
        add(&format!("runner/native, {workload}"), '≥', 0.9, None, native);
    }
    let html = of_runner(Metric::Rps, (Workload::PageHtml, usual), (Workload::GetPost, usual));
    add("page_html/get_post", '≥', 0.8, Some(1.0), html);
    let [many, few] = [1_000_000, 1_000].map(|pages| (Workload::GetPost, (pages, CONNECTIONS)));
    add("get_post at 1 million pages/at 1 thousand", '≥', 0.9, None, of_runner(Metric::Rps, many, few));
    let soak = report.soak.filter(|(requests, ..)| *requests >= SOAKED);
    let flat = soak.map(|(.., flat)| f64::from(u8::from(flat)));
    let search = report.search.filter(|(pages, _)| *pages >= SEARCHED).map(|(_, p95)| p95);
    for (name, sign, goal, reached) in [
        ("start to first 200, ms", '≤', 15.0, report.start_ms),
        ("idle memory, MB", '≤', 30.0, report.idle_mb),
        ("memory after a million requests at 256 connections, MB", '≤', 150.0, soak.map(|(_, memory, _)| memory)),
        ("that memory is flat (1 is yes)", '≥', 1.0, flat),
        ("p95 of searches in 100,000 pages, of the slowest kind, ms", '≤', 50.0, search),
    ] {
        add(name, sign, goal, None, reached);
    }
    table
}

fn row(name: &str, sign: char, goal: f64, stretch: Option<f64>, reached: Option<f64>) -> String {
    let limit = |value: f64| format!("{sign} {}", significant(value));
    let meets = |limit: f64, reached: f64| if sign == '≤' { reached <= limit } else { reached >= limit };
    let verdict = match reached {
        None => format!("not measured ({WHY})"),
        Some(reached) if stretch.is_some_and(|stretch| meets(stretch, reached)) => "yes, and the stretch".to_owned(),
        Some(reached) if meets(goal, reached) => "yes".to_owned(),
        Some(reached) => format!("no, by {:.0} % ({WHY})", (reached - goal).abs() / goal * 100.0),
    };
    let [stretch, reached] = [stretch.map(limit), reached.map(significant)].map(Option::unwrap_or_default);
    format!("| {name} | {} | {stretch} | {reached} | {verdict} |\n", limit(goal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Sample;

    #[track_caller]
    fn assert_rows(report: &Report, rows: &[&str]) {
        let table = table(report);
        for row in rows {
            assert!(table.contains(&format!("\n| {row}")), "{row}\n{table}");
        }
    }

    #[test]
    fn ratios_are_taken_of_the_same_workload() {
        let cells = [
            (Workload::GetUser, 32, Peer::Runner, 1000, [3000.0, 4.0, 90.0]),
            (Workload::GetUser, 256, Peer::Runner, 1000, [2700.0, 4.0, 90.0]),
            (Workload::GetUser, 32, Peer::Native, 1000, [4000.0, 2.0, 40.0]),
            (Workload::GetUser, 32, Peer::FastApi(1), 1000, [200.0, 90.0, 900.0]),
            (Workload::GetUser, 32, Peer::FastApi(4), 1000, [600.0, 90.0, 900.0]),
            (Workload::GetPost, 32, Peer::Runner, 1000, [1000.0, 4.0, 90.0]),
            (Workload::GetPost, 32, Peer::Runner, 1_000_000, [800.0, 4.0, 90.0]),
            (Workload::PageHtml, 32, Peer::Runner, 1000, [900.0, 4.0, 90.0]),
            (Workload::EditPost, 32, Peer::Runner, 1000, [80.0, 4.0, 90.0]),
            (Workload::EditPost, 32, Peer::Native, 1000, [100.0, 4.0, 90.0]),
        ];
        let cell = |(workload, connections, peer, pages, [rps, p99, cpu]): (Workload, u32, Peer, u64, [f64; 3])| {
            let sample = Sample::from([(Metric::Rps, rps), (Metric::P99, p99), (Metric::Cpu, cpu)]);
            Cell::of(workload, connections, pages, peer, &[sample])
        };
        let rows = [
            "runner/native, get_user | ≥ 0.65 | ≥ 0.80 | 0.75 | yes |",
            "processor time, runner/native, get_user | ≤ 2.50 | ≤ 2.00 | 2.25 | yes |",
            "runner/fastapi with 1 worker, get_user | ≥ 30.0 | ≥ 50.0 | 15.0 | no, by 50 % ([why](",
            "runner/fastapi with a worker per core, get_user | ≥ 8.00 |  | 5.00 | no",
            "p99 of runner/native, get_user | ≤ 1.30 |  | 2.00 | no, by 54 %",
            "256 connections/32, get_user | ≥ 1.00 |  | 0.90 | no, by 10 %",
            "page_html/get_post | ≥ 0.80 | ≥ 1.00 | 0.90 | yes |",
            "runner/native, edit_post | ≥ 0.90 |  | 0.80 | no",
            "get_post at 1 million pages/at 1 thousand | ≥ 0.90 |  | 0.80 | no",
            "runner/native, get_post | ≥ 0.65 | ≥ 0.80 |  | not measured",
        ];
        assert_rows(&Report { cells: cells.map(cell).into(), ..Report::default() }, &rows);
    }

    #[test]
    fn limits_must_not_be_exceeded() {
        let (start_ms, idle_mb) = (Some(45.0), Some(30.0));
        let report = Report { start_ms, idle_mb, soak: Some((1_000_001, 100.0, true)), ..Report::default() };
        let rows = [
            "start to first 200, ms | ≤ 15.0 |  | 45.0 | no, by 200 %",
            "idle memory, MB | ≤ 30.0 |  | 30.0 | yes |",
            "memory after a million requests at 256 connections, MB | ≤ 150 |  | 100 | yes |",
            "that memory is flat (1 is yes) | ≥ 1.00 |  | 1.00 | yes |",
        ];
        assert_rows(&report, &rows);
    }

    #[test]
    fn less_than_a_goal_is_about_reaches_nothing() {
        let report = Report { soak: Some((60_000, 90.0, true)), search: Some((20_000, 1.0)), ..Report::default() };
        let rows = ["memory after a million requests at 256 connections, MB | ≤ 150 |  |  | not measured"];
        assert_rows(&report, &rows);
        assert_rows(
            &report,
            &["p95 of searches in 100,000 pages, of the slowest kind, ms | ≤ 50.0 |  |  | not measured"],
        );
    }
}
