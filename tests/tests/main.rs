//! The black-box tests, as one program: tests of every kind run side by side.
//!
//! What depends on the database runs on several versions of it; see the folders below. `cargo xtask test` runs the modules
//! `host`, `client`, `documentation`, `imports` and `kafka` on one alone.

/// The API: one file a resource.
mod api {
    mod access;
    mod accounts;
    mod acknowledged;
    mod concurrency;
    mod delivery;
    mod errors;
    mod events;
    mod files;
    mod history;
    mod http;
    mod inbox;
    mod links;
    mod mail;
    mod old_clients;
    mod posts;
    mod redirects;
    mod rights;
    mod schema;
    mod search;
    mod service;
    mod spaces;
    mod tasks;
    mod tree;
    mod users;
    mod webhooks;
    mod words;
    mod zones;
}

/// The site.
mod site {
    mod drafts;
    mod files;
    mod forms;
    mod inbox;
    mod reading;
    mod sidebar;
    mod spaces;
    mod tasks;
    mod templates;
    mod tree;
    mod webhooks;
}

/// The database, as a guest reaches it, and what happens without it.
mod database {
    mod faults;
    mod interface;
    mod outages;
    mod pooler;
    mod replica;
    mod roles;
    mod upgrade;
}

/// `wiki-runner`: its commands and settings, and what operators see of it.
mod runner {
    mod admin;
    mod commands;
    mod own_database;
    mod sessions;
}

/// `wiki-runner` as the host of any application: nothing here depends on the database.
mod host {
    mod absent;
    mod application;
    mod buffered;
    mod compression;
    mod guests;
    mod hosts;
    mod instances;
    mod limits;
    mod memory;
    mod precompiled;
    mod selection;
    mod stopping;
    mod timers;
    mod tls;
    mod trace;
}

/// The container image, beside a PostgreSQL. Ignored unless `cargo xtask image --test` asks for it.
mod image {
    mod contents;
    mod docker;
    mod operation;
    mod site;
}

/// The client, `wasiki`.
mod client {
    mod commands;
    mod connections;
    mod exports;
    mod sources;
}

/// Events by way of Dapr. Skipped unless `cargo xtask test --dapr` is given a daprd.
mod dapr;
mod documentation;
mod imports;
/// The log of events in Kafka. Skipped unless `cargo xtask test --kafka` has fetched one.
mod kafka;

mod shared;
