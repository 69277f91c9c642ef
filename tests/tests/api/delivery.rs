//! Events on their way: the relay hands each on in order, and each has its effect once, whatever breaks.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use blackbox::{
    ADMIN_PASSWORD, App, Builder, Client, EVENTS_TOKEN, Fault, PASSWORD, Published, Response, Sidecar, Value, at_once,
    eventually, json,
};

const OF_DAPR: &str = "what-the-sidecar-wants";

fn wiki() -> Builder {
    App::wiki().with_events()
}

fn with_dapr(sidecar: &Sidecar) -> Builder {
    let wiki = wiki().env("SPIN_VARIABLE_EVENTS", "dapr").env("SPIN_VARIABLE_DAPR_URL", sidecar.url());
    wiki.env("SPIN_VARIABLE_DAPR_API_TOKEN", OF_DAPR)
}

async fn relay(wiki: &Client) -> Response {
    wiki.call_relay().await
}

/// Has the relay work until `is_done`: older transactions of the server delay it, those of other tests among them. If it sees but
/// one event, and that fails, it says that nothing can be handed on.
async fn relay_until(wiki: &Client, what: &str, is_done: impl AsyncFn() -> bool) {
    eventually(what, || async {
        let response = relay(wiki).await;
        assert!(matches!(response.status(), 204 | 503), "{response:?}");
        is_done().await
    })
    .await;
}

async fn count(app: &App, sql: &str) -> i64 {
    app.database().client().await.query_one(sql, &[]).await.unwrap().get(0)
}

/// The events of pages in the audit chain.
const CHAINED_PAGES: &str = "SELECT count(*) FROM audit_chain WHERE entry LIKE '%wasiki.page.%'";

/// Events of the log, and entries of the audit chain: as many, once all have arrived.
async fn all_are_chained(app: &App) -> bool {
    count(app, "SELECT count(*) FROM outbox").await == count(app, "SELECT count(*) FROM audit_chain").await
}

/// Writes `pages` pages, and edits each `edits` times.
async fn write(wiki: &Client, pages: usize, edits: usize) {
    static WRITERS: AtomicU32 = AtomicU32::new(0);
    let user = wiki.create_user(&format!("writer{}", WRITERS.fetch_add(1, Ordering::Relaxed))).await;
    at_once((0..pages).map(|page| {
        let (wiki, user_id) = (wiki.clone(), user["id"].clone());
        async move {
            let draft = json!({"user_id": user_id, "title": format!("Page {page}"), "content": "0"});
            let id = wiki.post("/posts").json(draft).await.expect(201).json()["post_id"].clone();
            for edit in 1..=edits {
                let change = json!({"title": format!("Page {page}"), "content": edit.to_string(), "version": edit});
                wiki.put(&format!("/posts/{id}")).json(change).await.expect(200);
            }
        }
    }))
    .await;
}

/// Checks that the events of each key are in order, by the versions of their pages, apart from repetitions.
fn assert_in_order(published: &[Published]) {
    let mut seen = HashSet::new();
    let mut versions: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for event in published.iter().filter(|event| seen.insert(event.event["id"].to_string())) {
        if event.topic == "page-events" {
            let version = event.event["data"]["version"].as_i64().unwrap_or_default();
            let last = versions.insert((&event.topic, &event.key), version).unwrap_or_default();
            assert!(version > last, "{} {}: {version} came after {last}", event.topic, event.key);
        }
    }
}

#[tokio::test]
async fn in_one_process_every_event_has_its_effect_once() {
    let wiki = wiki().replicas(2).start().await;
    let relays = async {
        // Two services, and more callers than there can be.
        for round in 0..40 {
            at_once((0..4).map(|caller| {
                let wiki = wiki.replica((caller + round) % 2).clone();
                async move { relay(&wiki).await.expect(204) }
            }))
            .await;
        }
    };
    tokio::join!(relays, write(&wiki, 8, 10));
    relay_until(&wiki, "every event is in the chain", async || all_are_chained(&wiki).await).await;
    assert_eq!(count(&wiki, CHAINED_PAGES).await, 88);
    assert_eq!(count(&wiki, "SELECT count(*) FROM undelivered").await, 0);
    let order = "SELECT count(*) FROM audit_chain a JOIN audit_chain b ON a.number < b.number
        AND a.entry::json->>'subject' = b.entry::json->>'subject' AND a.entry LIKE '%wasiki.page.%'
        AND (a.entry::json->'data'->>'version')::int > (b.entry::json->'data'->>'version')::int";
    assert_eq!(count(&wiki, order).await, 0, "each page's events are in order");
}

#[tokio::test]
async fn wiki_runner_calls_the_relay_by_itself() {
    let wiki = App::wiki().env("RUNNER_TIMERS", "on").start().await;
    write(&wiki, 2, 2).await;
    eventually("every event is in the chain", || async { all_are_chained(&wiki).await }).await;
    // Nobody else knows the token that it has made up.
    relay(&wiki).await.expect(401);
}

#[tokio::test]
async fn a_relay_that_dies_loses_and_repeats_nothing() {
    let mut wiki = wiki().start().await;
    for round in 0..5 {
        write(&wiki, 4, 5).await;
        let call = tokio::time::timeout(Duration::from_millis(3 * round), relay(&wiki));
        _ = call.await;
        wiki.kill9();
        wiki.start_again().await;
        // Whoever died had said that it works for 30 seconds.
        let client = wiki.database().client().await;
        client.execute("UPDATE relay SET leased_until = '-infinity'", &[]).await.unwrap();
    }
    relay_until(&wiki, "every event is in the chain", async || all_are_chained(&wiki).await).await;
}

#[tokio::test]
async fn dapr_gets_every_event_in_order() {
    let sidecar = Sidecar::start(OF_DAPR).await;
    let wiki = with_dapr(&sidecar).start().await;
    write(&wiki, 6, 20).await;
    relay_until(&wiki, "the sidecar has every event", async || pages_of(&sidecar).len() == 126).await;
    let published = pages_of(&sidecar);
    assert_in_order(&published);
    let ids: HashSet<_> = published.iter().map(|event| event.event["id"].to_string()).collect();
    assert_eq!(ids.len(), 126, "each once");
    assert!(published.iter().all(|event| event.event["specversion"] == "1.0"));
    assert_eq!(
        count(&wiki, "SELECT count(*) FROM audit_chain").await,
        0,
        "what Dapr delivers has its effect, and nothing else"
    );

    for _ in 0..2 {
        sidecar.deliver(0, &wiki, "audit").await;
        assert_eq!(count(&wiki, CHAINED_PAGES).await, 126, "a second time it changes nothing");
    }
}

#[tokio::test]
async fn a_sidecar_that_is_away_gets_everything_later() {
    let sidecar = Sidecar::start(OF_DAPR).await;
    let wiki = with_dapr(&sidecar).start().await;
    let now = "UPDATE relay SET due_time = '-infinity'";
    for (round, status) in [500, 401, 403, 404, 429, 302].into_iter().enumerate() {
        sidecar.breaks(Fault::Answers(status));
        write(&wiki, 3, 1).await;
        // Whatever it answers, nothing is put aside: nothing else has passed.
        eventually("the relay says that nothing passes", || async { relay(&wiki).await.status() == 503 }).await;
        wiki.runner().logged(&format!("the Dapr sidecar answered {status}"), 1).await;
        assert_eq!(relay(&wiki).await.status(), 204, "it pauses");
        sidecar.breaks(Fault::Nothing);
        wiki.database().client().await.execute(now, &[]).await.unwrap();
        let expected = 6 * (round + 1);
        relay_until(&wiki, "everything has arrived", async || pages_of(&sidecar).len() == expected).await;
    }
    assert_in_order(&pages_of(&sidecar));
    assert_eq!(count(&wiki, "SELECT count(*) FROM undelivered").await, 0);
}

#[tokio::test]
async fn a_sidecar_that_nobody_can_reach_is_waited_for() {
    let wiki =
        wiki().env("SPIN_VARIABLE_EVENTS", "dapr").env("SPIN_VARIABLE_DAPR_URL", "http://127.0.0.1:9").start().await;
    write(&wiki, 1, 1).await;
    eventually("the relay says that nothing passes", || async { relay(&wiki).await.status() == 503 }).await;
    wiki.get("/posts/1").await.expect(200);
    assert_eq!(count(&wiki, "SELECT failures::bigint FROM relay").await, 1);
}

#[tokio::test]
async fn what_arrives_twice_has_one_effect() {
    let sidecar = Sidecar::start(OF_DAPR).await;
    let wiki = with_dapr(&sidecar).start().await;
    // The broker has it, and the relay does not learn of it: as if it had died in between.
    sidecar.breaks(Fault::TakesAndAnswers(500));
    write(&wiki, 5, 10).await;
    let now = "WITH due AS (UPDATE relay SET due_time = '-infinity') UPDATE undelivered SET due_time = '-infinity'";
    eventually("all have arrived", || async {
        wiki.database().client().await.execute(now, &[]).await.unwrap();
        _ = relay(&wiki).await;
        let ids: HashSet<_> = pages_of(&sidecar).iter().map(|event| event.event["id"].to_string()).collect();
        ids.len() == 55
    })
    .await;
    assert!(pages_of(&sidecar).len() > 55, "some came twice");
    assert_in_order(&pages_of(&sidecar));
    sidecar.deliver(0, &wiki, "audit").await;
    assert_eq!(count(&wiki, CHAINED_PAGES).await, 55);
}

#[tokio::test]
async fn an_event_that_nobody_takes_holds_up_its_own_page_alone() {
    let sidecar = Sidecar::start(OF_DAPR).await;
    let wiki = with_dapr(&sidecar).start().await;
    write(&wiki, 1, 0).await;
    sidecar.breaks(Fault::Refuses("1".to_owned()));
    for version in 1..=3 {
        let edit = json!({"content": format!("edit {version}"), "version": version});
        wiki.put("/posts/1").json(edit).await.expect(200);
        wiki.post("/posts").json(json!({"user_id": 1, "content": format!("other {version}")})).await.expect(201);
    }
    let others = async || pages_of(&sidecar).len() == 3;
    relay_until(&wiki, "the other pages' events have arrived", others).await;
    assert_eq!(count(&wiki, "SELECT count(*) FROM undelivered").await, 4, "all of the page, in order");

    sidecar.breaks(Fault::Nothing);
    let now = "UPDATE undelivered SET due_time = '-infinity'";
    relay_until(&wiki, "the page's events arrive", async || {
        wiki.database().client().await.execute(now, &[]).await.unwrap();
        pages_of(&sidecar).len() == 7
    })
    .await;
    assert_in_order(&pages_of(&sidecar));
    assert_eq!(count(&wiki, "SELECT count(*) FROM undelivered").await, 0);
}

#[tokio::test]
async fn an_event_that_fails_for_hours_is_dead_and_blocks_nothing() {
    let sidecar = Sidecar::start(OF_DAPR).await;
    let wiki = with_dapr(&sidecar).start().await;
    write(&wiki, 2, 0).await;
    sidecar.breaks(Fault::Refuses("1".to_owned()));
    let now = "UPDATE undelivered SET due_time = '-infinity'";
    relay_until(&wiki, "it is dead", async || {
        wiki.database().client().await.execute(now, &[]).await.unwrap();
        count(&wiki, "SELECT count(*) FROM undelivered WHERE is_dead").await == 1
    })
    .await;
    sidecar.breaks(Fault::Nothing);
    wiki.put("/posts/1").json(json!({"content": "later", "version": 1})).await.expect(200);
    relay_until(&wiki, "the next one passes", async || {
        pages_of(&sidecar).iter().any(|event| event.event["data"]["version"] == 2)
    })
    .await;
}

/// The events of pages that the sidecar has taken.
fn pages_of(sidecar: &Sidecar) -> Vec<Published> {
    sidecar.published().into_iter().filter(|event| event.topic == "page-events").collect()
}

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "wasiki", "type": "wasiki.page.edited", "subject": "/posts/1",
        "time": "2026-11-22T10:00:00Z", "data": {"post_id": 1, "version": 1}})
}

#[tokio::test]
async fn routes_of_events_are_for_those_with_the_token() {
    let wiki = wiki().start().await;
    for path in ["/-/relay", "/-/consumers/audit", "/-/consumers/nobody"] {
        let body = || wiki.post(path).body("application/cloudevents+json", event("a").to_string());
        for (name, value) in
            [("x-none", ""), ("authorization", "Bearer wrong"), ("authorization", EVENTS_TOKEN), ("dapr-api-token", "")]
        {
            let refused = body().header(name, value).await.expect(401);
            assert!(refused.header("www-authenticate").starts_with("Bearer"), "{path} {name}: {value}");
        }
        wiki.get(path).await.expect(405);
    }
    assert_eq!(count(&wiki, "SELECT count(*) FROM audit_chain").await, 0);
    let authorized = |path: &str| wiki.post(path).header("dapr-api-token", EVENTS_TOKEN);
    // Dapr would drop what is answered 404.
    let unknown = authorized("/-/consumers/nobody").body("application/cloudevents+json", event("a").to_string());
    unknown.await.expect(503).header("retry-after");

    let without = App::wiki().start().await;
    without.post("/-/relay").header("authorization", "Bearer ").await.expect(401);
    without.post("/-/consumers/audit").header("dapr-api-token", "").json(event("a")).await.expect(401);
}

#[tokio::test]
async fn what_is_no_event_is_kept_and_dropped() {
    let wiki = wiki().start().await;
    let send = |body: String| {
        wiki.post("/-/consumers/audit")
            .header("dapr-api-token", EVENTS_TOKEN)
            .body("application/cloudevents+json", body)
    };
    for (body, reason) in [
        ("{".to_owned(), "not a CloudEvent in JSON"),
        ("\u{0}".to_owned(), "not a CloudEvent in JSON"),
        (json!({"specversion": "0.3", "id": "a", "type": "t"}).to_string(), "0.3"),
        (json!({"specversion": "1.0", "id": "", "type": "t"}).to_string(), "empty"),
        (json!({"specversion": "1.0", "id": "a", "type": "t", "data_base64": "YQ=="}).to_string(), "not JSON"),
    ] {
        let answer = send(body.clone()).await.expect(200).json();
        assert_eq!(answer, json!({"status": "DROP"}), "{body}");
        let client = wiki.database().client().await;
        let kept =
            client.query_one("SELECT error, is_dead FROM undelivered ORDER BY id DESC LIMIT 1", &[]).await.unwrap();
        let error: String = kept.get(0);
        assert!(error.contains(reason) && kept.get(1), "{body}: {error}");
    }
    let too_long = json!({"specversion": "1.0", "id": "b", "type": "t", "data": "x".repeat(200_000)}).to_string();
    send(too_long).await.expect(413);
    assert_eq!(count(&wiki, "SELECT count(*) FROM audit_chain").await, 0);

    // The next one passes, a type of later versions among them, and one in base64.
    send(event("c").to_string()).await.expect(204);
    let mut unknown = event("d");
    unknown["type"] = json!("wasiki.moon.risen");
    send(unknown.to_string()).await.expect(204);
    let encoded =
        json!({"specversion": "1.0", "id": "e", "source": "wasiki", "type": "t", "data_base64": "eyJhIjoxfQ=="});
    send(encoded.to_string()).await.expect(204);
    assert_eq!(count(&wiki, "SELECT count(*) FROM audit_chain WHERE entry LIKE '%\"data\":{\"a\":1}%'").await, 1);
    assert_eq!(count(&wiki, "SELECT count(*) FROM audit_chain").await, 3);
}

#[tokio::test]
async fn events_come_in_binary_mode_too() {
    let wiki = wiki().start().await;
    let send = |media_type: &'static str, body: Value| {
        let request =
            wiki.post("/-/consumers/audit").header("dapr-api-token", EVENTS_TOKEN).header("ce-specversion", "1.0");
        let request =
            request.header("ce-id", "binary").header("ce-type", "wasiki.page.edited").header("ce-source", "x");
        request.body(media_type, body.to_string())
    };
    send("application/json", json!({"post_id": 1})).await.expect(204);
    assert_eq!(count(&wiki, "SELECT count(*) FROM audit_chain WHERE event_id = 'binary'").await, 1);
    // Headers of Kafka arrive as headers of HTTP. Of an event in JSON they say nothing.
    send("application/cloudevents+json", event("structured")).await.expect(204);
    assert_eq!(count(&wiki, "SELECT count(*) FROM audit_chain WHERE event_id = 'structured'").await, 1);
}

#[tokio::test]
async fn the_way_of_events_can_change() {
    let sidecar = Sidecar::start(OF_DAPR).await;
    let mut wiki = wiki().start().await;
    let mut delivered = 0;
    for mode in ["dapr", "inline", "cdc", "dapr", "inline"] {
        // What was written last is still on its way.
        write(&wiki, 3, 3).await;
        let database = wiki.into_database();
        wiki = with_dapr(&sidecar).env("SPIN_VARIABLE_EVENTS", mode).database(database).start().await;
        relay(&wiki).await.expect(204);
        delivered = sidecar.deliver(delivered, &wiki, "audit").await;
    }
    relay_until(&wiki, "every event is in the chain", async || all_are_chained(&wiki).await).await;
    assert_eq!(count(&wiki, CHAINED_PAGES).await, 60);
}

#[tokio::test]
async fn a_mode_that_does_not_exist_is_named() {
    let wiki = wiki().env("SPIN_VARIABLE_EVENTS", "kafka").start().await;
    relay(&wiki).await.expect(500);
    wiki.runner().logged("must be one of inline, dapr and cdc", 1).await;
}

#[tokio::test]
async fn the_audit_chain_is_read_by_administrators_in_parts() {
    let wiki = wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    relay_until(&wiki, "every event is in the chain", async || all_are_chained(&wiki).await).await;
    wiki.get("/audit/chain").await.expect(401);
    let read = async |target: &str| wiki.get(target).cookie(&cookie).await;
    let all = read("/audit/chain").await.expect(200).json();
    let entries = all["entries"].as_array().unwrap();
    assert!(entries.len() >= 3, "{all}");
    assert_eq!(entries[0]["number"], 1);
    let part = read("/audit/chain?limit=1&after=1").await.expect(200).json();
    assert_eq!(part["entries"], json!([entries[1]]));
    let next = read(part["next"].as_str().unwrap()).await.expect(200).json();
    assert_eq!(next["entries"], json!([entries[2]]));
    read("/audit/chain?after=x").await.expect(422);
    let event: Value = serde_json::from_str(entries[0]["entry"].as_str().unwrap()).unwrap();
    assert_eq!(event["specversion"], "1.0");

    // Nobody changes it, as long as they do not change the schema.
    let client = wiki.database().client().await;
    let refused = client.execute("DELETE FROM audit_chain", &[]).await.unwrap_err();
    assert!(format!("{refused:?}").contains("only ever added to"), "{refused:?}");
}

#[tokio::test]
async fn a_relay_with_nothing_to_do_writes_nothing() {
    let wiki = wiki().start().await;
    write(&wiki, 1, 0).await;
    relay_until(&wiki, "every event is in the chain", async || all_are_chained(&wiki).await).await;
    let row = "SELECT (SELECT ctid::text || xmin::text FROM relay)";
    let client = wiki.database().client().await;
    let before: String = client.query_one(row, &[]).await.unwrap().get(0);
    for _ in 0..3 {
        relay(&wiki).await.expect(204);
    }
    let after: String = client.query_one(row, &[]).await.unwrap().get(0);
    assert_eq!(before, after);
}
