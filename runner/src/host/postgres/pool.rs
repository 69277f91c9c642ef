//! The connections of this process: one pool for each address that guests connect to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use deadpool::Runtime;
use deadpool::managed::{self, PoolError, QueueMode, Timeouts, WeakPool};
use tokio::time::MissedTickBehavior;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::bindings::v4::Error;
use super::error;
use super::manager::{Loan, Manager};
use super::pipeline::Pipelines;
use super::tls::{Authorities, Verify};
use super::transport::Transport;
use crate::config::allowed_hosts::AllowedHosts;
use crate::config::settings::{self, Switch};
use crate::telemetry::metrics::DatabaseMetrics;

/// Databases whose pools are kept. A guest chooses addresses freely, so their number must have an end; applications have
/// one or two.
const MAX_DATABASES: usize = 16;

/// Connections are not looked through more often, however soon they are to be closed.
const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// Every database that guests are connected to.
pub struct Pools {
    settings: settings::Postgres,
    metrics: DatabaseMetrics,
    authorities: Arc<Authorities>,
    /// The one used last is first.
    databases: Mutex<Vec<Arc<Database>>>,
}

/// One address and its connections.
pub struct Database {
    text: Box<str>,
    address: Address,
    /// For messages.
    pub endpoints: Box<str>,
    /// Limits of its connections.
    pub settings: settings::Postgres,
    /// Where its use is counted.
    pub metrics: DatabaseMetrics,
    /// Connections that requests share.
    pub pipelines: Arc<Pipelines>,
    pool: managed::Pool<Manager>,
}

/// The connections to one database at a moment.
#[derive(Debug, Default)]
pub struct State {
    /// Hosts, ports and name of the database.
    pub database: String,
    /// Connections nobody uses.
    pub idle: u64,
    /// Connections on loan.
    pub busy: u64,
    /// Guests that wait for one.
    pub waiting: u64,
}

impl Pools {
    /// No connections yet. Fails if a setting makes no sense or the file of certificate authorities is unusable.
    pub fn new(settings: &settings::Postgres, metrics: DatabaseMetrics) -> Result<Arc<Self>> {
        for (name, value) in [
            ("RUNNER_PG_TIMEOUT", settings.pg_timeout),
            ("RUNNER_PG_WAIT_TIMEOUT", settings.pg_wait_timeout),
            ("RUNNER_PG_CONNECT_TIMEOUT", settings.pg_connect_timeout),
            ("RUNNER_PG_STATEMENT_TIMEOUT", settings.pg_statement_timeout),
        ] {
            // PostgreSQL counts in milliseconds, in 31 bits, and takes 0 for no limit.
            ensure!((1..=i32::MAX as u128).contains(&value.as_millis()), "{name} must be between 1ms and 24days");
        }
        Ok(Arc::new(Self {
            settings: settings.clone(),
            metrics,
            authorities: Arc::new(Authorities::load(settings.pg_ca_file.as_deref())?),
            databases: Mutex::default(),
        }))
    }

    /// The time that one request may wait for its databases.
    pub fn timeout(&self) -> Duration {
        self.settings.pg_timeout
    }

    /// The database at the address `text`, if `allowed` permits every host of it. Connects to nothing yet.
    pub async fn database(&self, text: &str, allowed: &AllowedHosts) -> Result<Arc<Database>, Error> {
        let refused = |reason| Error::ConnectionFailed(format!("the database address is refused: {reason}"));
        if let Some(known) = self.find(text) {
            known.address.check(allowed).map_err(refused)?;
            return Ok(known);
        }
        let address = Address::parse(text).map_err(refused)?;
        address.check(allowed).map_err(refused)?;
        let unusable = |error: anyhow::Error| Error::ConnectionFailed(format!("{error:#}"));
        let tls = connector(&self.authorities, &address).await.map_err(unusable)?;
        let new = Database::new(text, address, tls, &self.settings, self.metrics.clone());
        let new = Arc::new(new.map_err(unusable)?);
        Ok(self.keep(new))
    }

    /// Puts `new` first, unless somebody else was faster with the same address.
    fn keep(&self, new: Arc<Database>) -> Arc<Database> {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = databases.iter().find(|known| known.text == new.text) {
            return known.clone();
        }
        databases.insert(0, new.clone());
        // Loans from the pools that go are finished undisturbed.
        databases.truncate(MAX_DATABASES);
        new
    }

    /// How the connections are used now. Addresses that differ only in the user are counted together.
    pub fn states(&self) -> Vec<State> {
        let databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        let mut states = BTreeMap::<String, State>::new();
        for database in &*databases {
            let status = database.pool.status();
            let name = database.name();
            let state = states.entry(name.clone()).or_default();
            state.database = name;
            let idle = status.available + database.pipelines.idle();
            state.idle += idle as u64;
            state.busy += status.size.saturating_sub(idle) as u64;
            state.waiting += status.waiting as u64;
        }
        states.into_values().collect()
    }

    fn find(&self, text: &str) -> Option<Arc<Database>> {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        let at = databases.iter().position(|database| *database.text == *text)?;
        databases[..=at].rotate_right(1);
        databases.first().cloned()
    }
}

/// The TLS connector for `address`. The system's authorities are read from files, which must not hold up other guests.
pub async fn connector(authorities: &Arc<Authorities>, address: &Address) -> Result<MakeRustlsConnect> {
    use tokio_postgres::config::SslNegotiation;

    let authorities = authorities.clone();
    let (verify, system) = (address.verify, address.system_authorities);
    let direct = address.config.get_ssl_negotiation() == SslNegotiation::Direct;
    let build = move || authorities.connector(verify, system, direct);
    if verify == Verify::Nothing { build() } else { tokio::task::spawn_blocking(build).await? }
}

impl Database {
    fn new(
        text: &str,
        address: Address,
        tls: MakeRustlsConnect,
        settings: &settings::Postgres,
        metrics: DatabaseMetrics,
    ) -> Result<Self> {
        let mut limited = address.clone();
        limited.limit_statements(settings.pg_statement_timeout);
        let manager = Manager {
            config: limited.config,
            unlimited: address.config.clone(),
            tls,
            statements: settings.pg_statements,
            idle_timeout: settings.pg_idle_timeout,
        };
        let pool = managed::Pool::builder(manager)
            .max_size(settings.pg_pool_size.into())
            .timeouts(Timeouts {
                wait: Some(settings.pg_wait_timeout),
                create: Some(settings.pg_connect_timeout),
                recycle: None,
            })
            // The connection used last has the warmest caches on both ends, and those not needed get old.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()?;
        let pipelines = match settings.pg_pipelining {
            Switch::On => Pipelines::new(settings.pg_pool_size.into(), settings.pg_idle_timeout),
            Switch::Off => Pipelines::new(0, settings.pg_idle_timeout),
        };
        let pipelines = Arc::new(pipelines);
        tokio::spawn(close_unused(pool.weak(), Arc::downgrade(&pipelines), settings.pg_idle_timeout));
        let endpoints = address.endpoints().into();
        Ok(Self { text: text.into(), address, endpoints, settings: settings.clone(), metrics, pipelines, pool })
    }

    /// Hosts, ports and name of the database.
    fn name(&self) -> String {
        format!("{}/{}", self.endpoints, self.address.config.get_dbname().unwrap_or_default())
    }

    /// A connection that was open a moment ago, from the pool or new. Waits for one if all are on loan, but not longer
    /// than `left`.
    pub async fn connect(&self, left: Duration) -> Result<Loan, Error> {
        let asked = Instant::now();
        let loan = tokio::time::timeout(left, self.pool.get()).await;
        self.metrics.wait.observe(asked.elapsed().as_secs_f64());
        let Ok(loan) = loan else {
            self.metrics.timeouts.inc();
            return Err(Error::ConnectionFailed(error::out_of_time(&self.settings)));
        };
        loan.map_err(|error| {
            if matches!(error, PoolError::Timeout(_)) {
                self.metrics.timeouts.inc();
            }
            error::not_connected(&error, &self.endpoints, &self.settings)
        })
    }

    /// Notes that a statement that only reads took so long, and opens a pipeline if there is a use for one now.
    pub fn note(self: &Arc<Self>, sql: &str, taken: Duration, largest: usize) {
        if self.pipelines.note(sql, taken, largest) {
            let database = self.clone();
            tokio::spawn(async move {
                let loan = database.connect(database.settings.pg_wait_timeout).await;
                database.pipelines.add(loan.ok());
            });
        }
    }

    /// Closes the connections not on loan: when one was lost, the others may be too without knowing.
    pub fn close_idle(&self) {
        self.pool.retain(|_, _| false);
        self.pipelines.close();
    }

    /// What a request to cancel a statement needs to connect.
    pub fn transport(&self) -> Transport {
        Transport::new(&self.address.config, self.pool.manager().tls.clone())
    }
}

/// Closes connections that nobody used for `idle`, as long as there is a pool: what a busy hour took, the server has back
/// afterwards.
async fn close_unused(pool: WeakPool<Manager>, pipelines: Weak<Pipelines>, idle: Duration) {
    let mut ticks = tokio::time::interval((idle / 4).max(SHORTEST_TICK));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.retain(|_, metrics| metrics.last_used() <= idle);
        if let Some(pipelines) = pipelines.upgrade() {
            pipelines.close_unused();
        }
    }
}
