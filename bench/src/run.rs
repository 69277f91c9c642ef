//! A whole run: checks first, then measurements, then the report.

use std::fs;
use std::time::SystemTime;

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};

use crate::database::Database;
use crate::options::Options;
use crate::peer::Peer;
use crate::peers::install_fastapi;
use crate::report::Report;
use crate::{alone, machine, markdown, measure, seed};

/// Measures what `options` ask for. The report is written after each part, because a run takes long and may be stopped.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let file = options.out.join("report.md");
    let write = |report: &Report| {
        let text = markdown::write(report);
        fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display())).map(|()| text)
    };
    fs::create_dir_all(&options.out).with_context(|| format!("cannot create {}", options.out.display()))?;
    let server = Database::parse(&options.database)?;
    if options.compare {
        for pages in &options.rows {
            measure::compare(options, &server, *pages).await?;
        }
        return seed::remove_copy(&server).await;
    }
    let peers = options.peers();
    let day = DateTime::<Utc>::from(SystemTime::now()).format("%Y-%m-%d");
    let versions = machine::versions(&server, options, &peers).await?;
    let Options { rounds, seconds, warm_up, .. } = options;
    let setting = format!(
        "Measured on {day}: {}. {versions}.\n\nMedians of {rounds} rounds of {seconds} s, each after {warm_up} s of the same \
         load.",
        machine::describe()
    );
    if peers.iter().any(|peer| matches!(peer, Peer::FastApi(_))) {
        install_fastapi(options)?;
    }
    let mut report = Report { setting, busy: machine::busy(), ..Report::default() };
    if report.busy > machine::QUIET {
        println!("The machine is not quiet: other programs use {:.0} % of its processors.", report.busy * 100.0);
    }
    if options.starts > 0 {
        println!("starting the runner {} times", options.starts);
        alone::start(options, &server, &mut report).await?;
    }
    for pages in &options.rows {
        println!("measuring with {pages} pages");
        measure::cells(options, &server, *pages, &mut report).await?;
        write(&report)?;
    }
    if options.search_pages > 0 {
        println!("searching {} pages", options.search_pages);
        alone::search(options, &server, &mut report).await?;
        write(&report)?;
    }
    if options.soak {
        println!("sending {} requests", options.soak_requests);
        alone::soak(options, &server, &mut report).await?;
    }
    seed::remove_copy(&server).await?;
    report.busy = report.busy.max(machine::busy());
    let text = write(&report)?;
    println!("\n{text}\nWritten to {}", file.display());
    if options.write_docs {
        markdown::write_docs(&text)?;
        println!("Written to docs/benchmarks.md");
    }
    ensure!(report.refused.is_empty(), "some cells were not measured:\n{}", report.refused.join("\n"));
    Ok(())
}
