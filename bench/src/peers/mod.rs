//! What is measured beside what.

mod fastapi;
mod native;
mod runner;
mod spin;

use std::fmt;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client;
use crate::database::Database;
use crate::process::{Process, free_port};
use crate::workload::Workload;

pub use fastapi::prepare as prepare_fastapi;

/// Time a server may take to answer its first request.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server, or in one case the database itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// wiki-runner as it is.
    Runner,
    /// wiki-runner with an instance for each request, as Spin does it.
    RunnerFresh,
    /// The same without WebAssembly.
    Native,
    /// The service the wiki replaces, with so many workers.
    FastApi(usize),
    /// Spin with the same component.
    Spin,
    /// PostgreSQL's own load generator with the same statement: what the database can do.
    Pgbench,
}

impl Peer {
    /// As it is called in reports and on the command line.
    pub fn name(self) -> String {
        match self {
            Self::Runner => "runner".into(),
            Self::RunnerFresh => "runner-fresh".into(),
            Self::Native => "native".into(),
            Self::FastApi(1) => "fastapi".into(),
            Self::FastApi(workers) => format!("fastapi-{workers}"),
            Self::Spin => "spin".into(),
            Self::Pgbench => "pgbench".into(),
        }
    }

    /// Whether it has what `workload` asks for.
    pub fn answers(self, workload: Workload) -> bool {
        use Workload::{CreatePost, GetPost, GetUser, Health, ListPosts, PageHtml, Search};
        match self {
            Self::Runner | Self::RunnerFresh | Self::Spin => true,
            Self::Native => !matches!(workload, PageHtml | Search),
            Self::FastApi(_) => matches!(workload, Health | GetUser | GetPost | CreatePost),
            Self::Pgbench => matches!(workload, GetUser | GetPost | ListPosts),
        }
    }

    /// Whether it answers with the same bytes as the wiki.
    pub fn is_a_wiki(self) -> bool {
        !matches!(self, Self::FastApi(_) | Self::Pgbench)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.name())
    }
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The root of the repository.
    pub root: PathBuf,
    /// Where results, logs and temporary files go.
    pub out: PathBuf,
    /// wiki-runner.
    pub runner: PathBuf,
    /// The application's manifest.
    pub manifest: PathBuf,
    /// The component's ahead-of-time code.
    pub precompiled: PathBuf,
    /// The component.
    pub component: PathBuf,
    /// Spin, if there is one.
    pub spin: Option<PathBuf>,
    /// The folder of PostgreSQL's programs, if pgbench is not in the search path.
    pub pgbench: Option<PathBuf>,
}

/// A peer that runs.
pub struct Running {
    /// Which one.
    pub peer: Peer,
    /// Where it listens, as in `http://127.0.0.1:8000`; nothing for pgbench, which is started when it is measured.
    pub url: String,
    /// The database it uses.
    pub database: Database,
    process: Option<Process>,
}

impl Running {
    /// Starts a peer on a database and waits until it answers.
    pub fn start(peer: Peer, programs: &Programs, database: &Database) -> anyhow::Result<Self> {
        if peer == Peer::Pgbench {
            return Ok(Self { peer, url: String::new(), database: database.clone(), process: None });
        }
        let port = free_port()?;
        let mut process = spawn(peer, programs, database, port).with_context(|| peer.name())?;
        wait_until_it_answers(&mut process, port).with_context(|| peer.name())?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { peer, url, database: database.clone(), process: Some(process) })
    }

    /// The number of the server's first process, if it is a server.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Fails with what it printed if it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::check).with_context(|| self.peer.name())
    }

    /// The end of what it printed.
    pub fn said(&self) -> String {
        self.process.as_ref().map(Process::said).unwrap_or_default()
    }
}

/// Starts a server's process and does not wait.
pub fn spawn(peer: Peer, programs: &Programs, database: &Database, port: u16) -> anyhow::Result<Process> {
    let mut command = match peer {
        Peer::Runner => runner::command(programs, database, port, &[]),
        Peer::RunnerFresh => runner::command(programs, database, port, &["--instance-reuse", "1"]),
        Peer::Native => native::command(database, port)?,
        Peer::FastApi(workers) => fastapi::command(programs, database, port, workers),
        Peer::Spin => spin::command(programs, database, port)?,
        Peer::Pgbench => bail!("pgbench is no server"),
    };
    Process::start(&mut command, &programs.out.join(format!("{peer}.log")))
}

fn wait_until_it_answers(process: &mut Process, port: u16) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    while !answers_health(port) {
        process.check()?;
        if Instant::now() > deadline {
            bail!("did not answer within {START_LIMIT:?}:\n{}", process.said());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Whether `GET /health` is answered 200.
pub fn answers_health(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok_and(|stream| client::is_healthy(stream).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_has_the_wiki_and_every_peer_a_workload() {
        assert!(Workload::ALL.into_iter().all(|workload| Peer::Runner.answers(workload)));
        for peer in [Peer::RunnerFresh, Peer::Native, Peer::FastApi(1), Peer::FastApi(4), Peer::Spin, Peer::Pgbench] {
            assert!(peer.answers(Workload::GetUser) && peer.answers(Workload::GetPost), "{peer}");
        }
    }
}
