//! One connection to PostgreSQL and the statements prepared on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{self as driver, Client, Config, Error, RowStream, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::bindings::v4::Column;
use super::change::{ARE_HARMLESS, Change};
use super::transport::Transport;
use super::values::columns::{Decoder, describe};
use super::values::params::Param;
use super::wire::Signals;
use crate::config::settings::Statements;

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
    signals: Arc<Signals>,
    statements: Mutex<HashMap<Box<str>, Arc<Prepared>>>,
}

/// A statement the server has parsed, with what is known from its text and types.
pub struct Prepared {
    /// The driver's handle.
    pub statement: Statement,
    /// What it may change in the session.
    pub change: Change,
    /// Whether it only reads, so that nobody can tell whether it ran once or twice, or in which session.
    pub only_reads: bool,
    /// What its rows are like, if nobody has changed a table since.
    pub layout: Layout,
    /// The number that [`Signals::description`] has for them.
    description: u64,
}

/// What the rows of a result are like.
pub struct Layout {
    /// The columns as guests see them.
    pub columns: Vec<Column>,
    /// How each column is read.
    pub decoders: Vec<Decoder>,
}

impl Layout {
    /// That of rows with these columns.
    pub fn of(columns: &[driver::Column]) -> Self {
        let (columns, decoders) = columns
            .iter()
            .map(|column| {
                let (data_type, decoder) = describe(column.type_());
                (Column { name: column.name().to_owned(), data_type }, decoder)
            })
            .unzip();
        Self { columns, decoders }
    }
}

impl Connection {
    /// A new connection, driven by a task of its own, that sends statements as `statements` says.
    pub async fn open(config: &Config, tls: MakeRustlsConnect, statements: Statements) -> Result<Self, Error> {
        let transport = Transport::new(config, tls);
        let signals = transport.signals();
        let (client, driver) = Transport::config(config).connect(transport).await?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a database connection ended");
            }
        });
        let driver = driver.abort_handle();
        let connection = Self { client, left: Change::Nothing, driver, signals, statements: Mutex::default() };
        let is_unnamed = match statements {
            Statements::Named => false,
            Statements::Unnamed => true,
            Statements::Auto => connection.is_pooled().await?,
        };
        if is_unnamed {
            connection.signals.unname();
        }
        Ok(connection)
    }

    /// Whether there is a pooler in front of the server: what a client needs to cancel a statement, a pooler has to make up,
    /// since the server's session is another each time. So the process it names is not the one that answers.
    async fn is_pooled(&self) -> Result<bool, Error> {
        let answer = match self.client.simple_query("SELECT pg_catalog.pg_backend_pid()").await {
            Ok(answer) => answer,
            // Whatever this is, statements without names work everywhere.
            Err(error) if error.as_db_error().is_some() && !self.client.is_closed() => return Ok(true),
            Err(error) => return Err(error),
        };
        let process = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten()?.parse().ok(),
            _ => None,
        });
        Ok(process != Some(self.signals.process()))
    }

    /// Whether statements are sent without names.
    pub fn is_unnamed(&self) -> bool {
        self.signals.is_unnamed()
    }

    /// Sends statements without names from now on: whatever keeps the others does not do it for this connection alone.
    pub fn unname(&self) {
        tracing::debug!("prepared statements do not last in a session: they are sent without names from now on");
        self.statements().clear();
        self.signals.unname();
    }

    /// The statement `sql`, prepared now if it was not before.
    pub async fn prepare(&self, sql: &str) -> Result<Arc<Prepared>, Error> {
        if let Some(prepared) = self.statements().get(sql) {
            return Ok(prepared.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let description = self.signals.description();
        let layout = Layout::of(statement.columns());
        let (change, only_reads) = self.change(sql).await;
        let prepared = Arc::new(Prepared { statement, change, only_reads, layout, description });
        let mut statements = self.statements();
        if statements.len() >= MAX_STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.into(), prepared.clone());
        Ok(prepared)
    }

    fn statements(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Prepared>>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the statement `sql` may change in the session, and whether it only reads.
    async fn change(&self, sql: &str) -> (Change, bool) {
        let (change, calls) = Change::of(sql);
        if calls.is_empty() {
            return (change, change == Change::Nothing);
        }
        let answer = self.client.query_typed(ARE_HARMLESS, &[(&calls, Type::TEXT_ARRAY)]).await.unwrap_or_default();
        let is_true = |column| answer.first().is_some_and(|row| row.try_get(column).unwrap_or(false));
        if is_true(0) { (change, change == Change::Nothing && is_true(1)) } else { (Change::Anything, false) }
    }

    /// Runs the statement `sql`. Whether its rows are like those of `prepared`, [`Self::fits`] tells.
    pub async fn run<'a>(
        &self,
        sql: &str,
        prepared: &Prepared,
        params: impl ExactSizeIterator<Item = Param<'a>>,
    ) -> Result<RowStream, Error> {
        if self.is_unnamed() {
            // Parsed anew each time, for the types that the parameters are written for, and the columns told each time.
            let types = prepared.statement.params().iter().cloned();
            self.client.query_typed_raw(sql, params.zip(types)).await
        } else {
            self.client.query_raw(&prepared.statement, params).await
        }
    }

    /// Whether the rows of the statement that runs are like those of `prepared`. If it has a name, the server sees to that.
    pub fn fits(&self, prepared: &Prepared) -> bool {
        !self.is_unnamed() || self.signals.description() == prepared.description
    }

    /// Prepares `sql` again the next time.
    pub fn forget(&self, sql: &str) {
        self.statements().remove(sql);
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
