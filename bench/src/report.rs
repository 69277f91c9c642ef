//! The report: what was measured, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, bail};

use crate::goals;
use crate::measure::CALM;
use crate::peers::Peer;
use crate::stats::median;
use crate::workload::Workload;

/// The share of the processors that other programs may use.
pub const QUIET: f64 = 0.05;

/// The lines of docs/benchmarks.md between which the results are.
const BEGIN: &str = "<!-- written by cargo xtask bench -->";
const END: &str = "<!-- end of what is written -->";

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
    /// Pages that were searched, and the time within which 95 % of all searches were answered.
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

type Show = fn(&Cell) -> String;

/// The tables of cells: their titles and what they show.
const TABLES: [(&str, Show); 4] = [
    ("Requests per second", |cell| {
        cell.show(Metric::Rps, grouped) + if cell.get(Metric::Errors) > Some(0.0) { " (!)" } else { "" }
    }),
    ("Latency in milliseconds, 50 % / 99 % / 99.9 %", |cell| {
        [Metric::P50, Metric::P99, Metric::P999].map(|metric| cell.show(metric, significant)).join(" / ")
    }),
    ("Processor time of the server per request, in microseconds", |cell| cell.show(Metric::Cpu, significant)),
    ("Peak memory of the server in MB", |cell| cell.show(Metric::Memory, grouped)),
];

/// The report as Markdown.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("{}\n\n", report.setting);
    if report.busy > QUIET {
        let percent = report.busy * 100.0;
        text += &format!(
            "**The machine was not quiet**: other programs used {percent:.0} % of its processors. Numbers of such a run are \
             no results.\n\n"
        );
    }
    text += &format!("### Goals\n\n{}", goals::table(report));
    for pages in distinct(report.cells.iter().map(|cell| cell.pages)) {
        let cells: Vec<&Cell> = report.cells.iter().filter(|cell| cell.pages == pages).collect();
        for (title, show) in TABLES {
            text += &format!("\n### {title}, {} pages\n\n{}", grouped(pages as f64), table(&cells, show));
        }
    }
    let all = |metric| median(report.cells.iter().filter_map(|cell| cell.get(metric)));
    if let Some(load) = all(Metric::LoadCpu).map(significant) {
        text += &format!("\nwrk itself used {load} µs of processor time per request (median of all cells).\n");
    }
    if let Some(stolen) = all(Metric::Stolen).filter(|stolen| *stolen > 0.0) {
        text += &format!(
            "\nA hypervisor gave {:.1} % of the processors to other machines meanwhile (median of all cells). A turn in \
             which it gave more than {:.0} % was repeated once, and the calmer one counts.\n",
            stolen * 100.0,
            CALM * 100.0
        );
    }
    text += &report.sections;
    for refused in &report.refused {
        text += &format!("\nNot measured: {}\n", refused.lines().next().unwrap_or_default());
    }
    text
}

/// A row for each workload and number of connections, a column for each peer.
fn table(cells: &[&Cell], show: Show) -> String {
    let peers = distinct(cells.iter().map(|cell| cell.peer));
    let names: String = peers.iter().map(|peer| format!(" {peer} |")).collect();
    let mut text = format!("| workload | connections |{names}\n|---|--:|{}\n", "--:|".repeat(peers.len()));
    for (workload, connections) in distinct(cells.iter().map(|cell| (cell.workload, cell.connections))) {
        _ = write!(text, "| {workload} | {connections} |");
        for peer in &peers {
            let is = |cell: &&&Cell| (cell.workload, cell.connections, cell.peer) == (workload, connections, *peer);
            _ = write!(text, " {} |", cells.iter().find(is).map(|cell| show(cell)).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

/// Each value once, in the order in which they first occur.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.fold(Vec::new(), |mut found, value| {
        if !found.contains(&value) {
            found.push(value);
        }
        found
    })
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

/// Replaces the results in docs/benchmarks.md.
pub fn write_docs(results: &str) -> anyhow::Result<()> {
    let file = "docs/benchmarks.md";
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    std::fs::write(file, replaced(&text, results)?).with_context(|| format!("cannot write {file}"))
}

fn replaced(text: &str, results: &str) -> anyhow::Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else { bail!("docs/benchmarks.md has no line {BEGIN}") };
    let Some((_, after)) = rest.split_once(END) else { bail!("docs/benchmarks.md has no line {END}") };
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", results.trim()))
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

    #[test]
    fn a_table_has_a_column_for_each_peer_with_gaps_and_marks() {
        let cell = |workload, peer, rps, errors| {
            Cell::of(workload, 1, 1000, peer, &[Sample::from([(Metric::Rps, rps), (Metric::Errors, errors)])])
        };
        let cells = vec![
            cell(Workload::Health, Peer::Runner, 10.0, 1.0),
            cell(Workload::Health, Peer::Native, 2000.0, 0.0),
            cell(Workload::Search, Peer::Runner, 5.0, 0.0),
        ];
        let refused = vec!["search on native\nand why".into()];
        let text = markdown(&Report { cells, refused, busy: 0.4, ..Report::default() });
        let table = "| workload | connections | runner | native |\n|---|--:|--:|--:|\n\
                     | health | 1 | 10 (!) | 2,000 |\n| search | 1 | 5 |  |\n";
        assert!(text.contains(table) && text.contains("\nNot measured: search on native\n"), "{text}");
        assert!(text.contains("other programs used 40 %") && !markdown(&Report::default()).contains("quiet"));
    }

    #[test]
    fn only_the_results_are_replaced() {
        let text = format!("# Text\n\n{BEGIN}\nold\n{END}\n\nmore\n");
        let new = replaced(&text, "new\n").unwrap();
        assert_eq!(new, format!("# Text\n\n{BEGIN}\n\nnew\n\n{END}\n\nmore\n"));
        assert_eq!(replaced(&new, "new\n").unwrap(), new);
        assert!(replaced("text", "new").is_err() && replaced(BEGIN, "new").is_err());
    }
}
