//! What is stored: pages, users, accounts and what happened to them. SQL and rows, nothing of HTTP.
//!
//! A function that changes something runs one statement and returns what that statement says it did.

#[macro_use]
mod record;

pub mod access;
pub mod accounts;
pub mod audit;
pub mod audit_chain;
pub mod blobs;
pub mod counters;
pub mod db;
pub mod deliveries;
pub mod digests;
pub mod drafts;
mod error;
pub mod events;
pub mod files;
pub mod groups;
pub mod heartbeat;
pub mod inbox;
pub mod links;
pub mod migrations;
pub mod navigation;
pub mod pages;
pub mod rate_limits;
pub mod redirects;
pub mod relay;
pub mod replica;
pub mod revisions;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod sign_in_attempts;
pub mod snapshot;
pub mod spaces;
pub mod stars;
pub mod submissions;
pub mod tags;
pub mod tasks;
pub mod tokens;
pub mod undelivered;
pub mod users;
pub mod watches;
pub mod webhooks;
pub mod zones;

pub use audit::Actor;
pub use db::{Db, Reader};
pub use error::Error;

/// The database behind the connection string that `address` returns, brought up to date where it is not, and the replica behind that
/// of `replica`, if there is one.
pub fn open(address: fn() -> Result<&'static str, Error>, replica: fn() -> Option<&'static str>) -> Db {
    Db::new(address, replica, migrations::apply)
}
