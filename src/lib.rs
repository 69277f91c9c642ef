//! The wiki as one WebAssembly component: the entry point the host calls, and nothing but wiring.
//!
//! A request arrives as WASI HTTP resources, becomes an [`http::Request`], is answered by [`routes::answer`], and goes
//! back the same way. Only this file and [`db`] know the SDK; everything else speaks the `http` crate and SQL.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod browser;
pub mod compare;
pub mod config;
pub mod db;
pub mod feed;
pub mod identity;
pub mod json;
pub mod limits;
pub mod links;
pub mod list;
pub mod markdown;
pub mod negotiate;
pub mod openapi;
pub mod origin;
pub mod pages;
pub mod password;
pub mod posts;
pub mod problem;
pub mod reply;
pub mod request;
pub mod revisions;
pub mod routes;
pub mod schema;
pub mod search;
pub mod secret;
pub mod service;
pub mod sessions;
pub mod tags;
pub mod time;
pub mod tokens;
pub mod users;

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "the SDK's entry-point macro turns the host's handles into resources")]
mod edge;
