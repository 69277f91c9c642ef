//! The resources this process uses, from /proc (proc(5)).

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Clock ticks per second in /proc, the same on every architecture of Linux.
const TICKS: u64 = 100;

#[derive(Debug)]
pub struct Usage {
    /// CPU time, user and system.
    pub cpu: Duration,
    pub resident_bytes: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// Limit of open file descriptors.
    pub max_files: u64,
    /// Start time, since 1970.
    pub start: Duration,
}

/// The usage of this process; `None` where there is no /proc.
pub fn usage() -> Option<Usage> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let (cpu, started) = times(&stat)?;
    Some(Usage {
        cpu,
        resident_bytes: resident(&status)?,
        open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
        max_files: max_files(&limits)?,
        start: start(started)?,
    })
}

/// The start time of the process since 1970, from its start time since the machine booted. Computed once: the clocks it is
/// computed from differ in the last digits, and a start time that changes looks like a restart.
fn start(started: Duration) -> Option<Duration> {
    static START: OnceLock<Option<Duration>> = OnceLock::new();
    *START.get_or_init(|| {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let up = Duration::try_from_secs_f64(uptime.split(' ').next()?.parse().ok()?).ok()?;
        now.checked_sub(up)?.checked_add(started)
    })
}

/// The CPU time, and the start time since the machine booted.
fn times(stat: &str) -> Option<(Duration, Duration)> {
    // The second field is the file name in parentheses, which may itself contain parentheses.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let started: u64 = fields.nth(6)?.parse().ok()?;
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    Some((time(user + system), time(started)))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The soft limit of open files; without one, the largest value a metric can have.
fn max_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_ascii_whitespace().next()? {
        "unlimited" => Some(i64::MAX.unsigned_abs()),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_files_is_the_one_that_holds() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max cpu time              unlimited            unlimited            seconds   \n\
            Max open files            1024                 1048576              files     \n";
        assert_eq!(max_files(limits), Some(1024));
        let without = "Max open files            unlimited            unlimited            files     \n";
        assert_eq!(max_files(without), Some(9_223_372_036_854_775_807));
        assert_eq!(max_files("Max processes 1 2\n"), None);
    }

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 4 0 1200 1000 20 18446744073709551615\n";
        assert_eq!(times(stat), Some((Duration::from_secs(2), Duration::from_secs(12))));
        assert_eq!(times("7 (a"), None);
    }

    #[test]
    fn this_process_uses_something() {
        let usage = usage().unwrap();
        assert!(usage.resident_bytes > 1 << 20 && usage.open_files >= 3 && usage.max_files >= usage.open_files);
        assert!(usage.start.as_secs() > 1_600_000_000);
    }
}
