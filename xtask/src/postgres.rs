//! A PostgreSQL server of our own for the length of a run, gone afterwards whatever happens. Its data may be kept.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::progress;
use crate::user::{self, User};

/// Where Debian, Ubuntu and their like put the servers of all versions, one folder each.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// A start takes a second or two; a machine busy compiling may need many times that.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Several runners with a pool each, several tests at once; PostgreSQL's own default is 100.
const MAX_CONNECTIONS: u32 = 1000;

/// Settings of a server whose data is kept: what PostgreSQL's manual advises for a machine with a few gigabytes of memory
/// (19.4, 19.5). The defaults are for one of long ago, and would measure how well they suit a million pages.
const KEPT_SETTINGS: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=30min"];

/// Stops the server, if one has come up, and removes the folder, unless it is to be kept, once its standard input ends,
/// which it does when we close it and also when we are killed. What is being written meanwhile takes a second try.
const WATCHDOG: &str = r#"
cat >/dev/null
if server=$(head -n 1 "$1/data/postmaster.pid"); then
    kill -INT "$server"
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$server" && sleep 1; done
fi
test "$2" = kept || rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

/// An installed PostgreSQL server that is not running.
#[derive(Debug, PartialEq, Eq)]
pub struct Installation {
    programs: PathBuf,
}

impl Installation {
    /// Looks in the search path and then where Debian puts the newest version; `None` when there is no server.
    pub fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let versions = fs::read_dir(DEBIAN_FOLDER).into_iter().flatten().flatten().map(|entry| entry.path());
        env::split_paths(&path)
            .chain(newest_first(versions.collect()).into_iter().map(|version| version.join("bin")))
            .find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
            .map(|programs| Self { programs })
    }

    /// Makes an empty cluster and starts a server for it on a free port of this machine, with the certificate in
    /// `certificates` for those that want TLS; fails with what the server had to say when it does not come up.
    pub fn start(&self, certificates: &Path) -> anyhow::Result<Server> {
        let identity = identity()?;
        let password = random_hex()?;
        // The name ends like nobody else's, and making a folder that exists is refused.
        let path = env::temp_dir().join(format!("wasiki-postgres-{}-{}", std::process::id(), &random_hex()?[..8]));
        make_folder(&path, identity)?;
        let folder = Folder::open(path, identity, false)?;
        folder.write_secret("password", &password, identity)?;
        // It takes only a key that is its own and nobody else's to read.
        let copy = |name: &str| {
            let from = certificates.join(name);
            let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
            folder.write_secret(name, &text, identity)
        };
        let (certificate, key) = (copy("first.crt")?, copy("first.key")?);
        let data = folder.path.join("data");
        self.init(&folder.path, &data, identity)?;
        let settings = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", certificate.display()),
            format!("ssl_key_file={}", key.display()),
        ];
        let settings = settings.each_ref().map(String::as_str);
        progress::step("starting a PostgreSQL server", || self.serve(folder, &data, identity, &password, &settings))
    }

    /// Starts a server on the cluster in `path`, which is made if there is none, and kept.
    pub fn start_kept(&self, path: &Path) -> anyhow::Result<Server> {
        let identity = identity()?;
        let path = std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))?;
        let data = path.join("data");
        if let Some(process) = running_server(&data) {
            bail!("a PostgreSQL server already runs in {}, as process {process}", path.display());
        }
        if !path.exists() {
            make_folder(&path, identity)?;
        }
        let folder = Folder::open(path, identity, true)?;
        let password_file = folder.path.join("password");
        let password = if data.join("PG_VERSION").exists() {
            fs::read_to_string(&password_file).with_context(|| format!("cannot read {}", password_file.display()))?
        } else {
            let password = random_hex()?;
            folder.write_secret("password", &password, identity)?;
            self.init(&folder.path, &data, identity).with_context(|| {
                format!("if PostgreSQL cannot reach {}, choose another folder", folder.path.display())
            })?;
            password
        };
        progress::step("starting a PostgreSQL server", || {
            self.serve(folder, &data, identity, &password, &KEPT_SETTINGS)
        })
    }

    /// The folder of the installation's programs.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    fn init(&self, folder: &Path, data: &Path, identity: Option<User>) -> anyhow::Result<()> {
        progress::run(
            "making an empty PostgreSQL cluster",
            self.program("initdb", identity, folder)
                .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"])
                // Nothing of this is worth anything after a crash of the machine, so nothing of it needs to reach the disk.
                .arg("--no-sync")
                .arg(format!("--pwfile={}", folder.join("password").display()))
                .arg(format!("--pgdata={}", data.display())),
        )
    }

    fn serve(
        &self,
        folder: Folder,
        data: &Path,
        identity: Option<User>,
        password: &str,
        settings: &[&str],
    ) -> anyhow::Result<Server> {
        let port = free_port()?;
        let log = folder.path.join("log");
        let log_file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = self.program("postgres", identity, &folder.path);
        command.arg("-D").arg(data).arg("-p").arg(port.to_string()).arg("-k").arg(&folder.path);
        let connections = format!("max_connections={MAX_CONNECTIONS}");
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", &connections].iter().chain(settings) {
            command.args(["-c", setting]);
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(log_file.try_clone().context("cannot share the log")?)
            .stderr(log_file)
            .spawn()
            .context("cannot start postgres")?;
        let mut server =
            Server { url: format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"), process, folder };
        server.wait_until_ready(data, &log)?;
        Ok(server)
    }

    /// One of the installation's programs, out of reach of a Ctrl-C meant for us: the watchdog ends it in good order.
    fn program(&self, name: &str, identity: Option<User>, folder: &Path) -> Command {
        let mut command = Command::new(self.programs.join(name));
        detach(&mut command, identity, folder);
        command
    }
}

/// A running server that ends, and whose folder goes, when this is dropped or this program dies.
#[derive(Debug)]
pub struct Server {
    /// How to connect as the superuser, password included: not for showing.
    pub url: String,
    process: Child,
    folder: Folder,
}

impl Server {
    /// Waits for the line that the server writes into its pid file once it accepts connections.
    fn wait_until_ready(&mut self, data: &Path, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let pid_file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if pid_file.lines().nth(7).is_some_and(|status| status.trim() == "ready") {
                return Ok(());
            }
            let ended = self.process.try_wait().context("cannot wait for postgres")?;
            if ended.is_some() || Instant::now() >= deadline {
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("PostgreSQL did not start in {} s:\n{said}", START_LIMIT.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended but was not waited for would look alive to the watchdog.
        self.folder.give_up();
        let _ = self.process.wait();
    }
}

/// The cluster's folder, and the process that outlives us by as long as it takes to clean up.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    watchdog: Child,
}

impl Folder {
    fn open(path: PathBuf, identity: Option<User>, kept: bool) -> anyhow::Result<Self> {
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(&path).arg(if kept { "kept" } else { "gone" });
        detach(&mut watchdog, identity, Path::new("/"));
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { path, watchdog: watchdog.spawn().context("cannot start sh")? })
    }

    /// Writes what only the server's user may read; returns where.
    fn write_secret(&self, name: &str, secret: &str, identity: Option<User>) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        let context = || format!("cannot write {}", path.display());
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&path).with_context(context)?;
        file.write_all(secret.as_bytes()).with_context(context)?;
        own(&path, identity).with_context(context)?;
        Ok(path)
    }

    /// Tells the watchdog to begin.
    fn give_up(&mut self) {
        drop(self.watchdog.stdin.take());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.give_up();
        // A wait that fails leaves nothing more to do.
        let _ = self.watchdog.wait();
    }
}

/// Makes a folder that only the server's user may read.
fn make_folder(path: &Path, identity: Option<User>) -> anyhow::Result<()> {
    let context = || format!("cannot make {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(context)?;
    }
    DirBuilder::new().mode(0o700).create(path).with_context(context)?;
    own(path, identity).with_context(context)
}

fn own(path: &Path, identity: Option<User>) -> std::io::Result<()> {
    identity.map_or(Ok(()), |user| chown(path, Some(user.uid), Some(user.gid)))
}

/// The process that the cluster's pid file names, if it lives.
fn running_server(data: &Path) -> Option<u32> {
    let process = fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()?;
    Path::new("/proc").join(format!("{process}")).exists().then_some(process)
}

fn detach(command: &mut Command, identity: Option<User>, folder: &Path) {
    command.current_dir(folder).process_group(0);
    if let Some(user) = identity {
        command.uid(user.uid).gid(user.gid);
    }
    // Settings of the user's own server, such as PGDATA, PGPORT and PGOPTIONS.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
}

/// Whom to run the server as: PostgreSQL refuses to run as root, and its packages make the user `postgres`.
fn identity() -> anyhow::Result<Option<User>> {
    if !user::is_root() {
        return Ok(None);
    }
    let user = user::named("postgres");
    ensure!(
        user.is_some(),
        "PostgreSQL does not run as root, and there is no user `postgres`: make one, or do not be root"
    );
    Ok(user)
}

/// A port that is free now; the server takes it a moment later.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr().context("cannot find a free port")?.port())
}

/// 128 random bits in hexadecimal, for a password: whoever else is on this machine can reach the port.
fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn newest_first(mut versions: Vec<PathBuf>) -> Vec<PathBuf> {
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let versions = ["9", "17", "15", "common"].map(PathBuf::from).to_vec();
        assert_eq!(newest_first(versions), ["17", "15", "9", "common"].map(PathBuf::from));
    }

    #[test]
    fn passwords_differ_and_need_no_quoting() {
        let (one, other) = (random_hex().unwrap(), random_hex().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.chars().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn a_kept_cluster_is_used_again_and_by_one_server_at_a_time() {
        let Some(installation) = Installation::find() else {
            println!("skipped: no PostgreSQL server is installed");
            return;
        };
        let folder = env::temp_dir().join(format!("wasiki-kept-{}", random_hex().unwrap()));
        let server = installation.start_kept(&folder).unwrap();
        let error = installation.start_kept(&folder).unwrap_err().to_string();
        assert!(error.contains("already runs"), "{error}");
        let password = |url: &str| url.split(['@', ':']).nth(2).map(str::to_owned);
        let first = password(&server.url);
        drop(server);
        let again = installation.start_kept(&folder).unwrap();
        assert_eq!(password(&again.url), first);
        drop(again);
        assert!(folder.join("data/PG_VERSION").exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_server_starts_serves_and_leaves_nothing_behind() {
        let Some(installation) = Installation::find() else {
            println!("skipped: no PostgreSQL server is installed");
            return;
        };
        let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tls");
        let server = installation.start(&certificates).unwrap();
        let (folder, pid) = (server.folder.path.clone(), server.process.id());
        let address = server.url.rsplit_once('@').unwrap().1.strip_suffix("/postgres").unwrap().to_owned();
        std::net::TcpStream::connect(&address).unwrap();
        drop(server);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(&address).is_err());
        assert!(!Command::new("kill").arg("-0").arg(pid.to_string()).stderr(Stdio::null()).status().unwrap().success());
    }
}
