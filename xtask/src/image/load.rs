//! Requests at full speed, for as long as the service says that it is ready, as a load balancer sends them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;

use super::http::Client;

/// Clients at once.
const CLIENTS: usize = 8;

/// Requests before the service is told to stop: enough for all clients to be at it.
const ENOUGH: u64 = 400;

/// Sends requests, calls `stop` in the middle of them and goes on until `/readyz` says no; returns how many there were.
///
/// Fails when one of them does, or when `stop` does.
pub fn during(wiki: &Client, admin: &Client, stop: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let (sent, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    while !stopped.load(Ordering::SeqCst) {
                        wiki.get("/posts/1")?.expect(200)?;
                        wiki.post("/posts", &json!({"user_id": 1, "content": "Written in passing."}))?.expect(201)?;
                        sent.fetch_add(2, Ordering::SeqCst);
                    }
                    Ok(())
                })
            })
            .collect();
        let probe = scope.spawn(|| {
            // A client that fails ends the waiting, too.
            while admin.get("/readyz").is_ok_and(|answer| answer.status == 200) {
                thread::sleep(Duration::from_millis(50));
            }
            stopped.store(true, Ordering::SeqCst);
        });
        while sent.load(Ordering::SeqCst) < ENOUGH && !clients.iter().any(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(10));
        }
        let outcome = stop();
        ensure!(probe.join().is_ok(), "the probe panicked");
        for client in clients {
            client.join().ok().context("a client panicked")??;
        }
        outcome
    })?;
    Ok(sent.into_inner())
}
