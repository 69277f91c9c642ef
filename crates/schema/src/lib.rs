//! The one SQL statement that brings a PostgreSQL schema up to date.
//!
//! A component that may not keep a transaction open and a command-line tool that runs ahead of a rollout must agree on
//! what has been applied. Both send [`statement`]: it takes an advisory lock, so any number of senders may race, reads
//! the ledger `schema_migrations`, applies what is missing in order and records it, all in one transaction that
//! PostgreSQL itself rolls back if anything fails or the sender dies.
//!
//! A migration runs inside that transaction, so it cannot hold what PostgreSQL refuses there, such as
//! `CREATE INDEX CONCURRENTLY`.
//!
//! A second statement, [`grant`], lets the application run as a role that can do no more than it needs.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod grants;

use std::fmt;

pub use grants::{Grants, grant};

/// The table that records which migrations were applied.
const LEDGER: &str = "schema_migrations";

/// The highest version the ledger records, as one `bigint`.
///
/// The ledger is missing on a database never migrated: PostgreSQL then answers `undefined_table`.
pub const CURRENT_VERSION: &str = "SELECT coalesce(max(version), 0) FROM schema_migrations";

/// What the ledger records, oldest first: `version bigint, name text`.
pub const APPLIED: &str = "SELECT version, name FROM schema_migrations ORDER BY version";

/// The key of the advisory lock, the ASCII codes of "migrate": any constant will do as long as all senders share it.
const LOCK_KEY: i64 = 0x006d_6967_7261_7465;

/// One numbered SQL file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration<'a> {
    version: i64,
    name: &'a str,
    sql: &'a str,
}

/// Why a file is not a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName(String);

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a migration's file name: it must be a number from 1, an underscore, a name and .sql, as in 0001_users.sql",
            self.0
        )
    }
}

impl std::error::Error for InvalidName {}

impl<'a> Migration<'a> {
    /// A migration from its file's name (`0001_users.sql`) and text. Fails if the name has no version.
    pub fn new(name: &'a str, sql: &'a str) -> Result<Self, InvalidName> {
        let version = name
            .strip_suffix(".sql")
            .and_then(|stem| stem.split_once('_'))
            .filter(|(digits, rest)| !rest.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|(digits, _)| digits.parse().ok())
            .filter(|version| *version > 0);
        match version {
            Some(version) => Ok(Self { version, name, sql }),
            None => Err(InvalidName(name.to_owned())),
        }
    }

    /// The number the file's name begins with, from 1.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The file's name.
    pub fn name(&self) -> &'a str {
        self.name
    }
}

/// The statement that applies those of `migrations` the ledger does not have, lowest version first.
///
/// It takes no parameters, returns no rows, and does nothing when all are applied. PostgreSQL refuses it, and changes
/// nothing, when a migration fails or when the text of one that was applied has changed since. Versions the ledger has
/// and `migrations` has not are left alone: an older program may run beside a newer one during a rollout.
pub fn statement(migrations: &[Migration<'_>]) -> String {
    let rows: Vec<String> =
        migrations.iter().map(|m| format!("({}::bigint, {}, {})", m.version, quote(m.name), quote(m.sql))).collect();
    let body = format!(
        "DECLARE
  m record;
  applied text;
BEGIN
  PERFORM pg_advisory_xact_lock({LOCK_KEY});
  IF to_regclass('schema_migrations') IS NULL THEN
    CREATE TABLE schema_migrations (
      version bigint PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_time timestamptz NOT NULL DEFAULT now()
    );
  END IF;
  FOR m IN SELECT * FROM (VALUES {}) AS given(version, name, sql) ORDER BY version LOOP
    SELECT checksum INTO applied FROM schema_migrations WHERE version = m.version;
    IF NOT FOUND THEN
      EXECUTE m.sql;
      INSERT INTO schema_migrations (version, name, checksum) VALUES (m.version, m.name, md5(m.sql));
    ELSIF applied <> md5(m.sql) THEN
      RAISE EXCEPTION 'migration % was changed after it was applied', m.name
        USING HINT = 'Restore the file and put the change into a new migration.';
    END IF;
  END LOOP;
END",
        rows.join(", ")
    );
    format!("DO {}", quote(&body))
}

/// `text` as a dollar-quoted string, under the first tag that does not occur in it.
fn quote(text: &str) -> String {
    let tag = (0..).map(|n| format!("$m{n}$")).find(|tag| !text.contains(tag.as_str())).unwrap_or_default();
    format!("{tag}{text}{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_version() {
        let m = Migration::new("0042_tags.sql", "").unwrap();
        assert_eq!((m.version(), m.name()), (42, "0042_tags.sql"));
    }

    #[test]
    fn names_without_a_version_are_refused() {
        for name in [
            "users.sql",
            "0001.sql",
            "0001_.sql",
            "0000_a.sql",
            "1_a.txt",
            "-1_a.sql",
            "_a.sql",
            "99999999999999999999_a.sql",
        ] {
            assert_eq!(Migration::new(name, ""), Err(InvalidName(name.into())));
        }
    }

    #[test]
    fn quoting_avoids_tags_in_the_text() {
        assert_eq!(quote("a"), "$m0$a$m0$");
        assert_eq!(quote("$m0$ $m1$"), "$m2$$m0$ $m1$$m2$");
    }

    #[test]
    fn a_statement_nests_its_quotes() {
        let sql = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;";
        let statement = statement(&[Migration::new("0001_f.sql", sql).unwrap()]);
        assert!(statement.starts_with("DO $m1$"));
        assert!(statement.contains(&format!("$m0${sql}$m0$")));
        assert!(statement.ends_with("$m1$"));
    }
}
