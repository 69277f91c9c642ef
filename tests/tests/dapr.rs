//! Events by way of Dapr and Kafka, to services of their own: each has its effect once, whatever is killed meanwhile.
//!
//! `DAPRD=/path cargo xtask test --dapr` runs this with a real daprd. Without one, the test is skipped.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blackbox::{ADMIN_PASSWORD, App, Client, Daprd, Database, Kafka, PASSWORD, Receiver, free_ports, json};
use tokio::sync::Semaphore;

/// Recurring tasks, each of which is completed once.
const TASKS: usize = 2_000;
const PAGES: usize = 100;
/// One reminder for so many completed tasks.
const REMIND_EVERY: usize = 8;
const WRITERS: usize = 4;
const PEOPLE: [&str; 4] = ["ada", "bob", "cleo", "dan"];
/// The services that consume events, and the topics of `compose.yaml` with as many partitions.
const SERVICES: [&str; 3] = ["notification", "audit", "webhooks"];
const TOPICS: [&str; 5] = ["page-events", "task-events", "reminders", "account-events", "dead-letters"];
const PARTITIONS: u32 = 6;
/// How often each thing is killed.
const ROUNDS: usize = 2;
/// Between two looks: this runs for minutes.
const POLL: Duration = Duration::from_millis(200);
/// Of what is written at once, to see how many pass in a second.
const MANY: usize = 20_000;
/// The pages that these are about: events of one page have to wait for each other.
const OF_PAGES: usize = 1_000;
/// Longer than anything should take: sidecars that are killed keep their partitions for a while, and pauses grow to a minute.
const LIMIT: Duration = Duration::from_secs(300);
const OF_DAPR: &str = "what-the-sidecar-wants";

/// Everything that can be killed.
struct Cluster {
    kafka: Kafka,
    wiki: App,
    services: Vec<App>,
    /// The wiki's, and one for each service.
    sidecars: Vec<Daprd>,
}

#[derive(Debug, Clone, Copy)]
enum Victim {
    Wiki,
    Service(usize),
    Sidecar(usize),
    Broker,
}

const VICTIMS: [Victim; 9] = [
    Victim::Sidecar(0),
    Victim::Service(0),
    Victim::Sidecar(1),
    Victim::Service(1),
    Victim::Broker,
    Victim::Sidecar(2),
    Victim::Wiki,
    Victim::Service(2),
    Victim::Sidecar(3),
];

impl Cluster {
    async fn start(program: std::path::PathBuf, kafka: Kafka) -> Self {
        let [port] = free_ports();
        let sidecar = Daprd::start(program.clone(), &kafka, "wiki", None, OF_DAPR).await;
        let with_events = || App::wiki().as_owner().without_time_limit().with_events().access("open");
        let wiki = with_events()
            .env("PORT", port.to_string())
            .env("SPIN_VARIABLE_EVENTS", "dapr")
            .env("SPIN_VARIABLE_DAPR_URL", sidecar.url())
            .env("SPIN_VARIABLE_DAPR_API_TOKEN", OF_DAPR)
            .env("SPIN_VARIABLE_WEBHOOK_HOSTS", "http://127.0.0.1:*")
            .env("RUNNER_TIMERS", "on")
            .start()
            .await;
        let (mut services, mut sidecars) = (Vec::new(), vec![sidecar]);
        for (name, port) in SERVICES.iter().zip(free_ports::<{ SERVICES.len() }>()) {
            let service = with_events()
                .arg("--component")
                .arg("events")
                .env("PORT", port.to_string())
                .env("SPIN_VARIABLE_EVENTS", "dapr")
                .env("DATABASE_URL", wiki.database().url().to_string())
                .without_database()
                .ready_at("/-/ready");
            services.push(service.start().await);
            sidecars.push(Daprd::start(program.clone(), &kafka, name, Some(port), OF_DAPR).await);
        }
        Self { kafka, wiki, services, sidecars }
    }

    fn kill(&self, victim: Victim) {
        match victim {
            Victim::Wiki => self.wiki.kill9(),
            Victim::Service(index) => self.services[index].kill9(),
            Victim::Sidecar(index) => self.sidecars[index].kill9(),
            Victim::Broker => self.kafka.end("KILL"),
        }
    }

    async fn start_again(&mut self, victim: Victim) {
        match victim {
            Victim::Wiki => self.wiki.start_again().await,
            Victim::Service(index) => self.services[index].start_again().await,
            Victim::Sidecar(index) => self.sidecars[index].start_again(),
            Victim::Broker => self.kafka.start_again().await,
        }
    }
}

/// Completes tasks, as far as it is allowed to, and makes pages with reminders. Whoever gets no answer asks again.
async fn complete(wiki: Client, tasks: Arc<Vec<i64>>, next: Arc<AtomicUsize>, allowed: Arc<Semaphore>) {
    while let Ok(permit) = allowed.acquire().await {
        permit.forget();
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(id) = tasks.get(place) else { return };
        let tick = || wiki.patch(&format!("/tasks/{id}")).json(json!({"done": true, "user_id": 1})).attempt();
        while !matches!(tick().await, Ok(answer) if answer.status() == 200) {
            tokio::time::sleep(POLL).await;
        }
        // Somebody else ticks it as well.
        if place.is_multiple_of(16) {
            _ = tick().await;
        }
        if place.is_multiple_of(REMIND_EVERY) {
            // The reminder is due now or within the next minute.
            let due = chrono::Utc::now() + chrono::Duration::minutes(60 + i64::from(place.is_multiple_of(3)));
            let (due, person) = (due.format("%Y-%m-%dT%H:%M"), PEOPLE[place / REMIND_EVERY % PEOPLE.len()]);
            let content = format!("- [ ] Look after {place} @{person} due:{due} remind:1h\n");
            let page = || wiki.post("/posts").json(json!({"user_id": 1, "content": content})).attempt();
            while !matches!(page().await, Ok(answer) if answer.status() == 201) {
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

async fn count(database: &Database, sql: &str) -> usize {
    database.column(sql).await[0].parse().expect("a count is a number")
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < LIMIT, "waited {LIMIT:?} in vain until {what}");
        tokio::time::sleep(POLL).await;
    }
}

const CHAINED: &str = "SELECT count(*) FROM audit_chain";
/// Effects that are still to come: entries of the chain, tellings of reminders, and deliveries that were not taken yet.
const OUTSTANDING: &str = "SELECT
    (SELECT count(*) FROM outbox WHERE NOT EXISTS (SELECT FROM audit_chain WHERE event_id = outbox.id::text))
  + (SELECT count(*) FROM tasks WHERE remind IS NOT NULL AND NOT EXISTS (
       SELECT FROM inbox WHERE inbox.task_id = tasks.id AND kind = 'reminder'))
  + (SELECT count(*) FROM outbox WHERE type = 'wasiki.task.completed' AND NOT EXISTS (
       SELECT FROM webhook_deliveries WHERE event_id = outbox.id::text AND state = 'delivered'))";

/// What must not be: each with how many there are of it.
const FAULTS: [(&str, &str); 8] = [
    (
        "tasks that have not exactly one next occurrence",
        "SELECT count(*) FROM (SELECT text FROM tasks WHERE removed_time IS NULL AND text LIKE 'Water%' GROUP BY text
         HAVING count(*) FILTER (WHERE done AND due_time = '2027-01-04') <> 1
           OR count(*) FILTER (WHERE NOT done AND due_time = '2027-01-11') <> 1 OR count(*) <> 2) AS wrong",
    ),
    (
        "reminders that have not exactly one event",
        "SELECT count(*) FROM tasks WHERE remind IS NOT NULL AND (SELECT count(*) FROM outbox
           WHERE type = 'wasiki.task.reminder' AND payload->'data'->'task_id' = to_jsonb(tasks.id)) <> 1",
    ),
    (
        "reminders that have not exactly one entry of one inbox",
        "SELECT count(*) FROM outbox WHERE type = 'wasiki.task.reminder'
         AND (SELECT count(*) FROM inbox WHERE task_id = (payload->'data'->>'task_id')::bigint AND kind = 'reminder') <> 1",
    ),
    (
        "assigned tasks that have not exactly one entry of one inbox",
        "SELECT count(*) FROM tasks WHERE assignee IS NOT NULL
         AND (SELECT count(*) FROM inbox WHERE task_id = tasks.id AND kind = 'assigned') <> 1",
    ),
    (
        "events that have not exactly one entry of the chain, with what they say",
        "SELECT count(*) FROM outbox WHERE (SELECT count(*) FROM audit_chain WHERE event_id = outbox.id::text
           AND entry::jsonb->'data' = payload->'data' AND entry::jsonb->'type' = payload->'type') <> 1",
    ),
    ("entries of the chain without an event", "SELECT (SELECT count(*) FROM audit_chain) - (SELECT count(*) FROM outbox)"),
    (
        "entries of the chain before an earlier event of the same page",
        "SELECT count(*) FROM (SELECT chain.number, lag(chain.number) OVER (
             PARTITION BY aggregatetype, aggregateid ORDER BY era, transaction, outbox.number) AS former
           FROM outbox JOIN audit_chain AS chain ON chain.event_id = outbox.id::text) AS placed WHERE number < former",
    ),
    (
        "entries of the chain with a wrong hash",
        "SELECT count(*) FROM (SELECT hash, sha256(coalesce(lag(hash) OVER (ORDER BY number), decode(repeat('00', 32), 'hex'))
             || convert_to(number || E'\\n' || entry, 'UTF8')) AS right_hash FROM audit_chain) AS links
         WHERE hash <> right_hash",
    ),
];

/// Milliseconds from an event to its entry of the chain, of events since a time: median, 95 % and the longest.
async fn latency(database: &Database, since: &str) -> String {
    let sql = format!(
        "SELECT array_agg(round(1000 * extract(epoch FROM span)) ORDER BY span)::text FROM unnest((
           SELECT percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY chain.created_time - outbox.created_time)
           FROM outbox JOIN audit_chain AS chain ON chain.event_id = outbox.id::text
           WHERE outbox.created_time > '{since}')) AS span"
    );
    database.column(&sql).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_has_its_effect_once_whatever_is_killed() {
    let (Some(program), Some(jars)) = (Daprd::program(), Kafka::jars()) else { return };
    let kafka = Kafka::start(jars, &TOPICS, PARTITIONS).await;
    let readers = TOPICS.map(|topic| kafka.read(topic));
    let mut cluster = Cluster::start(program, kafka).await;
    let wiki = cluster.wiki.replica(0).clone();
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    for person in PEOPLE {
        wiki.create_account(&cookie, person, "editor").await;
    }
    let receiver = Receiver::start().await;
    let webhook = json!({"url": receiver.url("/hook"), "types": ["wasiki.task.completed"]});
    wiki.post("/webhooks").cookie(&cookie).json(webhook).await.expect(201);
    for page in 0..PAGES {
        let tasks =
            (0..TASKS / PAGES).map(|task| format!("- [ ] Water plant {page}.{task} due:2027-01-04 repeat:1w\n"));
        let page = json!({"user_id": 1, "title": format!("Plants {page}"), "content": tasks.collect::<String>()});
        wiki.post("/posts").json(page).await.expect(201);
    }
    let ids = cluster.wiki.database().column("SELECT id FROM tasks ORDER BY place, post_id").await;
    let ids: Vec<i64> = ids.iter().map(|id| id.parse().expect("an id is a number")).collect();
    assert_eq!(ids.len(), TASKS);
    let enough = count(cluster.wiki.database(), "SELECT count(*) FROM outbox").await;
    until("the first events have arrived", async || count(cluster.wiki.database(), CHAINED).await >= enough).await;

    let (ids, next, allowed) = (Arc::new(ids), Arc::<AtomicUsize>::default(), Arc::new(Semaphore::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| tokio::spawn(complete(wiki.clone(), ids.clone(), next.clone(), allowed.clone())))
        .collect();
    let began = Instant::now();
    let share = TASKS / (ROUNDS * VICTIMS.len());
    for victim in VICTIMS.iter().cycle().take(ROUNDS * VICTIMS.len()) {
        let chained = count(cluster.wiki.database(), CHAINED).await;
        allowed.add_permits(share * 2 / 3);
        let more = chained + share / 2;
        until("events arrive again", async || count(cluster.wiki.database(), CHAINED).await >= more).await;
        cluster.kill(*victim);
        let completed = next.load(Ordering::Relaxed);
        println!(
            "{:?}: {victim:?} killed; {completed} tasks completed, {more} events or more in the chain",
            began.elapsed()
        );
        allowed.add_permits(share - share * 2 / 3);
        if !matches!(victim, Victim::Wiki) {
            // What happens meanwhile has to wait.
            until("tasks are completed", async || next.load(Ordering::Relaxed) >= completed + share / 6).await;
        }
        cluster.start_again(*victim).await;
    }
    allowed.add_permits(TASKS);
    for writer in writers {
        writer.await.expect("a writer ends by itself");
    }
    println!("{:?}: all tasks are completed", began.elapsed());
    let database = cluster.wiki.database();
    until("everything has arrived", async || {
        let outstanding = count(database, OUTSTANDING).await;
        outstanding == 0
    })
    .await;
    println!("{:?}: everything has arrived", began.elapsed());

    let events = count(database, "SELECT count(*) FROM outbox").await;
    let reminders = count(database, "SELECT count(*) FROM outbox WHERE type = 'wasiki.task.reminder'").await;
    println!("{events} events, {reminders} reminders; from save to chain {} ms", latency(database, "-infinity").await);
    for (topic, reader) in TOPICS.iter().zip(&readers) {
        let (records, distinct) = (reader.records().len(), reader.distinct());
        println!("{topic}: {distinct} events, {} told twice", records - distinct);
    }
    for (what, sql) in FAULTS {
        let found = count(database, sql).await;
        println!("{found} {what}");
        assert_eq!(found, 0, "{what}");
    }
    assert!(reminders >= TASKS / REMIND_EVERY, "{reminders}");
    assert_eq!(count(database, "SELECT count(*) FROM undelivered").await, 0, "nothing is left aside");
    assert_eq!(readers[4].distinct(), 0, "nothing is a dead letter");
    // A receiver may be sent an event twice, and knows it by its number.
    let received = receiver.received();
    let distinct: HashSet<_> = received.iter().map(|request| request.header("webhook-id")).collect();
    println!("webhook: {} events, {} sent twice", distinct.len(), received.len() - distinct.len());
    assert_eq!(distinct.len(), TASKS);

    // While nothing breaks.
    let since = database.column("SELECT now()::text").await.remove(0);
    for edit in 0..100 {
        let edit = json!({"content": format!("Edit {edit}")});
        wiki.put("/posts/1").header("if-match", "*").json(edit).await.expect(200);
        tokio::time::sleep(POLL / 2).await;
    }
    until("the last events have arrived", async || count(database, OUTSTANDING).await == 0).await;
    println!("undisturbed, from save to chain {} ms", latency(database, &since).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_events_at_once_pass_in_order() {
    let (Some(program), Some(jars)) = (Daprd::program(), Kafka::jars()) else { return };
    let kafka = Kafka::start(jars, &TOPICS, PARTITIONS).await;
    let reader = kafka.read("page-events");
    let cluster = Cluster::start(program, kafka).await;
    let database = cluster.wiki.database();
    let log = |what: String| {
        format!("SELECT count(log_event('page-events', page::text, 'wasiki.page.edited', '', false, {what}))")
    };
    // One is through: everybody has found everybody.
    database.column(&format!("{} FROM (SELECT 0 AS page) AS one", log("'{}'".to_owned()))).await;
    until("the first event has arrived", async || count(database, CHAINED).await == 1).await;

    let data = "jsonb_build_object('post_id', page, 'version', version, 'user_id', null)".to_owned();
    let versions = MANY / OF_PAGES;
    let began = Instant::now();
    let sql =
        format!("{} FROM generate_series(1, {versions}) AS version, generate_series(1, {OF_PAGES}) AS page", log(data));
    database.column(&sql).await;
    println!("{:?}: {MANY} events of {OF_PAGES} pages are written", began.elapsed());
    let left = "SELECT count(*) FROM outbox, relay WHERE
        (outbox.era, outbox.transaction, outbox.number) > (relay.era, relay.transaction, relay.number)";
    until("everything is published", async || count(database, left).await == 0).await;
    let seconds = began.elapsed().as_secs_f64();
    println!("published in {seconds:.1} s: {:.0} a second", MANY as f64 / seconds);
    until("everything has arrived", async || count(database, CHAINED).await == MANY + 1).await;
    let seconds = began.elapsed().as_secs_f64();
    println!("in the chain after {seconds:.1} s: {:.0} a second", MANY as f64 / seconds);
    for (what, sql) in &FAULTS[4..] {
        assert_eq!(count(database, sql).await, 0, "{what}");
    }
    println!("{} told twice", reader.records().len() - reader.distinct());
}
