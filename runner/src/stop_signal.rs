//! The signals that end a command that would run for ever.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Completes at the first SIGTERM (from an orchestrator) or SIGINT (from a terminal).
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
