//! Searches one after another over one connection, as a person waits for one.

use std::time::Instant;

use anyhow::{Context, ensure};

use crate::client::Client;
use crate::database::Server;
use crate::measure::runner_alone;
use crate::peers::{Programs, Running};
use crate::progress::Progress;
use crate::queries::{Query, encoded};
use crate::report::{SearchKind, Searches};
use crate::seed::Seed;
use crate::stats::percentile;
use crate::text::{Kind, Pages, Random};

/// Searches of each kind that are measured, and those before them.
const SEARCHES: usize = 200;
const WARM_UP: usize = 20;

/// Measures searches in so many pages, each with a text of its own.
pub async fn measure(
    programs: &Programs,
    server: &Server,
    pages: u64,
    progress: &Progress,
) -> anyhow::Result<Searches> {
    let seed = Seed { kind: Kind::Own, rows: pages };
    let (copy, running) = runner_alone(programs, server, seed, progress).await?;
    let step = progress.step(&format!("searching {pages} pages"));
    let found = search(&running, seed).await;
    step.done();
    drop(running);
    let removed = copy.remove().await;
    found.and_then(|found| removed.map(|()| found))
}

async fn search(running: &Running, seed: Seed) -> anyhow::Result<Searches> {
    let client = Client::new()?;
    let pages = Pages::new(seed.kind, seed.rows);
    let mut random = Random(2);
    let (mut kinds, mut all) = (Vec::new(), Vec::new());
    for query in Query::ALL {
        let mut times = Vec::new();
        for number in 0..WARM_UP + SEARCHES {
            let wanted = query.draw(&pages, seed.rows, &mut random);
            let url = format!("{}/search?q={}", running.url, encoded(&wanted));
            let started = Instant::now();
            let answer = client.get(&url, "").await?;
            let time = started.elapsed().as_secs_f64() * 1000.0;
            ensure!(answer.is_success(), "the search {wanted} is answered {}: {}", answer.status, answer.excerpt());
            if number >= WARM_UP {
                times.push(time);
            }
        }
        let at = |share| percentile(times.iter().copied(), share).context("no search");
        kinds.push(SearchKind {
            kind: query.name().to_owned(),
            searches: times.len(),
            p50_ms: at(0.5)?,
            p95_ms: at(0.95)?,
            max_ms: at(1.0)?,
        });
        all.extend(times);
    }
    Ok(Searches { pages: seed.rows, p95_ms: percentile(all, 0.95).context("no search")?, kinds })
}
