//! The runner's start, and its memory before there is work.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::database::Database;
use crate::peers::{Peer, Programs, answers_health, spawn};
use crate::process::free_port;
use crate::progress::Progress;
use crate::report::Start;
use crate::stats::median;
use crate::usage;

/// How often a server that is starting is asked.
const POLL: Duration = Duration::from_micros(200);

/// Time a start may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Time after which a server that is asked nothing is idle.
const IDLE: Duration = Duration::from_secs(1);

/// Of so many starts, this many are followed by a look at the memory.
const LOOKS: u32 = 3;

/// Starts the runner again and again.
pub fn measure(programs: &Programs, database: &Database, count: u32, progress: &Progress) -> anyhow::Result<Start> {
    let step = progress.step(&format!("starting the runner {count} times"));
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for start in 0..count.max(1) {
        let port = free_port()?;
        let started = Instant::now();
        let mut process = spawn(Peer::Runner, programs, database, port)?;
        while !answers_health(port) {
            process.check()?;
            ensure!(started.elapsed() < LIMIT, "the runner did not answer within {LIMIT:?}:\n{}", process.said());
            thread::sleep(POLL);
        }
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        if start < LOOKS {
            thread::sleep(IDLE);
            memory.push(usage::rss_mb(process.id()));
        }
    }
    step.done();
    Ok(Start {
        count: count.max(1),
        first_200_ms: median(times).context("no start")?,
        idle_rss_mb: median(memory).context("no start")?,
    })
}
