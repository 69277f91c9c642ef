//! What to measure, and with which programs.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};

use crate::peer::Peer;
use crate::workload::Workload;

/// Options of `bench run`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Measure little, in a few minutes: 1,000 pages, 32 connections, rounds of a second, no search in 100,000 pages.
    #[arg(long)]
    pub quick: bool,

    /// Measure nothing: only check that the peers do the same work.
    #[arg(long)]
    pub compare: bool,

    /// Also measure memory over a million requests at 256 connections.
    #[arg(long)]
    pub soak: bool,

    /// Write the results to docs/benchmarks.md.
    #[arg(long)]
    pub write_docs: bool,

    /// A PostgreSQL server on which databases may be created, as postgres://user:password@host/database. Without TLS.
    #[arg(long, env = "WASIKI_BENCH_DATABASE", hide_env_values = true, value_name = "URL")]
    pub database: String,

    /// Folder of the report, the logs and the Python environment.
    #[arg(long, value_name = "DIR", value_parser = absolute, default_value = "target/bench")]
    pub out: PathBuf,

    /// The program wiki-runner.
    #[arg(long, value_name = "FILE", value_parser = absolute, default_value = "target/dist/wiki-runner")]
    pub runner: PathBuf,

    /// The component's ahead-of-time code, compiled by that wiki-runner.
    #[arg(long, value_name = "FILE", value_parser = absolute, default_value = "target/wiki.cwasm")]
    pub precompiled: PathBuf,

    /// The program spin. Without it, the peer spin is left out.
    #[arg(long, env = "SPIN", value_name = "FILE")]
    pub spin: Option<PathBuf>,

    /// Numbers of pages; with --quick 1000.
    #[arg(long, value_delimiter = ',', value_name = "N,…", value_parser = value_parser!(u64).range(1..=10_000_000))]
    #[arg(default_value = "1000,1000000", default_value_if("quick", "true", "1000"))]
    pub rows: Vec<u64>,

    /// Numbers of connections; with --quick 32.
    #[arg(long, value_delimiter = ',', value_name = "N,…", value_parser = value_parser!(u32).range(1..=10_000))]
    #[arg(default_value = "1,32,256", default_value_if("quick", "true", "32"))]
    pub connections: Vec<u32>,

    /// Workloads.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", default_values_t = Workload::value_variants().to_vec())]
    pub workloads: Vec<Workload>,

    /// Peers: runner, runner-fresh, native, fastapi, fastapi-N (N workers), spin, pgbench. [default: all, N the cores]
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub peers: Vec<Peer>,

    /// Measurements of each cell.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Seconds of each measurement; with --quick 1.
    #[arg(long, value_parser = value_parser!(u32).range(1..))]
    #[arg(default_value = "3", default_value_if("quick", "true", "1"))]
    pub seconds: u32,

    /// Seconds of load before each measurement, in which every status is checked.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub warm_up: u32,

    /// Starts of the runner that are timed; with --quick 15.
    #[arg(long, default_value = "51", default_value_if("quick", "true", "15"))]
    pub starts: u32,

    /// Pages that are searched one search at a time, or 0 for none; with --quick 0.
    #[arg(long, default_value = "100000", default_value_if("quick", "true", "0"))]
    pub search_pages: u64,

    /// Requests of --soak.
    #[arg(long, default_value_t = 1_000_000)]
    pub soak_requests: u64,
}

impl Options {
    /// The peers to measure.
    pub fn peers(&self) -> Vec<Peer> {
        if !self.peers.is_empty() {
            return self.peers.clone();
        }
        let mut peers = vec![Peer::Runner, Peer::RunnerFresh, Peer::Native, Peer::FastApi(1)];
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        peers.extend((cores > 1).then_some(Peer::FastApi(cores)));
        peers.extend(self.spin.as_ref().map(|_| Peer::Spin));
        peers.push(Peer::Pgbench);
        peers
    }
}

/// Peers run in folders of their own, where a relative path would name something else.
fn absolute(path: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::{Cli, Command};

    #[track_caller]
    fn assert_plan(arguments: &[&str], rows: &[u64], connections: &[u32], seconds: u32, search_pages: u64) {
        let given = ["bench", "run", "--database", "postgres://x/y"].iter().chain(arguments);
        let Command::Run(options) = Cli::try_parse_from(given).unwrap().command else { panic!("not run") };
        assert_eq!((&*options.rows, &*options.connections), (rows, connections));
        assert_eq!((options.seconds, options.search_pages, options.workloads.len()), (seconds, search_pages, 9));
    }

    #[test]
    fn quick_measures_less_unless_more_is_asked_for() {
        assert_plan(&[], &[1_000, 1_000_000], &[1, 32, 256], 3, 100_000);
        assert_plan(&["--quick"], &[1_000], &[32], 1, 0);
        assert_plan(&["--quick", "--connections", "1,2"], &[1_000], &[1, 2], 1, 0);
    }
}
