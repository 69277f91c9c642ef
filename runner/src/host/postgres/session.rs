//! A guest's connection: its statements, and what it takes to hand the connection to somebody else afterwards.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::Object;
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio_postgres::SimpleQueryMessage;
use tracing::Instrument as _;

use super::bindings::v4::{DbValue, Error, ParameterValue, Row, RowSet};
use super::connection::{Connection, Prepared};
use super::effect::Effect;
use super::error;
use super::pool::{Database, Loan};
use super::values::columns::{Raw, Unreadable};
use super::values::params::Param;
use crate::telemetry::trace;

/// How much longer the host waits than the server, whose message is the better one.
const GRACE: Duration = Duration::from_secs(1);
/// Asking the server to cancel a statement takes a connection of its own, and is worth only so much waiting.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);
/// Cleaning a session takes milliseconds; one that takes longer is closed instead.
const CLEANING_TIMEOUT: Duration = Duration::from_secs(5);

/// What `DISCARD ALL` does, but for the host's own prepared statements, which stay, and in one round trip although a
/// transaction may be open. Those that the guest prepared in SQL are only looked for.
const CLEAN: &str = "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
    SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; \
    SELECT name AS prepared FROM pg_prepared_statements WHERE from_sql LIMIT 1";

/// A connection as a guest has it. Dropping it gives the connection back, cleaned if it must be.
pub struct Session {
    database: Arc<Database>,
    /// None once it was lost.
    loan: Option<Loan>,
    traces: Traces,
}

/// What the guest's statements may have left in the session.
#[derive(Debug, Default, Clone, Copy)]
struct Traces {
    transaction: bool,
    /// Settings, locks, temporary tables and the like.
    other: bool,
    /// The statements the host prepared may be gone.
    ruined: bool,
}

impl Traces {
    fn none(self) -> bool {
        !(self.transaction || self.other || self.ruined)
    }

    /// Before a statement runs: even if it fails, or nobody learns whether it did, it may have done this.
    fn before(&mut self, effect: Effect) {
        match effect {
            Effect::Nothing | Effect::Ends => {}
            Effect::Begins => self.transaction = true,
            Effect::Unknown => self.other = true,
            Effect::Ruins => self.ruined = true,
        }
    }
}

/// Why a statement gave no result, and what that means for the session.
enum Failure {
    /// The session is as it was.
    Answer(Error),
    /// The connection is lost.
    Lost(Error),
    /// The server is still at it.
    Unfinished(Error),
}

impl Session {
    /// A session on `database`. Fails if there is no connection to be had.
    pub async fn open(database: Arc<Database>) -> Result<Self, Error> {
        let loan = database.connect().await?;
        Ok(Self { database, loan: Some(loan), traces: Traces::default() })
    }

    /// Runs `sql` and returns its rows.
    pub async fn query(&mut self, sql: &str, params: &[ParameterValue]) -> Result<RowSet, Error> {
        let mut result = RowSet { columns: Vec::new(), rows: Vec::new() };
        self.run(sql, params, Some(&mut result)).await?;
        Ok(result)
    }

    /// Runs `sql` and returns how many rows it affected.
    pub async fn execute(&mut self, sql: &str, params: &[ParameterValue]) -> Result<u64, Error> {
        self.run(sql, params, None).await
    }

    async fn run(&mut self, sql: &str, params: &[ParameterValue], result: Option<&mut RowSet>) -> Result<u64, Error> {
        let begun = Instant::now();
        // Not the statement: who puts values into its text would find them with the collector.
        let span =
            tracing::debug_span!(target: trace::TARGET, "query", otel.kind = "client", db.system.name = "postgresql");
        let outcome = self.run_in_time(sql, params, result).instrument(span).await;
        let metrics = &self.database.metrics;
        metrics.queries.observe(begun.elapsed().as_secs_f64());
        if outcome.is_err() {
            metrics.errors.inc();
        }
        outcome
    }

    /// Within the time for one statement. If this is dropped before it is done, the statement is cancelled.
    async fn run_in_time(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        result: Option<&mut RowSet>,
    ) -> Result<u64, Error> {
        let limit = self.database.settings.pg_statement_timeout;
        let mut flight = Flight { session: self, landed: false };
        let Ok(outcome) = tokio::time::timeout(limit + GRACE, flight.session.attempt(sql, params, result)).await else {
            let limit = humantime::format_duration(limit);
            return Err(error::query_failed(format!(
                "the statement took longer than {limit} (RUNNER_PG_STATEMENT_TIMEOUT) and was cancelled"
            )));
        };
        flight.landed = !matches!(outcome, Err(Failure::Unfinished(_)));
        drop(flight);
        outcome.map_err(|failure| match failure {
            Failure::Answer(error) | Failure::Unfinished(error) => error,
            Failure::Lost(error) => {
                self.close();
                self.database.close_idle();
                error
            }
        })
    }

    /// Runs the statement, a second time if the first showed that it must be prepared anew.
    async fn attempt(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        mut result: Option<&mut RowSet>,
    ) -> Result<u64, Failure> {
        let inside = self.traces.transaction;
        let mut again = true;
        loop {
            let prepared = self.prepare(sql).await?;
            let wanted = prepared.statement.params().len();
            if wanted != params.len() {
                let given = params.len();
                let message = format!("the statement takes {wanted} parameters, {given} were given");
                return Err(Failure::Answer(Error::BadParameter(message)));
            }
            self.traces.before(prepared.effect);
            let Some(loan) = &mut self.loan else { return Err(Failure::Lost(self.gone())) };
            match stream(loan, &self.database, &prepared, params, result.as_deref_mut()).await {
                Ok(affected) => {
                    match prepared.effect {
                        Effect::Ends => self.traces.transaction = false,
                        Effect::Ruins => loan.forget_all(),
                        _ => {}
                    }
                    return Ok(affected);
                }
                Err(Stop::Driver(error)) if error::is_stale(&error) => {
                    loan.forget(sql);
                    // Within a transaction the error has ended it already.
                    if inside || !again {
                        return Err(Failure::Answer(error::failed(&error, &self.database.endpoints)));
                    }
                    again = false;
                }
                Err(Stop::Driver(error)) => return Err(self.judge(&error)),
                Err(Stop::Here(failure)) => return Err(failure),
            }
        }
    }

    /// The prepared statement, on another connection if this one turns out to be closed and nothing is lost with it.
    async fn prepare(&mut self, sql: &str) -> Result<Arc<Prepared>, Failure> {
        if is_client_copy(sql) {
            let message = "COPY from STDIN or to STDOUT is not possible here; use INSERT or SELECT";
            return Err(Failure::Answer(error::query_failed(message)));
        }
        let mut again = true;
        loop {
            if self.loan.as_ref().is_none_or(|loan| loan.client.is_closed()) {
                self.reconnect().await?;
            }
            let Some(loan) = &mut self.loan else { return Err(Failure::Lost(self.gone())) };
            match loan.prepare(sql).await {
                Ok(prepared) => return Ok(prepared),
                // Nothing has run, so that nothing can run twice.
                Err(error) if again && self.traces.none() && error::ends_session(&error) => {
                    again = false;
                    self.close();
                    self.database.close_idle();
                }
                Err(error) => {
                    // The statements the driver itself prepares to look types up.
                    self.traces.ruined |= error::is_stale(&error);
                    return Err(self.judge(&error));
                }
            }
        }
    }

    /// Another connection in place of a closed one, unless the guest would miss what it did there.
    async fn reconnect(&mut self) -> Result<(), Failure> {
        self.close();
        if !self.traces.none() {
            return Err(Failure::Lost(self.gone()));
        }
        self.loan = Some(self.database.connect().await.map_err(Failure::Answer)?);
        Ok(())
    }

    fn judge(&self, error: &tokio_postgres::Error) -> Failure {
        let answer = error::failed(error, &self.database.endpoints);
        if error::ends_session(error) { Failure::Lost(answer) } else { Failure::Answer(answer) }
    }

    fn gone(&self) -> Error {
        Error::ConnectionFailed(format!(
            "the connection to {} was lost, and with it the transaction or settings of earlier statements; open a new one",
            self.database.endpoints
        ))
    }

    /// Ends the connection.
    fn close(&mut self) {
        if let Some(loan) = self.loan.take() {
            Object::take(loan).abort();
        }
    }

    /// Ends the connection and asks the server to stop what it is doing for it. In that order: a server that serves one
    /// connection at a time has none free for the question before.
    fn abandon(&mut self) {
        let Some(loan) = self.loan.take() else { return };
        let connection = Object::take(loan);
        let cancel = connection.client.cancel_token();
        connection.abort();
        let Ok(runtime) = Handle::try_current() else { return };
        let tls = self.database.tls();
        runtime.spawn(async move {
            if !matches!(tokio::time::timeout(CANCEL_TIMEOUT, cancel.cancel_query(tls)).await, Ok(Ok(()))) {
                tracing::debug!("a statement could not be cancelled; the server's own limit will end it");
            }
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(loan) = self.loan.take() else { return };
        if self.traces.none() {
            return;
        }
        let dirty = Dirty(Some(loan));
        if self.traces.ruined {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(dirty.clean());
        }
    }
}

/// A statement under way. Unless it landed, dropping this cancels it and closes the session.
struct Flight<'a> {
    session: &'a mut Session,
    landed: bool,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.landed {
            self.session.abandon();
        }
    }
}

/// A connection that must not go back as it is. Dropping this closes it.
struct Dirty(Option<Loan>);

impl Dirty {
    /// Gives the connection back if it can be cleaned.
    async fn clean(mut self) {
        let Some(loan) = &self.0 else { return };
        let cleaned = tokio::time::timeout(CLEANING_TIMEOUT, loan.client.simple_query(CLEAN)).await;
        let left = |message: &SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(row) if row.columns().first().is_some_and(|column| column.name() == "prepared"));
        match cleaned {
            Ok(Ok(messages)) if !messages.iter().any(left) => drop(self.0.take()),
            Ok(Ok(_)) => tracing::debug!("a session with prepared statements of its guest is closed"),
            Ok(Err(error)) => tracing::debug!(%error, "a session that could not be cleaned is closed"),
            Err(_) => tracing::debug!("a session that took too long to clean is closed"),
        }
    }
}

impl Drop for Dirty {
    fn drop(&mut self) {
        if let Some(loan) = self.0.take() {
            Object::take(loan).abort();
        }
    }
}

/// What ends a result early.
enum Stop {
    Driver(tokio_postgres::Error),
    Here(Failure),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

/// Runs a prepared statement; reads its rows into `result`, if they are wanted, as they come.
async fn stream(
    connection: &Connection,
    database: &Database,
    prepared: &Prepared,
    params: &[ParameterValue],
    mut result: Option<&mut RowSet>,
) -> Result<u64, Stop> {
    let params = params.iter().enumerate().map(|(index, value)| Param { number: index + 1, value });
    let mut rows = pin!(connection.client.query_raw(&prepared.statement, params).await?);
    let mut budget = database.settings.pg_max_result.as_u64();
    let mut unreadable = None;
    while let Some(row) = rows.next().await {
        let row = row?;
        let Some(result) = &mut result else { continue };
        // What it takes here; the bytes alone would let a thousand NULLs a row through for nothing.
        let size = row.raw_size_bytes() + size_of::<Row>() + row.len() * size_of::<DbValue>();
        let Some(rest) = budget.checked_sub(size as u64) else {
            let limit = database.settings.pg_max_result;
            let message = format!(
                "the result is larger than {limit} (RUNNER_PG_MAX_RESULT); ask for fewer rows or columns at a time"
            );
            return Err(Stop::Here(Failure::Unfinished(error::query_failed(message))));
        };
        budget = rest;
        // The rows behind one that cannot be read are still on their way, and the next statement's behind those.
        if unreadable.is_none() {
            match read(&row, prepared) {
                Ok(values) => result.rows.push(values),
                Err(error) => unreadable = Some(error),
            }
        }
    }
    if let Some((index, why)) = unreadable {
        let message = format!("a value in column {:?} {}", prepared.columns[index].name, why.explain());
        return Err(Stop::Here(Failure::Answer(Error::ValueConversionFailed(message))));
    }
    if let Some(result) = result {
        result.columns.clone_from(&prepared.columns);
    }
    Ok(rows.rows_affected().unwrap_or(0))
}

/// A row's values, or the index of the column that cannot be read and why.
fn read(row: &tokio_postgres::Row, prepared: &Prepared) -> Result<Row, (usize, Unreadable)> {
    let mut values = Vec::with_capacity(prepared.decoders.len());
    for (index, decode) in prepared.decoders.iter().enumerate() {
        values.push(match row.try_get(index).map_err(|_| (index, Unreadable::Malformed))? {
            None => DbValue::DbNull,
            Some(Raw(raw)) => decode(raw).map_err(|unreadable| (index, unreadable))?,
        });
    }
    Ok(values)
}

/// Whether the statement would have the server wait for data from the guest, or send it some, outside of any result: the
/// driver loses the thread there.
fn is_client_copy(sql: &str) -> bool {
    let sql = sql.trim_start();
    sql.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case("copy")) && {
        let sql = sql.to_ascii_lowercase();
        sql.contains("stdin") || sql.contains("stdout")
    }
}
