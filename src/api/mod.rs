//! The HTTP API, one resource a file: what a request says, what the store did about it, and the response.

pub mod account;
pub mod audit;
pub mod calendar;
pub mod description;
pub mod events;
pub mod files;
pub mod groups;
pub mod inbox;
pub mod links;
pub mod posts;
pub mod redirects;
pub mod revisions;
pub mod search;
pub mod service;
pub mod sessions;
pub mod settings;
pub mod spaces;
pub mod stars;
pub mod tags;
pub mod tasks;
pub mod tokens;
pub mod tree;
pub mod undelivered;
pub mod users;
pub mod watches;
pub mod webhooks;
