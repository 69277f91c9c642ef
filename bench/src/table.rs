//! The report as Markdown.

use std::fmt::Write as _;

use crate::goals::Ratio;
use crate::measure::CALM;
use crate::report::{Cell, Report};
use crate::stats::median;

/// The share of the processors that other programs may use.
pub const QUIET: f64 = 0.05;

/// The whole report.
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let machine = &report.machine;
    _ = writeln!(
        text,
        "Measured on {}: {}, {} cores, {} GB of memory, {}. {}.\n",
        report.date,
        machine.processor,
        machine.cores,
        machine.memory_gb,
        machine.kernel,
        report.versions.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", ")
    );
    let method = report.method;
    _ = writeln!(
        text,
        "Medians of {} rounds of {} s, each after {} s of the same load.\n",
        method.rounds, method.seconds, method.warm_up
    );
    if machine.busy > QUIET {
        _ = writeln!(
            text,
            "**The machine was not quiet**: other programs used {:.0} % of its processors. Numbers of such a run are no results.\n",
            machine.busy * 100.0
        );
    }
    text.push_str("### Goals\n\n");
    text.push_str(&goals(&report.ratios));
    for rows in distinct(report.cells.iter().map(|cell| cell.rows)) {
        let cells: Vec<&Cell> = report.cells.iter().filter(|cell| cell.rows == rows).collect();
        for (title, show) in METRICS {
            _ = writeln!(text, "\n### {title}, {} pages\n", grouped(rows as f64));
            text.push_str(&matrix(&cells, show));
        }
    }
    if let Some(load) = median(report.cells.iter().filter_map(|cell| cell.load_cpu_us)) {
        _ = writeln!(
            text,
            "\nwrk itself used {} µs of processor time per request (median of all cells).",
            significant(load)
        );
    }
    if let Some(stolen) = median(report.cells.iter().map(|cell| cell.stolen)).filter(|stolen| *stolen > 0.0) {
        _ = writeln!(
            text,
            "\nA hypervisor gave {:.1} % of the processors to other machines meanwhile (median of all cells). A turn in which it \
             gave more than {:.0} % was made again once, and the calmer one counts.",
            stolen * 100.0,
            CALM * 100.0
        );
    }
    text.push_str(&single(report));
    for refused in &report.refused {
        _ = writeln!(text, "\nNot measured: {}", refused.lines().next().unwrap_or_default());
    }
    text
}

/// Where docs/benchmarks.md has the reasons.
const WHY: &str = "[why](#what-stands-in-the-way)";

type Show = fn(&Cell) -> Option<String>;

const METRICS: [(&str, Show); 4] = [
    ("Requests per second", |cell| Some(grouped(cell.rps) + if cell.errors > 0 { " (!)" } else { "" })),
    ("Latency in milliseconds, 50 % / 99 % / 99.9 %", |cell| {
        Some([cell.p50_ms, cell.p99_ms, cell.p999_ms].map(significant).join(" / "))
    }),
    ("Processor time of the server per request, in microseconds", |cell| cell.cpu_us.map(significant)),
    ("Peak memory of the server in MB", |cell| cell.rss_mb.map(grouped)),
];

/// A line for each workload and number of connections, a column for each peer.
fn matrix(cells: &[&Cell], show: Show) -> String {
    let peers = distinct(cells.iter().map(|cell| cell.peer.clone()));
    let mut text = format!("| workload | connections | {} |\n", peers.join(" | "));
    _ = writeln!(text, "|---|--:|{}", "--:|".repeat(peers.len()));
    for (workload, connections) in distinct(cells.iter().map(|cell| (cell.workload.clone(), cell.connections))) {
        _ = write!(text, "| {workload} | {connections} |");
        for peer in &peers {
            let of_this =
                |cell: &&&Cell| cell.workload == workload && cell.connections == connections && cell.peer == *peer;
            _ = write!(text, " {} |", cells.iter().find(of_this).and_then(|cell| show(cell)).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

/// The goals and what was reached.
pub fn goals(ratios: &[Ratio]) -> String {
    let mut text = "| at 32 connections | goal | stretch | reached | |\n|---|--:|--:|--:|---|\n".to_owned();
    for ratio in ratios {
        let limit = |value: f64| format!("{} {}", if ratio.at_most { "≤" } else { "≥" }, significant(value));
        let verdict = match (ratio.met, ratio.stretch_met, ratio.missing) {
            (None, ..) => format!("not measured ({WHY})"),
            (_, Some(true), _) => "yes, and the stretch".to_owned(),
            (Some(true), ..) => "yes".to_owned(),
            (_, _, missing) => format!("no, by {:.0} % ({WHY})", missing.unwrap_or_default() * 100.0),
        };
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {verdict} |",
            ratio.name,
            limit(ratio.goal),
            ratio.stretch.map(limit).unwrap_or_default(),
            ratio.reached.map(significant).unwrap_or_default()
        );
    }
    text
}

/// What was measured without peers.
fn single(report: &Report) -> String {
    let mut text = String::new();
    if let Some(start) = report.start {
        _ = writeln!(
            text,
            "\n### Start\n\nFrom the start of the process to the first answer: {} ms (median of {}). Memory a second later: {} MB.",
            significant(start.first_200_ms),
            start.count,
            significant(start.idle_rss_mb)
        );
    }
    if let Some(search) = &report.search {
        _ = writeln!(text, "\n### Searches in {} pages, one after another\n", grouped(search.pages as f64));
        text.push_str("| kind | searches | 50 %, ms | 95 %, ms | longest, ms |\n|---|--:|--:|--:|--:|\n");
        for kind in &search.kinds {
            let [p50, p95, max] = [kind.p50_ms, kind.p95_ms, kind.max_ms].map(significant);
            _ = writeln!(text, "| {} | {} | {p50} | {p95} | {max} |", kind.kind, kind.searches);
        }
    }
    if let Some(soak) = &report.soak {
        let series: Vec<String> = soak.rss_mb.iter().map(|mb| grouped(*mb)).collect();
        _ = writeln!(
            text,
            "\n### Load that lasts\n\n{} requests at {} connections, {} errors. Memory on the way, in MB: {}.",
            grouped(soak.requests as f64),
            soak.connections,
            soak.errors,
            series.join(", ")
        );
    }
    text
}

/// Each value once, in the order of their first occurrence.
pub fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// A whole number with commas between thousands.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with as many digits as can be told apart in a benchmark.
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
    use crate::goals::ratios;

    fn cell(workload: &str, connections: u32, peer: &str, rps: f64) -> Cell {
        Cell { workload: workload.into(), peer: peer.into(), connections, rows: 1000, rps, ..Cell::default() }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.4].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 0.756, 9.99, 12.34, 1234.0].map(significant), ["0.00", "0.76", "9.99", "12.3", "1,234"]);
    }

    #[test]
    fn a_matrix_has_a_column_for_each_peer_and_gaps() {
        let cells =
            [cell("health", 1, "runner", 10.0), cell("health", 1, "native", 2000.0), cell("search", 1, "runner", 5.0)];
        let text = matrix(&cells.iter().collect::<Vec<_>>(), METRICS[0].1);
        assert_eq!(
            text,
            "| workload | connections | runner | native |\n|---|--:|--:|--:|\n| health | 1 | 10 | 2,000 |\n| search | 1 | 5 |  |\n"
        );
    }

    #[test]
    fn a_busy_machine_is_told() {
        let mut report = Report::default();
        assert!(!markdown(&report).contains("quiet"));
        report.machine.busy = 0.4;
        assert!(markdown(&report).contains("other programs used 40 %"));
    }

    #[test]
    fn errors_are_marked() {
        let with_errors = Cell { errors: 1, ..cell("health", 1, "runner", 10.0) };
        assert!(matrix(&[&with_errors], METRICS[0].1).contains("| 10 (!) |"));
    }

    #[test]
    fn goals_say_by_how_much_they_were_missed() {
        let cells = vec![cell("get_user", 32, "runner", 30.0), cell("get_user", 32, "native", 100.0)];
        let mut report = Report { cells, ..Report::default() };
        report.ratios = ratios(&report);
        let text = markdown(&report);
        assert!(
            text.contains(
                "| runner/native, get_user | ≥ 0.60 | ≥ 0.80 | 0.30 | no, by 50 % ([why](#what-stands-in-the-way)) |"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "| runner/spin, get_user | ≥ 8.00 | ≥ 12.0 |  | not measured ([why](#what-stands-in-the-way)) |"
            ),
            "{text}"
        );
    }
}
