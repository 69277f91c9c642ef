//! The services that are measured.

use std::fmt;
use std::str::FromStr;

use crate::workload::Workload;

/// A service, or PostgreSQL itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// wiki-runner with its default settings.
    Runner,
    /// wiki-runner with an instance for each request, as Spin does it.
    RunnerFresh,
    /// The same routes without WebAssembly.
    Native,
    /// The service that the wiki replaces, with so many workers.
    FastApi(usize),
    /// Spin with the same component.
    Spin,
    /// PostgreSQL's own load generator with the same statement: what the database can do.
    Pgbench,
}

impl Peer {
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
}

/// The names of peers on the command line and in the report; `fastapi-N` is read by itself.
const NAMES: [(&str, Peer); 6] = [
    ("runner", Peer::Runner),
    ("runner-fresh", Peer::RunnerFresh),
    ("native", Peer::Native),
    ("fastapi", Peer::FastApi(1)),
    ("spin", Peer::Spin),
    ("pgbench", Peer::Pgbench),
];

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (NAMES.iter().find(|(_, peer)| peer == self), self) {
            (None, Self::FastApi(workers)) => write!(out, "fastapi-{workers}"),
            (named, _) => out.write_str(named.map_or("", |(name, _)| name)),
        }
    }
}

impl FromStr for Peer {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if let Some((_, peer)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*peer);
        }
        let workers = name.strip_prefix("fastapi-").and_then(|count| count.parse().ok());
        workers.filter(|count| *count > 1).map(Self::FastApi).ok_or("there is no such peer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_read_by_the_names_they_are_shown_with() {
        for peer in NAMES.map(|(_, peer)| peer).into_iter().chain([Peer::FastApi(4)]) {
            assert_eq!(peer.to_string().parse(), Ok(peer));
            assert!(peer.answers(Workload::GetUser) && peer.answers(Workload::GetPost), "{peer}");
        }
        for wrong in ["", "fastapi-", "fastapi-1", "fastapi-x", "node"] {
            assert!(wrong.parse::<Peer>().is_err(), "{wrong}");
        }
    }
}
