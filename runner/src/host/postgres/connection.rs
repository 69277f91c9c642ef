//! One connection to PostgreSQL and the statements prepared on it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::bindings::v4::Column;
use super::change::{ARE_HARMLESS, Change};
use super::values::columns::{Decoder, describe};

/// Statements kept prepared on one connection. An application has tens. One that puts values into its SQL has no end of
/// them, each a few kilobytes on the server; at this limit all are dropped.
const MAX_STATEMENTS: usize = 256;

/// A connection with its statements. Dropping it closes it once everything sent is answered.
pub struct Connection {
    /// The driver's handle.
    pub client: Client,
    /// What guests changed and is still to be undone: at most sequences, in front of a statement that changes something.
    pub left: Change,
    driver: AbortHandle,
    statements: HashMap<Box<str>, Arc<Prepared>>,
}

/// A statement the server has parsed, with what is known from its text and types.
pub struct Prepared {
    /// The driver's handle.
    pub statement: Statement,
    /// What it may change in the session.
    pub change: Change,
    /// The columns as guests see them.
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
        Ok(Self { client, left: Change::Nothing, driver: driver.abort_handle(), statements: HashMap::new() })
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
        let prepared = Arc::new(Prepared { statement, change: self.change(sql).await, columns, decoders });
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), prepared.clone());
        Ok(prepared)
    }

    /// What the statement `sql` may change in the session.
    async fn change(&self, sql: &str) -> Change {
        let (change, calls) = Change::of(sql);
        if calls.is_empty() {
            return change;
        }
        let answer = self.client.query_typed(ARE_HARMLESS, &[(&calls, Type::TEXT_ARRAY)]).await;
        let are_harmless = answer.is_ok_and(|rows| rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)));
        if are_harmless { change } else { Change::Anything }
    }

    /// Prepares `sql` again the next time.
    pub fn forget(&mut self, sql: &str) {
        self.statements.remove(sql);
    }

    /// Undoes `change`. Returns whether nothing is left of it.
    pub async fn clean(&self, change: Change) -> Result<bool, Error> {
        let clean = || self.client.simple_query(change.cleaning());
        let messages = match clean().await {
            Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {
                self.client.batch_execute("ROLLBACK").await?;
                clean().await?
            }
            outcome => outcome?,
        };
        Ok(!messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
    }

    /// Ends the connection at once, whatever the server is still sending.
    pub fn abort(self) {
        self.driver.abort();
    }
}
