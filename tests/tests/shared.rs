//! Services that several tests share: for tests that only read, or that write under names of their own.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use blackbox::Client;
use tokio::sync::OnceCell;

/// A wiki with whatever other tests wrote.
static WIKI: Shared = Shared::new("wiki");

/// The application that is not the wiki.
static BOOKSHOP: Shared = Shared::new("bookshop");

/// A client of the wiki that tests of all modules share.
pub async fn wiki() -> Client {
    WIKI.client(async |_| ()).await
}

/// A client of the bookshop that tests of all modules share.
pub async fn bookshop() -> Client {
    BOOKSHOP.client(async |_| ()).await
}

/// A service that the first test to ask for it starts.
///
/// A static is never dropped, so a process of its own keeps the service: it ends the service, and removes its database,
/// however the tests end.
pub struct Shared {
    application: &'static str,
    keeper: OnceCell<Keeper>,
}

struct Keeper {
    url: String,
    // It ends when its standard input does.
    _process: Child,
}

impl Shared {
    /// The application `wiki` or `bookshop`, not yet started.
    pub const fn new(application: &'static str) -> Self {
        Self { application, keeper: OnceCell::const_new() }
    }

    /// A client of the service, which is started and given to `fill` first if that was not done.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn client(&self, fill: impl AsyncFnOnce(&Client)) -> Client {
        let start = async || {
            let keeper = Keeper::start(self.application);
            fill(&Client::new(&keeper.url)).await;
            keeper
        };
        // A client's connections belong to the runtime of its test: each test has its own.
        Client::new(&self.keeper.get_or_init(start).await.url)
    }
}

impl Keeper {
    fn start(application: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_keeper"))
            .arg(application)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Out of reach of a Ctrl-C, which would keep it from cleaning up.
            .process_group(0)
            .spawn()
            .expect("the keeper can be started");
        let mut url = String::new();
        let stdout = process.stdout.take().expect("its output is a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("its output can be read");
        assert!(!url.is_empty(), "the shared {application} did not start");
        Self { url: url.trim_end().to_owned(), _process: process }
    }
}
