//! A PostgreSQL server of a test's own, which tells others what is written to it, and can be ended and started again.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use local_postgres::server::Data;
use local_postgres::{Cluster, Installation, Server};
use reqwest::Url;

use crate::database::unique;

/// A server with `wal_level=logical`. It is gone when the test is over.
pub struct LogicalServer(Mutex<Server>);

impl LogicalServer {
    /// Starts one.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        let installation = Installation::find().expect("PostgreSQL is installed");
        let folder = std::env::temp_dir().join(unique("wasiki-test-logical"));
        let cluster = Cluster::open(&folder).expect("a temporary folder can be made");
        cluster.init(&installation, false).expect("a cluster can be made");
        let settings = ["wal_level=logical", "fsync=off", "max_connections=200"].map(str::to_owned).into();
        Self(Mutex::new(Server::start(cluster, installation, settings, Data::Gone).expect("PostgreSQL starts")))
    }

    /// Its address, as its superuser.
    ///
    /// # Panics
    /// Never: the address is a URL.
    pub fn url(&self) -> Url {
        let server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Url::parse(&server.address().url()).expect("the address of a server is a URL")
    }

    /// Ends it as a crash would, and starts it again, which recovers what it had committed.
    ///
    /// # Panics
    /// When it does not end or come back.
    pub fn crash_and_restart(&self) {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Without the time that an orderly end takes.
        let sent = Command::new("kill").args(["-QUIT", &server.process().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "PostgreSQL cannot be signalled");
        while server.ended().expect("it can be waited for").is_none() {
            std::thread::sleep(crate::POLL);
        }
        server.restart().expect("PostgreSQL comes back");
    }
}
