//! The memory limit of the container that this process runs in (cgroups(7)).

use std::fs;
use std::path::Path;

/// Where control groups are mounted, and the file with the limit: version 2, and version 1, which has a hierarchy for each
/// resource.
const HIERARCHIES: [(&str, &str, &str); 2] =
    [("", "/sys/fs/cgroup", "memory.max"), ("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes")];

/// Without a limit, version 1 has a number near the largest: no machine has a pebibyte.
const UNLIMITED: u64 = 1 << 50;

/// The limit in bytes, if there is one.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    HIERARCHIES
        .iter()
        .filter_map(|(controller, mount, file)| {
            // In a container, the mount often begins at its own group, whose path outside is not there.
            let group = group(&groups, controller).unwrap_or_default().trim_matches('/');
            let path = Path::new(mount).join(group);
            path.ancestors().take_while(|path| path.starts_with(mount)).filter_map(|path| limit(&path.join(file))).min()
        })
        .min()
}

/// The path of the group in the hierarchy of `controller`, which in version 2 has no name, from /proc/self/cgroup.
fn group<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|known| known == controller).then_some(path)
    })
}

fn limit(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok().filter(|limit| *limit < UNLIMITED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_in_either_version() {
        let first = "5:cpu,cpuacct:/a\n4:memory:/docker/0123\n1:name=systemd:/b\n0::/c\n";
        assert_eq!(group(first, "memory"), Some("/docker/0123"));
        assert_eq!(group("0::/kubepods.slice/pod.scope\n", ""), Some("/kubepods.slice/pod.scope"));
        assert_eq!(group("0::/\n", "memory"), None);
        assert_eq!(group("", ""), None);
    }

    #[test]
    fn a_limit_is_a_number_of_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.max");
        for (text, bytes) in [("268435456\n", Some(256 << 20)), ("max\n", None), ("9223372036854771712\n", None)] {
            fs::write(&file, text).unwrap();
            assert_eq!(limit(&file), bytes, "{text}");
        }
        assert_eq!(limit(&folder.path().join("missing")), None);
    }
}
