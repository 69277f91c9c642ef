//! What this process uses, as the kernel tells in /proc (proc(5)).

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Ticks of the kernel's clock in a second, as it shows them: the same on every architecture of Linux.
const TICKS: u64 = 100;

/// What the process uses.
#[derive(Debug)]
pub struct Usage {
    /// CPU time, of user and system.
    pub cpu: Duration,
    /// Memory that is really there.
    pub resident_bytes: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// How many there may be.
    pub max_files: u64,
    /// When it started, since 1970.
    pub start: Duration,
}

/// What this process uses; nothing where there is no /proc.
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

/// When the process started, which it did `started` after the machine. Worked out once: the clocks it takes do not agree
/// to the last digit, and whoever watches for restarts would see one in every other answer.
fn start(started: Duration) -> Option<Duration> {
    static START: OnceLock<Option<Duration>> = OnceLock::new();
    *START.get_or_init(|| {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let up = Duration::try_from_secs_f64(uptime.split(' ').next()?.parse().ok()?).ok()?;
        now.checked_sub(up)?.checked_add(started)
    })
}

/// The CPU time, and when the process started since the machine did.
fn times(stat: &str) -> Option<(Duration, Duration)> {
    // The second field is the file's name in parentheses, which may have anything in it; the third follows the last one.
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

/// The limit that holds (the soft one) for open files; without one, the largest number that metrics take.
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
