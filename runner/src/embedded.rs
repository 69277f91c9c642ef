//! The database that needs no installing: PostgreSQL 17 compiled to WebAssembly, in this process, its data in a folder.
//!
//! For trying and testing. What was acknowledged survives the death of the process, `kill -9` included, but not a power
//! cut: the library behind it cannot make the disk flush. It serves one connection at a time, and a statement that
//! runs can be neither cancelled nor timed out. It has no extensions and no collations but `C`.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

mod backend;
mod cache;
mod gate;

use backend::Backend;
use gate::Gate;

/// Time the database gets to end in order. It needs some milliseconds, unless a statement is running; then the next
/// start recovers, as after a crash.
const STOP: Duration = Duration::from_secs(2);

/// A running database. It ends when this is dropped.
pub struct Database {
    url: String,
    accepting: JoinHandle<()>,
    gate: Arc<Gate>,
    // Released last, and by the system if the process dies.
    _lock: File,
}

impl Database {
    /// Starts the database that lives in the folder `dir`, which is made if it does not exist.
    ///
    /// Fails, naming the folder, when it cannot be written, is in use by another process, or holds something else.
    /// The first start on a machine takes longer than later ones: the library unpacks itself.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        let dir = dir.to_owned();
        let place = format!("the data folder {} (--data, RUNNER_DATA)", dir.display());
        let (lock, backend) = tokio::task::spawn_blocking(move || prepare(&dir))
            .await
            .context("starting the database")?
            .context(place)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on 127.0.0.1")?;
        let address = listener.local_addr()?;
        // Any user of this machine can connect to a port: the password keeps the others out.
        let password = Uuid::new_v4().simple().to_string();
        let url = format!("postgres://postgres:{password}@{address}/postgres?sslmode=disable");
        let gate = Arc::new(Gate::new(backend, password));
        let accepting = tokio::spawn(gate::accept(Arc::clone(&gate), listener));
        Ok(Self { url, accepting, gate, _lock: lock })
    }

    /// Its address, with a password that lasts as long as it runs.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.accepting.abort();
        let gate = Arc::clone(&self.gate);
        let (done, wait) = mpsc::channel();
        // The library waits for a running statement without limit, so it does that in a thread nobody waits for.
        thread::spawn(move || {
            gate.close();
            let _ = done.send(());
        });
        if wait.recv_timeout(STOP).is_err() {
            tracing::warn!("a statement is still running: the embedded database will recover at its next start");
        }
    }
}

/// Makes the folder private to this user, locks it, and starts the database in it.
fn prepare(dir: &Path) -> anyhow::Result<(File, Backend)> {
    make_private(dir).context("cannot be made")?;
    let dir = dir.canonicalize()?;
    let lock = File::create(dir.join("lock")).context("cannot be written")?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            bail!("is in use by another wiki-runner: stop that one, or name another folder with --data")
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot be locked"),
    }
    cache::provide(&dir)?;
    let backend = Backend::new(&dir)?;
    Ok((lock, backend))
}

/// Makes the folder and those above it that are missing, and lets nobody else into it.
fn make_private(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio_postgres::{Client, NoTls};

    use super::*;

    async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn refusal(dir: &Path) -> String {
        match Database::start(dir).await {
            Ok(_) => panic!("{} was taken", dir.display()),
            Err(error) => format!("{error:#}"),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn data_outlives_the_database() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        client.batch_execute("CREATE TABLE t (v text); INSERT INTO t VALUES ('kept')").await.unwrap();
        let started = Instant::now();
        // The client is still connected.
        drop(database);
        assert!(started.elapsed() < STOP);
        let database = Database::start(dir.path()).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        let row = client.query_one("SELECT v FROM t", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "kept");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_has_what_an_application_expects_of_postgresql() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        for (expression, value) in [
            ("current_setting('server_encoding')", "UTF8"),
            ("current_setting('TimeZone')", "UTC"),
            ("current_setting('full_page_writes')", "on"),
            ("current_setting('synchronous_commit')", "on"),
            ("to_tsvector('english', 'the quick foxes')::text", "'fox':3 'quick':2"),
            ("to_tsvector('the quick foxes')::text", "'fox':3 'quick':2"),
            ("lower('ÄÖ🎉')", "äö🎉"),
            ("(jsonb '{\"a\": [1]}' -> 'a')::text", "[1]"),
        ] {
            let row = client.query_one(&format!("SELECT {expression}"), &[]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), value, "{expression}");
        }
        let error = client.execute("SELECT 1/0", &[]).await.unwrap_err();
        assert_eq!(error.code().map(|code| code.code()), Some("22012"));
        client
            .batch_execute("DO $$ BEGIN PERFORM pg_advisory_xact_lock(1); CREATE TABLE t (v int); END $$")
            .await
            .unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_starts_again_when_a_statement_breaks_it() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).await.unwrap();
        let client = connect(database.url()).await.unwrap();
        client
            .batch_execute(
                "CREATE TABLE t (v int); INSERT INTO t VALUES (1);
                 CREATE FUNCTION f(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN f(i + 1); END'",
            )
            .await
            .unwrap();
        // More levels than the stack has room for.
        assert!(client.batch_execute("SELECT f(1)").await.is_err());
        let client = connect(database.url()).await.unwrap();
        let row = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_in_use_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let _database = Database::start(dir.path()).await.unwrap();
        let expected =
            format!("the data folder {} (--data, RUNNER_DATA): is in use by another wiki-runner", dir.path().display());
        let refusal = refusal(dir.path()).await;
        assert!(refusal.starts_with(&expected), "{refusal}");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refusal = refusal(&file.path().join("data")).await;
        assert!(refusal.contains("cannot be made: Not a directory"), "{refusal}");
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refusal = refusal(&dir.path().join("x".repeat(120))).await;
        assert!(refusal.contains("has too long a path, 100 characters at most"), "{refusal}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_the_password_nobody_gets_in() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).await.unwrap();
        let address = database.url().split('@').nth(1).unwrap();
        for user in ["postgres:wrong@", "postgres:@"] {
            let Err(error) = connect(&format!("postgres://{user}{address}")).await else { panic!("{user} got in") };
            let code = error.code().map(|code| code.code().to_owned());
            assert!(code.as_deref() == Some("28P01") || error.to_string().contains("password missing"), "{error}");
        }
        assert!(connect(database.url()).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_next_client_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).await.unwrap();
        let first = connect(database.url()).await.unwrap();
        let second = tokio::spawn({
            let url = database.url().to_owned();
            async move { connect(&url).await }
        });
        first.batch_execute("CREATE TABLE t (v int)").await.unwrap();
        drop(first);
        second.await.unwrap().unwrap().batch_execute("SELECT * FROM t").await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_broken_client_does_not_end_the_database() {
        use tokio::io::AsyncWriteExt;

        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).await.unwrap();
        let address = database.url().split(['@', '/']).nth(3).unwrap();
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[255; 64], &[0, 0, 0, 8, 4, 210, 22, 47]] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(garbage).await.unwrap();
            // A reset instead of an orderly end.
            stream.set_zero_linger().unwrap();
        }
        // One that leaves in the middle of a statement, without reading its answer.
        let client = connect(database.url()).await.unwrap();
        client.batch_execute("CREATE TABLE t (v int)").await.unwrap();
        client.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
        let lost = tokio::spawn(async move { client.batch_execute("SELECT repeat('x', 1000000)").await });
        lost.abort();
        let client = connect(database.url()).await.unwrap();
        let row = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0, "the open transaction was rolled back");
    }
}
