//! An application as a test runs it: its services and their database.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::PathBuf;

use crate::database::percent_decoded;
use crate::runner::{Recipe, Runner};
use crate::{Changed, Client, Container, Cut, Database, eventually, paths, pooler, role};

/// Database connections of one service: PostgreSQL takes 100 in all by default, and other tests want some, too.
const POOL_SIZE: &str = "4";

/// A running application. It is a [`Client`] of its first service.
pub struct App {
    runners: Vec<Runner>,
    clients: Vec<Client>,
    recipe: Recipe,
    limited: bool,
    ready: &'static str,
    // After the services: they must be gone before it is dropped.
    database: Option<Database>,
    // Read again with each start.
    _manifest: Option<Changed>,
}

/// How to start an application.
#[must_use = "an application runs once it is started"]
pub struct Builder {
    recipe: Recipe,
    database: Option<Database>,
    // Whether the environment names a database already.
    configured: bool,
    replicas: usize,
    ready: &'static str,
    waits: bool,
    limited: bool,
    // Whether it connects as a role that owns nothing.
    as_role: bool,
    manifest: Option<Changed>,
}

impl App {
    /// The wiki.
    pub fn wiki() -> Builder {
        let builder = Self::of(paths::manifest_of_the_wiki(), "/ready").precompiled(paths::precompiled());
        // Tests of what the timer calls do it themselves, or turn it on.
        Builder { as_role: role::is_wanted(), ..builder.env("RUNNER_TIMERS", "off") }
    }

    /// The application that is not the wiki.
    pub fn bookshop() -> Builder {
        Self::bookshop_of(paths::manifest_of_the_bookshop())
    }

    /// The same with `more` tables in its manifest.
    ///
    /// # Panics
    /// When the manifest cannot be written.
    pub fn bookshop_with(more: &str) -> Builder {
        let manifest = Changed::with(more);
        let builder = Self::bookshop_of(manifest.path().to_owned());
        Builder { manifest: Some(manifest), ..builder }
    }

    fn bookshop_of(manifest: PathBuf) -> Builder {
        let builder = Self::of(manifest, "/health").precompiled(paths::precompiled_bookshop());
        builder.env("SPIN_VARIABLE_MOTTO", "Read more.")
    }

    /// The application of a manifest, which is ready when `GET ready` answers 200.
    pub fn of(manifest: PathBuf, ready: &'static str) -> Builder {
        let on_spin = paths::spin().is_some();
        let args: &[&str] = if on_spin { &["up", "--listen", "127.0.0.1:0", "--from"] } else { &["serve", "--from"] };
        let args = args.iter().map(OsString::from).chain([manifest.into()]).collect();
        let recipe = Recipe { args, env: Vec::new(), open_files: None, container: None, on_spin };
        let builder = Builder {
            recipe,
            database: None,
            configured: false,
            replicas: 1,
            ready,
            waits: true,
            limited: true,
            as_role: false,
            manifest: None,
        };
        let builder = builder.env("PORT", "0").env("LISTEN_ADDR", "127.0.0.1").env("RUNNER_ADMIN", "127.0.0.1:0");
        // Tests call services by any name.
        let builder = builder.env("RUNNER_HOSTS", "*");
        let builder = builder.env("RUNNER_PG_POOL_SIZE", POOL_SIZE);
        match std::env::var_os("WASIKI_TEST_BUFFERED") {
            Some(buffered) => builder.env("RUNNER_BUFFERED", buffered),
            None => builder,
        }
    }

    /// The client of service number `index`, from 0.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn replica(&self, index: usize) -> &Client {
        &self.clients[index]
    }

    /// The number of services.
    pub fn replicas(&self) -> usize {
        self.clients.len()
    }

    /// The process of the first service.
    pub fn runner(&self) -> &Runner {
        &self.runners[0]
    }

    /// The client of the first service's address for operators.
    ///
    /// # Panics
    /// When it has none.
    pub fn admin(&self) -> Client {
        Client::new(&self.runner().admin_url())
    }

    /// The database.
    ///
    /// # Panics
    /// When the test gave only an address.
    pub fn database(&self) -> &Database {
        self.database.as_ref().expect("the application has a database of its own")
    }

    /// Ends every service at once, and returns the database.
    ///
    /// # Panics
    /// When the test gave only an address.
    pub fn into_database(self) -> Database {
        drop(self.runners);
        self.database.expect("the application has a database of its own")
    }

    /// Ends every service as an operator would, and starts them again on the same database.
    ///
    /// # Panics
    /// When one does not end cleanly, or does not come back.
    pub async fn restart(&mut self) {
        for runner in &self.runners {
            let status = runner.terminate().await;
            // Spin lets the signal end it.
            let ended = status.success() || self.recipe.on_spin;
            assert!(ended, "wiki-runner ended with {status} after SIGTERM:\n{}", runner.stderr());
        }
        self.start_again().await;
    }

    /// Ends every service at once, as a crash would.
    pub fn kill9(&self) {
        self.runners.iter().for_each(Runner::kill9);
    }

    /// Starts the services again, and waits until they are ready.
    ///
    /// # Panics
    /// When one does not come back.
    pub async fn start_again(&mut self) {
        let count = self.runners.len();
        self.runners.clear();
        self.start(count, true).await;
    }

    async fn start(&mut self, count: usize, wait: bool) {
        self.runners = start_all(&self.recipe, count, self.limited);
        self.clients = self.runners.iter().map(|runner| Client::new(runner.url())).collect();
        for client in &self.clients {
            if wait {
                client.wait_until_ready(self.ready).await;
            }
        }
    }
}

impl Deref for App {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.clients[0]
    }
}

impl Client {
    /// Waits until `GET path` answers 200.
    ///
    /// # Panics
    /// When it has not within [`crate::START_LIMIT`].
    pub async fn wait_until_ready(&self, path: &str) {
        eventually(&format!("GET {path} answers 200"), || async {
            matches!(self.get(path).attempt().await, Ok(response) if response.status() == 200)
        })
        .await;
    }
}

/// Starts `count` processes at once.
fn start_all(recipe: &Recipe, count: usize, limited: bool) -> Vec<Runner> {
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..count).map(|_| scope.spawn(|| Runner::start(recipe, limited))).collect();
        starting
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

impl Builder {
    /// With one more argument on `wiki-runner`'s command line.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.recipe.args.push(arg.into());
        self
    }

    /// With this code instead of compiling the component at the start.
    fn precompiled(self, code: Option<PathBuf>) -> Self {
        match code {
            Some(code) if !self.recipe.on_spin => self.arg("--precompiled").arg(code),
            _ => self,
        }
    }

    /// With one more variable in the environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.recipe.env.retain(|(known, _)| known != name);
        self.recipe.env.push((name.to_owned(), value.into()));
        self
    }

    /// With at most `count` open files in each process.
    pub fn open_files(mut self, count: u32) -> Self {
        self.recipe.open_files = Some(count);
        self
    }

    /// In a container, which must outlive it.
    pub fn within(mut self, container: &Container) -> Self {
        self.recipe.container = Some(container.processes());
        self
    }

    /// Without a variable in the environment that every test's service has.
    pub fn without_env(mut self, name: &str) -> Self {
        self.recipe.env.retain(|(known, _)| known != name);
        self
    }

    /// With several services on one database.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// With this database instead of one of its own.
    pub fn database(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    /// As the owner of its tables, which brings the schema up to date by itself.
    pub fn as_owner(mut self) -> Self {
        self.as_role = false;
        self
    }

    /// As a role that owns nothing, on a schema that its owner has brought up to date.
    pub fn as_role(mut self) -> Self {
        self.as_role = true;
        self
    }

    /// With the database reached over `wire`.
    ///
    /// # Panics
    /// Never: an IP address is a host.
    pub fn through(mut self, wire: &Cut, database: Database) -> Self {
        let mut url = database.url();
        let (host, port) = (wire.address().ip().to_string(), wire.address().port());
        url.set_host(Some(&host)).expect("an IP address is a host");
        url.set_port(Some(port)).expect("an address with a host has a port");
        self.configured = true;
        self.env("DATABASE_URL", String::from(url)).database(database)
    }

    /// With no database but the one that the environment given here names, if any.
    pub fn without_database(mut self) -> Self {
        self.configured = true;
        self
    }

    /// Ready when `GET path` answers 200.
    pub fn ready_at(mut self, path: &'static str) -> Self {
        self.ready = path;
        self
    }

    /// Without waiting until it is ready, only until it listens.
    pub fn at_once(mut self) -> Self {
        self.waits = false;
        self
    }

    /// Without the limit [`TEST_LIMIT`](crate::TEST_LIMIT): for services that several tests share.
    pub fn without_time_limit(mut self) -> Self {
        self.limited = false;
        self
    }

    /// Spin knows no `DATABASE_URL`: its parts are variables of the application.
    fn with_spin_variables(mut self) -> Self {
        let Some(at) = self.recipe.env.iter().position(|(name, _)| name == "DATABASE_URL") else { return self };
        let (_, url) = self.recipe.env.remove(at);
        let url = url.into_string().ok().and_then(|url| reqwest::Url::parse(&url).ok()).expect("DATABASE_URL is a URL");
        // It checks the certificate of every server that offers TLS, and the one of the tests has one of its own.
        let certificate = paths::repository().join("tests/fixtures/tls/first.crt");
        self.env("SSL_CERT_FILE", certificate)
            .env("SPIN_VARIABLE_DB_HOST", url.host_str().unwrap_or_default())
            .env("SPIN_VARIABLE_DB_PORT", url.port().unwrap_or(5432).to_string())
            .env("SPIN_VARIABLE_DB_NAME", percent_decoded(url.path().trim_start_matches('/')))
            .env("SPIN_VARIABLE_DB_USER", percent_decoded(url.username()))
            .env("SPIN_VARIABLE_DB_PASSWORD", percent_decoded(url.password().unwrap_or_default()))
    }

    /// Starts it on a fresh database, or the one given, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start: with all it printed.
    pub async fn start(mut self) -> App {
        let mut database = self.database.take();
        if !self.configured {
            let fresh = match database.take() {
                Some(database) => database,
                None => Database::create().await,
            };
            let fresh = database.insert(fresh);
            let role = if self.as_role { Some(fresh.granted().await) } else { None };
            let url = role.map_or_else(|| fresh.url(), |role| fresh.url_as(&role));
            self = self.env("DATABASE_URL", String::from(pooler::in_front(url)));
        }
        if self.recipe.on_spin {
            self = self.with_spin_variables();
        }
        let Builder { recipe, replicas, ready, waits, limited, manifest, .. } = self;
        let (runners, clients) = (Vec::new(), Vec::new());
        let mut app = App { runners, clients, recipe, limited, ready, database, _manifest: manifest };
        app.start(replicas, waits).await;
        app
    }
}
