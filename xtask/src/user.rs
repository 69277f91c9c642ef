//! Users of this machine, asked of `id`, since the standard library does not know them.

use std::process::{Command, Stdio};

/// A user's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user's own number.
    pub uid: u32,
    /// The number of the user's group.
    pub gid: u32,
}

/// Whether this program runs as root.
pub fn is_root() -> bool {
    number(&["-u"]) == Some(0)
}

/// Looks up a user; `None` when there is no such user.
pub fn named(name: &str) -> Option<User> {
    Some(User { uid: number(&["-u", name])?, gid: number(&["-g", name])? })
}

fn number(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_the_number_it_has_everywhere() {
        assert_eq!(named("root").map(|user| user.uid), Some(0));
    }

    #[test]
    fn an_unknown_user_is_none() {
        assert_eq!(named("no such user"), None);
    }
}
