//! `wiki-runner migrate DIR`: applies numbered SQL files to the application's database, ahead of a rollout.

mod grant;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use connection_string::Parameters;
use schema::Migration;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::config::environment::Environment;
use crate::config::manifest::Manifest;
use crate::config::{settings, variables};
use crate::database_choice::Database;
use crate::host::postgres::connect;

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// Options of `wiki-runner migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Folder of numbered SQL files, such as 0001_users.sql.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// The application's manifest, which says which variables name its database.
    #[arg(short = 'f', long = "from", env = "RUNNER_MANIFEST", value_name = "FILE", default_value = "spin.toml")]
    pub manifest: PathBuf,

    #[command(flatten)]
    granting: settings::Granting,

    #[command(flatten)]
    waiting: settings::Waiting,

    #[command(flatten)]
    postgres: settings::Postgres,

    #[command(flatten)]
    embedded: settings::Embedded,
}

/// Applies the files that the database's ledger does not have, in order, each in a transaction of its own, and prints
/// one line for each.
///
/// Stops at the first file that fails, naming it and saying why; those before it stay applied. A file that was applied
/// and has changed since fails too. If a role is named, it then gets the rights that the application needs.
pub async fn run(args: &Migrate) -> anyhow::Result<()> {
    let files = read(&args.folder)?;
    let migrations = numbered(&files).with_context(|| args.folder.display().to_string())?;
    let manifest = Manifest::load(&args.manifest)?;
    ensure!(
        manifest.variables.contains_key("db_host"),
        "{}: [variables] does not declare db_host: the application has no database to migrate",
        args.manifest.display()
    );
    let env = Environment::of_process();
    let database = Database::start(&manifest, &env, &args.embedded).await?;
    let address = address(&variables::resolve(&manifest, &env, database.embedded_url())?)?;
    let role = grant::Role::of(&args.granting)?;
    let client = connect_within(args.waiting.wait, &address, &args.postgres).await?;
    if apply(&client, &migrations).await? == 0 {
        println!("up to date");
    }
    if let Some(role) = role {
        let granted = role.grant(&client, &manifest.append_only).await;
        granted.map_err(|error| anyhow!("--grant-to {}: {}", role.name(), reason(&error)))?;
        println!("granted to {}", role.name());
    }
    Ok(())
}

/// Connects, and tries again for as long as `wait`: the server may be starting, or the network not let a new container through
/// yet. Fails with the last reason.
async fn connect_within(wait: Duration, address: &str, postgres: &settings::Postgres) -> anyhow::Result<Client> {
    let end = Instant::now() + wait;
    let mut known = String::new();
    loop {
        match connect(address, postgres).await {
            Err(error) if Instant::now() < end => {
                let reason = format!("{error:#}");
                if reason != known {
                    tracing::warn!(%reason, "waiting for the database");
                    known = reason;
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) if !wait.is_zero() => {
                return Err(error.context(format!("gave up after {}", humantime::format_duration(wait))));
            }
            connected => return connected,
        }
    }
}

/// Applies `migrations` and returns how many were new.
async fn apply(client: &Client, migrations: &[Migration<'_>]) -> anyhow::Result<usize> {
    let applied = applied(client).await?;
    let mut new = 0;
    for migration in migrations {
        let statement = schema::statement(std::slice::from_ref(migration));
        client.batch_execute(&statement).await.map_err(|error| anyhow!("{}: {}", migration.name(), reason(&error)))?;
        if !applied.contains(&migration.version()) {
            println!("applied {}", migration.name());
            new += 1;
        }
    }
    Ok(new)
}

/// The versions the ledger has. A database that was never migrated has no ledger.
async fn applied(client: &Client) -> anyhow::Result<HashSet<i64>> {
    match client.query(schema::APPLIED, &[]).await {
        Ok(rows) => Ok(rows.iter().map(|row| row.get("version")).collect()),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(HashSet::new()),
        Err(error) => bail!("cannot read the ledger schema_migrations: {}", reason(&error)),
    }
}

/// PostgreSQL's message with its code, place and hint, or else why the connection failed.
fn reason(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else { return format!("{:#}", anyhow!(error.to_string())) };
    let mut text = format!("{} ({})", db.message(), db.code().code());
    for part in [db.detail(), db.hint()].into_iter().flatten() {
        let _ = write!(text, ": {part}");
    }
    text.replace('\n', " ")
}

/// The files in `folder` that end in `.sql`: name and text.
fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let cannot_read = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.with_context(|| format!("{}: the name is not UTF-8", path.display()))?;
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    ensure!(!files.is_empty(), "{} holds no .sql file", folder.display());
    Ok(files)
}

/// The files as migrations, lowest version first. Fails when two have the same version.
fn numbered(files: &BTreeMap<String, String>) -> anyhow::Result<Vec<Migration<'_>>> {
    let mut migrations = files.iter().map(|(name, sql)| Migration::new(name, sql)).collect::<Result<Vec<_>, _>>()?;
    migrations.sort_by_key(Migration::version);
    if let Some([a, b]) = migrations.array_windows().find(|[a, b]| a.version() == b.version()) {
        bail!("{} and {} have the same version: renumber one", a.name(), b.name());
    }
    Ok(migrations)
}

/// The connection string that the variables describe, as libpq's `key='value'` pairs.
fn address(values: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let value = |name: &str| anyhow::Ok(values.get(name).cloned().unwrap_or_default());
    Ok(format!("{} {}", Parameters::from_variables(value)?, value("db_options")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> BTreeMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), format!("-- {name}"))).collect()
    }

    #[test]
    fn files_go_by_their_number() {
        let files = files(&["10_c.sql", "2_b.sql", "0001_a.sql"]);
        let names: Vec<_> = numbered(&files).unwrap().iter().map(Migration::name).collect();
        assert_eq!(names, ["0001_a.sql", "2_b.sql", "10_c.sql"]);
    }

    #[test]
    fn a_number_used_twice_is_refused() {
        let error = numbered(&files(&["01_a.sql", "1_b.sql"])).unwrap_err().to_string();
        assert_eq!(error, "01_a.sql and 1_b.sql have the same version: renumber one");
    }

    #[test]
    fn a_file_without_a_number_is_refused() {
        assert!(numbered(&files(&["users.sql"])).unwrap_err().to_string().contains("\"users.sql\""));
    }

    #[test]
    fn only_sql_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("README.md"), "x").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("holds no .sql file"), "{error}");
        std::fs::write(folder.path().join("1_a.sql"), "SELECT 1").unwrap();
        assert_eq!(read(folder.path()).unwrap()["1_a.sql"], "SELECT 1");
        assert!(read(&folder.path().join("none")).unwrap_err().to_string().starts_with("cannot read "));
    }

    #[test]
    fn the_address_survives_any_value() {
        let values = [
            ("db_host", "h"),
            ("db_port", "1"),
            ("db_user", ""),
            ("db_password", r"a 'b' \c @/%"),
            ("db_options", "sslmode='disable'"),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config: tokio_postgres::Config = address(&values).unwrap().parse().unwrap();
        assert_eq!(config.get_password(), Some(br"a 'b' \c @/%".as_slice()));
        assert_eq!(config.get_user(), None);
        assert_eq!(config.get_ports(), [1]);
        assert_eq!(config.get_ssl_mode(), tokio_postgres::config::SslMode::Disable);
    }
}
