//! The cells: each peer under the same load, in turn, for several rounds.

use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context;

use crate::compare;
use crate::database::{Database, Server};
use crate::machine::Ticks;
use crate::options::Plan;
use crate::peers::{Peer, Programs, Running};
use crate::pgbench;
use crate::progress::{Progress, Step};
use crate::queries::{Query, encoded};
use crate::report::{Cell, Sample};
use crate::seed::{Copy, Seed, take_back};
use crate::table::grouped;
use crate::text::{Kind, Pages, Random};
use crate::usage;
use crate::workload::Workload;
use crate::wrk::{Data, Load, Wrk};

/// Searches that the workload `search` draws from.
const QUERIES: usize = 500;

/// The share of the processors that a hypervisor may take away from a measurement: above it, it is made again.
pub const CALM: f64 = 0.10;

/// How often it is made at most.
const TRIES: u32 = 2;

/// Time after which requests of a client that is gone are done.
const SETTLED: Duration = Duration::from_millis(200);

/// What was measured, and what was not because of errors.
#[derive(Debug, Default)]
pub struct Measured {
    /// The medians.
    pub cells: Vec<Cell>,
    /// Why cells are missing.
    pub refused: Vec<String>,
}

/// Measures all cells of a plan.
pub async fn cells(plan: &Plan, programs: &Programs, server: &Server, progress: &Progress) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    for rows in &plan.rows {
        let seed = Seed { kind: Kind::Shared, rows: *rows };
        let copy = Copy::make(server, &programs.root.join("migrations"), seed, progress).await?;
        let done = Bench { plan, programs, seed, database: &copy.database, progress }.run(&mut measured).await;
        // The error that counts is the first.
        let removed = copy.remove().await;
        done.and(removed)?;
    }
    Ok(measured)
}

/// One database with all peers on it.
struct Bench<'a> {
    plan: &'a Plan,
    programs: &'a Programs,
    seed: Seed,
    database: &'a Database,
    progress: &'a Progress,
}

impl Bench<'_> {
    async fn run(&self, measured: &mut Measured) -> anyhow::Result<()> {
        let step = self.progress.step("starting the peers");
        let mut running = Vec::new();
        for peer in &self.plan.peers {
            running.push(Running::start(*peer, self.programs, self.database)?);
        }
        compare::peers(&running).await?;
        self.take_back().await?;
        step.done();

        let total = self.plan.workloads.len() * self.plan.connections.len();
        let bar = self.progress.bar(&format!("measuring with {} pages", self.seed.rows), total as u64);
        for workload in &self.plan.workloads {
            for connections in &self.plan.connections {
                self.cell(*workload, *connections, &mut running, &bar, measured).await?;
                bar.advance(1);
            }
        }
        bar.done();
        Ok(())
    }

    /// One workload at one number of connections on every peer that answers it.
    async fn cell(
        &self,
        workload: Workload,
        connections: u32,
        running: &mut [Running],
        bar: &Step,
        measured: &mut Measured,
    ) -> anyhow::Result<()> {
        let mut entrants: Vec<(&mut Running, Vec<Sample>, Option<String>)> =
            running.iter_mut().filter(|it| it.peer.answers(workload)).map(|it| (it, Vec::new(), None)).collect();
        for round in 0..self.plan.rounds {
            // Nobody is always the first, on a database as the one before left it.
            let count = entrants.len().max(1);
            for place in 0..entrants.len() {
                let (running, samples, refused) = &mut entrants[(place + round as usize) % count];
                if refused.is_some() {
                    continue;
                }
                bar.now(&format!("{workload}, {connections} connections, round {}: {}", round + 1, running.peer));
                match self.calm_sample(workload, connections, running).await {
                    Ok(sample) => samples.push(sample),
                    Err(error) => {
                        let reason = format!("{workload} at {connections} connections on {}: {error:#}", running.peer);
                        self.progress.say(&format!("NOT MEASURED {reason}"));
                        *refused = Some(reason);
                    }
                }
            }
        }
        let mut line = format!("{workload:<11} {connections:>4} connections:");
        for (running, samples, refused) in entrants {
            let peer = running.peer.name();
            if let Some(refused) = refused {
                measured.refused.push(refused);
            } else if let Some(cell) = Cell::of(workload.name(), connections, self.seed.rows, &peer, &samples) {
                line.push_str(&format!("  {peer} {}", grouped(cell.rps)));
                measured.cells.push(cell);
            }
        }
        self.progress.say(&line);
        Ok(())
    }

    /// The calmest of some measurements: the first during which a hypervisor left the machine alone, or else the one in
    /// which it took least away.
    async fn calm_sample(&self, workload: Workload, connections: u32, running: &mut Running) -> anyhow::Result<Sample> {
        let mut calmest: anyhow::Result<Sample> = Err(anyhow::anyhow!("it was not tried"));
        for _ in 0..TRIES {
            let before = Ticks::now();
            let sample = self.sample(workload, connections, running).await;
            let stolen = before.until(Ticks::now()).stolen;
            running.check()?;
            if workload.writes() {
                self.take_back().await?;
            }
            calmest = match (sample, calmest) {
                (Err(error), _) if stolen <= CALM => return Err(error),
                // Without its processors a peer may well come to no answer.
                (Err(error), Err(_)) => {
                    Err(error.context(format!("a hypervisor took {:.0} % of the processors away", stolen * 100.0)))
                }
                (Ok(sample), Ok(best)) if stolen < best.stolen => Ok(Sample { stolen, ..sample }),
                (Ok(sample), Err(_)) => Ok(Sample { stolen, ..sample }),
                (_, Ok(best)) => Ok(best),
            };
            if stolen <= CALM {
                break;
            }
        }
        calmest
    }

    /// One measurement; fails when the peer answers errors before it.
    async fn sample(&self, workload: Workload, connections: u32, running: &Running) -> anyhow::Result<Sample> {
        let Some(id) = running.id() else { return self.pgbench(workload, connections, &running.database) };
        let wrk = Wrk::find(&self.programs.root, &self.programs.out)?;
        let load = Load { workload, url: &running.url, connections, seconds: self.plan.warm_up, every_status: true };
        let warm_up = wrk.run(load, &self.data(workload).await?)?;
        anyhow::ensure!(warm_up.errors() == 0, "{}\n{}", warm_up.complaint(), running.said());
        anyhow::ensure!(warm_up.requests > 0, "no answer in {} s", self.plan.warm_up);
        let data = self.data(workload).await?;

        usage::forget_peak_rss(id);
        let cpu = usage::cpu_seconds(id);
        let load = Load { seconds: self.plan.seconds, every_status: false, ..load };
        let outcome = wrk.run(load, &data)?;
        let cpu = usage::cpu_seconds(id) - cpu;
        let requests = outcome.requests.max(1) as f64;
        Ok(Sample {
            rps: outcome.rps(),
            p50_ms: outcome.p50_us / 1000.0,
            p99_ms: outcome.p99_us / 1000.0,
            p999_ms: outcome.p999_us / 1000.0,
            cpu_us: Some(cpu * 1e6 / requests),
            rss_mb: Some(usage::peak_rss_mb(id)),
            errors: outcome.errors(),
            load_cpu_us: Some(outcome.cpu_seconds * 1e6 / requests),
            stolen: 0.0,
        })
    }

    fn pgbench(&self, workload: Workload, connections: u32, database: &Database) -> anyhow::Result<Sample> {
        let program = pgbench::find(self.programs.pgbench.as_deref())?;
        let run =
            |seconds| pgbench::run(&program, &self.programs.out, database, workload, self.seed, connections, seconds);
        // Its time begins before its sessions do, and each signs in on its own.
        let signing_in = connections.div_ceil(64);
        run(self.plan.warm_up + signing_in)?;
        let outcome = run(self.plan.seconds + signing_in)?;
        let [p50_ms, p99_ms, p999_ms] = outcome.percentiles_ms;
        Ok(Sample { rps: outcome.tps, p50_ms, p99_ms, p999_ms, errors: outcome.failed, ..Sample::default() })
    }

    async fn take_back(&self) -> anyhow::Result<()> {
        thread::sleep(SETTLED);
        let session = self.database.connect().await?;
        take_back(&session, self.seed).await.context("cannot take back what was written")
    }

    /// What the requests are made of: of an edit, the versions there are now.
    async fn data(&self, workload: Workload) -> anyhow::Result<Data> {
        let pages = Pages::new(self.seed.kind, self.seed.rows);
        let mut random = Random(1);
        let queries = (0..QUERIES).map(|_| encoded(&Query::Word.draw(&pages, self.seed.rows, &mut random)));
        let content = pages.page(1).content;
        let mut data = Data {
            users: self.seed.users(),
            rows: self.seed.rows,
            queries: if workload == Workload::Search { queries.collect() } else { Vec::new() },
            text: content.strip_prefix("# Page 1").unwrap_or(&content).to_owned(),
            run: format!("{:x}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos()),
            ..Data::default()
        };
        if workload.writes() {
            thread::sleep(SETTLED);
            let ids: Vec<i64> = self.seed.edited().map(u64::cast_signed).collect();
            let session = self.database.connect().await?;
            let sql = "SELECT id, version FROM posts WHERE id = ANY ($1) ORDER BY id";
            let rows = session.0.query(sql, &[&ids]).await.context("cannot read versions")?;
            data.pages = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        }
        Ok(data)
    }
}

/// The runner alone on a copy of a database, for what is measured without peers.
pub async fn runner_alone(
    programs: &Programs,
    server: &Server,
    seed: Seed,
    progress: &Progress,
) -> anyhow::Result<(Copy, Running)> {
    let copy = Copy::make(server, &programs.root.join("migrations"), seed, progress).await?;
    match Running::start(Peer::Runner, programs, &copy.database) {
        Ok(running) => Ok((copy, running)),
        Err(error) => {
            // The error that counts is the first.
            _ = copy.remove().await;
            Err(error)
        }
    }
}
