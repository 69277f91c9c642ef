//! A server as a child process, with what it prints in a file.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::usage;

/// Time a server gets to end by itself.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A running process. It and its descendants end when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command with nothing of this process's environment that could configure it, and what it prints in `log`.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let err = out.try_clone().context("cannot share a log")?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        Ok(Self { child: child.with_context(|| format!("cannot start {program}"))?, log: log.to_owned() })
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with what the process printed if it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait().context("cannot ask for a process")? {
            bail!("it ended with {status}:\n{}", self.said());
        }
        Ok(())
    }

    /// The end of what it printed.
    pub fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let everybody = usage::tree(self.child.id());
        signal("-TERM", &everybody[..1]);
        let deadline = Instant::now() + END_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let left: Vec<u32> = everybody.into_iter().filter(|pid| usage::Stat::of(*pid).is_some()).collect();
        if !left.is_empty() {
            signal("-KILL", &left);
        }
        // Nothing more can be done about a process that cannot be waited for.
        _ = self.child.wait();
    }
}

fn signal(signal: &str, processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg(signal).args(processes.iter().map(u32::to_string)).stderr(Stdio::null());
    // A process that has ended meanwhile is what was wanted.
    _ = kill.status();
}

/// A command with nothing of this process's environment that could configure it.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "LANG"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A port that is free now; a server takes it a moment later.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr().context("cannot find a free port")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_with_its_descendants() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = command("sh");
        shell.args(["-c", "sleep 60 & sleep 60"]);
        let process = Process::start(&mut shell, &folder.path().join("log")).unwrap();
        let deadline = Instant::now() + END_LIMIT;
        while usage::tree(process.id()).len() < 3 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let everybody = usage::tree(process.id());
        assert_eq!(everybody.len(), 3);
        drop(process);
        let deadline = Instant::now() + END_LIMIT;
        let alive = |pid: &u32| usage::Stat::of(*pid).is_some_and(|stat| stat.state != 'Z');
        while everybody.iter().any(alive) {
            assert!(Instant::now() < deadline, "a process was left behind");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_process_that_ended_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = command("sh");
        shell.args(["-c", "echo because; exit 3"]);
        let mut process = Process::start(&mut shell, &folder.path().join("log")).unwrap();
        let deadline = Instant::now() + END_LIMIT;
        let error = loop {
            match process.check() {
                Err(error) => break error.to_string(),
                Ok(()) => assert!(Instant::now() < deadline),
            }
        };
        assert!(error.contains('3') && error.contains("because"), "{error}");
    }
}
