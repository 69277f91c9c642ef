//! A PostgreSQL server of a program's own: found on this machine or downloaded, set up in a folder, started, and ended with
//! the program, even if that is killed.
//!
//! - [`installation`]: servers that are installed on this machine
//! - [`download`]: a server from Maven Central, where none is installed
//! - [`cluster`]: a folder with a server's data
//! - [`server`]: a running server
//! - [`account`]: the user it runs as

pub mod account;
pub mod cluster;
#[cfg(feature = "download")]
pub mod download;
pub mod installation;
pub mod server;

pub use cluster::Cluster;
pub use installation::Installation;
pub use server::Server;
