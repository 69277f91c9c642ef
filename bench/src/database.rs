//! Databases by their addresses.

use std::process::Command;

use anyhow::{Context, ensure};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use tokio_postgres::{Client, NoTls};

/// A database by its address. Not to be shown: the address contains a password.
#[derive(Clone)]
pub struct Database(Url);

impl Database {
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let wanted = "--database must be a URL, as in postgres://user:password@host/database";
        let url: Url = url.parse().context(wanted)?;
        ensure!(matches!(url.scheme(), "postgres" | "postgresql") && url.host_str().is_some(), wanted);
        Ok(Self(url))
    }

    /// Another database on the same server. Its name is of letters, digits and underscores.
    pub fn sibling(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(name);
        Self(url)
    }

    /// Its address, password included.
    pub fn url(&self) -> &str {
        self.0.as_str()
    }

    /// Sets variables of these names to its host, port, name, user and password.
    pub fn configure(&self, command: &mut Command, names: [&str; 5]) {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let values = [
            self.0.host_str().unwrap_or_default().to_owned(),
            self.0.port().unwrap_or(5432).to_string(),
            decoded(self.0.path().trim_start_matches('/')),
            decoded(self.0.username()),
            decoded(self.0.password().unwrap_or_default()),
        ];
        command.envs(names.into_iter().zip(values));
    }

    pub async fn connect(&self) -> anyhow::Result<Client> {
        let (client, connection) =
            tokio_postgres::connect(self.url(), NoTls).await.context("cannot connect to the database")?;
        // The client gets the error of a broken connection.
        tokio::spawn(async move { _ = connection.await });
        Ok(client)
    }

    /// Runs statements in a session of their own.
    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let start: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect();
        self.connect().await?.batch_execute(sql).await.with_context(|| format!("the database refused: {start}"))
    }

    /// The first column, which must be text, of what a statement returns.
    pub async fn column(&self, sql: &str) -> anyhow::Result<Vec<String>> {
        let rows = self.connect().await?.query(sql, &[]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let database = Database::parse("postgres://me:a%20b@db.example/postgres").unwrap().sibling("wiki");
        assert_eq!(database.url(), "postgres://me:a%20b@db.example/wiki");
        let mut command = Command::new("true");
        database.configure(&mut command, ["A", "B", "C", "D", "E"]);
        let values: Vec<_> = command.get_envs().filter_map(|(_, value)| value?.to_str()).collect();
        assert_eq!(values, ["db.example", "5432", "wiki", "me", "a b"]);
        for url in ["", "db.example", "http://db.example/", "postgres:///x"] {
            assert!(Database::parse(url).is_err(), "{url}");
        }
    }
}
