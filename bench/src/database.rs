//! The PostgreSQL server, and the databases on it.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A server, by the address of a database on it.
#[derive(Debug, Clone)]
pub struct Server(Url);

/// A database on a server, by its address. Not for showing: there is a password in it.
#[derive(Debug, Clone)]
pub struct Database(Url);

impl Server {
    /// The server of a `postgres://` address, where databases can be made.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let url: Url = url.parse().context("--database is not a URL, as in postgres://user:password@host/database")?;
        anyhow::ensure!(
            matches!(url.scheme(), "postgres" | "postgresql") && url.host_str().is_some(),
            "--database must be a URL, as in postgres://user:password@host/database"
        );
        Ok(Self(url))
    }

    /// The database that the server was named by.
    pub fn any(&self) -> Database {
        Database(self.0.clone())
    }

    /// A database by name: letters, digits and underscores.
    pub fn database(&self, name: &str) -> Database {
        let mut url = self.0.clone();
        url.set_path(name);
        Database(url)
    }

    /// The server's version, as in `15.14`.
    pub async fn version(&self) -> anyhow::Result<String> {
        let version = self.any().connect().await?.column("SHOW server_version").await?;
        Ok(version.first().and_then(|text| text.split(' ').next()).unwrap_or_default().to_owned())
    }

    /// Makes database `name`, as a copy of `template` if there is one. One of that name that nobody uses makes way.
    pub async fn create(&self, name: &str, template: Option<&str>) -> anyhow::Result<Database> {
        let session = self.any().connect().await?;
        session.run(&format!("DROP DATABASE IF EXISTS {name}")).await?;
        let template = match template {
            Some(template) => format!(" TEMPLATE {template}{}", strategy(&session, template).await?),
            None => String::new(),
        };
        session.run(&format!("CREATE DATABASE {name}{template}")).await?;
        Ok(self.database(name))
    }

    /// Removes database `name`, whoever is connected to it.
    pub async fn remove(&self, name: &str) -> anyhow::Result<()> {
        self.any().connect().await?.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    }
}

impl Database {
    /// Its address, password included.
    pub fn url(&self) -> &str {
        self.0.as_str()
    }

    /// Where it is, in the variables `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER` and `DB_PASSWORD`, behind a prefix and in
    /// that order.
    pub fn variables(&self) -> [(&'static str, String); 5] {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        [
            ("DB_HOST", self.0.host_str().unwrap_or_default().to_owned()),
            ("DB_PORT", self.0.port().unwrap_or(5432).to_string()),
            ("DB_NAME", decoded(self.0.path().trim_start_matches('/'))),
            ("DB_USER", decoded(self.0.username())),
            ("DB_PASSWORD", decoded(self.0.password().unwrap_or_default())),
        ]
    }

    /// Lets a program of PostgreSQL's, such as pgbench, connect to it.
    pub fn configure(&self, command: &mut Command) {
        let names = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"];
        command.envs(names.into_iter().zip(self.variables().map(|(_, value)| value)));
    }

    /// A session.
    pub async fn connect(&self) -> anyhow::Result<Session> {
        let (client, connection) =
            tokio_postgres::connect(self.url(), NoTls).await.context("cannot connect to the database")?;
        tokio::spawn(async move {
            // Whoever waits for an answer learns that the connection broke.
            _ = connection.await;
        });
        Ok(Session(client))
    }
}

/// How to copy a database. PostgreSQL 15 and newer would write each of its pages to the log, unless told otherwise.
async fn strategy(session: &Session, template: &str) -> anyhow::Result<&'static str> {
    let sql = format!(
        "SELECT 1 WHERE current_setting('server_version_num')::int >= 150000 AND pg_database_size('{template}') > 1 << 30"
    );
    Ok(if session.column(&sql).await?.is_empty() { "" } else { " STRATEGY FILE_COPY" })
}

/// A connection to a database.
pub struct Session(pub Client);

impl Session {
    /// Runs statements that return nothing of interest.
    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        self.0.batch_execute(sql).await.with_context(|| format!("the database refused: {}", shortened(sql)))
    }

    /// The first column of what `sql` returns, as text.
    pub async fn column(&self, sql: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.0.simple_query(sql).await;
        let rows = answer.with_context(|| format!("the database refused: {}", shortened(sql)))?;
        let first = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(rows.iter().filter_map(first).collect())
    }
}

fn shortened(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(120).collect()
}

/// The statement that brings a database to the schema in `folder`, and what its files say.
pub fn migrations(folder: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, text));
    }
    files.sort();
    let migrations: Result<Vec<_>, _> = files.iter().map(|(name, sql)| schema::Migration::new(name, sql)).collect();
    Ok(schema::statement(&migrations?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let server = Server::parse("postgres://me:a%20b@db.example:81/postgres").unwrap();
        let database = server.database("wiki");
        assert_eq!(database.url(), "postgres://me:a%20b@db.example:81/wiki");
        let values = database.variables().map(|(_, value)| value);
        assert_eq!(values, ["db.example", "81", "wiki", "me", "a b"].map(str::to_owned));
        assert_eq!(Server::parse("postgres://me@db/x").unwrap().any().variables()[1].1, "5432");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "db.example", "http://db.example/", "postgres:///x"] {
            assert!(Server::parse(url).is_err(), "{url}");
        }
    }
}
