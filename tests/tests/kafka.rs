//! The log of events in Kafka, read from the database by Debezium: nothing is lost, and the events of each page keep their order,
//! whatever is started again meanwhile.
//!
//! `cargo xtask test --kafka` fetches what is needed. Without it, the tests are skipped.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use blackbox::{
    App, Client, Connect, Database, Kafka, LogicalServer, Reader, Record, TEST_LIMIT, Value, eventually_within, json,
};

/// Events that are written while things are started again.
const EVENTS: usize = 10_000;
const WRITERS: usize = 6;
const TOPICS: [&str; 2] = ["page-events", "task-events"];
/// More than one, so that only the key keeps events of a page in order.
const PARTITIONS: u32 = 3;

/// An event as the log has it.
struct Logged {
    topic: String,
    key: String,
    id: String,
    event: Value,
}

/// The whole log, in its order.
async fn logged(database: &Database) -> Vec<Logged> {
    let sql =
        "SELECT aggregatetype, aggregateid, id::text, payload::text FROM outbox ORDER BY era, transaction, number";
    let rows = database.client().await.query(sql, &[]).await.unwrap();
    let event = |text: &str| serde_json::from_str(text).unwrap();
    rows.iter()
        .map(|row| Logged { topic: row.get(0), key: row.get(1), id: row.get(2), event: event(row.get(3)) })
        .collect()
}

/// A page with some tasks, of which those in `done` are.
fn page(writer: usize, round: usize) -> Value {
    let tasks: String = (0..4)
        .map(|task| format!("- [{}] Task {task} of {writer}\n", if (round >> task) & 1 == 1 { 'x' } else { ' ' }))
        .collect();
    json!({"user_id": 1, "title": format!("Page {writer}.{}", round / 50), "content": format!("Round {round}\n\n{tasks}")})
}

/// Writes a page after another, and edits each of them, until it is told to stop. Whether an answer was lost or a change was refused
/// does not matter: the log says what happened.
async fn write(wiki: Client, writer: usize, stop: Arc<AtomicBool>) {
    let (mut round, mut current) = (0, None);
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        if round % 50 == 1 {
            current = None;
        }
        let answer = match &current {
            Some(id) => {
                let target = format!("/posts/{id}");
                wiki.put(&target).header("if-match", "*").json(page(writer, round)).attempt().await
            }
            None => wiki.post("/posts").json(page(writer, round)).attempt().await,
        };
        match answer {
            Ok(answer) if answer.status() == 201 => current = Some(answer.json()["post_id"].clone()),
            Ok(answer) if answer.status() < 500 => assert_eq!(answer.status(), 200, "{answer:?}"),
            // The database is away.
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Checks that a topic has everything that the log says, in its order for each key, and nothing else. What is started again may tell
/// some events twice.
fn compare(topic: &str, logged: &[Logged], records: &[Record]) {
    let (mut seen, mut partitions) = (HashSet::new(), HashMap::new());
    let mut found: HashMap<&str, Vec<String>> = HashMap::new();
    let expected_events: HashMap<&str, &Value> = logged.iter().map(|one| (one.id.as_str(), &one.event)).collect();
    for record in records {
        let event: Value = serde_json::from_str(&record.value).unwrap_or_else(|e| panic!("{topic}: {e}: {record:?}"));
        let id = event["id"].as_str().unwrap_or_else(|| panic!("{topic}: no id: {record:?}")).to_owned();
        assert_eq!(Some(&&event), expected_events.get(id.as_str()), "{topic}: not the event of the log");
        let partition = *partitions.entry(record.key.as_str()).or_insert(record.partition);
        assert_eq!(partition, record.partition, "{topic}: the key {} is in two partitions", record.key);
        if seen.insert(id.clone()) {
            found.entry(&record.key).or_default().push(id);
        }
    }
    let mut expected: HashMap<&str, Vec<String>> = HashMap::new();
    for one in logged.iter().filter(|one| one.topic == topic) {
        expected.entry(&one.key).or_default().push(one.id.clone());
    }
    for (key, ids) in &expected {
        assert_eq!(found.get(key), Some(ids), "{topic}: the events of {key}, in their order");
    }
    assert_eq!(found.len(), expected.len(), "{topic}: keys that the log does not have");
    assert!(partitions.values().collect::<HashSet<_>>().len() > 1, "{topic}: all in one partition");
    println!("{topic}: {} events of {} pages, {} told twice", seen.len(), found.len(), records.len() - seen.len());
}

/// The number of different events read so far.
fn read(readers: &[Reader]) -> usize {
    readers.iter().map(Reader::distinct).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_out_of_order_when_things_are_started_again() {
    let Some(jars) = Kafka::jars() else { return };
    let server = LogicalServer::start();
    let database = Database::create_on(server.url(), "").await;
    let url = database.url();
    let wiki = App::wiki().as_owner().without_time_limit().database(database).start().await;
    wiki.create_user("ada").await;
    // What there was before Debezium reaches the topics, too.
    wiki.post("/posts").json(page(0, 15)).await.expect(201);
    let kafka = Kafka::start(jars, &[TOPICS[0], TOPICS[1], "account-events"], PARTITIONS).await;
    let connect = Connect::start(&kafka, &url);
    let readers = TOPICS.map(|topic| kafka.read(topic));
    let limit = TEST_LIMIT / 2;
    let show = |what: &str| println!("{what}; {} read", read(&readers));
    eventually_within(limit, "the first events arrive", || async { read(&readers) > 0 }).await;

    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(wiki.replica(0).clone(), writer, stop.clone()))).collect();
    let began = Instant::now();
    let more = async |count: usize| {
        let enough = read(&readers) + count;
        eventually_within(limit, "more events arrive", || async { read(&readers) >= enough }).await;
    };
    for signal in ["TERM", "KILL"] {
        more(EVENTS / 10).await;
        kafka.end(signal);
        show(&format!("the broker ended by {signal}"));
        kafka.start_again().await;
        more(EVENTS / 10).await;
        connect.end(signal);
        show(&format!("the connector ended by {signal}"));
        connect.start_again();
    }
    more(EVENTS / 10).await;
    server.crash_and_restart();
    show("the database crashed");
    more(EVENTS / 10).await;
    eventually_within(limit, "there are enough events", || async { read(&readers) >= EVENTS }).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    let logged = logged(wiki.database()).await;
    let expected = logged.iter().filter(|one| TOPICS.contains(&one.topic.as_str())).count();
    eventually_within(limit, "all events have arrived", || async { read(&readers) >= expected }).await;
    println!("{expected} events in {:?}", began.elapsed());
    for (topic, reader) in TOPICS.iter().zip(&readers) {
        compare(topic, &logged, &reader.records());
    }
}
