//! The runner under load that lasts: does its memory grow?

use std::time::SystemTime;

use anyhow::Context;

use crate::database::Server;
use crate::measure::runner_alone;
use crate::peers::{Programs, Running};
use crate::progress::Progress;
use crate::report::Soak;
use crate::seed::Seed;
use crate::stats::median;
use crate::text::{Kind, Pages};
use crate::usage;
use crate::workload::Workload;
use crate::wrk::{Data, Load, Wrk};

const CONNECTIONS: u32 = 256;
const ROWS: u64 = 1000;

/// Seconds between two looks at the memory.
const INTERVAL: u32 = 5;

/// What memory may grow by at the end and still be called flat.
const GROWTH: f64 = 1.05;

/// Sends so many requests for pages and looks at the memory on the way.
pub async fn measure(programs: &Programs, server: &Server, requests: u64, progress: &Progress) -> anyhow::Result<Soak> {
    let seed = Seed { kind: Kind::Shared, rows: ROWS };
    let (copy, running) = runner_alone(programs, server, seed, progress).await?;
    let soaked = soak(programs, &running, seed, requests, progress);
    drop(running);
    let removed = copy.remove().await;
    soaked.and_then(|soaked| removed.map(|()| soaked))
}

fn soak(
    programs: &Programs,
    running: &Running,
    seed: Seed,
    requests: u64,
    progress: &Progress,
) -> anyhow::Result<Soak> {
    let id = running.id().context("the runner is a process")?;
    let wrk = Wrk::find(&programs.root, &programs.out)?;
    let data = Data {
        users: seed.users(),
        rows: seed.rows,
        text: Pages::new(seed.kind, seed.rows).page(1).content,
        run: format!("{:x}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos()),
        ..Data::default()
    };
    let load = Load {
        workload: Workload::GetPost,
        url: &running.url,
        connections: CONNECTIONS,
        seconds: INTERVAL,
        every_status: false,
    };
    let mut soak = Soak { connections: CONNECTIONS, ..Soak::default() };
    let bar = progress.bar(&format!("sending {requests} requests"), requests);
    while soak.requests < requests {
        let outcome = wrk.run(load, &data)?;
        anyhow::ensure!(outcome.requests > 0, "the runner answers nothing:\n{}", running.said());
        soak.requests += outcome.requests;
        if outcome.errors() > 0 {
            soak.errors += outcome.errors();
            progress.say(&outcome.complaint());
        }
        soak.rss_mb.push(usage::rss_mb(id));
        bar.advance(outcome.requests);
    }
    bar.done();
    soak.flat = is_flat(&soak.rss_mb);
    Ok(soak)
}

/// Whether the memory of the last quarter is about that of the one before. Medians, because it goes up and down by a
/// fifth with the requests of the moment.
fn is_flat(memory: &[f64]) -> bool {
    let (third, fourth) = memory[memory.len() / 2..].split_at(memory.len().div_ceil(2) / 2);
    let of = |quarter: &[f64]| median(quarter.iter().copied());
    match (of(third), of(fourth)) {
        (Some(third), Some(fourth)) => fourth <= third * GROWTH,
        (None, Some(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_grows_to_the_end_is_not_flat() {
        assert!(is_flat(&[40.0, 80.0, 100.0, 101.0, 99.0, 103.0]));
        assert!(!is_flat(&[40.0, 60.0, 80.0, 100.0, 120.0, 140.0]));
        assert!(is_flat(&[70.0, 90.0, 110.0, 130.0, 120.0, 145.0, 118.0, 121.0, 119.0, 144.0]));
        assert!(is_flat(&[100.0]));
        assert!(!is_flat(&[]));
    }
}
