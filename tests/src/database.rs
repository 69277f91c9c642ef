//! A database of a test's own on a PostgreSQL server, gone when the test is over.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use local_postgres::server::Data;
use local_postgres::{Cluster, Installation, Server};
use reqwest::Url;
use tokio_postgres::NoTls;

/// A database, empty at first, that is dropped with this.
pub struct Database {
    name: String,
    server: Url,
    /// Roles to drop after it.
    pub(crate) roles: Vec<String>,
}

impl Database {
    /// A fresh one, with nothing in it.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses.
    pub async fn create() -> Self {
        Self::create_named("").await
    }

    /// A fresh one whose name ends in `suffix`, for names that are hard to write into an address.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses.
    pub async fn create_named(suffix: &str) -> Self {
        Self::create_on(server().clone(), suffix).await
    }

    /// A fresh one on this server, whose name ends in `suffix`.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses.
    pub async fn create_on(server: Url, suffix: &str) -> Self {
        let name = format!("{}{suffix}", unique("wasiki_test"));
        execute(&server, &format!("CREATE DATABASE {}", quoted(&name))).await;
        Self { name, server, roles: Vec::new() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&percent_encoded(&self.name));
        url
    }

    /// A session of the test's own.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub async fn client(&self) -> tokio_postgres::Client {
        connect(&self.url()).await
    }

    /// The first column of what `sql` returns, as text.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses the statement.
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

impl Drop for Database {
    fn drop(&mut self) {
        // FORCE: a service that was killed may not have been noticed yet.
        let mut statements = vec![format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&self.name))];
        statements.extend(self.roles.iter().map(|role| format!("DROP ROLE IF EXISTS {}", quoted(role))));
        let server = self.server.clone();
        // A thread: this may be dropped inside the test's own runtime, which must not be blocked on.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be started").block_on(async {
                for sql in statements {
                    execute(&server, &sql).await;
                }
            });
        });
        if dropping.join().is_err() {
            eprintln!("the database {} is left behind", self.name);
        }
    }
}

/// The server that `WASIKI_TEST_DATABASE` names, with a database to connect to for creating others; if it is unset, one that
/// is started for this process, and ends with it.
fn server() -> &'static Url {
    static SERVER: OnceLock<Url> = OnceLock::new();
    SERVER.get_or_init(|| {
        let value = std::env::var("WASIKI_TEST_DATABASE").unwrap_or_default();
        let value = if value.is_empty() { own_server() } else { value };
        let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
        url.expect("WASIKI_TEST_DATABASE must be postgres://user:password@host:port/database")
    })
}

fn own_server() -> String {
    let installation = Installation::find().expect("PostgreSQL is installed, or WASIKI_TEST_DATABASE names a server");
    let folder = std::env::temp_dir().join(unique("wasiki-test-postgres"));
    let cluster = Cluster::open(Path::new(&folder)).expect("a temporary folder can be made");
    cluster.init(&installation, false).expect("a cluster can be made");
    let settings = ["fsync=off", "max_connections=1000"].map(str::to_owned).into();
    let server = Server::start(cluster, installation, settings, Data::Gone).expect("PostgreSQL starts");
    let url = server.address().url();
    // It ends with this process.
    std::mem::forget(server);
    url
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
