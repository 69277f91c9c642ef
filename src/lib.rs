//! The wiki as one WebAssembly component: HTTP in, SQL out.
//!
//! The modules are layers, top to bottom. A module uses modules below it, never one above; a test holds that.
//!
//! 1. `wasi`: the entry points, which turn what hosts pass into the types of the `http` crate
//! 2. [`routes`]: every path, what it needs of the sender, and its handler
//! 3. [`api`] for programs, [`site`] for people and [`delivery`] for events, which never use each other
//! 4. [`input`]: what requests ask for, in the wiki's terms
//! 5. [`auth`]: who sends a request, and what they may do
//! 6. [`errors`]: the store's errors as HTTP problems
//! 7. [`store`]: SQL and rows, nothing of HTTP; [`web`]: HTTP, nothing of the wiki; [`config`]
//! 8. [`tasks`]: the items of checklists; text in, text out
//! 9. [`markdown`], [`diff`], [`media`], [`merge`], [`words`]: text or bytes in, text or facts out

pub mod api;
pub mod auth;
pub mod config;
pub mod delivery;
pub mod diff;
pub mod errors;
pub mod input;
pub mod markdown;
pub mod media;
pub mod merge;
#[cfg(test)]
mod openapi;
pub mod routes;
pub mod site;
pub mod store;
pub mod tasks;
pub mod web;
pub mod words;

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "the macros of entry points turn what the host passes into Rust types")]
mod wasi;
