//! A database of a test's own, embedded or on a PostgreSQL server, gone when the test is over.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Url;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// An empty database.
pub enum Database {
    /// In a folder of its own; the service starts the server.
    Embedded(TempDir),
    /// On the server that `WASIKI_TEST_DATABASE` names.
    Server(Created),
}

/// A database that was created on a server, and is dropped with this.
pub struct Created {
    name: String,
    server: Url,
}

impl Database {
    /// Whether the tests run against the embedded database: `WASIKI_TEST_DATABASE` is unset or `embedded`.
    pub fn is_embedded() -> bool {
        server().is_none()
    }

    /// Whether `what` cannot be tried because the database is embedded; says so when it cannot.
    pub fn needs_server(what: &str) -> bool {
        if Self::is_embedded() {
            println!("does not apply to the embedded database: {what}");
        }
        Self::is_embedded()
    }

    /// A fresh one, with nothing in it.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses.
    pub async fn create() -> Self {
        Self::create_named("").await
    }

    /// A fresh one whose name on a server ends in `suffix`, for names that are hard to write into an address.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses.
    pub async fn create_named(suffix: &str) -> Self {
        let Some(server) = server() else {
            return Self::Embedded(TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made"));
        };
        let name = format!("{}{suffix}", unique("wasiki_test"));
        execute(&server, &format!("CREATE DATABASE {}", quoted(&name))).await;
        Self::Server(Created { name, server })
    }

    /// Its address, if it is on a server.
    pub fn url(&self) -> Option<Url> {
        match self {
            Self::Embedded(_) => None,
            Self::Server(created) => Some(created.url()),
        }
    }

    /// Its name on the server, if it is on one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Embedded(_) => None,
            Self::Server(created) => Some(&created.name),
        }
    }

    /// A session of the test's own. Only on a server: the embedded database takes one client, which is the service.
    ///
    /// # Panics
    /// When the database is embedded or cannot be reached.
    pub async fn client(&self) -> tokio_postgres::Client {
        connect(&self.url().expect("only a database on a server takes a session of the test's own")).await
    }

    /// The first column of what `sql` returns, as text. Only on a server.
    ///
    /// # Panics
    /// When the database is embedded or refuses the statement.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let rows = self.client().await.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        rows.iter()
            .filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
                _ => None,
            })
            .collect()
    }
}

impl Created {
    /// Its address.
    pub fn url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&percent_encoded(&self.name));
        url
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        // FORCE: a service that was killed may not have been noticed yet.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&self.name));
        let server = self.server.clone();
        // A thread: this may be dropped inside the test's own runtime, which must not be blocked on.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be started").block_on(execute(&server, &sql));
        });
        if dropping.join().is_err() {
            eprintln!("the database {} is left behind", self.name);
        }
    }
}

/// The server that `WASIKI_TEST_DATABASE` names, with a database to connect to for creating others.
fn server() -> Option<Url> {
    let value = std::env::var("WASIKI_TEST_DATABASE").unwrap_or_default();
    if value.is_empty() || value == "embedded" {
        return None;
    }
    let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    Some(url.expect("WASIKI_TEST_DATABASE must be `embedded` or postgres://user:password@host:port/database"))
}

/// A name no other test of this or any other run uses.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{:x}_{:x}_{count}", std::process::id(), now.as_micros())
}

/// `name` as an SQL identifier.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` for a part of an address: every byte but letters, digits, `-`, `.`, `_` and `~` as `%XX` (RFC 3986, 2.3).
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The text that a part of a URL stands for.
pub fn percent_decoded(part: &str) -> String {
    // In a form, a plus would be a space.
    let form = format!("={}", part.replace('+', "%2B"));
    form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

async fn connect(url: &Url) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls)
        .await
        .unwrap_or_else(|e| panic!("the server of WASIKI_TEST_DATABASE must be reachable: {e:?}"));
    tokio::spawn(connection);
    client
}

async fn execute(url: &Url, sql: &str) {
    connect(url).await.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}
