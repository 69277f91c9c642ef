//! What is lost when something breaks while clients write: nothing that was acknowledged.
//!
//! Each test prints a line with what was broken and what became of the writes; `cargo xtask test --faults` shows them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blackbox::{App, Client, Cut, Database, START_LIMIT, eventually, json, open_folder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

const CLIENTS: usize = 8;

/// Clients that write pages, one after another each, until they are told to stop.
struct Writers {
    stop: Arc<AtomicBool>,
    /// Writes that were acknowledged, to all of them.
    saved: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Log>>,
}

/// What one client saw.
#[derive(Default)]
struct Log {
    /// The titles of pages it was told are saved.
    acknowledged: Vec<String>,
    /// Writes that were refused with 503.
    refused: usize,
    /// Connections that could not be made.
    unreachable: usize,
    /// Writes it got no answer to, and so cannot know the fate of.
    broken: usize,
    /// When a write was acknowledged last.
    last: Option<Instant>,
    /// When the first was after something else had happened.
    again: Option<Instant>,
}

impl Writers {
    /// `first` is in the titles: those of writers at different times differ.
    fn start(wiki: &Client, first: usize) -> Self {
        let (stop, saved) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients = (0..CLIENTS).map(|client| {
            let (wiki, stop, saved) = (wiki.clone(), stop.clone(), saved.clone());
            tokio::spawn(async move {
                let mut log = Log::default();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let before = log.acknowledged.len();
                    log.write(&wiki, format!("Page {number} of {client} after {first}")).await;
                    saved.fetch_add(log.acknowledged.len() - before, Ordering::Relaxed);
                    // Enough to lose something, and not more than can be looked for afterwards.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                log
            })
        });
        let clients = clients.collect();
        Self { stop, saved, clients }
    }

    /// Waits until every client could have saved five more pages.
    async fn go_on(&self) {
        let enough = self.saved.load(Ordering::Relaxed) + 5 * CLIENTS;
        eventually("more is saved", || async { self.saved.load(Ordering::Relaxed) >= enough }).await;
    }

    async fn stop(self) -> Log {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Log::default();
        for client in self.clients {
            all.add(client.await.expect("a client does not panic"));
        }
        all
    }
}

impl Log {
    fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.refused += other.refused;
        self.unreachable += other.unreachable;
        self.broken += other.broken;
        self.last = self.last.max(other.last);
        self.again = [self.again, other.again].into_iter().flatten().min();
    }

    async fn write(&mut self, wiki: &Client, title: String) {
        let page = json!({"user_id": 1, "title": title, "content": "text"});
        match wiki.post("/posts").json(page).attempt().await {
            Ok(answer) if answer.status() == 201 => {
                self.acknowledged.push(title);
                self.last = Some(Instant::now());
                if self.refused + self.unreachable + self.broken > 0 {
                    self.again = self.again.or(self.last);
                }
                return;
            }
            Ok(answer) if answer.status() == 503 => self.refused += 1,
            Ok(answer) => panic!("only 503 is a refusal for the time being: {answer:?}"),
            Err(error) if error.is_connect() => self.unreachable += 1,
            Err(_) => self.broken += 1,
        }
        // As a client would, not to make things worse.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    /// Looks for every page that was acknowledged, and says in a line how it went.
    async fn account(&self, wiki: &Client, fault: &str) {
        let pages = wiki.walk("/posts?limit=100", "posts").await;
        let found: HashSet<_> = pages.iter().filter_map(|page| page["title"].as_str()).collect();
        let lost: Vec<_> = self.acknowledged.iter().filter(|title| !found.contains(title.as_str())).collect();
        let Self { acknowledged, refused, unreachable, broken, .. } = self;
        let saved = acknowledged.len();
        println!(
            "fault: {fault}: {saved} writes acknowledged, {refused} refused, {unreachable} not sent, {broken} unanswered, \
             {} lost",
            lost.len()
        );
        assert!(lost.is_empty(), "{lost:?}");
        assert!(saved > CLIENTS, "there was something to lose");
    }
}

/// A user, and clients that have written something.
async fn under_way(wiki: &App) -> Writers {
    wiki.create_user("ada").await;
    let writers = Writers::start(wiki, 0);
    writers.go_on().await;
    writers
}

#[tokio::test]
async fn a_service_that_is_killed() {
    let mut wiki = App::wiki().start().await;
    let writers = under_way(&wiki).await;
    wiki.kill9();
    let log = writers.stop().await;
    wiki.start_again().await;
    log.account(&wiki, "the service is killed (SIGKILL)").await;
}

/// The runner's own database must be as safe as any, whichever of its processes dies.
#[tokio::test]
async fn processes_of_a_wiki_with_its_own_database_that_are_killed() {
    let folder = open_folder();
    let data = folder.path().join("data");
    let kill_server = || {
        let pid_file = std::fs::read_to_string(data.join("postgres/data/postmaster.pid")).unwrap();
        let process = pid_file.lines().next().unwrap();
        assert!(std::process::Command::new("kill").args(["-9", process]).status().unwrap().success());
    };
    let mut wiki = App::wiki().without_database().arg("--data").arg(&data).start().await;
    wiki.create_user("ada").await;
    let mut acknowledged = Log::default();
    for _ in 0..5 {
        for (kills_runner, kills_server) in [(true, false), (false, true), (true, true)] {
            let writers = Writers::start(&wiki, acknowledged.acknowledged.len());
            writers.go_on().await;
            if kills_server {
                kill_server();
            }
            if kills_runner {
                wiki.kill9();
            }
            let log = writers.stop().await;
            acknowledged.add(log);
            if kills_runner {
                wiki.start_again().await;
            }
            wiki.wait_until_ready("/ready").await;
        }
    }
    acknowledged.account(&wiki, "runner, database and both are killed (SIGKILL), five times").await;
}

/// A disk of its own, as large as this, at a folder. It is gone when this is dropped.
struct Disk(std::path::PathBuf);

impl Disk {
    /// None where nobody but the system's administrator may have one.
    fn new(folder: std::path::PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let mut mount = std::process::Command::new("mount");
        let mount =
            mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=755"), "wasiki-test"]).arg(&folder).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    /// Takes all that is left of it.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        while std::io::Write::write_all(&mut file, &[1; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Writes of the database fail, and with them those of the wiki, until there is room again.
#[tokio::test]
async fn the_disk_of_a_wiki_with_its_own_database_that_is_full() {
    let folder = open_folder();
    let Some(disk) = Disk::new(folder.path().join("disk"), "200m") else {
        return println!("skipped: no disk can be made here");
    };
    let wiki = App::wiki().without_database().arg("--data").arg(disk.0.join("data")).start().await;
    wiki.create_user("ada").await;
    let page = wiki.post("/posts").json(json!({"user_id": 1, "content": "read"})).await.expect(201).json();
    let mut all = Log::default();
    for _ in 0..3 {
        let writers = Writers::start(&wiki, all.acknowledged.len());
        writers.go_on().await;
        disk.fill();
        let large = json!({"user_id": 1, "content": "x".repeat(500_000)});
        eventually("nothing more fits", || async {
            matches!(wiki.post("/posts").json(large.clone()).attempt().await, Ok(answer) if answer.status() == 503)
        })
        .await;
        disk.make_room();
        wiki.wait_until_ready("/ready").await;
        writers.go_on().await;
        all.add(writers.stop().await);
        wiki.get(&format!("/posts/{}", page["post_id"])).await.expect(200);
    }
    all.account(&wiki, "the disk of the database is full, three times").await;
    assert!(all.refused > 0, "there was no room");
}

#[tokio::test]
async fn a_service_that_is_terminated() {
    // While it lasts, clients are asked to close their connections, which would otherwise close under their next request.
    // Long enough for each client to send a request meanwhile, on a machine that runs other tests too.
    let mut wiki = App::wiki().env("RUNNER_DRAIN_DELAY", "4s").start().await;
    let writers = under_way(&wiki).await;
    wiki.restart().await;
    let log = writers.stop().await;
    log.account(&wiki, "the service is told to end (SIGTERM)").await;
    assert_eq!(log.broken, 0, "what was taken was answered");
}

#[tokio::test]
async fn a_database_that_is_away_for_a_while() {
    let database = Database::create().await;
    let url = database.url();
    let mut wire = Cut::mended(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)));
    let wiki = App::wiki().through(&wire, database).start().await;
    let writers = under_way(&wiki).await;
    wire.cut().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    wire.mend();
    let mended = Instant::now();
    writers.go_on().await;
    let log = writers.stop().await;
    log.account(&wiki, "the database is away for 2 s").await;
    assert!(log.refused > 0, "it was away");
    assert_eq!((log.broken, log.unreachable), (0, 0), "the service was there all the time");
    let after = log.again.expect("writes went on").saturating_duration_since(mended);
    println!("fault: the database is away for 2 s: used again {} ms after it was back", after.as_millis());
    assert!(after < Duration::from_secs(2), "{after:?}");
}

#[tokio::test]
async fn sessions_that_the_database_ends() {
    let wiki = App::wiki().start().await;
    let writers = under_way(&wiki).await;
    for _ in 0..5 {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        wiki.database().column(sql).await;
        writers.go_on().await;
    }
    let log = writers.stop().await;
    log.account(&wiki, "the database ends every session, five times").await;
    assert_eq!((log.broken, log.unreachable), (0, 0), "the service was there all the time");
}

#[tokio::test]
async fn file_descriptors_that_run_out() {
    let wiki = App::wiki().open_files(256).start().await;
    let writers = under_way(&wiki).await;
    let mut held = Vec::new();
    for _ in 0..400 {
        held.push(blackbox::connect(wiki.url()).await.unwrap());
    }
    wiki.runner().logged("cannot accept a connection", 1).await;
    // For as long, no connection is accepted.
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(held);
    let log = writers.stop().await;
    log.account(&wiki, "no file descriptor is left").await;
}

#[tokio::test]
async fn clients_that_never_finish_what_they_say() {
    let wiki = App::wiki().env("RUNNER_BODY_TIMEOUT", "1s").start().await;
    let writers = under_way(&wiki).await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = blackbox::connect(wiki.url()).await.unwrap();
        let half =
            b"POST /posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
        stream.write_all(half).await.unwrap();
        slow.push(stream);
    }
    for mut stream in slow {
        let given_up = tokio::time::timeout(START_LIMIT, stream.read_to_end(&mut Vec::new())).await;
        assert!(given_up.is_ok(), "the service waits for the rest of a body");
    }
    let log = writers.stop().await;
    log.account(&wiki, "300 clients stop in the middle of a body").await;
    assert_eq!((log.broken, log.unreachable), (0, 0), "others were served");
}
