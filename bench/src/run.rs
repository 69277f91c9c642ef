//! A whole run: checks first, then measurements, then the report in its forms.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};

use crate::database::Server;
use crate::options::{Options, Plan};
use crate::peers::{Peer, Programs, prepare_fastapi};
use crate::progress::Progress;
use crate::report::{Method, Report};
use crate::seed::{Copy, Seed, sweep};
use crate::text::Kind;
use crate::wrk::Wrk;
use crate::{chart, docs, goals, machine, measure, pgbench, search, soak, start, table};

/// Measures what `options` ask for.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let plan = options.plan();
    let programs = programs(options)?;
    let progress = Progress::default();
    let server = Server::parse(&options.database)?;
    check(&plan, &programs)?;
    sweep(&server).await?;
    if plan.peers.iter().any(|peer| matches!(peer, Peer::FastApi(_))) {
        let step = progress.step("installing what fastapi needs");
        prepare_fastapi(&programs)?;
        step.done();
    }

    let mut report = Report {
        date: DateTime::<Utc>::from(SystemTime::now()).format("%Y-%m-%d").to_string(),
        machine: machine::machine(),
        versions: machine::versions(&server, &programs, &plan.peers).await?,
        method: Method { rounds: plan.rounds, seconds: plan.seconds, warm_up: plan.warm_up },
        ..Report::default()
    };
    if report.machine.busy > table::QUIET {
        let percent = report.machine.busy * 100.0;
        progress.say(&format!("The machine is not quiet: other programs use {percent:.0} % of its processors."));
    }
    if plan.starts > 0 {
        report.start = Some(starts(&plan, &programs, &server, &progress).await?);
        write(&mut report, &programs.out)?;
    }
    // Every part is written as soon as it is there: a run takes long, and may not reach its end.
    let measured = measure::cells(&plan, &programs, &server, &progress).await?;
    (report.cells, report.refused) = (measured.cells, measured.refused);
    write(&mut report, &programs.out)?;
    if plan.search_pages > 0 {
        report.search = Some(search::measure(&programs, &server, plan.search_pages, &progress).await?);
        write(&mut report, &programs.out)?;
    }
    if options.soak {
        report.soak = Some(soak::measure(&programs, &server, options.soak_requests, &progress).await?);
        write(&mut report, &programs.out)?;
    }
    report.machine.busy = report.machine.busy.max(machine::busy());
    write(&mut report, &programs.out)?;
    progress.say(&format!("\n{}", table::goals(&report.ratios)));
    progress.say(&format!("Written to {}: report.json, report.md, chart.svg", programs.out.display()));
    if options.write_docs {
        docs::write(&programs.root, &table::markdown(&report), &chart::svg(&report))?;
        progress.say("Written to docs/benchmarks.md");
    }
    ensure!(report.refused.is_empty(), "some cells were not measured:\n{}", report.refused.join("\n"));
    Ok(())
}

async fn starts(
    plan: &Plan,
    programs: &Programs,
    server: &Server,
    progress: &Progress,
) -> anyhow::Result<crate::report::Start> {
    let seed = Seed { kind: Kind::Shared, rows: 1000 };
    let copy = Copy::make(server, &programs.root.join("migrations"), seed, progress).await?;
    let measured = start::measure(programs, &copy.database, plan.starts, progress);
    let removed = copy.remove().await;
    measured.and_then(|measured| removed.map(|()| measured))
}

/// What would otherwise fail an hour later.
fn check(plan: &Plan, programs: &Programs) -> anyhow::Result<()> {
    Wrk::find(&programs.root, &programs.out)?;
    if plan.peers.contains(&Peer::Pgbench) {
        pgbench::find(programs.pgbench.as_deref())?;
    }
    let mut files = vec![&programs.runner, &programs.manifest, &programs.precompiled];
    if plan.peers.contains(&Peer::Spin) {
        ensure!(programs.spin.is_some(), "the peer spin needs the environment variable SPIN: the path of the program");
        files.push(&programs.component);
    }
    for file in files {
        ensure!(file.is_file(), "{} is missing: build it with `cargo xtask build`", file.display());
    }
    Ok(())
}

fn programs(options: &Options) -> anyhow::Result<Programs> {
    let absolute = |path: &Path| -> anyhow::Result<PathBuf> {
        std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
    };
    fs::create_dir_all(&options.out).with_context(|| format!("cannot make {}", options.out.display()))?;
    Ok(Programs {
        root: absolute(&options.root)?,
        out: absolute(&options.out)?,
        runner: absolute(&options.runner)?,
        manifest: absolute(&options.manifest)?,
        precompiled: absolute(&options.precompiled)?,
        component: absolute(&options.component)?,
        spin: options.spin.clone(),
        pgbench: options.postgres_programs.clone(),
    })
}

fn write(report: &mut Report, folder: &Path) -> anyhow::Result<()> {
    report.ratios = goals::ratios(report);
    let json = serde_json::to_string_pretty(report).context("cannot write a report as JSON")?;
    for (name, text) in
        [("report.json", json + "\n"), ("report.md", table::markdown(report)), ("chart.svg", chart::svg(report))]
    {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
