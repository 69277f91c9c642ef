//! The user a server runs as. PostgreSQL refuses to run as root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// Users to run a server as for root: the one that PostgreSQL's packages make, or the one for what needs no rights.
const FOR_ROOT: [&str; 2] = ["postgres", "nobody"];

/// The user a server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's name.
    pub name: String,
    uid: u32,
    gid: u32,
    /// Whether this program is another user, root.
    is_another: bool,
}

impl Account {
    /// The user of this program or, for root, `postgres` or `nobody`.
    ///
    /// Fails if the system's list of users does not have the user, as in some containers: `initdb` refuses to run then.
    pub fn choose() -> anyhow::Result<Self> {
        let uid = rustix::process::geteuid().as_raw();
        if is_root() {
            let found = FOR_ROOT.iter().find_map(|name| {
                let (uid, gid) = (number("-u", name)?, number("-g", name)?);
                Some(Self { name: (*name).to_owned(), uid, gid, is_another: true })
            });
            return found.context(
                "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as: \
                 make one, or do not be root",
            );
        }
        let name = id(&["-un"]);
        let gid = rustix::process::getegid().as_raw();
        let name = name.with_context(|| {
            format!(
                "PostgreSQL needs a user with a name, and this system knows none with the number {uid}: \
                 add one to /etc/passwd, or use a database elsewhere"
            )
        })?;
        Ok(Self { name, uid, gid, is_another: false })
    }

    /// Whether a server runs as another user than this program.
    pub fn is_another(&self) -> bool {
        self.is_another
    }

    /// Has `command` run as this user.
    pub(crate) fn apply(&self, command: &mut Command) {
        if self.is_another {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Makes `path` this user's.
    pub(crate) fn own(&self, path: &Path) -> io::Result<()> {
        if self.is_another { chown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Fails if `folder` is not this user's, or cannot be reached by them.
    pub(crate) fn check(&self, folder: &Path) -> anyhow::Result<()> {
        let owner = fs::metadata(folder)?.uid();
        ensure!(owner == self.uid, "belongs to another user (number {owner}, not {}): name another folder", self.uid);
        ensure!(
            !self.is_another || self.can_enter(folder),
            "is out of reach for the user {:?}, as whom PostgreSQL runs since this program is root's: name another folder",
            self.name
        );
        Ok(())
    }

    fn can_enter(&self, folder: &Path) -> bool {
        let mut test = Command::new("test");
        test.arg("-x").arg(folder).current_dir("/");
        self.apply(&mut test);
        test.status().is_ok_and(|status| status.success())
    }
}

/// Whether this program runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A number of the user `name`; `None` if there is no such user.
fn number(option: &str, name: &str) -> Option<u32> {
    id(&[option, name])?.parse().ok()
}

/// What `id` says: the standard library does not know the users of a system.
fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_the_number_it_has_everywhere() {
        assert_eq!(number("-u", "root"), Some(0));
    }

    #[test]
    fn an_unknown_user_is_none() {
        assert_eq!(number("-u", "no such user"), None);
    }

    #[test]
    fn a_server_never_runs_as_root() {
        assert_ne!(Account::choose().unwrap().uid, 0);
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let account = Account { name: "a".to_owned(), uid: u32::MAX - 7, gid: 0, is_another: false };
        let folder = tempfile::tempdir().unwrap();
        let error = account.check(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with("belongs to another user"), "{error}");
    }
}
