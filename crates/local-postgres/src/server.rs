//! A running server. It ends when its value is dropped, and when this program dies.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::cluster::{Cluster, SUPERUSER, last_lines};
use crate::installation::Installation;

/// A start takes a tenth of a second. After a crash, recovery may take minutes; on a busy machine everything does.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A server of an earlier run gets this long to end in order, and then ends at once: nothing is lost that way either, the next
/// start recovers it.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Between two looks at a server that starts or stops.
const POLL: Duration = Duration::from_millis(10);

/// What a server says that finds traces of another one in its folder.
const OCCUPIED: [&str; 2] = ["pre-existing shared memory block", "\"postmaster.pid\" already exists"];

/// Ports to try. Another program can take one between our finding it free and the server's start.
const PORTS: usize = 3;

/// Stops the server, if one has come up, and removes the folder, unless it is kept, once its standard input ends: when we close
/// it, and when we are killed. What is being written meanwhile takes a second try.
const WATCHDOG: &str = r#"
cat >/dev/null
if server=$(head -n 1 "$1/data/postmaster.pid"); then
    kill -INT "$server"
    n=0
    while [ $n -lt 200 ] && kill -0 "$server"; do sleep 0.05; n=$((n + 1)); done
fi
test "$2" = kept || rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

/// What happens to the data when the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They stay.
    Kept,
    /// They are removed, and their folder, too, if the server's user may do that.
    Gone,
}

/// How to reach a server as its superuser.
// No Debug: it holds a password.
#[derive(Clone)]
pub struct Address {
    /// The port it listens on, at 127.0.0.1.
    pub port: u16,
    /// The superuser's password.
    pub password: String,
}

impl Address {
    /// That of the server that runs on `cluster`; `None` if none does.
    pub fn of_running(cluster: &Cluster) -> anyhow::Result<Option<Self>> {
        port_of_running(cluster).map(|port| Ok(Self { port, password: cluster.password()? })).transpose()
    }

    /// As a URL, password included: not for showing. The server offers TLS to nobody unless its settings say otherwise.
    pub fn url(&self) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{SUPERUSER}", self.password, self.port)
    }
}

/// A running server.
pub struct Server {
    cluster: Cluster,
    installation: Installation,
    settings: Vec<String>,
    address: Address,
    process: Child,
    watchdog: Watchdog,
}

impl Server {
    /// Starts a server for `cluster`, which was made by [`Cluster::init`], on a free port of this machine, with further
    /// settings, such as `fsync=off`.
    ///
    /// A server that an earlier run left behind is ended first. Fails with what the server had to say if it does not start.
    pub fn start(
        cluster: Cluster,
        installation: Installation,
        settings: Vec<String>,
        data: Data,
    ) -> anyhow::Result<Self> {
        end_earlier(&cluster.data())?;
        let password = cluster.password()?;
        let watchdog = Watchdog::start(&cluster, data)?;
        // What was written before is in no report about this start.
        File::create(cluster.log()).with_context(|| format!("cannot write {}", cluster.log().display()))?;
        let begun = Instant::now();
        let mut ports = PORTS;
        loop {
            let port = free_port()?;
            let error = match start(&cluster, &installation, &settings, port) {
                Ok(process) => {
                    let address = Address { port, password };
                    return Ok(Self { cluster, installation, settings, address, process, watchdog });
                }
                Err(error) => error,
            };
            let said = error.to_string();
            // Processes of a server that was killed have its memory until they notice that they are alone, and it has its number
            // until its parent has been told.
            let is_occupied = begun.elapsed() < STOP_LIMIT && OCCUPIED.iter().any(|words| said.contains(words));
            let is_taken = said.contains("Address already in use") && ports > 1;
            if is_taken {
                ports -= 1;
            } else if is_occupied {
                thread::sleep(POLL);
            } else {
                return Err(error);
            }
        }
    }

    /// How to reach it.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What it was started from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The number of its first process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.process.try_wait().context("cannot tell whether the server runs")
    }

    /// Starts it again after it ended, on the same port.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process = start(&self.cluster, &self.installation, &self.settings, self.address.port)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended but was not waited for would look alive to the watchdog.
        self.watchdog.give_up();
        let _ = self.process.wait();
    }
}

/// A process that outlives this program by as long as it takes to stop the server.
#[derive(Debug)]
struct Watchdog(Child);

impl Watchdog {
    fn start(cluster: &Cluster, data: Data) -> anyhow::Result<Self> {
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(cluster.folder());
        watchdog.arg(if data == Data::Kept { "kept" } else { "gone" });
        watchdog.current_dir("/").process_group(0);
        cluster.account.apply(&mut watchdog);
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(watchdog.spawn().context("cannot start sh")?))
    }

    /// Has it begin.
    fn give_up(&mut self) {
        drop(self.0.stdin.take());
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.give_up();
        // A wait that fails leaves nothing more to do.
        let _ = self.0.wait();
    }
}

/// Starts the server's process and waits until it takes connections.
fn start(cluster: &Cluster, installation: &Installation, settings: &[String], port: u16) -> anyhow::Result<Child> {
    let log = cluster.log();
    let log_file = File::options().append(true).create(true).open(&log);
    let log_file = log_file.with_context(|| format!("cannot write {}", log.display()))?;
    let mut postgres = cluster.program(installation, "postgres");
    postgres.arg("-D").arg(cluster.data()).arg("-p").arg(port.to_string());
    // No sockets in shared folders, and no limit on the length of the folder's path.
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="] {
        postgres.args(["-c", setting]);
    }
    for setting in settings {
        postgres.args(["-c", setting]);
    }
    postgres.stdin(Stdio::null()).stdout(log_file.try_clone().context("cannot share the log")?).stderr(log_file);
    let mut process = postgres.spawn().context("cannot start postgres")?;
    let deadline = Instant::now() + START_LIMIT;
    while !is_ready(&cluster.data(), process.id()) {
        let ended = process.try_wait().context("cannot wait for postgres")?;
        let is_late = Instant::now() >= deadline;
        if ended.is_some() || is_late {
            let _ = process.kill();
            let _ = process.wait();
            let said = last_lines(&fs::read_to_string(&log).unwrap_or_default());
            match is_late {
                true => bail!("PostgreSQL did not start in {} s: {said}", START_LIMIT.as_secs()),
                false => bail!("PostgreSQL does not start: {said}"),
            }
        }
        thread::sleep(POLL);
    }
    Ok(process)
}

/// Whether the server's pid file says so. An earlier server's can still be there.
fn is_ready(data: &Path, process: u32) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(process.to_string().as_str()) && lines.nth(6) == Some("ready")
}

/// Ends a server that an earlier run left behind, because it was killed together with its watchdog.
fn end_earlier(data: &Path) -> anyhow::Result<()> {
    let Some(process) = running(data) else { return Ok(()) };
    let begun = Instant::now();
    let mut signal = Signal::INT;
    // An error says that it has ended meanwhile, which the next look confirms.
    let _ = kill_process(process, signal);
    while running(data) == Some(process) {
        if begun.elapsed() >= STOP_LIMIT * 2 {
            bail!("a server of an earlier run, process {}, does not end: end it", process.as_raw_nonzero());
        }
        if begun.elapsed() >= STOP_LIMIT && signal == Signal::INT {
            signal = Signal::QUIT;
            let _ = kill_process(process, signal);
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// The port of the server that runs on `cluster`; `None` if none does.
pub fn port_of_running(cluster: &Cluster) -> Option<u16> {
    running(&cluster.data())?;
    let text = fs::read_to_string(cluster.data().join("postmaster.pid")).ok()?;
    text.lines().nth(3)?.trim().parse().ok()
}

/// The process of the server that runs on `data`.
pub(crate) fn running(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let process = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
    // The number may be another program's by now. A server works in the folder of its data.
    let is_alive = test_kill_process(process).is_ok();
    let is_server = match fs::read_link(format!("/proc/{}/cwd", process.as_raw_nonzero())) {
        Ok(folder) => folder == data,
        Err(_) => !Path::new("/proc/self").exists() && is_named_postgres(process),
    };
    (is_alive && is_server).then_some(process)
}

/// Where there is no `/proc`.
fn is_named_postgres(process: Pid) -> bool {
    let output = Command::new("ps").args(["-o", "comm=", "-p", &process.as_raw_nonzero().to_string()]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("postgres"))
}

/// A port that is free now; the server takes it a moment later.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr().context("cannot find a free port")?.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cluster::random_hex;

    fn cluster(folder: &Path) -> Option<(Cluster, Installation)> {
        // The server's user can be another than this test's.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        cluster_in(&folder.join("postgres"))
    }

    fn cluster_in(folder: &Path) -> Option<(Cluster, Installation)> {
        let Some(installation) = Installation::find() else {
            println!("skipped: no PostgreSQL server is installed");
            return None;
        };
        let cluster = Cluster::open(folder).unwrap();
        cluster.init(&installation, false).unwrap();
        Some((cluster, installation))
    }

    fn begin(cluster: &Cluster, installation: &Installation, data: Data) -> Server {
        Server::start(cluster.clone(), installation.clone(), vec!["fsync=off".to_owned()], data).unwrap()
    }

    fn takes_connections(port: u16) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    #[test]
    fn a_server_starts_serves_and_leaves_nothing_behind() {
        // In a folder in which its user may remove it.
        let folder = std::env::temp_dir().join(random_hex().unwrap());
        let Some((cluster, installation)) = cluster_in(&folder) else { return };
        let server = begin(&cluster, &installation, Data::Gone);
        let (port, process) = (server.address().port, server.process());
        assert!(takes_connections(port));
        drop(server);
        assert!(!cluster.folder().exists());
        assert!(!takes_connections(port));
        assert!(test_kill_process(Pid::from_raw(process.cast_signed()).unwrap()).is_err());
    }

    #[test]
    fn a_cluster_is_kept_and_served_by_one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let Some((cluster, installation)) = cluster(folder.path()) else { return };
        let first = begin(&cluster, &installation, Data::Kept);
        let (port, password) = (first.address().port, first.address().password.clone());
        // As if the program and its watchdog had been killed.
        std::mem::forget(first);
        let second = begin(&cluster, &installation, Data::Kept);
        assert!(second.address().port == port || !takes_connections(port));
        assert_eq!(second.address().password, password);
        drop(second);
        assert_eq!(cluster.major().unwrap(), Some(installation.major()));
        assert!(running(&cluster.data()).is_none());
    }

    #[test]
    fn a_server_that_was_killed_starts_again_on_its_port() {
        let folder = tempfile::tempdir().unwrap();
        let Some((cluster, installation)) = cluster(folder.path()) else { return };
        let mut server = begin(&cluster, &installation, Data::Gone);
        assert!(server.ended().unwrap().is_none());
        kill_process(Pid::from_raw(server.process().cast_signed()).unwrap(), Signal::KILL).unwrap();
        while server.ended().unwrap().is_none() {
            thread::yield_now();
        }
        let port = server.address().port;
        // Processes of the old server hold its memory until they notice.
        while let Err(error) = server.restart() {
            let error = error.to_string();
            assert!(error.contains("pre-existing shared memory"), "{error}");
        }
        assert_eq!(server.address().port, port);
        assert!(takes_connections(port));
        // And so does the next one, while the old one's processes may still be there.
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        std::mem::forget(server);
        drop(begin(&cluster, &installation, Data::Gone));
    }

    #[test]
    fn a_setting_that_is_wrong_is_told_in_the_servers_words() {
        let folder = tempfile::tempdir().unwrap();
        let Some((cluster, installation)) = cluster(folder.path()) else { return };
        let wrong = vec!["no_such_setting=1".to_owned()];
        let Err(error) = Server::start(cluster, installation, wrong, Data::Gone) else { panic!("it was taken") };
        let error = error.to_string();
        assert!(error.contains("no_such_setting"), "{error}");
    }

    #[test]
    fn another_programs_process_is_no_server() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
        assert!(running(folder.path()).is_none());
    }
}
