//! Watches the server, and starts it again when it ends by itself.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;
use local_postgres::Server;

/// Between two looks at the server. For a client, the time until it is started again counts from here.
const POLL: Duration = Duration::from_millis(100);

/// Between attempts to start it, at most; the first comes at once, and each after that waits twice as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A thread that owns the server. It ends, and ends the server, when this is dropped.
pub struct Supervisor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Watches over `server` from now on.
    pub fn start(server: Server) -> anyhow::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let watch = move || {
            let mut server = server;
            let mut pause = POLL;
            let mut is_down = false;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                match server.ended() {
                    Ok(None) => continue,
                    Ok(Some(status)) if !is_down => tracing::error!(%status, "the database server has ended"),
                    Ok(Some(_)) => {}
                    Err(error) => tracing::error!("{error:#}"),
                }
                match server.restart() {
                    Ok(()) => {
                        tracing::warn!("the database server was started again");
                        (is_down, pause) = (false, POLL);
                    }
                    Err(error) => {
                        tracing::error!("the database server does not start again: {error:#}");
                        (is_down, pause) = (true, (pause * 2).min(LONGEST_PAUSE));
                    }
                }
            }
        };
        let thread =
            thread::Builder::new().name("database".to_owned()).spawn(watch).context("cannot start a thread")?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // It has reported what went wrong.
            let _ = thread.join();
        }
    }
}
