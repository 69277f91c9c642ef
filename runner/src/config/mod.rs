//! Configuration: the runner's settings, and the application with the values of its variables.
//!
//! *Settings* belong to the runner: flags and environment variables of its own. *Variables* belong to the application: its
//! manifest declares them, and the environment gives them values.

pub mod accepted_hosts;
pub mod allowed_hosts;
pub mod application;
pub mod environment;
pub mod manifest;
pub mod settings;
mod template;
pub mod timer;
pub mod variables;
pub mod wrong_setting;
