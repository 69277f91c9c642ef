//! What the black-box tests share: a service of their own to talk to, and words to say what they expect of it.
//!
//! A test starts the real `wiki-runner` with the real component on a database nobody else uses, speaks HTTP with it,
//! and leaves nothing behind:
//!
//! ```no_run
//! # async fn example() {
//! use blackbox::{App, json};
//!
//! let wiki = App::wiki().start().await;
//! let created = wiki.post("/users").json(json!({"username": "ada"})).await.expect(201);
//! wiki.get(created.header("location")).await.expect(200);
//! # }
//! ```
//!
//! The database is on the server that `WASIKI_TEST_DATABASE` names; which programs are tested comes from `WASIKI_RUNNER`, `WASIKI_CLI`,
//! `WASIKI_MANIFEST`, `WASIKI_COMPONENT`, `WASIKI_PRECOMPILED` and `WASIKI_PRECOMPILED_BOOKSHOP`; `cargo xtask test` sets
//! them all. With `WASIKI_TEST_ROLE`, wikis connect as a role that owns nothing; with `WASIKI_TEST_POOLER` (`host:port`), by way of
//! the pooler there, which must lead to that server.

#![forbid(unsafe_code)]

mod accounts;
mod app;
mod command;
mod container;
mod cut;
mod dapr;
mod database;
mod engine;
mod events;
mod http;
mod kafka;
mod logical;
mod manifest;
mod paths;
mod pooler;
mod process;
mod raw;
mod receiver;
mod replicated;
mod role;
mod runner;
mod sidecar;
mod wiki;

pub use accounts::{ADMIN_PASSWORD, GIVEN_PASSWORD, PASSWORD};
pub use app::{App, Builder};
pub use command::{Output, wiki_runner};
pub use container::Container;
pub use cut::Cut;
pub use dapr::Daprd;
pub use database::{Database, percent_encoded, quoted};
pub use engine::of_another_engine;
pub use events::EVENTS_TOKEN;
pub use http::{Client, Problem, Request, Response};
pub use kafka::{Connect, Kafka, Reader, Record};
pub use logical::LogicalServer;
pub use manifest::Changed;
pub use paths::{
    client, component, manifest_of_the_bookshop, manifest_of_the_wiki, repository, runner as runner_program,
};
pub use pooler::{Pooler, is_pooled};
pub use process::free_ports;
pub use raw::{Raw, connect, send_raw};
pub use receiver::{Received, Receiver, Reply};
pub use replicated::Replicated;
pub use role::{ROLE_PASSWORD, password_file};
pub use runner::Runner;
pub use serde_json::{Value, json};
pub use sidecar::{Fault, Published, Sidecar};
pub use wiki::{assert_time, metric};

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tempfile::TempDir;

/// Time one test may take, from the start of its first service. The slowest, in which 32 editors lose 50,000 races, takes a
/// minute on four cores: this is for a hang.
pub const TEST_LIMIT: Duration = Duration::from_secs(360);

/// Time a service may take to start, its database included, on a machine that runs other tests too.
pub const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a condition is looked at again while waiting for it.
pub const POLL: Duration = Duration::from_millis(20);

/// Waits until `condition` is true, at most [`START_LIMIT`].
///
/// # Panics
/// When the time is over, naming `what` was waited for.
pub async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl FnMut() -> F) {
    eventually_within(START_LIMIT, what, condition).await;
}

/// Waits until `condition` is true, at most `limit`.
///
/// # Panics
/// When the time is over, naming `what` was waited for.
pub async fn eventually_within<F: Future<Output = bool>>(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> F,
) {
    let deadline = tokio::time::Instant::now() + limit;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "waited {limit:?} in vain until {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// A folder that the user of a database, who can be another than this test's, passes through.
///
/// # Panics
/// When it cannot be made.
pub fn open_folder() -> TempDir {
    let folder = TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

/// What all of `futures` return, in their order. They run at once.
///
/// # Panics
/// When one of them does.
pub async fn at_once<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::with_capacity(running.len());
    for task in running {
        results.push(task.await.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic())));
    }
    results
}
