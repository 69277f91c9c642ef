//! Why a statement failed, read from what the host says of it.
//!
//! wiki-runner passes on what PostgreSQL answers, field by field. Spin does so too while it prepares a statement; of an error
//! while the statement runs it passes on a text: versions 3.6.2 to 3.6.4 `db error: ERROR: <message>`, with details in
//! further lines, and 4.0 the fields in Rust's debug format. Of these texts, and of the fields, only severity, message and
//! code are used: the others hold values of rows, and whole statements.

use connection_string::Parameters;
use spin_sdk::pg4::{DbError, PgError, QueryError};

/// Why a statement failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// A unique index of this name already holds the value.
    Duplicate(String),
    /// The database is away or overloaded. The cause is for the log.
    Unavailable(String),
    /// The user that the wiki connects as lacks a right. The cause is for the log.
    Denied(String),
    /// The statement, or what it returned, was not what this program expects. The cause is for the log.
    Internal(String),
}

impl Error {
    /// With the server's name and port, which Spin does not tell, in the cause of an outage. `address` is the connection string.
    pub fn of_server(self, address: &str) -> Self {
        let Self::Unavailable(cause) = self else { return self };
        let parameters = Parameters::from_pairs(address).unwrap_or_default();
        let value = |wanted| parameters.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
        let server = format!("{}:{}", value("host"), value("port"));
        Self::Unavailable(if cause.contains(&server) { cause } else { format!("{server}: {cause}") })
    }

    /// Whether only this statement failed, and others may not: it met what the server was doing (a replica cancels statements that
    /// need rows which the primary has removed), took too long, or would have changed something where nothing may be.
    pub fn is_of_one_statement(&self) -> bool {
        // serialization_failure, deadlock_detected, query_canceled, read_only_sql_transaction
        const CODES: [&str; 4] = ["(40001)", "(40P01)", "(57014)", "(25006)"];
        const WORDS: [&str; 2] = ["ERROR: canceling statement", "ERROR: cannot execute"];
        let Self::Unavailable(cause) = self else { return false };
        CODES.iter().any(|code| cause.ends_with(code)) || WORDS.iter().any(|words| cause.starts_with(words))
    }
}

/// Whether an error says that the schema is older than the statement: undefined_table, undefined_column,
/// undefined_function, undefined_object, invalid_schema_name (PostgreSQL manual, appendix A).
///
/// PostgreSQL finds that while it prepares the statement. So no host says it in a text.
pub fn is_outdated_schema(error: &PgError) -> bool {
    let PgError::QueryFailed(QueryError::DbError(error)) = error else { return false };
    matches!(&*error.code, "42P01" | "42703" | "42883" | "42704" | "3F000")
}

impl From<PgError> for Error {
    fn from(error: PgError) -> Self {
        match error {
            // Spin knows three of libpq's modes.
            PgError::ConnectionFailed(cause) if cause.contains("option `sslmode`") => Self::Internal(format!(
                "variable db_options: this host knows no such sslmode; on Spin it is disable, prefer or require, and require \
                 verifies the server's certificate and name ({cause})"
            )),
            PgError::ConnectionFailed(cause) => Self::Unavailable(cause),
            PgError::QueryFailed(QueryError::DbError(DbError { severity, code, message, .. })) => {
                from_code(&severity, &code, &message)
            }
            PgError::QueryFailed(QueryError::Text(text)) => from_text(&text),
            PgError::BadParameter(cause) | PgError::ValueConversionFailed(cause) | PgError::Other(cause) => {
                Self::Internal(cause)
            }
        }
    }
}

/// SQLSTATE classes and codes are those of the PostgreSQL manual, appendix A.
fn from_code(severity: &str, code: &str, message: &str) -> Error {
    let cause = format!("{severity}: {message} ({code})");
    match code {
        // unique_violation
        "23505" => Error::Duplicate(index(message).unwrap_or_default().to_owned()),
        // connection exceptions; insufficient resources; operator intervention (shutting down, starting up, a statement
        // cancelled by its time limit); a standby that takes no writes; lost races that another try may win
        code if ["08", "53", "57", "40"].contains(&code.get(..2).unwrap_or_default()) || code == "25006" => {
            Error::Unavailable(cause)
        }
        // insufficient_privilege
        "42501" => Error::Denied(cause),
        _ => Error::Internal(cause),
    }
}

fn from_text(text: &str) -> Error {
    // In the debug format, quotation marks within a value have a backslash before them. So these are the names of fields.
    let field = |name: &str| {
        let value = text.split_once(&format!("{name}: \""))?.1;
        let mut escaped = false;
        let end = value.find(|char| {
            let ends = char == '"' && !escaped;
            escaped = char == '\\' && !escaped;
            ends
        })?;
        Some(value[..end].replace("\\\"", "\""))
    };
    if let (Some(severity), Some(code), Some(message)) = (field(" severity"), field(" code"), field(" message")) {
        return from_code(&severity, &code, &message);
    }
    let line = text.lines().next().unwrap_or_default();
    match line.strip_prefix("db error: ").and_then(|line| line.split_once(": ")) {
        Some((severity, message)) => from_message(severity, message),
        // No answer of the database: the connection broke while waiting for one.
        None => Error::Unavailable(line.to_owned()),
    }
}

/// Without its code, an error is known by its words, which are English unless the server was told otherwise.
fn from_message(severity: &str, message: &str) -> Error {
    const PASSING: [&str; 7] = [
        "canceling statement",
        "could not serialize access",
        "deadlock detected",
        "terminating connection",
        "the database system is",
        "cannot execute", // "… in a read-only transaction"
        "out of",         // memory, shared memory
    ];
    if let Some(index) = index(message) {
        return Error::Duplicate(index.to_owned());
    }
    let cause = format!("{severity}: {message}");
    if ["permission denied", "must be owner of"].iter().any(|words| message.starts_with(words)) {
        return Error::Denied(cause);
    }
    let is_passing = severity == "FATAL" || PASSING.iter().any(|words| message.starts_with(words));
    if is_passing { Error::Unavailable(cause) } else { Error::Internal(cause) }
}

/// The unique index that a message names, in the quotation marks of its language. Their names end in `_key`.
fn index(message: &str) -> Option<&str> {
    message.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').find(|word| word.ends_with("_key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> PgError {
        PgError::QueryFailed(QueryError::DbError(DbError {
            as_text: format!("ERROR: {message}"),
            severity: "ERROR".into(),
            code: code.into(),
            message: message.into(),
            detail: Some("Key (lower(username))=(ada) already exists.".into()),
            extras: vec![("constraint".into(), "users_username_key".into())],
        }))
    }

    fn text(text: &str) -> Error {
        PgError::QueryFailed(QueryError::Text(text.to_owned())).into()
    }

    /// As Spin 4.0.2 writes it.
    fn debug_format(code: &str, message: &str) -> String {
        format!(
            r#"Error::QueryFailed(QueryError::DbError(DbError {{as-text: "Error {{ kind: Db, cause: Some(DbError {{ code: SqlState(E{code}), message: \"…\" }}) }}", severity: "ERROR", code: "{code}", message: {message:?}, detail: Some("Key (lower(username))=(code: \"57P01\", ada) already exists."), extras: [("constraint", "x")]}}))"#
        )
    }

    const DUPLICATE: &str = r#"duplicate key value violates unique constraint "users_username_key""#;

    #[test]
    fn a_duplicate_names_its_index_on_every_host() {
        let duplicate = Error::Duplicate("users_username_key".to_owned());
        assert_eq!(Error::from(error("23505", DUPLICATE)), duplicate);
        let lines = format!(
            "db error: ERROR: {DUPLICATE}\nDETAIL: Key (lower(username))=(ada) already exists.\n\nCaused by:\n    ERROR: {DUPLICATE}"
        );
        assert_eq!(text(&lines), duplicate);
        let german = "db error: FEHLER: doppelter Schlüsselwert verletzt Unique-Constraint »users_username_key«";
        assert_eq!(text(german), duplicate);
        assert_eq!(text(&debug_format("23505", DUPLICATE)), duplicate);
    }

    #[test]
    fn an_outage_names_the_server_once() {
        let address = "host='db.example' port='5432' user='ada' password='secret' connect_timeout=5";
        let unavailable = |cause: &str| Error::Unavailable(cause.to_owned());
        assert_eq!(unavailable("refused").of_server(address), unavailable("db.example:5432: refused"));
        assert_eq!(unavailable("db.example:5432 refused").of_server(address), unavailable("db.example:5432 refused"));
        assert_eq!(Error::Internal("a bug".to_owned()).of_server(address), Error::Internal("a bug".to_owned()));
    }

    #[test]
    fn an_outage_is_told_from_a_bug() {
        let is_outage = |error: Error| matches!(error, Error::Unavailable(_));
        assert!(is_outage(PgError::ConnectionFailed("refused".into()).into()));
        assert!(is_outage(text("connection closed")));
        for code in ["57P01", "57P03", "53300", "40P01", "08006", "25006"] {
            assert!(is_outage(error(code, "").into()), "{code}");
            assert!(is_outage(text(&debug_format(code, ""))), "{code}");
        }
        for code in ["42601", "22021", "23503", ""] {
            assert!(matches!(Error::from(error(code, "")), Error::Internal(_)), "{code}");
            assert!(matches!(text(&debug_format(code, "")), Error::Internal(_)), "{code}");
        }
        for message in ["FATAL: anything", "ERROR: canceling statement due to statement timeout"] {
            assert!(is_outage(text(&format!("db error: {message}"))), "{message}");
        }
        assert!(!is_outage(text("db error: ERROR: division by zero")));
    }

    #[test]
    fn a_statement_that_failed_is_told_from_a_server_that_is_away() {
        let recovery = "canceling statement due to conflict with recovery";
        let read_only = "cannot execute UPDATE in a read-only transaction";
        for (code, message) in [("40001", recovery), ("25006", read_only)] {
            for error in [
                error(code, message).into(),
                text(&debug_format(code, message)),
                text(&format!("db error: ERROR: {message}")),
            ] {
                assert!(error.is_of_one_statement(), "{error:?}");
            }
        }
        let shutdown = "terminating connection due to administrator command";
        for error in [
            PgError::ConnectionFailed("refused".into()).into(),
            error("57P01", shutdown).into(),
            text("connection closed"),
            error("42P01", "relation \"heartbeat\" does not exist").into(),
        ] {
            assert!(!error.is_of_one_statement(), "{error:?}");
        }
    }

    #[test]
    fn a_missing_right_is_told_from_a_bug_on_every_host() {
        let message = "permission denied for table posts";
        for error in [error("42501", message).into(), text(&format!("db error: ERROR: {message}"))] {
            assert!(matches!(&error, Error::Denied(cause) if cause.contains(message)), "{error:?}");
        }
        assert!(matches!(text(&debug_format("42501", message)), Error::Denied(_)));
        assert!(matches!(text("db error: ERROR: must be owner of table users"), Error::Denied(_)));
    }

    #[test]
    fn values_of_rows_are_not_kept() {
        let lines =
            "db error: ERROR: new row violates check constraint \"x\"\nDETAIL: Failing row contains (1, secret).";
        for error in [text(lines), text(&debug_format("23514", "new row")), error("23514", "new row").into()] {
            let Error::Internal(cause) = error else { panic!("{error:?}") };
            assert!(!cause.contains("secret") && !cause.contains("ada"), "{cause}");
        }
    }
}
