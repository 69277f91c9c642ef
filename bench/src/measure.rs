//! The cells: each peer under the same load, in turn, for several rounds.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::database::Database;
use crate::machine::{CALM, Ticks};
use crate::options::Options;
use crate::peers::Running;
use crate::report::{Cell, Metric, Report, Sample, grouped};
use crate::seed::{self, Seed, Words};
use crate::workload::Workload;
use crate::wrk::{self, Data, Load};
use crate::{check, pgbench};

/// Searches that the workload `search` draws from.
const SEARCHES: usize = 500;

/// Measurements that are made at most for one that counts.
const TRIES: u32 = 2;

/// Time after which requests of a closed connection are done.
const SETTLED: Duration = Duration::from_millis(200);

/// Measures all cells with so many pages.
pub async fn cells(options: &Options, server: &Database, pages: u64, report: &mut Report) -> anyhow::Result<()> {
    let seed = Seed { pages, own_texts: false };
    let bench = Bench { options, seed, database: &seed::copy(server, seed).await? };
    let mut running = bench.start().await?;
    for workload in &options.workloads {
        for connections in &options.connections {
            bench.cell(*workload, *connections, &mut running, report).await?;
        }
    }
    Ok(())
}

/// Checks that all peers do the same work with so many pages.
pub async fn compare(options: &Options, server: &Database, pages: u64) -> anyhow::Result<()> {
    let seed = Seed { pages, own_texts: false };
    Bench { options, seed, database: &seed::copy(server, seed).await? }.start().await.map(drop)
}

/// One database with all peers on it.
struct Bench<'a> {
    options: &'a Options,
    seed: Seed,
    database: &'a Database,
}

impl Bench<'_> {
    /// The peers, which do the same work.
    async fn start(&self) -> anyhow::Result<Vec<Running>> {
        let start = |peer| Running::start(peer, self.options, self.database);
        let running = self.options.peers().into_iter().map(start).collect::<anyhow::Result<Vec<_>>>()?;
        check::peers(&running, self.database).await?;
        self.take_back().await?;
        Ok(running)
    }

    /// One workload at one number of connections on every peer that answers it.
    async fn cell(
        &self,
        workload: Workload,
        connections: u32,
        running: &mut [Running],
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let peers = running.iter_mut().filter(|running| running.peer.answers(workload));
        let mut turns: Vec<(&mut Running, anyhow::Result<Vec<Sample>>)> =
            peers.map(|it| (it, Ok(Vec::new()))).collect();
        for round in 0..self.options.rounds as usize {
            // No peer is always the first, on the database as another one left it.
            for place in 0..turns.len() {
                let count = turns.len();
                let (running, samples) = &mut turns[(place + round) % count];
                let Ok(earlier) = samples else { continue };
                match self.calm_sample(workload, connections, running).await {
                    Ok(sample) => earlier.push(sample),
                    Err(error) => *samples = Err(error),
                }
            }
        }
        let mut line = format!("{workload:<11} {connections:>4} connections:");
        for (Running { peer, .. }, samples) in turns {
            match samples {
                Ok(samples) => {
                    let cell = Cell::of(workload, connections, self.seed.pages, *peer, &samples);
                    _ = write!(line, "  {peer} {}", cell.show(Metric::Rps, grouped));
                    report.cells.push(cell);
                }
                Err(error) => {
                    _ = write!(line, "  {peer} REFUSED");
                    report.refused.push(format!("{workload} at {connections} connections on {peer}: {error:#}"));
                }
            }
        }
        println!("{line}");
        Ok(())
    }

    /// One measurement during which a hypervisor left the machine alone, or else the one in which it took least.
    async fn calm_sample(&self, workload: Workload, connections: u32, running: &mut Running) -> anyhow::Result<Sample> {
        let mut best = (f64::INFINITY, Err(anyhow::anyhow!("nothing was measured")));
        for _ in 0..TRIES {
            let before = Ticks::now();
            let sample = self.sample(workload, connections, running).await;
            let stolen = before.until(Ticks::now()).stolen;
            running.process.as_mut().map_or(Ok(()), |process| process.check())?;
            if workload.writes() {
                self.take_back().await?;
            }
            match sample {
                Err(error) if stolen <= CALM => return Err(error),
                Ok(mut sample) if stolen < best.0 => {
                    sample.insert(Metric::Stolen, stolen);
                    best = (stolen, Ok(sample));
                }
                // Without processors a peer may well fail to answer: the other measurement counts.
                Err(error) if best.1.is_err() => {
                    best.1 = Err(error.context(format!("a hypervisor took {:.0} % of the processors", stolen * 100.0)));
                }
                _ => {}
            }
            if stolen <= CALM {
                break;
            }
        }
        best.1
    }

    /// One measurement. Fails when the peer answers errors before it.
    async fn sample(&self, workload: Workload, connections: u32, running: &Running) -> anyhow::Result<Sample> {
        let Options { seconds, warm_up, out, .. } = self.options;
        let Some(process) = &running.process else {
            let run = |seconds| pgbench::run(out, self.database, workload, self.seed, connections, seconds);
            // Its time starts before its sessions are open, each of which signs in.
            let opening = connections.div_ceil(64);
            run(warm_up + opening)?;
            return run(seconds + opening);
        };
        let load = Load { workload, url: &running.url, connections, seconds: *warm_up, every_status: true };
        let warm = wrk::run(load, &data(self.database, self.seed, workload).await?, out)?;
        ensure!(warm.errors() == 0, "some requests failed: {warm:?}\n{}", process.output());
        ensure!(warm.requests > 0, "no answer in {warm_up} s");

        let data = data(self.database, self.seed, workload).await?;
        process.reset_peak();
        let cpu = process.cpu_seconds();
        let outcome = wrk::run(Load { seconds: *seconds, every_status: false, ..load }, &data, out)?;
        let cpu = process.cpu_seconds() - cpu;
        let micros = 1e6 / outcome.requests.max(1) as f64;
        let [p50, p99, p999] = outcome.percentiles_us.map(|micros| micros / 1000.0);
        Ok(Sample::from([
            (Metric::Rps, outcome.rps()),
            (Metric::P50, p50),
            (Metric::P99, p99),
            (Metric::P999, p999),
            (Metric::Cpu, cpu * micros),
            (Metric::Memory, process.peak_memory_mb()),
            (Metric::LoadCpu, outcome.cpu_seconds * micros),
            (Metric::Errors, outcome.errors() as f64),
        ]))
    }

    async fn take_back(&self) -> anyhow::Result<()> {
        thread::sleep(SETTLED);
        seed::take_back(self.database, self.seed).await.context("cannot take back what was written")
    }
}

/// What the requests of a workload are made of: for edits, the versions there are now.
pub async fn data(database: &Database, seed: Seed, workload: Workload) -> anyhow::Result<Data> {
    let content = database.column("SELECT content FROM posts WHERE id = 1").await?.concat();
    let text = content.strip_prefix("# Page 1").unwrap_or(&content).to_owned();
    let mut data = Data { users: seed.users(), pages: seed.pages, text, ..Data::default() };
    if workload == Workload::Search {
        let mut words = Words::of(database, seed).await?;
        let mut search = || utf8_percent_encode(&words.word(), NON_ALPHANUMERIC).to_string();
        data.searches = (0..SEARCHES).map(|_| search()).collect();
    }
    if workload.writes() {
        thread::sleep(SETTLED);
        data.edited = seed::edited(database, seed).await?;
    }
    Ok(data)
}
