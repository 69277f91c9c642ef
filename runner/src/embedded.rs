//! The database that needs no setting up: a PostgreSQL server of the runner's own, its data in a folder.
//!
//! It is what any PostgreSQL is: what was acknowledged survives a power cut, and several clients are served at once.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use local_postgres::server::{Address, Data};
use local_postgres::{Cluster, Installation, Server, account};

use crate::config::settings;

mod choice;
mod supervisor;

pub use choice::download;
use supervisor::Supervisor;

/// For a small machine. PostgreSQL's defaults otherwise: nothing is traded for durability.
const SETTINGS: [&str; 8] = [
    // In the list of processes.
    "cluster_name=wasiki",
    "timezone=UTC",
    "log_timezone=UTC",
    // The pool of a runner, and that of Spin, which has 64, with room for an operator.
    "max_connections=100",
    "shared_buffers=64MB",
    // Nothing replicates from it, so less has to be written.
    "wal_level=minimal",
    "max_wal_senders=0",
    // Statements are short: compiling them takes longer than running them.
    "jit=off",
];

/// A running database. It ends when this is dropped.
pub struct Database {
    url: String,
    address: Address,
    major: u32,
    description: String,
    _supervisor: Supervisor,
    // Released last, and by the system if the process dies.
    _lock: File,
}

impl Database {
    /// Starts the database in the folder that the settings name, which is made if it does not exist.
    ///
    /// Fails, naming the folder, when it cannot be written, is in use by another process, or holds something else.
    pub async fn start(settings: &settings::Embedded) -> anyhow::Result<Self> {
        let settings = settings.clone();
        let place = format!("the data folder {} (--data, RUNNER_DATA)", settings.data.display());
        let (lock, server) = tokio::task::spawn_blocking(move || {
            let (lock, cluster, installation) = prepare(&settings, &place)?;
            let server = Server::start(cluster, installation, SETTINGS.map(str::to_owned).into(), Data::Kept);
            anyhow::Ok((lock, server.context(place)?))
        })
        .await
        .context("starting the database")??;
        let user = server.cluster().other_user().map(|name| format!(" as user {name}")).unwrap_or_default();
        let folder = server.cluster().folder().display().to_string();
        Ok(Self {
            url: url(server.address()),
            address: server.address().clone(),
            major: server.installation().major(),
            description: format!("PostgreSQL {}{user} keeps the data in {folder}", server.installation().version()),
            _supervisor: Supervisor::start(server)?,
            _lock: lock,
        })
    }

    /// Its address as a URL, with its password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How to reach it as its superuser, `postgres`, who also gives the database its name.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What runs and where the data are, for people.
    pub fn description(&self) -> &str {
        &self.description
    }
}

/// A way into the database: into the one that runs, as that of a wiki that is used, or else into one that is started.
pub struct Access {
    /// How to reach it.
    pub address: Address,
    /// The major version of the server.
    pub major: u32,
    _started: Option<Database>,
}

impl Access {
    /// Starts the database unless it runs.
    pub async fn get(settings: &settings::Embedded) -> anyhow::Result<Self> {
        let folder = folder(&settings.data);
        if folder.join("data").exists() {
            let cluster = Cluster::open(&folder)?;
            if let (Some(address), Some(major)) = (Address::of_running(&cluster)?, cluster.major()?) {
                return Ok(Self { address, major, _started: None });
            }
        }
        let started = Database::start(settings).await?;
        Ok(Self { address: started.address.clone(), major: started.major, _started: Some(started) })
    }

    /// Its address as a URL, with its password.
    pub fn url(&self) -> String {
        url(&self.address)
    }
}

/// The address as a URL: a server of our own offers no TLS.
fn url(address: &Address) -> String {
    format!("{}?sslmode=disable", address.url())
}

/// The folder of the cluster in the data folder.
fn folder(data: &Path) -> PathBuf {
    data.join("postgres")
}

/// Makes the folder, locks it, and sets up the cluster in it.
fn prepare(settings: &settings::Embedded, place: &str) -> anyhow::Result<(File, Cluster, Installation)> {
    let dir = &settings.data;
    let lock = lock(dir).with_context(|| place.to_owned())?;
    let folder = folder(dir);
    let cluster = Cluster::open(&folder).with_context(|| format!("{place}: {}", folder.display()))?;
    let major = cluster.major().with_context(|| place.to_owned())?;
    let installation = choice::installation(&settings.postgres_bin, major, dir)?;
    cluster.init(&installation, true).with_context(|| place.to_owned())?;
    Ok((lock, cluster, installation))
}

/// Makes the folder private to this user, and locks it.
fn lock(dir: &Path) -> anyhow::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).context("cannot be made")?;
    if account::is_root() {
        // The server's user, who is another then, passes through to its own folder.
        fs::set_permissions(dir, Permissions::from_mode(0o711)).context("cannot be written")?;
    }
    ensure!(
        !folder(dir).join("tmp/pglite").exists(),
        "holds data of version 0.1.0, whose database was another: export the wiki with that version (`wasiki export`), \
         name another folder with --data, and import it there; nothing was changed here"
    );
    let lock = File::create(dir.join("lock")).context("cannot be written")?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("is in use by another wiki-runner: stop that one, or name another folder with --data")
        }
        Err(TryLockError::Error(error)) => Err(error).context("cannot be locked"),
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::{Client, NoTls};

    use super::*;

    fn settings(dir: &Path) -> settings::Embedded {
        // The server's user can be another than this test's.
        let _ = fs::set_permissions(dir, Permissions::from_mode(0o755));
        settings::Embedded { data: dir.join("data"), postgres_bin: None }
    }

    async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn refusal(settings: &settings::Embedded) -> String {
        match Database::start(settings).await {
            Ok(_) => panic!("{} was taken", settings.data.display()),
            Err(error) => format!("{error:#}"),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn data_outlive_the_database_which_keeps_its_promises() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let database = Database::start(&settings).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        client.batch_execute("CREATE TABLE t (v text); INSERT INTO t VALUES ('kept')").await.unwrap();
        for (expression, value) in [
            ("current_setting('server_encoding')", "UTF8"),
            ("current_setting('TimeZone')", "UTC"),
            ("current_setting('fsync')", "on"),
            ("current_setting('full_page_writes')", "on"),
            ("current_setting('synchronous_commit')", "on"),
            ("current_setting('data_checksums')", "on"),
            ("current_setting('unix_socket_directories')", ""),
            ("current_setting('listen_addresses')", "127.0.0.1"),
            ("to_tsvector('english', 'the quick foxes')::text", "'fox':3 'quick':2"),
            ("lower('ÄÖ🎉')", "äö🎉"),
        ] {
            let row = client.query_one(&format!("SELECT {expression}"), &[]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), value, "{expression}");
        }
        let refusal = refusal(&settings).await;
        assert!(refusal.contains("(--data, RUNNER_DATA): is in use by another wiki-runner"), "{refusal}");
        for password in ["wrong", ""] {
            let url = format!("postgres://postgres:{password}@127.0.0.1:{}/postgres", database.address().port);
            let Err(error) = connect(&url).await else { panic!("{password:?} got in") };
            let code = error.code().map(|code| code.code().to_owned());
            assert!(code.as_deref() == Some("28P01") || error.to_string().contains("password missing"), "{error}");
        }
        // The client is still connected.
        drop(database);
        let database = Database::start(&settings).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        let row = client.query_one("SELECT v FROM t", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "kept");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_starts_again_when_its_process_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let database = Database::start(&settings).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        client.batch_execute("CREATE TABLE t (v int); INSERT INTO t VALUES (1)").await.unwrap();
        let pid_file = settings.data.join("postgres/data/postmaster.pid");
        let process = fs::read_to_string(pid_file).unwrap().lines().next().unwrap().to_owned();
        let killed = std::process::Command::new("kill").args(["-9", &process]).status().unwrap();
        assert!(killed.success());
        let client = loop {
            if let Ok(client) = connect(database.url()).await
                && client.simple_query("SELECT 1").await.is_ok()
            {
                break client;
            }
            tokio::task::yield_now().await;
        };
        let row = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 1);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refusal = refusal(&settings::Embedded { data: file.path().join("data"), postgres_bin: None }).await;
        assert!(refusal.contains("cannot be made: Not a directory"), "{refusal}");
    }

    #[tokio::test]
    async fn data_of_the_first_version_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let old = settings.data.join("postgres/tmp/pglite/base");
        fs::create_dir_all(&old).unwrap();
        let refusal = refusal(&settings).await;
        assert!(refusal.contains("holds data of version 0.1.0") && refusal.contains("wasiki export"), "{refusal}");
        assert_eq!(fs::read_dir(&settings.data).unwrap().count(), 1);
        assert!(old.exists());
    }

    #[tokio::test]
    async fn a_folder_without_a_server_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings::Embedded { postgres_bin: Some(PathBuf::from("/nowhere")), ..settings(dir.path()) };
        let refusal = refusal(&settings).await;
        assert_eq!(refusal, "RUNNER_POSTGRES_BIN (--postgres-bin): /nowhere has no program \"initdb\"");
    }
}
