//! `spin:postgres/postgres@4.0.0` for guests: pooled connections to the hosts the manifest permits.

mod address;
pub mod bindings;
mod change;
mod connection;
mod error;
mod manager;
mod pipeline;
mod pool;
mod session;
mod tls;
mod transport;
mod v4;
mod values;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use wasmtime::component::{HasData, Linker, ResourceTable};

use self::address::Address;
use self::connection::Connection;
use self::pool::Database;
pub use self::pool::Pools;
use self::session::Session;
use self::tls::Authorities;
use crate::config::allowed_hosts::AllowedHosts;
use crate::config::settings;
use crate::memory::budget::Budget;

/// What one store needs to give its guest databases.
pub struct PostgresCtx {
    pools: Arc<Pools>,
    allowed: Arc<AllowedHosts>,
    /// What results are charged to.
    budget: Arc<Budget>,
    /// How long the guest waits for room for a result.
    pub patience: Duration,
    /// The address opened last, already permitted: nearly always the next one too.
    recent: Option<(String, Arc<Database>)>,
    /// How long the request may still wait for its databases.
    left: Duration,
}

impl PostgresCtx {
    /// Databases out of `pools` at the hosts `allowed` permits. Results are charged to `budget`.
    pub fn new(pools: Arc<Pools>, allowed: Arc<AllowedHosts>, budget: Arc<Budget>) -> Self {
        let left = pools.timeout();
        Self { pools, allowed, budget, patience: Duration::ZERO, recent: None, left }
    }

    /// Begins a request, which may wait for its databases as long as any.
    pub fn begin_request(&mut self) {
        self.left = self.pools.timeout();
    }

    /// Counts what the request has waited since `begun`.
    fn waited(&mut self, begun: Instant) {
        self.left = self.left.saturating_sub(begun.elapsed());
    }

    async fn open(&mut self, address: String) -> Result<Session, bindings::v4::Error> {
        let database = match &self.recent {
            Some((recent, database)) if *recent == address => database.clone(),
            _ => {
                let database = Box::pin(self.pools.database(&address, &self.allowed)).await?;
                self.recent.insert((address, database)).1.clone()
            }
        };
        let mut charge = self.budget.charge();
        charge.patience = self.patience;
        let begun = Instant::now();
        let session = Session::open(database, charge, self.left).await;
        self.waited(begun);
        session
    }
}

/// The parts of a store's data that the interface works on.
pub struct PostgresView<'a> {
    /// The store's databases.
    pub ctx: &'a mut PostgresCtx,
    /// Where its guest's connections are.
    pub table: &'a mut ResourceTable,
}

/// A store's data that has databases.
pub trait PostgresHost: Send {
    /// The parts the interface works on.
    fn postgres(&mut self) -> PostgresView<'_>;
}

struct HasPostgres;

impl HasData for HasPostgres {
    type Data<'a> = PostgresView<'a>;
}

/// Gives the guests of `linker` the interface. Fails if they have it already.
pub fn add_to_linker<T: PostgresHost + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::v4::add_to_linker::<T, HasPostgres>(linker, T::postgres)
}

/// A connection for the host's own use, to any host and without a limit for statements, but otherwise as guests get
/// theirs. Fails with a message that names the database and never has the password.
pub async fn connect(address: &str, settings: &settings::Postgres) -> anyhow::Result<tokio_postgres::Client> {
    let address = Address::parse(address).map_err(anyhow::Error::msg).context("the database address is unusable")?;
    let authorities = Arc::new(Authorities::load(settings.pg_ca_file.as_deref())?);
    let tls = pool::connector(&authorities, &address).await?;
    let endpoints = address.endpoints();
    let opening = Connection::open(&address.config, tls, settings.pg_statements);
    match tokio::time::timeout(settings.pg_connect_timeout, opening).await {
        Ok(Ok(connection)) => Ok(connection.client),
        Ok(Err(error)) => bail!("cannot connect to {endpoints}: {}", error::chain(&error)),
        Err(_) => bail!(
            "{endpoints} did not take a connection within {} (RUNNER_PG_CONNECT_TIMEOUT)",
            humantime::format_duration(settings.pg_connect_timeout)
        ),
    }
}
