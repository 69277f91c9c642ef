//! One connection to PostgreSQL and the statements prepared on it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::AbortHandle;
use tokio_postgres::{Client, Config, Error, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::bindings::v4::Column;
use super::effect::Effect;
use super::values::columns::{Decoder, describe};

/// Statements kept prepared on one connection. An application has tens; one that puts values into its SQL has no end of
/// them, each a few kilobytes on the server, and starts over here.
const MAX_STATEMENTS: usize = 256;

/// A connection with its statements. Dropping it says goodbye to the server once everything sent is answered.
pub struct Connection {
    /// The driver's handle.
    pub client: Client,
    driver: AbortHandle,
    statements: HashMap<Box<str>, Arc<Prepared>>,
}

/// A statement the server has parsed, with all that is known from its text and types.
pub struct Prepared {
    /// The driver's handle.
    pub statement: Statement,
    /// What running it may leave behind.
    pub effect: Effect,
    /// What a guest is told about the columns.
    pub columns: Vec<Column>,
    /// How each column is read.
    pub decoders: Vec<Decoder>,
}

impl Connection {
    /// A new connection, driven by a task of its own.
    pub async fn open(config: &Config, tls: MakeRustlsConnect) -> Result<Self, Error> {
        let (client, driver) = config.connect(tls).await?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a database connection ended");
            }
        });
        Ok(Self { client, driver: driver.abort_handle(), statements: HashMap::new() })
    }

    /// The statement `sql`, prepared now if it was not before.
    pub async fn prepare(&mut self, sql: &str) -> Result<Arc<Prepared>, Error> {
        if let Some(prepared) = self.statements.get(sql) {
            return Ok(prepared.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let (columns, decoders) = statement
            .columns()
            .iter()
            .map(|column| {
                let (data_type, decoder) = describe(column.type_());
                (Column { name: column.name().to_owned(), data_type }, decoder)
            })
            .unzip();
        let prepared = Arc::new(Prepared { statement, effect: Effect::of(sql), columns, decoders });
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), prepared.clone());
        Ok(prepared)
    }

    /// Has `sql` prepared anew the next time.
    pub fn forget(&mut self, sql: &str) {
        self.statements.remove(sql);
    }

    /// Has every statement prepared anew the next time.
    pub fn forget_all(&mut self) {
        self.statements.clear();
    }

    /// Ends the connection at once, whatever the server is still sending.
    pub fn abort(self) {
        self.driver.abort();
    }
}
