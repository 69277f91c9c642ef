//! What went wrong, in the form a guest gets it.

use std::error::Error as _;
use std::fmt::Write as _;

use deadpool::managed::{PoolError, TimeoutType};
use tokio_postgres::error::{DbError as ServerError, ErrorPosition, Severity, SqlState};

use super::bindings::v4::{DbError, Error, QueryError};
use super::values::params::Refused;
use crate::config::settings;

/// Why no connection was to be had.
pub fn not_connected(
    error: &PoolError<tokio_postgres::Error>,
    endpoints: &str,
    settings: &settings::Postgres,
) -> Error {
    Error::ConnectionFailed(match error {
        PoolError::Timeout(TimeoutType::Wait) => format!(
            "all {} connections to {endpoints} were in use for {} (RUNNER_PG_POOL_SIZE, RUNNER_PG_WAIT_TIMEOUT)",
            settings.pg_pool_size,
            humantime::format_duration(settings.pg_wait_timeout),
        ),
        PoolError::Timeout(_) => format!(
            "{endpoints} did not take a connection within {} (RUNNER_PG_CONNECT_TIMEOUT)",
            humantime::format_duration(settings.pg_connect_timeout),
        ),
        PoolError::Backend(error) => format!("cannot connect to {endpoints}: {}", chain(error)),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            format!("cannot connect to {endpoints}: {error}")
        }
    })
}

/// That the request has waited for the database for as long as it may.
pub fn out_of_time(settings: &settings::Postgres) -> String {
    let limit = humantime::format_duration(settings.pg_timeout);
    format!("this request has waited for the database for {limit} in all (RUNNER_PG_TIMEOUT)")
}

/// Why a statement failed, told by the server, by a parameter or by the loss of the connection.
pub fn failed(error: &tokio_postgres::Error, endpoints: &str) -> Error {
    if let Some(server) = error.as_db_error() {
        return Error::QueryFailed(QueryError::DbError(structured(error, server)));
    }
    match refused_parameter(error) {
        Some(refused) => Error::BadParameter(refused.to_string()),
        None => Error::ConnectionFailed(format!("the connection to {endpoints} was lost: {}", chain(error))),
    }
}

/// A statement failed in a way the server has no structure for.
pub fn query_failed(text: impl Into<String>) -> Error {
    Error::QueryFailed(QueryError::Text(text.into()))
}

/// Whether the session is gone with this error: anything but the server's ordinary errors and refused parameters.
pub fn ends_session(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        Some(server) => matches!(server.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        None => refused_parameter(error).is_none(),
    }
}

/// Whether a prepared statement no longer fits the database or is gone, which preparing it anew mends. The server finds
/// out before it runs anything. The routine tells this from other uses of the code, whatever the server's language.
pub fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|server| match server.code().code() {
        // "cached plan must not change result type"
        "0A000" => server.routine() == Some("RevalidateCachedQuery"),
        // "prepared statement does not exist"
        "26000" => true,
        _ => false,
    })
}

/// Whether a statement may have failed because the types of its parameters, found when it was prepared, are not those that
/// the tables have now: an operator or cast that does not exist, a type that is gone. Nothing of it is done then.
pub fn may_be_stale(error: &tokio_postgres::Error) -> bool {
    // Class 42: “Syntax Error or Access Rule Violation”. XX000: “cache lookup failed for type”.
    error
        .as_db_error()
        .is_some_and(|server| server.code().code().starts_with("42") || *server.code() == SqlState::INTERNAL_ERROR)
}

/// Whether the statement was refused because one before it failed in the same transaction.
pub fn is_in_failed_transaction(error: &Error) -> bool {
    matches!(error, Error::QueryFailed(QueryError::DbError(error)) if error.code == SqlState::IN_FAILED_SQL_TRANSACTION.code())
}

fn refused_parameter(error: &tokio_postgres::Error) -> Option<&Refused> {
    error.source().and_then(|source| source.downcast_ref())
}

/// The driver's error and its causes. Neither ever has the password; the server's own messages name the user at most.
pub fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing into memory that grows does not fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

fn structured(error: &tokio_postgres::Error, server: &ServerError) -> DbError {
    DbError {
        // The same form as in Spin: older code searches it for codes and constraints.
        as_text: format!("{error:?}"),
        severity: server.severity().to_owned(),
        code: server.code().code().to_owned(),
        message: server.message().to_owned(),
        detail: server.detail().map(str::to_owned),
        extras: extras(server),
    }
}

/// Everything else the server said. The names are those Spin uses, `where_` included; positions are ours.
fn extras(server: &ServerError) -> Vec<(String, String)> {
    let (position, internal) = match server.position() {
        Some(ErrorPosition::Original(position)) => (Some(position), None),
        Some(ErrorPosition::Internal { position, query }) => (None, Some((position, query))),
        None => (None, None),
    };
    [
        ("column", server.column().map(str::to_owned)),
        ("constraint", server.constraint().map(str::to_owned)),
        ("routine", server.routine().map(str::to_owned)),
        ("hint", server.hint().map(str::to_owned)),
        ("table", server.table().map(str::to_owned)),
        ("datatype", server.datatype().map(str::to_owned)),
        ("schema", server.schema().map(str::to_owned)),
        ("file", server.file().map(str::to_owned)),
        ("line", server.line().map(|line| line.to_string())),
        ("where_", server.where_().map(str::to_owned)),
        ("position", position.map(u32::to_string)),
        ("internal_position", internal.map(|(position, _)| position.to_string())),
        ("internal_query", internal.map(|(_, query)| query.clone())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}
