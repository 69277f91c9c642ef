//! A container, as far as memory is concerned: a control group with a limit (cgroups(7)).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A control group that kills its processes when they need more memory than its limit. It is removed when this is dropped.
#[derive(Debug)]
pub struct Container {
    folder: PathBuf,
    version: &'static Version,
}

/// Where the groups of a version are, and its names for things.
#[derive(Debug)]
struct Version {
    root: &'static str,
    limit: &'static str,
    events: &'static str,
    peak: &'static str,
}

const VERSIONS: [Version; 2] = [
    Version { root: "/sys/fs/cgroup", limit: "memory.max", events: "memory.events", peak: "memory.peak" },
    Version {
        root: "/sys/fs/cgroup/memory",
        limit: "memory.limit_in_bytes",
        events: "memory.oom_control",
        peak: "memory.max_usage_in_bytes",
    },
];

impl Container {
    /// A container with `limit` bytes; none where this process may not make one.
    pub fn new(limit: u64) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("wasiki-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        VERSIONS.iter().find_map(|version| {
            let root = Path::new(version.root);
            // Where the groups of version 1 are, a folder of any name can be made beside them.
            let is_mounted = root.join("cgroup.procs").exists();
            let folder = root.join(&name);
            if !is_mounted || fs::create_dir(&folder).is_err() {
                return None;
            }
            let container = Self { folder, version };
            fs::write(container.folder.join(version.limit), limit.to_string()).ok().map(|()| container)
        })
    }

    /// The file with the ids of its processes.
    pub fn processes(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// How many of its processes were killed for want of memory.
    ///
    /// # Panics
    /// When the kernel does not tell.
    pub fn killed(&self) -> u64 {
        let events = self.read(self.version.events);
        let count = events.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
        count.unwrap_or_else(|| panic!("no oom_kill in {events}"))
    }

    /// The most bytes that it had, if the kernel tells.
    pub fn peak(&self) -> Option<u64> {
        self.read(self.version.peak).trim().parse().ok()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap_or_default()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // A process that has ended leaves its group a moment later.
        for _ in 0..100 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(crate::POLL);
        }
    }
}
