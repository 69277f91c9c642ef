//! The runner without peers: its start, searches in many pages, and its memory under load that lasts.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::check;
use crate::database::Database;
use crate::measure::data;
use crate::options::Options;
use crate::peer::Peer;
use crate::peers::Running;
use crate::process::Process;
use crate::report::{Report, grouped, significant};
use crate::seed::{self, Seed, Words};
use crate::stats::{median, percentiles};
use crate::workload::Workload;
use crate::wrk::{self, Load};

/// Time without requests after which a server is idle, and starts after which its memory is read.
const IDLE: Duration = Duration::from_secs(1);
const IDLE_STARTS: u32 = 3;

/// Searches of each kind that are timed, after some that are not.
const SEARCHES: usize = 200;
const WARM_UP: usize = 20;

/// Pages and connections of the load that lasts, and seconds between two readings of the memory.
const SOAK_PAGES: u64 = 1000;
const SOAK_CONNECTIONS: u32 = 256;
const SOAK_INTERVAL: u32 = 5;

/// Growth of the memory that still counts as flat.
const GROWTH: f64 = 1.05;

/// Times starts of the runner, and reads its memory before there are requests.
pub async fn start(options: &Options, server: &Database, report: &mut Report) -> anyhow::Result<()> {
    let database = seed::copy(server, Seed { pages: 1000, own_texts: false }).await?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for start in 0..options.starts {
        let started = Instant::now();
        let running = Running::start(Peer::Runner, options, &database)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        if start < IDLE_STARTS {
            thread::sleep(IDLE);
            memory.extend(running.process.as_ref().map(Process::memory_mb));
        }
    }
    (report.start_ms, report.idle_mb) = (median(times), median(memory));
    let [first, idle] = [report.start_ms, report.idle_mb].map(|value| value.map(significant).unwrap_or_default());
    report.sections += &format!(
        "\n### Start\n\nFrom the start of the process to the first answer: {first} ms (median of {}). Memory a second later: \
         {idle} MB.\n",
        options.starts
    );
    Ok(())
}

/// Times searches one after another on one connection, as a person waits for one.
pub async fn search(options: &Options, server: &Database, report: &mut Report) -> anyhow::Result<()> {
    let seed = Seed { pages: options.search_pages, own_texts: true };
    let database = seed::copy(server, seed).await?;
    let running = Running::start(Peer::Runner, options, &database)?;
    let client = check::client()?;
    let mut words = Words::of(&database, seed).await?;
    type Draw = fn(&mut Words) -> String;
    let kinds: [(&str, Draw); 4] = [
        ("one word", Words::word),
        ("two words", |words| format!("{} {}", words.word(), words.word())),
        ("a phrase of the text", |words| format!("\"{}\"", words.pair())),
        ("one OR another -third", |words| format!("{} OR {} -{}", words.word(), words.word(), words.word())),
    ];
    let mut table = "| kind | searches | 50 %, ms | 95 %, ms | longest, ms |\n|---|--:|--:|--:|--:|\n".to_owned();
    let mut slowest: f64 = 0.0;
    for (kind, draw) in kinds {
        let mut times = Vec::new();
        for _ in 0..WARM_UP + SEARCHES {
            let wanted = draw(&mut words);
            let mut url = reqwest::Url::parse(&running.url)?.join("/search")?;
            url.query_pairs_mut().append_pair("q", &wanted);
            let started = Instant::now();
            let answer = check::send(client.get(url)).await?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(answer.status == 200, "the search {wanted} is answered {answer:?}");
        }
        let times = times.split_off(WARM_UP);
        let times = percentiles(times, [0.5, 0.95, 1.0]);
        slowest = slowest.max(times[1]);
        let shown = times.map(significant).join(" | ");
        _ = writeln!(table, "| {kind} | {SEARCHES} | {shown} |");
    }
    report.search = Some((seed.pages, slowest));
    report.sections += &format!("\n### Searches in {} pages, one at a time\n\n{table}", grouped(seed.pages as f64));
    Ok(())
}

/// Sends the requests of `--soak`, for pages, and reads the memory meanwhile.
pub async fn soak(options: &Options, server: &Database, report: &mut Report) -> anyhow::Result<()> {
    let seed = Seed { pages: SOAK_PAGES, own_texts: false };
    let database = seed::copy(server, seed).await?;
    let running = Running::start(Peer::Runner, options, &database)?;
    let process = running.process.as_ref().context("the runner is not a process")?;
    let (workload, connections, url) = (Workload::GetPost, SOAK_CONNECTIONS, &*running.url);
    let data = data(&database, seed, workload).await?;
    let load = Load { workload, url, connections, seconds: SOAK_INTERVAL, every_status: false };
    let (mut requests, mut errors, mut memory) = (0, 0, Vec::new());
    while requests < options.soak_requests {
        let outcome = wrk::run(load, &data, &options.out)?;
        ensure!(outcome.requests > 0, "the runner does not answer:\n{}", process.output());
        requests += outcome.requests;
        errors += outcome.errors();
        if outcome.errors() > 0 {
            println!("some requests failed: {outcome:?}");
        }
        memory.push(process.memory_mb());
    }
    report.soak = Some((requests, memory.last().copied().unwrap_or_default(), is_flat(&memory)));
    let memory: Vec<String> = memory.into_iter().map(grouped).collect();
    report.sections += &format!(
        "\n### Load that lasts\n\n{} requests at {connections} connections, {errors} errors. Memory meanwhile, in MB: {}.\n",
        grouped(requests as f64),
        memory.join(", ")
    );
    Ok(())
}

/// Whether the memory of the last quarter is about that of the one before. Medians, because it goes up and down by a
/// fifth with the requests of the moment.
fn is_flat(memory: &[f64]) -> bool {
    let (third, fourth) = memory[memory.len() / 2..].split_at(memory.len().div_ceil(2) / 2);
    let [third, fourth] = [third, fourth].map(|quarter| median(quarter.iter().copied()));
    fourth.is_some_and(|fourth| third.is_none_or(|third| fourth <= third * GROWTH))
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
