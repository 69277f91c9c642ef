//! Reads from a replica of the database: from where each reader is answered, and that nobody misses what they have written themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blackbox::{
    ADMIN_PASSWORD, App, Client, Cut, PASSWORD, Replicated, Request, Response, eventually, is_pooled, json,
};

/// What a pooler in front of the wiki does not do for these tests.
const POOLED: &str = "lead to a server of the test's own";

/// Somebody who uses a wiki, by each of its services in turn.
struct Person {
    services: Vec<Client>,
    turn: usize,
    /// What their browser keeps; none for a program.
    cookies: Option<BTreeMap<String, String>>,
    token: Option<String>,
    /// What their program was told in `Read-After`, if it knows that header.
    read_after: Option<String>,
}

impl Person {
    /// Somebody with a browser.
    fn browser(wiki: &App) -> Self {
        let services = (0..wiki.replicas()).map(|index| wiki.replica(index).clone()).collect();
        Self { services, turn: 0, cookies: Some(BTreeMap::new()), token: None, read_after: None }
    }

    /// The same, signed in.
    async fn signed_in(wiki: &App, username: &str, password: &str) -> Self {
        let mut person = Self::browser(wiki);
        person.form("/wiki/-/sign-in", &[("username", username), ("password", password)]).await;
        person
    }

    /// A program that knows the header, or does not.
    fn program(wiki: &App, token: Option<&str>, knows_header: bool) -> Self {
        let read_after = knows_header.then(|| "0".to_owned());
        Self { cookies: None, token: token.map(str::to_owned), read_after, ..Self::browser(wiki) }
    }

    async fn send(&mut self, request: impl FnOnce(&Client) -> Request) -> Response {
        self.turn = (self.turn + 1) % self.services.len();
        let mut request = request(&self.services[self.turn]);
        if let Some(cookies) = self.cookies.as_ref().filter(|cookies| !cookies.is_empty()) {
            let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.cookie(&cookies.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.token(token);
        }
        if let Some(position) = self.read_after.as_ref().filter(|position| *position != "0") {
            request = request.header("read-after", position);
        }
        let response = request.await;
        if let Some(cookies) = &mut self.cookies {
            let set = response.cookies();
            cookies.extend(set.iter().filter_map(|cookie| cookie.split_once('=')).map(|(n, v)| (n.into(), v.into())));
        }
        if let Some(position) = self.read_after.as_mut().filter(|_| response.has_header("read-after")) {
            position.clear();
            position.push_str(response.header("read-after"));
        }
        response
    }

    async fn get(&mut self, target: &str) -> Response {
        self.send(|wiki| wiki.get(target)).await
    }

    /// Sends a form, which is accepted.
    async fn form(&mut self, target: &str, fields: &[(&str, &str)]) {
        self.send(|wiki| wiki.post(target).form(fields)).await.expect(303);
    }

    /// Gives page `id` this text.
    async fn write(&mut self, id: u64, text: &str) {
        let body = json!({"content": text});
        self.send(|wiki| wiki.put(&format!("/posts/{id}")).header("if-match", "*").json(body)).await.expect(200);
    }

    /// The text of page `id`, which is the same by every service, as a program and as a person sees it.
    async fn read(&mut self, id: u64) -> String {
        let mut texts = Vec::new();
        for _ in 0..self.services.len() {
            let page = self.get(&format!("/posts/{id}")).await.expect(200).json();
            texts.push(page["content"].as_str().unwrap_or_default().to_owned());
            let page = self.get(&format!("/wiki/page-{id}")).await.expect(200);
            assert!(page.text().contains(&texts[0]), "{} in {page:?}", texts[0]);
        }
        texts.dedup();
        let [text] = &texts[..] else { panic!("services differ: {texts:?}") };
        text.clone()
    }
}

/// A wiki of two services in this mode with some pages, `page-1` and so on, and its servers; none where tests run behind a pooler,
/// which leads to another server.
async fn wiki(mode: &str, pages: u64) -> Option<(Replicated, App)> {
    if is_pooled(POOLED) {
        return None;
    }
    let servers = Replicated::start();
    let wiki = servers.wiki().await.access(mode).replicas(2).start().await;
    let mut administrator = Person::signed_in(&wiki, "admin", ADMIN_PASSWORD).await;
    for id in 1..=pages {
        let page = json!({"title": format!("Page {id}"), "content": "at first"});
        administrator.send(|wiki| wiki.post("/posts").json(page)).await.expect(201);
    }
    servers.beat(&wiki).await;
    Some((servers, wiki))
}

/// A token of the administrator.
async fn token(wiki: &App) -> String {
    let cookie = wiki.administrator().await;
    wiki.create_token(&cookie, "write").await
}

#[tokio::test]
async fn whoever_wrote_something_reads_it() {
    let Some((servers, wiki)) = wiki("public-read", 1).await else { return };
    let token = token(&wiki).await;
    let cookie = wiki.administrator().await;
    wiki.create_account(&cookie, "eve", "editor").await;
    let mut by_form = Person::signed_in(&wiki, "admin", ADMIN_PASSWORD).await;
    let mut by_json = Person::signed_in(&wiki, "admin", ADMIN_PASSWORD).await;
    let mut reader = Person::signed_in(&wiki, "eve", PASSWORD).await;
    let mut with_header = Person::program(&wiki, Some(&token), true);
    let mut without_header = Person::program(&wiki, Some(&token), false);
    let mut stranger = Person::browser(&wiki);
    servers.caught_up(&wiki).await;
    servers.pause().await;
    assert_eq!([stranger.read(1).await, reader.read(1).await], ["at first", "at first"]);

    by_form.form("/wiki/page-1/edit", &[("title", "Page 1"), ("content", "by form"), ("version", "1")]).await;
    assert_eq!(by_form.read(1).await, "by form");
    by_json.write(1, "by JSON").await;
    assert_eq!(by_json.read(1).await, "by JSON");
    with_header.write(1, "with the header").await;
    assert_eq!(with_header.read(1).await, "with the header");
    without_header.write(1, "without the header").await;
    assert_eq!(without_header.read(1).await, "without the header");
    // What others see is a moment old, by both services: it is the replica that answers.
    assert_eq!([stranger.read(1).await, reader.read(1).await], ["at first", "at first"]);
    for path in ["/wiki/page-1/history", "/wiki/-/changes", "/feed.atom", "/wiki/-/pages"] {
        assert!(!stranger.get(path).await.expect(200).text().contains("/5"), "{path}");
    }
    stranger.get("/posts/1/revisions/2").await.problem(404);
    // Who edits begins with what there is.
    let form = reader.get("/wiki/page-1/edit").await.expect(200);
    assert!(form.text().contains("without the header"), "{form:?}");

    servers.resume().await;
    servers.caught_up(&wiki).await;
    for person in [&mut stranger, &mut reader, &mut by_form, &mut by_json, &mut with_header, &mut without_header] {
        assert_eq!(person.read(1).await, "without the header");
    }
    // What they wrote has arrived there: now those with a position read from it, too.
    servers.pause().await;
    without_header.write(1, "at last").await;
    for person in [&mut by_form, &mut by_json, &mut with_header] {
        assert_eq!(person.read(1).await, "without the header");
    }
    assert_eq!(without_header.read(1).await, "at last");
    let header = with_header.read_after.clone().expect("it knows the header");
    let wiki = wiki.replica(0);
    wiki.get("/posts/1").token(&token).header("read-after", "soon").await.problem(400);
    wiki.get("/posts/1").token(&token).header("read-after", &header).header("read-after", "1").await.problem(400);
    // A browser cannot be asked to mend a cookie.
    wiki.get("/posts/1").cookie("read-after=soon").await.expect(200);
}

#[tokio::test]
async fn in_an_open_wiki_a_stranger_may_have_written() {
    let Some((servers, wiki)) = wiki("open", 1).await else { return };
    let mut browser = Person::browser(&wiki);
    let mut program = Person::program(&wiki, None, false);
    let mut with_header = Person::program(&wiki, None, true);
    servers.pause().await;
    browser
        .form("/wiki/page-1/edit", &[("title", "Page 1"), ("content", "one"), ("author", "Ada"), ("version", "1")])
        .await;
    for person in [&mut browser, &mut program, &mut with_header] {
        assert_eq!(person.read(1).await, "one", "nobody knows who wrote it");
    }
    with_header.send(|wiki| wiki.post("/users").json(json!({"username": "grace"}))).await.expect(201);
    let user = with_header.send(|wiki| wiki.get("/users?username=grace")).await.expect(200).json();
    assert_eq!(user["users"][0]["username"], "grace");
    servers.resume().await;
    servers.caught_up(&wiki).await;
    servers.pause().await;
    program
        .send(|wiki| wiki.put("/posts/1").header("if-match", "*").json(json!({"user_id": 1, "content": "two"})))
        .await
        .expect(200);
    assert_eq!(program.read(1).await, "two");
    for person in [&mut browser, &mut with_header] {
        assert_eq!(person.read(1).await, "one");
    }
}

#[tokio::test]
async fn what_the_primary_refuses_is_refused_at_once() {
    let Some((servers, wiki)) = wiki("private", 1).await else { return };
    let cookie = wiki.administrator().await;
    let token = wiki.create_token(&cookie, "read").await;
    let eve = wiki.create_account(&cookie, "eve", "editor").await;
    let mut session = Person::signed_in(&wiki, "admin", ADMIN_PASSWORD).await;
    let mut account = Person::signed_in(&wiki, "eve", PASSWORD).await;
    let mut program = Person::program(&wiki, Some(&token), true);
    servers.caught_up(&wiki).await;
    servers.pause().await;
    assert_eq!([session.read(1).await, account.read(1).await], ["at first", "at first"]);
    program.get("/posts/1").await.expect(200);

    let sessions = session.get("/sessions").await.expect(200).json();
    let current = sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    wiki.delete(&format!("/sessions/{}", current["id"])).cookie(&cookie).await.expect(204);
    session.get("/posts/1").await.problem(401);
    let tokens = wiki.get("/tokens").cookie(&cookie).await.expect(200).json();
    wiki.delete(&format!("/tokens/{}", tokens["tokens"][0]["id"])).cookie(&cookie).await.expect(204);
    program.get("/posts/1").await.problem(401);
    wiki.delete(&format!("/users/{}", eve["id"])).header("if-match", "*").cookie(&cookie).await.expect(204);
    account.get("/posts/1").await.problem(401);
}

#[tokio::test]
async fn a_replica_that_is_too_far_behind_is_not_read_from() {
    let Some((servers, wiki)) = wiki("public-read", 1).await else { return };
    let token = token(&wiki).await;
    let (mut author, mut stranger) = (Person::program(&wiki, Some(&token), false), Person::browser(&wiki));
    let age = "UPDATE heartbeat SET beat_time = now() - interval '1 minute'";
    wiki.database().client().await.batch_execute(age).await.unwrap();
    servers.caught_up(&wiki).await;
    servers.pause().await;
    author.write(1, "since").await;
    assert_eq!(stranger.read(1).await, "since");
    servers.resume().await;
    // The relay says what time it is.
    for client in [wiki.replica(0), wiki.replica(1)] {
        client.call_relay().await.expect(204);
    }
    servers.caught_up(&wiki).await;
    servers.pause().await;
    author.write(1, "later").await;
    // A replica that was of no use is tried again a little later.
    eventually("the replica is read from", || async {
        let page = wiki.get("/posts/1").await.expect(200).json();
        page["content"] == "since"
    })
    .await;
    let now = "UPDATE heartbeat SET beat_time = now() RETURNING beat_time";
    let beaten = wiki.database().column(now).await;
    wiki.call_relay().await.expect(204);
    assert_eq!(wiki.database().column("SELECT beat_time FROM heartbeat").await, beaten, "not more often than needed");
}

/// Readers who ask one after another, until they are told to stop. None of them may fail.
struct Readers {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

impl Readers {
    fn start(wiki: &App, cookie: &str) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let readers = (0..8).map(|reader| {
            let (client, cookie) = (wiki.replica(reader % wiki.replicas()).clone(), cookie.to_owned());
            let (stop, count) = (stop.clone(), count.clone());
            tokio::spawn(async move {
                let paths = ["/posts/1", "/wiki/page-1", "/posts", "/wiki/-/search?q=first", "/files/1/a.bin"];
                for path in paths.iter().cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
                    let request = client.get(path);
                    let request = if reader % 4 < 2 { request } else { request.cookie(&cookie) };
                    request.await.expect(200);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let readers = readers.collect();
        Self { stop, count, readers }
    }

    /// Waits until each of them has read some more.
    async fn go_on(&self) {
        let enough = self.count.load(Ordering::Relaxed) + 60;
        eventually("more is read", || async {
            assert!(!self.readers.iter().any(tokio::task::JoinHandle::is_finished), "a reader failed");
            self.count.load(Ordering::Relaxed) >= enough
        })
        .await;
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for reader in self.readers {
            reader.await.expect("no request fails");
        }
    }
}

#[tokio::test]
async fn a_replica_that_goes_away_is_missed_by_nobody() {
    let Some((servers, wiki)) = wiki("public-read", 1).await else { return };
    let cookie = wiki.administrator().await;
    let token = token(&wiki).await;
    let file = wiki.post("/posts/1/files?name=a.bin").token(&token);
    file.body("application/octet-stream", vec![7; 600_000]).await.expect(201);
    servers.caught_up(&wiki).await;
    let is_used = async || {
        let before = servers.transactions(&wiki).await;
        eventually("the replica is read from", || async {
            for service in 0..wiki.replicas() {
                wiki.replica(service).get("/posts/1").await.expect(200);
            }
            servers.transactions(&wiki).await > before + 20
        })
        .await;
    };
    let readers = Readers::start(&wiki, &cookie);
    readers.go_on().await;
    is_used().await;
    for at_once in [false, true] {
        servers.stop(at_once);
        readers.go_on().await;
        servers.restart();
        readers.go_on().await;
        is_used().await;
    }
    servers.promote().await;
    readers.go_on().await;
    readers.stop().await;
    // What it has now is nobody's business.
    Person::program(&wiki, Some(&token), false).write(1, "without it").await;
    assert_eq!(Person::browser(&wiki).read(1).await, "without it");
}

#[tokio::test]
async fn a_replica_that_does_not_answer_holds_up_a_request_and_no_more() {
    if is_pooled(POOLED) {
        return;
    }
    let servers = Replicated::start();
    let mut wire = Cut::mended(format!("127.0.0.1:{}", servers.replica_port()));
    let port = wire.address().port().to_string();
    let builder = servers.wiki().await.access("public-read").env("SPIN_VARIABLE_DB_READ_PORT", port);
    // A request goes on without it after a second more.
    let wiki = builder.env("RUNNER_PG_STATEMENT_TIMEOUT", "1s").start().await;
    let cookie = wiki.administrator().await;
    wiki.post("/posts").cookie(&cookie).json(json!({"title": "Page 1", "content": "at first"})).await.expect(201);
    servers.beat(&wiki).await;
    let before = servers.transactions(&wiki).await;
    wiki.get("/posts/1").await.expect(200);
    eventually("the replica was read from", || async { servers.transactions(&wiki).await > before }).await;
    wire.hold();
    wiki.get("/posts/1").await.expect(200);
    let begun = Instant::now();
    for _ in 0..20 {
        wiki.get("/posts/1").await.expect(200);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    wiki.runner().logged("the replica is not read from", 1).await;
    wire.cut().await;
    wiki.get("/posts/1").await.expect(200);
}

#[tokio::test]
async fn a_replica_with_an_older_schema_is_not_read_from() {
    if is_pooled(POOLED) {
        return;
    }
    let servers = Replicated::start();
    let builder = servers.wiki().await.access("public-read");
    servers.pause().await;
    let wiki = builder.start().await;
    let sql = "UPDATE heartbeat SET beat_time = now() + interval '1 hour'";
    wiki.database().client().await.batch_execute(sql).await.unwrap();
    let cookie = wiki.administrator().await;
    wiki.post("/posts").cookie(&cookie).json(json!({"title": "Page 1", "content": "at first"})).await.expect(201);
    assert_eq!(Person::browser(&wiki).read(1).await, "at first");
    servers.resume().await;
    servers.caught_up(&wiki).await;
    let before = servers.transactions(&wiki).await;
    eventually("the replica is read from", || async {
        wiki.get("/posts/1").await.expect(200);
        servers.transactions(&wiki).await > before + 20
    })
    .await;
}

#[tokio::test]
async fn of_800_writes_none_is_missed_by_its_writer() {
    const WRITERS: u64 = 16;
    const ROUNDS: usize = 50;
    let Some((servers, wiki)) = wiki("open", WRITERS).await else { return };
    let (servers, wiki) = (Arc::new(servers), Arc::new(wiki));
    let token = token(&wiki).await;
    let before = servers.transactions(&wiki).await;
    let stop = Arc::new(AtomicBool::new(false));
    let lag = {
        let (servers, stop) = (servers.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                servers.pause().await;
                tokio::time::sleep(Duration::from_millis(60)).await;
                servers.resume().await;
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
        })
    };
    let writers = (1..=WRITERS).map(|id| {
        let (wiki, token) = (wiki.clone(), token.clone());
        async move {
            let mut writer = match id % 4 {
                0 => Person::signed_in(&wiki, "admin", ADMIN_PASSWORD).await,
                1 => Person::program(&wiki, Some(&token), true),
                2 => Person::browser(&wiki),
                _ => Person::program(&wiki, None, true),
            };
            let mut stale = 0;
            for round in 0..ROUNDS {
                let text = format!("round {round} of {id}");
                let body = json!({"content": text, "user_id": 1});
                let path = format!("/posts/{id}");
                writer.send(|wiki| wiki.put(&path).header("if-match", "*").json(body)).await.expect(200);
                for _ in 0..3 {
                    let page = writer.get(&path).await.expect(200).json();
                    stale += usize::from(page["content"] != text);
                }
            }
            stale
        }
    });
    let stale: usize = blackbox::at_once(writers).await.into_iter().sum();
    stop.store(true, Ordering::Relaxed);
    lag.await.unwrap();
    let by_replica = servers.transactions(&wiki).await - before;
    println!("{} reads of one's own writes, {stale} of them stale; {by_replica} statements on the replica", 3 * 800);
    assert_eq!(stale, 0);
    assert!(by_replica > 100, "the replica had a part in it: {by_replica}");
}
