//! Opens the connections of a pool, and judges those that come back.

use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use tokio_postgres::{Config, Error as DriverError};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use crate::config::settings::Statements;

/// A connection on loan; dropping it gives it back.
pub type Loan = Object<Manager>;

/// Opens connections and judges those that come back.
pub struct Manager {
    /// What connections are opened with: a limit for statements, too.
    pub config: Config,
    /// Without a limit set in the startup message.
    pub unlimited: Config,
    /// How they are encrypted.
    pub tls: MakeRustlsConnect,
    /// How statements are sent.
    pub statements: Statements,
    /// The time after which an unused connection is not given out again.
    pub idle_timeout: Duration,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = DriverError;

    async fn create(&self) -> Result<Connection, DriverError> {
        // Boxed, because a future is moved about as a whole: that of connecting takes 10 KB, and is hardly ever run.
        let open = |config| Box::pin(Connection::open(config, self.tls.clone(), self.statements));
        match open(&self.config).await {
            // PgBouncer refuses options it does not know; the host's own limit holds there too.
            Err(error) if error.code().is_some_and(|code| code.code() == "08P01") => open(&self.unlimited).await,
            result => result,
        }
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<DriverError> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        if metrics.last_used() > self.idle_timeout {
            return Err(RecycleError::message("unused for too long"));
        }
        Ok(())
    }
}
