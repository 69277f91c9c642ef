//! The machine and the versions of what is measured.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::database::Server;
use crate::peers::{Peer, Programs};
use crate::report::Machine;
use crate::wrk::Wrk;

/// This machine.
pub fn machine() -> Machine {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    Machine {
        processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "an unknown processor".to_owned()),
        cores: thread::available_parallelism().map_or(1, usize::from),
        memory_gb: memory_gb(&read("/proc/meminfo")),
        kernel: format!("Linux {}", kernel.split(['-', '+']).next().unwrap_or_default().trim()),
        busy: busy(),
    }
}

/// The share of the processors that is in use during a second, from 0 to 1: by others, when nothing is measured.
pub fn busy() -> f64 {
    let before = Ticks::now();
    thread::sleep(Duration::from_secs(1));
    1.0 - before.until(Ticks::now()).idle
}

/// What the processors have done since the system started, all together, in clock ticks (proc(5)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    idle: u64,
    stolen: u64,
    all: u64,
}

/// What the processors did in some time, as shares from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Nothing.
    pub idle: f64,
    /// Nothing, although they had to: a hypervisor let somebody else's machine run.
    pub stolen: f64,
}

impl Ticks {
    /// Until now.
    pub fn now() -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default()).unwrap_or_default()
    }

    fn parse(stat: &str) -> Option<Self> {
        let ticks: Vec<u64> =
            stat.strip_prefix("cpu ")?.lines().next()?.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        // The fourth and the fifth are idle, without and with a disk to wait for; those after the eighth are counted
        // before.
        Some(Self { idle: ticks.get(3..5)?.iter().sum(), stolen: *ticks.get(7)?, all: ticks.iter().take(8).sum() })
    }

    /// The shares between this moment and a later one; of no time at all, everything was idle.
    pub fn until(self, later: Self) -> Shares {
        let all = later.all.saturating_sub(self.all);
        let share = |before: u64, after: u64| after.saturating_sub(before) as f64 / all as f64;
        match all {
            0 => Shares { idle: 1.0, stolen: 0.0 },
            _ => Shares { idle: share(self.idle, later.idle), stolen: share(self.stolen, later.stolen) },
        }
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.split_once(':')?.1.trim().to_owned()))
}

fn memory_gb(meminfo: &str) -> u64 {
    let kilobytes = field(meminfo, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    (kilobytes.unwrap_or_default() + (1 << 19)) >> 20
}

/// The versions of all that takes part.
pub async fn versions(
    server: &Server,
    programs: &Programs,
    peers: &[Peer],
) -> anyhow::Result<BTreeMap<String, String>> {
    // As in `wiki-runner 0.1.0 (Wasmtime 48.0.8)`.
    let runner = said(Command::new(&programs.runner).arg("--version"));
    let mut versions = BTreeMap::from([
        ("PostgreSQL".to_owned(), server.version().await?),
        ("wrk".to_owned(), Wrk::version()),
        ("wiki-runner".to_owned(), after_the_name(&runner).to_owned()),
    ]);
    let commit = last_word(Command::new("git").args(["-C"]).arg(&programs.root).args(["rev-parse", "--short", "HEAD"]));
    versions.insert("wasiki".to_owned(), commit);
    if peers.iter().any(|peer| matches!(peer, Peer::FastApi(_))) {
        versions.insert("Python".to_owned(), last_word(Command::new("python3").arg("--version")));
        let pinned = fs::read_to_string(programs.root.join("bench/fastapi/requirements.txt")).unwrap_or_default();
        versions.extend(
            pinned
                .lines()
                .filter_map(|line| line.split_once("=="))
                .map(|(name, version)| (name.split('[').next().unwrap_or(name).to_owned(), version.to_owned())),
        );
    }
    if let Some(spin) = programs.spin.as_ref().filter(|_| peers.contains(&Peer::Spin)) {
        versions.insert("Spin".to_owned(), after_the_name(&said(Command::new(spin).arg("--version"))).to_owned());
    }
    Ok(versions)
}

fn said(command: &mut Command) -> String {
    let output = command.stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn after_the_name(said: &str) -> &str {
    said.lines().next().and_then(|line| line.split_once(' ')).map_or("unknown", |(_, version)| version)
}

fn last_word(command: &mut Command) -> String {
    said(command).split_whitespace().last().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_between_two_moments() {
        let before = Ticks::parse("cpu  10 0 10 70 10 0 0 0 99 99\ncpu0 1 2 3\n").unwrap();
        let after = Ticks::parse("cpu  35 0 10 130 20 0 0 5 99 99\n").unwrap();
        assert_eq!(
            (before, after),
            (Ticks { idle: 80, stolen: 0, all: 100 }, Ticks { idle: 150, stolen: 5, all: 200 })
        );
        assert_eq!(before.until(after), Shares { idle: 0.7, stolen: 0.05 });
        assert_eq!(before.until(before), Shares { idle: 1.0, stolen: 0.0 });
        assert_eq!(Ticks::parse("intr 1"), None);
    }

    #[test]
    fn the_system_is_read() {
        assert_eq!(field("a\t: 1\nmodel name\t: X 3000\n", "model name").as_deref(), Some("X 3000"));
        assert_eq!(memory_gb("MemTotal:       16384000 kB\n"), 16);
        assert_eq!(memory_gb(""), 0);
        assert_eq!(after_the_name("spin 4.0.2 (abc 2026-06-01)\n"), "4.0.2 (abc 2026-06-01)");
        assert_eq!(after_the_name(""), "unknown");
    }
}
