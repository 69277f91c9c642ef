//! What processes use, as Linux tells in /proc (proc(5)).

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

/// Processor time of a process, and what it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The process that started it.
    pub parent: u32,
    /// `Z` when it has ended and nobody has asked how.
    pub state: char,
    /// Clock ticks it has run, in user mode and in the kernel.
    pub ticks: u64,
}

/// The clock ticks in a second; 100 on every Linux of today.
static TICKS_A_SECOND: LazyLock<f64> = LazyLock::new(|| {
    let asked = Command::new("getconf").arg("CLK_TCK").output().ok();
    asked.and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok()).unwrap_or(100.0)
});

impl Stat {
    /// Of a process; nothing when there is no such process.
    pub fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, and may hold anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            ticks: ticks(11)? + ticks(12)?,
        })
    }

    /// Seconds of processor time.
    pub fn seconds(self) -> f64 {
        self.ticks as f64 / *TICKS_A_SECOND
    }
}

/// A process and all that descend from it.
pub fn tree(root: u32) -> Vec<u32> {
    let everybody: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, Stat::of(pid)?.parent)))
        .collect();
    descendants(root, &everybody)
}

fn descendants(root: u32, everybody: &[(u32, u32)]) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(everybody.iter().filter(|(pid, its)| *its == parent && *pid != parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Seconds of processor time of a process and its descendants so far.
pub fn cpu_seconds(root: u32) -> f64 {
    tree(root).into_iter().filter_map(Stat::of).map(Stat::seconds).sum()
}

/// Resident memory of a process and its descendants now, in MiB. What they share is counted for each.
pub fn rss_mb(root: u32) -> f64 {
    memory(root, "VmRSS:")
}

/// The most resident memory since [`forget_peak_rss`], in MiB.
pub fn peak_rss_mb(root: u32) -> f64 {
    memory(root, "VmHWM:")
}

/// Begins a new peak.
pub fn forget_peak_rss(root: u32) {
    for pid in tree(root) {
        // Where it is not permitted, the peak is that of the process's life.
        _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}

fn memory(root: u32, field: &str) -> f64 {
    let of = |pid: u32| kilobytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, field);
    tree(root).into_iter().filter_map(of).sum::<u64>() as f64 / 1024.0
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "42 (a) b (c)) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 9 9 20 0 5 0 1 2 3";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 7, state: 'S', ticks: 200 }));
        assert_eq!(Stat::parse("42 (cut off) S 7"), None);
    }

    #[test]
    fn a_tree_is_the_root_and_all_below_it() {
        let everybody = [(1, 0), (2, 1), (3, 2), (4, 1), (5, 4), (6, 2)];
        let mut below = descendants(2, &everybody);
        below.sort_unstable();
        assert_eq!(below, [2, 3, 6]);
        assert_eq!(descendants(9, &everybody), [9]);
    }

    #[test]
    fn memory_is_read_by_its_name() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((kilobytes(status, "VmRSS:"), kilobytes(status, "VmHWM:")), (Some(1024), Some(2048)));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
    }

    #[test]
    fn this_process_has_run_and_has_memory() {
        let me = std::process::id();
        assert!(Stat::of(me).is_some_and(|stat| stat.state == 'R' || stat.state == 'S'));
        assert!(rss_mb(me) > 0.1 && peak_rss_mb(me) > 0.1);
    }
}
