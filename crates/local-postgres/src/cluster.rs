//! A folder with a server's data, its log and its password, which nobody else can read.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::account::Account;
use crate::installation::Installation;

/// The name of the superuser, and of the only database.
pub const SUPERUSER: &str = "postgres";

/// A locale that treats letters by Unicode, and sorts by code point. macOS has it for letters only.
const LOCALE: [&str; 2] = if cfg!(target_os = "macos") {
    ["--locale=C", "--lc-ctype=UTF-8"]
} else {
    ["--locale=C.UTF-8", "--encoding=UTF8"]
};

/// A server's folder.
#[derive(Debug, Clone)]
pub struct Cluster {
    folder: PathBuf,
    pub(crate) account: Account,
}

impl Cluster {
    /// The cluster in `folder`, which is made if there is none, private to the user the server runs as.
    ///
    /// Fails if it belongs to another user, or that one cannot reach it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let account = Account::choose()?;
        let folder = std::path::absolute(folder).context("cannot be found")?;
        if !folder.exists() {
            if let Some(parent) = folder.parent() {
                fs::create_dir_all(parent).context("cannot be made")?;
            }
            DirBuilder::new().mode(0o700).create(&folder).context("cannot be made")?;
            account.own(&folder).context("cannot be given to the server's user")?;
        }
        account.check(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).context("cannot be made private")?;
        Ok(Self { folder: folder.canonicalize()?, account })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user its server runs as, if that is not the user of this program.
    pub fn other_user(&self) -> Option<&str> {
        self.account.is_another().then_some(self.account.name.as_str())
    }

    /// The folder of the data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the server writes: warnings and errors.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The major version of the data; `None` if there are none yet.
    pub fn major(&self) -> anyhow::Result<Option<u32>> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map(Some).with_context(|| format!("{} is damaged", file.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Makes an empty cluster with data checksums, if there is none. Unless it is `durable`, nothing of it waits for the disk.
    pub fn init(&self, installation: &Installation, durable: bool) -> anyhow::Result<()> {
        match self.major()? {
            None => {}
            Some(major) if major == installation.major() => return Ok(()),
            Some(major) => bail!(
                "holds data of PostgreSQL {major}, which the server found, {} in {}, cannot read",
                installation.version(),
                installation.programs().display()
            ),
        }
        self.write_secret("password", &random_hex()?)?;
        // Under another name until it is complete: an initdb that was interrupted leaves half a cluster.
        let new = self.folder.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("cannot remove {}", new.display()))?;
        }
        let mut initdb = self.program(installation, "initdb");
        initdb
            .args([&format!("--username={SUPERUSER}"), "--auth=scram-sha-256", "--data-checksums"])
            .args(LOCALE)
            .arg(format!("--pwfile={}", self.folder.join("password").display()))
            .arg(format!("--pgdata={}", new.display()));
        if !durable {
            initdb.arg("--no-sync");
        }
        let output = initdb.stdin(Stdio::null()).output().context("cannot start initdb")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cannot be set up: {}", last_lines(&said));
        fs::rename(&new, self.data()).context("cannot be written")
    }

    /// The superuser's password.
    pub fn password(&self) -> anyhow::Result<String> {
        let file = self.folder.join("password");
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    }

    /// Writes a file that only the server's user can read. Returns where.
    pub fn write_secret(&self, name: &str, secret: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        let context = || format!("cannot write {}", path.display());
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).with_context(context)?;
        file.write_all(secret.as_bytes()).with_context(context)?;
        self.account.own(&path).with_context(context)?;
        Ok(path)
    }

    /// One of the installation's programs as the server's user, out of reach of a Ctrl-C meant for this program, and without
    /// the settings of the user's own server, such as PGDATA and PGPORT.
    pub(crate) fn program(&self, installation: &Installation, name: &str) -> Command {
        let mut command = Command::new(installation.programs().join(name));
        command.current_dir(&self.folder).process_group(0);
        self.account.apply(&mut command);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command
    }
}

/// The end of what a program said, in one line.
pub(crate) fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(6)..];
    last.join("; ")
}

/// 128 random bits in hexadecimal: whoever else is on this machine can reach the port.
pub(crate) fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_need_no_quoting() {
        let (one, other) = (random_hex().unwrap(), random_hex().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.chars().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn data_of_another_major_version_are_refused() {
        let Some(installation) = Installation::find() else {
            println!("skipped: no PostgreSQL server is installed");
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let cluster = Cluster::open(&folder.path().join("postgres")).unwrap();
        fs::create_dir(cluster.data()).unwrap();
        fs::write(cluster.data().join("PG_VERSION"), "9\n").unwrap();
        let error = cluster.init(&installation, false).unwrap_err().to_string();
        assert!(error.starts_with("holds data of PostgreSQL 9, which the server found, "), "{error}");
        fs::write(cluster.data().join("PG_VERSION"), "nine").unwrap();
        assert!(cluster.init(&installation, false).unwrap_err().to_string().ends_with("PG_VERSION is damaged"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = format!("{:#}", Cluster::open(&file.path().join("postgres")).unwrap_err());
        assert!(error.starts_with("cannot be made: "), "{error}");
    }
}
