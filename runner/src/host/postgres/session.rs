//! A guest's connection: running its statements, and cleaning up behind it.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::Object;
use futures_util::StreamExt as _;
use futures_util::future::join;
use tokio::runtime::Handle;
use tracing::Instrument as _;

use super::bindings::v4::{DbValue, Error, ParameterValue, Row, RowSet};
use super::change::Change;
use super::connection::{Connection, Layout, Prepared};
use super::error;
use super::manager::Loan;
use super::pipeline::{LARGEST, PATIENCE};
use super::pool::Database;
use super::values::columns::{Raw, Unreadable};
use super::values::params::Param;
use crate::memory::budget::{Charge, Exhausted};
use crate::telemetry::trace;

/// How much longer the host waits than the server, whose error message says more.
const GRACE: Duration = Duration::from_secs(1);
/// Time for asking the server to cancel a statement, which takes a connection of its own.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);
/// Cleaning a session takes milliseconds; one that takes longer is closed instead.
const CLEANING_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a message beyond which a connection is not kept: it has several buffers of twice the size. Few pages are larger.
const KEPT_MESSAGE: usize = 256 << 10;

/// A connection as a guest has it. Dropping it gives the connection back to the pool, cleaned if necessary.
pub struct Session {
    database: Arc<Database>,
    /// None once it was lost, and until a statement needs it.
    loan: Option<Loan>,
    /// What the guest's statements may have changed in the session.
    change: Change,
    /// What the last result is charged.
    charge: Charge,
    /// The bytes of the largest row it received, or of the parameters it sent.
    largest_message: usize,
    /// Set if there was no room for it.
    out_of_memory: Option<Exhausted>,
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

/// A statement that failed, perhaps only because it was prepared before somebody changed a table.
struct Tried {
    /// How often it was.
    count: u8,
    prepared: Arc<Prepared>,
    error: Error,
    /// Whether the error says so. If not, it may: then the types of the parameters are others now.
    is_stale: bool,
}

impl Tried {
    /// Whether it may help to prepare a statement anew that failed with `error`, after `before`. Twice at most: once
    /// because it was prepared a while ago, and once because it is kept by somebody who does not tell sessions apart.
    fn may_help(before: Option<&Self>, error: &tokio_postgres::Error) -> bool {
        match before {
            None => error::is_stale(error) || error::may_be_stale(error),
            Some(before) => before.count < 2 && error::is_stale(error),
        }
    }
}

impl Session {
    /// A session on `database`, whose results are charged to `charge`. Fails if there is no connection to be had in the
    /// time that is `left`. While there are pipelines, it may not need one.
    pub async fn open(database: Arc<Database>, charge: Charge, left: Duration) -> Result<Self, Error> {
        let loan = if database.pipelines.are_open() { None } else { Some(database.connect(left).await?) };
        Ok(Self { database, loan, change: Change::Nothing, charge, largest_message: 0, out_of_memory: None })
    }

    /// Set if there was no room for the last result.
    pub fn out_of_memory(&self) -> Option<Exhausted> {
        self.out_of_memory
    }

    /// Runs `sql` in the time that is `left` and returns its rows.
    pub async fn query(&mut self, sql: &str, params: &[ParameterValue], left: Duration) -> Result<RowSet, Error> {
        let mut result = RowSet { columns: Vec::new(), rows: Vec::new() };
        // The guest has the previous one.
        self.charge.force(0);
        self.run(sql, params, left, Some(&mut result)).await?;
        Ok(result)
    }

    /// Runs `sql` in the time that is `left` and returns how many rows it affected.
    pub async fn execute(&mut self, sql: &str, params: &[ParameterValue], left: Duration) -> Result<u64, Error> {
        self.run(sql, params, left, None).await
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        left: Duration,
        result: Option<&mut RowSet>,
    ) -> Result<u64, Error> {
        // Not the statement: who puts values into its text would find them with the collector.
        let span =
            tracing::debug_span!(target: trace::TARGET, "query", otel.kind = "client", db.system.name = "postgresql");
        let (begun, outcome) = self.run_somewhere(sql, params, left, result).instrument(span).await;
        let metrics = &self.database.metrics;
        metrics.queries.observe(begun.elapsed().as_secs_f64());
        if outcome.is_err() {
            metrics.errors.inc();
        }
        outcome
    }

    /// In a pipeline, or else in a session of its own. Returns when it began as well: waiting for a connection is not a part of it.
    async fn run_somewhere(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        left: Duration,
        mut result: Option<&mut RowSet>,
    ) -> (Instant, Result<u64, Error>) {
        let begun = Instant::now();
        if left.is_zero() {
            return (begun, Err(error::query_failed(error::out_of_time(&self.database.settings))));
        }
        if self.loan.is_none() && self.is_replaceable() {
            if let Some(affected) = self.pipelined(sql, params, left, result.as_deref_mut()).await {
                return (begun, Ok(affected));
            }
            match self.database.connect(left.saturating_sub(begun.elapsed())).await {
                Ok(loan) => self.loan = Some(loan),
                Err(error) => return (begun, Err(error)),
            }
        }
        let left = left.saturating_sub(begun.elapsed());
        let begun = Instant::now();
        (begun, self.run_in_time(sql, params, left, result).await)
    }

    /// Within the time for one statement, and that which is left. If this is dropped before it is done, the statement
    /// is cancelled.
    async fn run_in_time(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        left: Duration,
        result: Option<&mut RowSet>,
    ) -> Result<u64, Error> {
        let limit = self.database.settings.pg_statement_timeout;
        let mut flight = Flight { session: self, landed: false };
        let attempt = flight.session.attempt(sql, params, result);
        let Ok(outcome) = tokio::time::timeout(left.min(limit + GRACE), attempt).await else {
            drop(flight);
            // A server that still answers ends the statement before that. If it is away, its other connections are lost
            // as well.
            self.database.close_idle();
            return Err(error::query_failed(if left < limit + GRACE {
                error::out_of_time(&self.database.settings)
            } else {
                let limit = humantime::format_duration(limit);
                format!("the statement took longer than {limit} (RUNNER_PG_STATEMENT_TIMEOUT) and was cancelled")
            }));
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

    /// Runs the statement in a pipeline, if there is one for it. None if it has to run in a session of its own, whatever the reason:
    /// it only reads.
    async fn pipelined(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        left: Duration,
        mut result: Option<&mut RowSet>,
    ) -> Option<u64> {
        let database = self.database.clone();
        let place = database.pipelines.place(sql)?;
        let mut largest = params.iter().map(size).sum();
        if largest > LARGEST {
            return None;
        }
        let charge = &mut self.charge;
        let attempt = async {
            let prepared = place.prepare(sql).await?;
            if prepared.statement.params().len() != params.len() {
                return None;
            }
            let connection = place.connection()?;
            let (result, kept) = (result.as_deref_mut(), (charge, &mut largest));
            Some(stream(connection, &database, sql, &prepared, params, result, kept).await)
        };
        match tokio::time::timeout(left.min(PATIENCE), attempt).await {
            Ok(Some(Ok(affected))) => {
                place.answered(largest);
                return Some(affected);
            }
            Ok(None | Some(Err(Stop::Driver(_) | Stop::Here(Failure::Answer(_))))) => place.forget(sql),
            // Something is still on its way, which others would wait for.
            Ok(Some(Err(_))) | Err(_) => place.blocked(),
        }
        if let Some(result) = result {
            result.rows.clear();
            result.columns.clear();
        }
        self.charge.force(0);
        None
    }

    /// Runs the statement, again if it turns out that it must be prepared anew.
    async fn attempt(
        &mut self,
        sql: &str,
        params: &[ParameterValue],
        mut result: Option<&mut RowSet>,
    ) -> Result<u64, Failure> {
        let mut tried: Option<Tried> = None;
        loop {
            let prepared = match (self.prepare(sql).await, &tried) {
                // In a transaction, the first error is what ended it.
                (Err(Failure::Answer(error)), Some(tried)) if error::is_in_failed_transaction(&error) => {
                    return Err(Failure::Answer(tried.error.clone()));
                }
                (prepared, _) => prepared?,
            };
            if let Some(tried) = &tried
                && !tried.is_stale
                && tried.prepared.statement.params() == prepared.statement.params()
            {
                return Err(Failure::Answer(tried.error.clone()));
            }
            let wanted = prepared.statement.params().len();
            if wanted != params.len() {
                let given = params.len();
                let message = format!("the statement takes {wanted} parameters, {given} were given");
                return Err(Failure::Answer(Error::BadParameter(message)));
            }
            // Before it runs: even if it fails, or its answer is lost, it may have done this.
            self.change = self.change.max(prepared.change);
            let Some(loan) = &mut self.loan else { return Err(Failure::Lost(self.gone())) };
            let left =
                if prepared.change == Change::Nothing { Change::Nothing } else { std::mem::take(&mut loan.left) };
            let cleaning = async { left == Change::Nothing || loan.clean(left).await.is_ok() };
            let charge = &mut self.charge;
            let largest = &mut self.largest_message;
            *largest = (*largest).max(params.iter().map(size).sum());
            let statement =
                stream(loan, &self.database, sql, &prepared, params, result.as_deref_mut(), (charge, largest));
            // Both are sent at once, in this order.
            let begun = Instant::now();
            let (is_clean, outcome) = join(cleaning, statement).await;
            if !is_clean {
                return Err(Failure::Lost(match outcome {
                    Err(Stop::Driver(error)) => error::failed(&error, &self.database.endpoints),
                    _ => self.gone(),
                }));
            }
            match outcome {
                Ok(affected) => {
                    if !loan.fits(&prepared) {
                        loan.forget(sql);
                        // Rows would have told what columns there are now.
                        if let Some(result) = result.filter(|result| result.rows.is_empty())
                            && let Ok(prepared) = loan.prepare(sql).await
                        {
                            result.columns.clone_from(&prepared.layout.columns);
                        }
                    }
                    if prepared.only_reads && !loan.is_unnamed() {
                        self.database.note(sql, begun.elapsed(), self.largest_message);
                    }
                    return Ok(affected);
                }
                Err(Stop::Driver(error)) if Tried::may_help(tried.as_ref(), &error) => {
                    // It was prepared a moment ago.
                    if tried.is_some() {
                        loan.unname();
                    }
                    loan.forget(sql);
                    let is_stale = error::is_stale(&error);
                    let error = error::failed(&error, &self.database.endpoints);
                    tried = Some(Tried { count: tried.map_or(1, |tried| tried.count + 1), prepared, error, is_stale });
                }
                Err(Stop::Driver(error)) => return Err(self.judge(&error)),
                Err(Stop::Here(failure)) => return Err(failure),
                Err(Stop::OutOfMemory(exhausted)) => {
                    self.out_of_memory = Some(exhausted);
                    return Err(Failure::Unfinished(error::query_failed(exhausted.to_string())));
                }
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
            let is_replaceable = self.is_replaceable();
            let Some(loan) = &mut self.loan else { return Err(Failure::Lost(self.gone())) };
            match loan.prepare(sql).await {
                Ok(prepared) => return Ok(prepared),
                // Nothing has run, so nothing can run twice. Stale are the statements by which the driver looks types up.
                Err(error) if again && is_replaceable && (error::ends_session(&error) || error::is_stale(&error)) => {
                    again = false;
                    self.close();
                    self.database.close_idle();
                }
                // A pooler may keep a statement by its text, whatever it is called.
                Err(error) if is_replaceable && error::is_stale(&error) && !loan.is_unnamed() => loan.unname(),
                Err(error) => return Err(self.judge(&error)),
            }
        }
    }

    /// Whether another connection would do as well: whether the guest has nothing in this one that it would miss.
    fn is_replaceable(&self) -> bool {
        self.change <= Change::Sequences
    }

    /// Another connection in place of a closed one, if that is possible.
    async fn reconnect(&mut self) -> Result<(), Failure> {
        self.close();
        if !self.is_replaceable() {
            return Err(Failure::Lost(self.gone()));
        }
        // The time for the statement, which this is a part of, is less.
        let left = self.database.settings.pg_timeout;
        self.loan = Some(self.database.connect(left).await.map_err(Failure::Answer)?);
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
        let transport = self.database.transport();
        runtime.spawn(async move {
            if !matches!(tokio::time::timeout(CANCEL_TIMEOUT, cancel.cancel_query(transport)).await, Ok(Ok(()))) {
                tracing::debug!("a statement could not be cancelled; the server's own limit will end it");
            }
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut loan) = self.loan.take() else { return };
        if self.largest_message > KEPT_MESSAGE {
            // Its buffers stay as large as they were once.
            return Object::take(loan).abort();
        }
        if self.change <= Change::Sequences {
            // Undone in front of the next statement that changes something: others cannot tell the difference.
            loan.left = loan.left.max(self.change);
            return;
        }
        let dirty = Dirty(Some(loan));
        if let Ok(runtime) = Handle::try_current() {
            // Nobody waits for it, unless all connections are in use.
            runtime.spawn(dirty.clean(self.change));
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
    async fn clean(mut self, change: Change) {
        let Some(loan) = &self.0 else { return };
        match tokio::time::timeout(CLEANING_TIMEOUT, loan.clean(change)).await {
            Ok(Ok(true)) => drop(self.0.take()),
            Ok(Ok(false)) => tracing::debug!("a session with prepared statements of its guest is closed"),
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
    OutOfMemory(Exhausted),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<Exhausted> for Stop {
    fn from(exhausted: Exhausted) -> Self {
        Self::OutOfMemory(exhausted)
    }
}

/// The bytes of a parameter, if it is one that may have many.
fn size(param: &ParameterValue) -> usize {
    match param {
        ParameterValue::Str(text) => text.len(),
        ParameterValue::Binary(bytes) | ParameterValue::Jsonb(bytes) => bytes.len(),
        ParameterValue::ArrayStr(texts) => texts.iter().flatten().map(String::len).sum(),
        _ => 0,
    }
}

/// Bytes of a result that are not charged, and in steps of which more are: nearly all results are smaller.
const CHARGED: u64 = 64 << 10;

/// Runs a prepared statement; reads its rows into `result`, if they are wanted, as they come.
async fn stream(
    connection: &Connection,
    database: &Database,
    sql: &str,
    prepared: &Prepared,
    params: &[ParameterValue],
    mut result: Option<&mut RowSet>,
    (charge, largest): (&mut Charge, &mut usize),
) -> Result<u64, Stop> {
    let params = params.iter().enumerate().map(|(index, value)| Param { number: index + 1, value });
    let mut rows = pin!(connection.run(sql, prepared, params).await?);
    let fits = connection.fits(prepared);
    let mut other = None;
    let mut budget = database.settings.pg_max_result.as_u64();
    let mut unreadable = None;
    while let Some(row) = rows.next().await {
        let row = row?;
        *largest = (*largest).max(row.raw_size_bytes());
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
        let taken = database.settings.pg_max_result.as_u64() - rest;
        if taken > charge.bytes() + CHARGED {
            charge.set(taken).await?;
        }
        let layout = if fits { &prepared.layout } else { other.get_or_insert_with(|| Layout::of(row.columns())) };
        // The rows behind one that cannot be read are still on their way, and the next statement's behind those.
        if unreadable.is_none() {
            match read(&row, layout) {
                Ok(values) => result.rows.push(values),
                Err(error) => unreadable = Some(error),
            }
        }
    }
    let layout = other.as_ref().unwrap_or(&prepared.layout);
    if let Some((index, why)) = unreadable {
        let message = format!("a value in column {:?} {}", layout.columns[index].name, why.explain());
        return Err(Stop::Here(Failure::Answer(Error::ValueConversionFailed(message))));
    }
    if let Some(result) = result {
        result.columns.clone_from(&layout.columns);
    }
    Ok(rows.rows_affected().unwrap_or(0))
}

/// A row's values, or the index of the column that cannot be read and why.
fn read(row: &tokio_postgres::Row, layout: &Layout) -> Result<Row, (usize, Unreadable)> {
    let mut values = Vec::with_capacity(layout.decoders.len());
    for (index, decode) in layout.decoders.iter().enumerate() {
        values.push(match row.try_get(index).map_err(|_| (index, Unreadable::Malformed))? {
            None => DbValue::DbNull,
            Some(Raw(raw)) => decode(raw).map_err(|unreadable| (index, unreadable))?,
        });
    }
    Ok(values)
}

/// Whether the statement would have the server wait for data from the guest, or send it some, outside of any result,
/// which the interface has no way for.
fn is_client_copy(sql: &str) -> bool {
    let sql = sql.trim_start();
    sql.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case("copy")) && {
        let sql = sql.to_ascii_lowercase();
        sql.contains("stdin") || sql.contains("stdout")
    }
}
