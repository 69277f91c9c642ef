//! A PostgreSQL server of a test's own, and a streaming replica of it, which can be held back, ended and promoted.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use local_postgres::server::Data;
use local_postgres::{Cluster, Installation, Server};
use reqwest::Url;
use tokio_postgres::NoTls;

use crate::app::Builder;
use crate::database::unique;
use crate::{App, Database, eventually};

/// The two servers. They are gone when the test is over.
pub struct Replicated {
    // First to go: it asks the other for more until then.
    replica: Mutex<Server>,
    primary: Server,
}

impl Replicated {
    /// Starts both, with nothing in them.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        let installation = Installation::find().expect("PostgreSQL is installed");
        let new = |name: &str| {
            let folder = std::env::temp_dir().join(unique(&format!("wasiki-test-{name}")));
            Cluster::open(&folder).expect("a temporary folder can be made")
        };
        let (primary, replica) = (new("primary"), new("replica"));
        primary.init(&installation, false).expect("a cluster can be made");
        // A cluster that was never started is a complete backup of itself.
        for name in ["data", "password"] {
            let (from, to) = (primary.folder().join(name), replica.folder().join(name));
            let copied = Command::new("cp").arg("-a").args([from, to]).status();
            assert!(copied.is_ok_and(|status| status.success()), "the cluster cannot be copied");
        }
        replica.write_secret("data/standby.signal", "").expect("a file can be written");
        let settings = || ["fsync=off", "max_connections=200"].map(str::to_owned).to_vec();
        // Enough for a replica that comes later.
        let of_primary = settings().into_iter().chain(["wal_keep_size=1GB".to_owned()]).collect();
        let primary = Server::start(primary, installation.clone(), of_primary, Data::Gone).expect("PostgreSQL starts");
        let address = primary.address();
        let follows = format!(
            "primary_conninfo=host=127.0.0.1 port={} user=postgres password={}",
            address.port, address.password
        );
        let of_replica = settings().into_iter().chain([follows, "wal_retrieve_retry_interval=100ms".to_owned()]);
        let replica = Server::start(replica, installation, of_replica.collect(), Data::Gone).expect("a replica starts");
        Self { replica: Mutex::new(replica), primary }
    }

    /// A wiki on a fresh database of the primary, which reads from the replica as well. Nobody calls its relay: what the heartbeat
    /// says is up to the test.
    pub async fn wiki(&self) -> Builder {
        let url = Url::parse(&self.primary.address().url()).expect("the address of a server is a URL");
        let database = Database::create_on(url, "").await;
        App::wiki()
            .database(database)
            .with_events()
            .env("SPIN_VARIABLE_DB_READ_HOST", "127.0.0.1")
            .env("SPIN_VARIABLE_DB_READ_PORT", self.replica_port().to_string())
    }

    /// The replica's port on this machine.
    pub fn replica_port(&self) -> u16 {
        self.replica().address().port
    }

    /// Writes a heartbeat that no replica is too far behind for, as long as the test lasts.
    pub async fn beat(&self, wiki: &App) {
        let sql = "UPDATE heartbeat SET beat_time = now() + interval '1 hour'";
        wiki.database().client().await.batch_execute(sql).await.expect("there is a heartbeat");
        self.caught_up(wiki).await;
    }

    /// Waits until the replica has all that the primary has.
    pub async fn caught_up(&self, wiki: &App) {
        let place = wiki.database().column("SELECT pg_current_wal_insert_lsn()").await.remove(0);
        let reached = format!("SELECT pg_last_wal_replay_lsn() >= '{place}'");
        eventually("the replica has caught up", || async { self.ask(&reached).await == "t" }).await;
    }

    /// Has the replica stay where it is.
    pub async fn pause(&self) {
        self.ask("SELECT pg_wal_replay_pause()").await;
        let state = "SELECT pg_get_wal_replay_pause_state()";
        eventually("the replica pauses", || async { self.ask(state).await == "paused" }).await;
    }

    /// Has it go on.
    pub async fn resume(&self) {
        self.ask("SELECT pg_wal_replay_resume()").await;
    }

    /// Makes it a server of its own.
    pub async fn promote(&self) {
        assert_eq!(self.ask("SELECT pg_promote()").await, "t");
    }

    /// How many transactions the replica has had in the database of `wiki`.
    pub async fn transactions(&self, wiki: &App) -> u64 {
        let name = wiki.database().name();
        let sql = format!("SELECT xact_commit FROM pg_stat_database WHERE datname = '{name}'");
        self.ask(&sql).await.parse().expect("a number")
    }

    /// Ends the replica: at once, or once what it is doing is done.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&self, at_once: bool) {
        let mut server = self.replica();
        let signal = if at_once { "-QUIT" } else { "-INT" };
        let sent = Command::new("kill").args([signal, &server.process().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "PostgreSQL cannot be signalled");
        while server.ended().expect("it can be waited for").is_none() {
            std::thread::sleep(crate::POLL);
        }
    }

    /// Starts it again.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn restart(&self) {
        self.replica().restart().expect("PostgreSQL comes back");
    }

    /// The first column of what the replica says, as text.
    async fn ask(&self, sql: &str) -> String {
        let url = self.replica().address().url();
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("the replica can be reached");
        tokio::spawn(connection);
        let answer = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let text = answer.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        text.unwrap_or_default()
    }

    fn replica(&self) -> std::sync::MutexGuard<'_, Server> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Replicated {
    /// Ends both at once: in an orderly end, one waits for the other, and nothing of them is needed any more.
    fn drop(&mut self) {
        let replica = self.replica.get_mut().unwrap_or_else(PoisonError::into_inner);
        for server in [replica, &mut self.primary] {
            if matches!(server.ended(), Ok(None)) {
                _ = Command::new("kill").args(["-QUIT", &server.process().to_string()]).status();
            }
        }
    }
}
