//! The description of the API, made from the routes, the types of the responses and the limits that requests are held to.
//!
//! It is made by a test and kept in `openapi.json`, so that a change to the API shows in review and serving it costs
//! nothing. `cargo xtask openapi` renews it.

mod bodies;
mod document;
mod examples;
mod operation;
mod operations;
mod parameters;
mod responses;
mod schemas;
mod tests;
