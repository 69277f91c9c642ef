//! What to measure, with which programs.

use std::path::PathBuf;
use std::thread;

use clap::Args;

use crate::peers::Peer;
use crate::workload::Workload;

/// Options of `bench run`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Measure little, in a few minutes: 1,000 pages, 32 connections, rounds of a second, no searches one by one.
    #[arg(long)]
    pub quick: bool,

    /// Measure memory over a million requests at 256 connections, too.
    #[arg(long)]
    pub soak: bool,

    /// Put the results into docs/benchmarks.md.
    #[arg(long)]
    pub write_docs: bool,

    /// A PostgreSQL server on which databases may be made, as postgres://user:password@host/database. Without TLS.
    #[arg(long, env = "WASIKI_BENCH_DATABASE", hide_env_values = true, value_name = "URL")]
    pub database: String,

    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub root: PathBuf,

    /// Where results, logs and the Python environment go.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub out: PathBuf,

    /// wiki-runner.
    #[arg(long, value_name = "FILE", default_value = "target/release/wiki-runner")]
    pub runner: PathBuf,

    /// The application's manifest.
    #[arg(long, value_name = "FILE", default_value = "spin.toml")]
    pub manifest: PathBuf,

    /// The component's ahead-of-time code, made by that very wiki-runner.
    #[arg(long, value_name = "FILE", default_value = "target/wiki.cwasm")]
    pub precompiled: PathBuf,

    /// The component, for the peer spin.
    #[arg(long, value_name = "FILE", default_value = "target/wasm32-wasip2/release/wiki.wasm")]
    pub component: PathBuf,

    /// Spin; without it the peer spin is left out.
    #[arg(long, env = "SPIN", value_name = "FILE")]
    pub spin: Option<PathBuf>,

    /// The folder of pgbench, if the search path does not lead to it.
    #[arg(long, value_name = "DIR")]
    pub postgres_programs: Option<PathBuf>,

    /// Numbers of pages. [default: 1000,1000000; quick: 1000]
    #[arg(long, value_delimiter = ',', value_name = "N,…", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    rows: Vec<u64>,

    /// Numbers of connections. [default: 1,32,256; quick: 32]
    #[arg(long, value_delimiter = ',', value_name = "N,…", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: Vec<u32>,

    /// Workloads. [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    workloads: Vec<Workload>,

    /// Peers: runner, runner-fresh, native, fastapi, fastapi-N (N workers), spin, pgbench. [default: all, N the cores]
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = peer)]
    peers: Vec<Peer>,

    /// Measurements of each cell. [default: 3]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Seconds of each measurement. [default: 3; quick: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,

    /// Seconds of load before each measurement, in which every status is checked. [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    warm_up: Option<u32>,

    /// Starts of the runner that are timed. [default: 51; quick: 15]
    #[arg(long)]
    starts: Option<u32>,

    /// Pages that are searched one search after another; 0 leaves that out. [default: 100000; quick: 0]
    #[arg(long)]
    search_pages: Option<u64>,

    /// Requests of --soak.
    #[arg(long, default_value_t = 1_000_000)]
    pub soak_requests: u64,
}

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Numbers of pages.
    pub rows: Vec<u64>,
    /// Numbers of connections.
    pub connections: Vec<u32>,
    /// What is asked.
    pub workloads: Vec<Workload>,
    /// Who answers.
    pub peers: Vec<Peer>,
    /// Measurements of each cell.
    pub rounds: u32,
    /// Seconds of each.
    pub seconds: u32,
    /// Seconds before each.
    pub warm_up: u32,
    /// Starts that are timed.
    pub starts: u32,
    /// Pages that are searched one by one.
    pub search_pages: u64,
}

impl Options {
    /// What to measure, with the defaults filled in.
    pub fn plan(&self) -> Plan {
        let or = |given: &[u64], quick: &[u64], full: &[u64]| {
            if given.is_empty() { self.choose(quick, full).to_vec() } else { given.to_vec() }
        };
        let connections: Vec<u64> = self.connections.iter().map(|count| u64::from(*count)).collect();
        let connections = or(&connections, &[32], &[1, 32, 256]);
        Plan {
            rows: or(&self.rows, &[1_000], &[1_000, 1_000_000]),
            connections: connections.into_iter().filter_map(|count| count.try_into().ok()).collect(),
            workloads: if self.workloads.is_empty() { Workload::ALL.to_vec() } else { self.workloads.clone() },
            peers: if self.peers.is_empty() { self.all_peers() } else { self.peers.clone() },
            rounds: self.rounds.unwrap_or(3),
            seconds: self.seconds.unwrap_or(self.choose(1, 3)),
            warm_up: self.warm_up.unwrap_or(1),
            starts: self.starts.unwrap_or(self.choose(15, 51)),
            search_pages: self.search_pages.unwrap_or(self.choose(0, 100_000)),
        }
    }

    fn choose<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    fn all_peers(&self) -> Vec<Peer> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut peers = vec![Peer::Runner, Peer::RunnerFresh, Peer::Native, Peer::FastApi(1)];
        if cores > 1 {
            peers.push(Peer::FastApi(cores));
        }
        if self.spin.is_some() {
            peers.push(Peer::Spin);
        }
        peers.push(Peer::Pgbench);
        peers
    }
}

fn peer(name: &str) -> Result<Peer, String> {
    Ok(match name {
        "runner" => Peer::Runner,
        "runner-fresh" => Peer::RunnerFresh,
        "native" => Peer::Native,
        "fastapi" => Peer::FastApi(1),
        "spin" => Peer::Spin,
        "pgbench" => Peer::Pgbench,
        _ => {
            let workers = name.strip_prefix("fastapi-").and_then(|count| count.parse().ok()).filter(|count| *count > 1);
            Peer::FastApi(workers.ok_or("there is no such peer")?)
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn plan(arguments: &[&str]) -> Plan {
        let arguments = ["bench", "--database", "postgres://x/y"].iter().chain(arguments);
        Cli::try_parse_from(arguments).unwrap().options.plan()
    }

    #[test]
    fn peers_are_read_by_the_names_they_are_shown_with() {
        for shown in [Peer::Runner, Peer::RunnerFresh, Peer::Native, Peer::FastApi(1), Peer::FastApi(4), Peer::Pgbench]
        {
            assert_eq!(peer(&shown.name()), Ok(shown));
        }
        for wrong in ["", "fastapi-", "fastapi-1", "fastapi-x", "node"] {
            assert!(peer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn quick_measures_less_unless_more_is_asked_for() {
        let full = plan(&[]);
        assert_eq!((full.rows, full.connections), (vec![1_000, 1_000_000], vec![1, 32, 256]));
        let quick = plan(&["--quick", "--connections", "1,2"]);
        assert_eq!((quick.rows, quick.connections, quick.seconds), (vec![1_000], vec![1, 2], 1));
        assert_eq!(plan(&["--workloads", "get_user,mixed"]).workloads, [Workload::GetUser, Workload::Mixed]);
    }
}
