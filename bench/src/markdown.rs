//! The report as Markdown, by itself and in docs/benchmarks.md.

use std::fmt::Write as _;

use anyhow::{Context, bail};

use crate::goals;
use crate::machine::{CALM, QUIET};
use crate::report::{Cell, Metric, Report, grouped, significant};
use crate::stats::median;

/// The lines of docs/benchmarks.md between which the results are.
const BEGIN: &str = "<!-- written by cargo xtask bench -->";
const END: &str = "<!-- end of what is written -->";

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
pub fn write(report: &Report) -> String {
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
    use crate::peer::Peer;
    use crate::report::Sample;
    use crate::workload::Workload;

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
        let text = write(&Report { cells, refused, busy: 0.4, ..Report::default() });
        let table = "| workload | connections | runner | native |\n|---|--:|--:|--:|\n\
                     | health | 1 | 10 (!) | 2,000 |\n| search | 1 | 5 |  |\n";
        assert!(text.contains(table) && text.contains("\nNot measured: search on native\n"), "{text}");
        assert!(text.contains("other programs used 40 %") && !write(&Report::default()).contains("quiet"));
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
