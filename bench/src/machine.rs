//! The machine, how busy it is, and the versions of the programs that take part.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use crate::database::Database;
use crate::options::Options;
use crate::peer::Peer;
use crate::peers::REQUIREMENTS;

/// The share of the processors that other programs may use.
pub const QUIET: f64 = 0.05;

/// The share that a hypervisor may take during a measurement; above it, the measurement is repeated.
pub const CALM: f64 = 0.10;

/// This machine, as in `Xeon E5, 4 cores, 24 GB of memory, Linux 6.18.44`.
pub fn describe() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find_map(|line| Some(line.strip_prefix(name)?.split_once(':')?.1.trim().to_owned()));
        value.unwrap_or_else(|| format!("unknown {name}"))
    };
    let processor = field("/proc/cpuinfo", "model name");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kilobytes = field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|kb| kb.parse().ok()).unwrap_or(0.0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim().split(['-', '+']).next().unwrap_or_default();
    format!("{processor}, {cores} cores, {:.0} GB of memory, Linux {kernel}", kilobytes / f64::from(1 << 20))
}

/// The share of the processors that is used for a second, from 0 to 1: by other programs while nothing is measured.
pub fn busy() -> f64 {
    let before = Ticks::now();
    thread::sleep(Duration::from_secs(1));
    before.until(Ticks::now()).busy
}

/// What all processors have done since the system started, in clock ticks (proc_stat(5)).
#[derive(Clone, Copy)]
pub struct Ticks {
    idle: f64,
    stolen: f64,
    all: f64,
}

/// What the processors did for some time, as shares from 0 to 1.
pub struct Shares {
    /// Anything but nothing.
    pub busy: f64,
    /// Wait for a hypervisor that ran another machine.
    pub stolen: f64,
}

impl Ticks {
    pub fn now() -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    fn parse(stat: &str) -> Self {
        // Of all processors together, user, nice, system, idle, iowait, irq, softirq and steal. Guests are counted in user.
        let ticks = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
        let ticks: Vec<f64> = ticks.map(|number| number.parse().unwrap_or_default()).collect();
        let at = |index: usize| ticks.get(index).copied().unwrap_or_default();
        Self { idle: at(3) + at(4), stolen: at(7), all: ticks.iter().sum() }
    }

    pub fn until(self, later: Self) -> Shares {
        let all = (later.all - self.all).max(1.0);
        Shares { busy: 1.0 - (later.idle - self.idle) / all, stolen: (later.stolen - self.stolen) / all }
    }
}

/// The programs that take part with their versions. Fails for a missing one with how to install it.
pub async fn versions(server: &Database, options: &Options, peers: &[Peer]) -> anyhow::Result<String> {
    let postgresql = server.column("SELECT split_part(current_setting('server_version'), ' ', 1)").await?.concat();
    let revision = first_line(Command::new("git").args(["describe", "--always", "--dirty"])).unwrap_or_default();
    let mut versions = vec![format!("PostgreSQL {postgresql}, wasiki {revision}")];
    let mut add = |program: &std::path::Path, hint: &'static str| {
        // As in `wrk debian/4.1.0 [epoll] Copyright …`.
        let line = first_line(Command::new(program).arg("--version")).context(hint)?;
        versions.push(line.split(" [").next().unwrap_or_default().replace("debian/", ""));
        anyhow::Ok(())
    };
    add(&options.runner, "cargo xtask bench builds it, unless it is named by --runner")?;
    add("wrk".as_ref(), "on Debian and Ubuntu: apt-get install wrk")?;
    if peers.contains(&Peer::Pgbench) {
        let pgbench = first_line(Command::new("pgbench").arg("--version"));
        pgbench.context("on Debian and Ubuntu: apt-get install postgresql")?;
    }
    if let Some(spin) = options.spin.as_ref().filter(|_| peers.contains(&Peer::Spin)) {
        add(spin, "the variable SPIN must be the path of the program spin")?;
    }
    if peers.iter().any(|peer| matches!(peer, Peer::FastApi(_))) {
        add("python3".as_ref(), "on Debian and Ubuntu: apt-get install python3-venv")?;
        let packages = fs::read_to_string(REQUIREMENTS).unwrap_or_default();
        let package = |line: &str| {
            let (name, version) = line.split_once("==")?;
            Some(format!("{} {version}", name.split('[').next().unwrap_or(name)))
        };
        versions.extend(packages.lines().filter_map(package));
    }
    Ok(versions.join(", "))
}

fn first_line(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_between_two_looks() {
        let before = Ticks::parse("cpu  10 0 10 70 10 0 0 0 99 99\ncpu0 1 2 3\n");
        let after = Ticks::parse("cpu  35 0 10 130 20 0 0 5 99 99\n");
        let Shares { busy, stolen } = before.until(after);
        assert!((busy - 0.3).abs() < 1e-9 && (stolen - 0.05).abs() < 1e-9, "{busy} {stolen}");
        assert_eq!(before.until(before).stolen, 0.0);
    }
}
