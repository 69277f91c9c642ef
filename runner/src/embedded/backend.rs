//! The embedded database's server process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use pglite_oxide::PgliteServer;

/// The longest path of a Unix socket on Linux (`sun_path` of unix(7), less the NUL at its end).
const MAX_SOCKET_PATH: usize = 107;

/// PostgreSQL's English stop words, which the library leaves out. Without them its default text search configuration
/// fails at every use.
const STOP_WORDS: &[u8] = include_bytes!("english.stop");

/// PostgreSQL itself, which listens on a Unix socket in the data folder, where only this user can reach it.
pub struct Backend {
    root: PathBuf,
    /// Where it listens.
    pub socket: PathBuf,
    server: Mutex<Option<PgliteServer>>,
}

impl Backend {
    /// Starts PostgreSQL in `dir`.
    pub fn new(dir: &Path) -> anyhow::Result<Self> {
        let socket = dir.join("socket");
        ensure!(
            socket.as_os_str().len() <= MAX_SOCKET_PATH,
            "has too long a path, {} characters at most: name another folder with --data",
            MAX_SOCKET_PATH - "/socket".len()
        );
        let backend = Self { root: dir.join("postgres"), socket, server: Mutex::new(None) };
        backend.restart()?;
        Ok(backend)
    }

    /// Starts PostgreSQL, anew if it ran: the library's server ends when a connection fails it.
    pub fn restart(&self) -> anyhow::Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        // It holds a lock on the folder until it is dropped.
        *server = None;
        // The library looks here first for what PostgreSQL finds below its share folder.
        let shared = self.root.join("tmp/pglite/share/postgresql/tsearch_data");
        fs::create_dir_all(&shared).context("cannot be written")?;
        fs::write(shared.join("english.stop"), STOP_WORDS).context("cannot be written")?;
        let started = PgliteServer::builder()
            .path(&self.root)
            .unix(&self.socket)
            .database("postgres")
            // A crash in the middle of a page is repaired from its copy in the log.
            .postgres_config("full_page_writes", "on")
            .postgres_config("synchronous_commit", "on")
            // A quarter of what the library takes: this much memory is never given back.
            .postgres_config("shared_buffers", "32MB")
            .start()
            .context("holds no database that can be started")?;
        *server = Some(started);
        Ok(())
    }

    /// Stops PostgreSQL.
    pub fn stop(&self) {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
