//! A server as a child process: its log, its end, and the processor time and memory that it uses.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Time a server has to end by itself.
const END_LIMIT: Duration = Duration::from_secs(5);

/// The unit of processor times in /proc. The kernel's ABI, 100 on every architecture but Alpha.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running process and its descendants, which are one process group. They end when this is dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, log: PathBuf) -> anyhow::Result<Self> {
        let out = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let err = out.try_clone().context("cannot share a log")?;
        let program = command.get_program().to_owned();
        let child = command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        Ok(Self { child: child.with_context(|| format!("cannot start {}", program.display()))?, log })
    }

    /// Fails with what the process printed if it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait().context("cannot wait for a process")? {
            bail!("it ended with {status}:\n{}", self.output());
        }
        Ok(())
    }

    /// The last lines it printed.
    pub fn output(&self) -> String {
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Processor time of the group so far.
    pub fn cpu_seconds(&self) -> f64 {
        self.group().iter().map(|(_, fields)| fields[11] + fields[12]).sum::<f64>() / TICKS_PER_SECOND
    }

    /// Resident memory of the group. Pages that processes share are counted for each.
    pub fn memory_mb(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// The maximum of the memory since [`Self::reset_peak`].
    pub fn peak_memory_mb(&self) -> f64 {
        self.memory("VmHWM:")
    }

    pub fn reset_peak(&self) {
        for (folder, _) in self.group() {
            // Where this is not permitted, the peak is that of the process's life.
            _ = fs::write(folder.join("clear_refs"), "5");
        }
    }

    fn memory(&self, field: &str) -> f64 {
        let kilobytes = |folder: &Path| {
            let status = fs::read_to_string(folder.join("status")).ok()?;
            status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse::<f64>().ok())
        };
        self.group().iter().filter_map(|(folder, _)| kilobytes(folder)).sum::<f64>() / 1024.0
    }

    /// The processes of the group: their folders in /proc and [`stat`].
    fn group(&self) -> Vec<(PathBuf, Vec<f64>)> {
        let folders = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        let all = folders.filter_map(|folder| stat(&folder).map(|fields| (folder, fields)));
        all.filter(|(_, fields)| fields[2] == f64::from(self.child.id())).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already is no error.
        let kill = |signal, process: String| _ = Command::new("kill").args([signal, "--", &process]).output();
        kill("-TERM", self.child.id().to_string());
        let deadline = Instant::now() + END_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        kill("-KILL", format!("-{}", self.child.id()));
        _ = self.child.wait();
    }
}

/// Processor time of the children of this process that have been waited for.
pub fn cpu_seconds_of_children() -> f64 {
    stat(Path::new("/proc/self")).map_or(0.0, |fields| fields[13] + fields[14]) / TICKS_PER_SECOND
}

/// The fields of `stat` from the third on, which is no number: the second is the program's name in parentheses and may
/// contain anything (proc_pid_stat(5)).
fn stat(folder: &Path) -> Option<Vec<f64>> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    let fields: Vec<f64> =
        text.rsplit_once(')')?.1.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    (fields.len() > 14).then_some(fields)
}

/// A command without any variable of this process's environment that could configure it.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command.envs(["PATH", "HOME", "TMPDIR", "LANG"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_with_its_descendants() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = command("sh");
        shell.args(["-c", "sleep 60 & sleep 60"]);
        let process = Process::start(&mut shell, folder.path().join("log")).unwrap();
        let deadline = Instant::now() + END_LIMIT;
        while process.group().len() < 3 {
            assert!(Instant::now() < deadline, "the shell did not start its children");
            thread::yield_now();
        }
        assert!(process.memory_mb() > 0.1 && process.peak_memory_mb() > 0.1);
        let group = process.group();
        drop(process);
        let alive = |(folder, _): &(PathBuf, _)| {
            fs::read_to_string(folder.join("status")).is_ok_and(|status| !status.contains("(zombie)"))
        };
        while group.iter().any(alive) {
            assert!(Instant::now() < deadline + END_LIMIT, "a process was left behind");
            thread::yield_now();
        }
    }

    #[test]
    fn an_early_end_is_reported_with_the_output() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = command("sh");
        shell.args(["-c", "echo because; exit 3"]);
        let mut process = Process::start(&mut shell, folder.path().join("log")).unwrap();
        _ = process.child.wait();
        let error = process.check().unwrap_err().to_string();
        assert!(error.contains('3') && error.contains("because"), "{error}");
    }
}
