//! A PgBouncer in front of a database, in transaction mode: each transaction gets any of its few connections to the server.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::Url;
use tempfile::TempDir;

use crate::database::percent_decoded;
use crate::{Database, eventually};

/// Fewer than the connections that a service keeps, so that they are shared.
const SERVER_CONNECTIONS: u32 = 3;

/// Ends the program once its own standard input ends, which it does when we close it and also when we are killed.
const WATCHDOG: &str = r#""$@" & cat >/dev/null; kill -KILL $!"#;

/// A running PgBouncer, which ends when this is dropped.
pub struct Pooler {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Whether there is nothing to try, because no PgBouncer is installed. Says so then.
    pub fn is_missing() -> bool {
        if program().is_none() {
            println!("skipped: PgBouncer is not installed");
        }
        program().is_none()
    }

    /// Whether it knows prepared statements (`max_prepared_statements`), as PgBouncer does from 1.21 on.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn keeps_statements() -> bool {
        let output = Command::new(program().expect("PgBouncer is installed")).arg("--version").output();
        let text = String::from_utf8_lossy(&output.expect("PgBouncer can be run").stdout).into_owned();
        let version = text.split_whitespace().nth(1).expect("it says its version");
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        (numbers.next(), numbers.next()) >= (Some(1), Some(21))
    }

    /// One in front of `database`, with these further lines in the section `[pgbouncer]`.
    ///
    /// # Panics
    /// When PgBouncer is not installed or does not start.
    pub async fn start(database: &Database, settings: &str) -> Self {
        let server = database.url();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        let folder = TempDir::with_prefix("wasiki-pooler-").expect("a temporary folder can be made");
        let file = folder.path().join("pgbouncer.ini");
        let mut address =
            format!("host={} port={}", server.host_str().unwrap_or("localhost"), server.port().unwrap_or(5432));
        // It refuses an empty value.
        for (name, value) in [("user", server.username()), ("password", server.password().unwrap_or_default())] {
            if !value.is_empty() {
                address.push_str(&format!(" {name}='{}'", percent_decoded(value).replace('\'', "''")));
            }
        }
        let text = format!(
            "[databases]\n* = {address}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\n{settings}\n"
        );
        std::fs::write(&file, text).expect("the settings can be written");
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG, "watchdog"]).arg(program().expect("PgBouncer is installed"));
        // It refuses to be root, and becomes somebody else once it has read its settings.
        if std::fs::metadata("/proc/self").is_ok_and(|of_this| of_this.uid() == 0) {
            command.args(["-u", "nobody"]);
        }
        let process = command.arg("-q").arg(&file).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let pooler = Self { process: process.expect("PgBouncer can be started"), port, _folder: folder };
        eventually("PgBouncer listens", || async { std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() }).await;
        pooler
    }

    /// The address of `database` by way of the pooler.
    ///
    /// # Panics
    /// Never: an IP address is a host.
    pub fn url(&self, database: &Database) -> Url {
        let mut url = database.url();
        url.set_host(Some("127.0.0.1")).expect("an IP address is a host");
        url.set_port(Some(self.port)).expect("an address with a host has a port");
        url
    }
}

/// Whether tests run by way of a pooler, which cannot do `what`. Says so then.
pub fn is_pooled(what: &str) -> bool {
    let is_pooled = std::env::var_os("WASIKI_TEST_POOLER").is_some();
    if is_pooled {
        println!("skipped: a pooler in transaction mode does not {what}");
    }
    is_pooled
}

/// `database`, by way of the pooler that `WASIKI_TEST_POOLER` (`host:port`) names, if it names one.
///
/// # Panics
/// When it names none that an address can have.
pub(crate) fn in_front(mut database: Url) -> Url {
    if let Some((host, port)) = std::env::var("WASIKI_TEST_POOLER").ok().as_deref().and_then(|at| at.rsplit_once(':')) {
        database.set_host(Some(host)).expect("WASIKI_TEST_POOLER has a host");
        database.set_port(port.parse().ok()).expect("an address with a host has a port");
    }
    database
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        _ = self.process.wait();
    }
}

/// In the search path, or where Debian has it.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
    folders.find_map(|folder| Some(folder.join("pgbouncer")).filter(|program| program.is_file()))
}
