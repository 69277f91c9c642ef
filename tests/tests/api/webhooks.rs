//! Webhooks: what is sent, how it is signed, and what becomes of what is not taken.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use blackbox::{
    ADMIN_PASSWORD, App, EVENTS_TOKEN, PASSWORD, POLL, Received, Receiver, Reply, START_LIMIT, Value, at_once, json,
    repository,
};
use ring::hmac;

/// A wiki that may send to this machine, and its administrator.
struct Wiki {
    app: App,
    cookie: String,
}

impl Wiki {
    async fn start() -> Self {
        Self::start_as("inline", 1).await
    }

    async fn start_as(events: &str, replicas: usize) -> Self {
        let app = App::wiki()
            .access("public-read")
            .env("SPIN_VARIABLE_EVENTS", events)
            .with_events()
            .env("SPIN_VARIABLE_WEBHOOK_HOSTS", "http://127.0.0.1:*")
            .replicas(replicas)
            .start()
            .await;
        let cookie = app.administrator().await;
        app.choose_password(&cookie, ADMIN_PASSWORD).await;
        let cookie = app.sign_in("admin", PASSWORD).await;
        Self { app, cookie }
    }

    async fn get(&self, path: &str) -> Value {
        self.app.get(path).cookie(&self.cookie).await.expect(200).json()
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        self.app.post(path).cookie(&self.cookie).json(body).await.expect(status).json()
    }

    /// Makes a webhook and returns its address in the API and its secret.
    async fn webhook(&self, url: &str, types: &[&str]) -> (String, String) {
        let made = self.post("/webhooks", json!({"url": url, "types": types}), 201).await;
        (format!("/webhooks/{}", made["id"]), made["secret"].as_str().unwrap().to_owned())
    }

    async fn page(&self, content: &str) -> Value {
        self.post("/posts", json!({"content": content}), 201).await
    }

    /// Does what the host's timer does.
    async fn tick(&self) {
        self.app.call_relay().await.expect(204);
    }

    /// Ticks until `is_done` says so.
    async fn until(&self, what: &str, mut is_done: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !is_done().await {
            assert!(began.elapsed() < START_LIMIT, "waited in vain until {what}");
            self.tick().await;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ticks until `receiver` has `count` requests, and returns them.
    async fn received(&self, receiver: &Receiver, count: usize) -> Vec<Received> {
        self.until(&format!("{count} requests came"), async || receiver.received().len() >= count).await;
        // The answers are noted before the tick ends.
        self.tick().await;
        receiver.received()
    }

    /// What was sent to a webhook, the oldest first.
    async fn deliveries(&self, webhook: &str) -> Vec<Value> {
        let mut list =
            self.get(&format!("{webhook}/deliveries?limit=200")).await["deliveries"].as_array().unwrap().clone();
        list.reverse();
        list
    }

    async fn sql(&self, sql: &str) {
        self.app.database().client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Makes everything due now.
    async fn skip_pauses(&self) {
        self.sql("UPDATE webhook_deliveries SET due_time = now() WHERE state = 'waiting'").await;
        self.sql("UPDATE webhooks SET pause_until = '-infinity'").await;
    }

    /// The entries of the audit trail for an event.
    async fn trail(&self, event: &str) -> Vec<Value> {
        let trail = self.get("/audit?limit=200").await["entries"].as_array().unwrap().clone();
        trail.into_iter().filter(|entry| entry["event"] == event).collect()
    }
}

/// Whether one of the signatures of a request is that of `secret`: computed by another library than the wiki's.
fn is_signed(request: &Received, secret: &str) -> bool {
    let key = BASE64.decode(secret.strip_prefix("whsec_").expect("a secret says what it is")).unwrap();
    assert!((24..=64).contains(&key.len()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = format!("{}.{}.{}", request.header("webhook-id"), request.header("webhook-timestamp"), request.body);
    request.header("webhook-signature").split(' ').any(|signature| {
        let signature = signature.strip_prefix("v1,").expect("a signature has its version");
        hmac::verify(&key, signed.as_bytes(), &BASE64.decode(signature).unwrap()).is_ok()
    })
}

#[tokio::test]
async fn an_event_is_sent_once_and_signed() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, secret) = wiki.webhook(&receiver.url("/hook?a=b"), &[]).await;
    let page = wiki.page("# Hello").await;
    let requests = wiki.received(&receiver, 1).await;
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert!(is_signed(request, &secret), "{request:?}");
    assert!(!is_signed(request, &format!("whsec_{}", BASE64.encode([0; 32]))), "any secret would do");
    assert_eq!((&*request.target, request.header("content-type")), ("/hook?a=b", "application/json"));
    assert!(request.header("user-agent").starts_with("Wasiki/"), "{request:?}");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(request.header("webhook-timestamp").parse().unwrap()) < 60);

    // It is the event of the log.
    let sent: Value = serde_json::from_str(&request.body).unwrap();
    let mut logged = wiki.get("/events?type=wasiki.page").await["events"][0].clone();
    logged.as_object_mut().unwrap().remove("sequence");
    assert_eq!((&sent, &sent["data"]["post_id"]), (&logged, &page["post_id"]));
    assert_eq!(sent["id"], request.header("webhook-id"));

    let deliveries = wiki.deliveries(&webhook).await;
    let [delivery] = &deliveries[..] else { panic!("{deliveries:?}") };
    for (name, value) in [
        ("state", json!("delivered")),
        ("status", json!(204)),
        ("attempts", json!(1)),
        ("type", json!("wasiki.page.created")),
        ("event_id", sent["id"].clone()),
        ("due_time", json!(null)),
        ("error", json!(null)),
    ] {
        assert_eq!(delivery[name], value, "{name}: {delivery}");
    }
    blackbox::assert_time(&delivery["attempted_time"]);

    // The same event may come again, by any way.
    for _ in 0..2 {
        let again = wiki.app.post("/-/consumers/webhooks").token(EVENTS_TOKEN);
        again.body("application/cloudevents+json", sent.to_string()).await.expect(204);
        wiki.tick().await;
    }
    assert_eq!((receiver.received().len(), wiki.deliveries(&webhook).await.len()), (1, 1));
    // Nothing shows the secret again.
    for path in ["/webhooks", &webhook, "/audit?limit=200", "/events?limit=200"] {
        assert!(!wiki.get(path).await.to_string().contains("whsec_"), "{path}");
    }
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_with_the_same_id() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, secret) = wiki.webhook(&receiver.url("/"), &[]).await;
    receiver.reply(Reply { body: "out of \0order", ..Reply::of(500) });
    wiki.page("x").await;
    wiki.received(&receiver, 1).await;
    let delivery = wiki.deliveries(&webhook).await[0].clone();
    assert_eq!(
        (&delivery["state"], &delivery["status"], &delivery["attempts"]),
        (&json!("waiting"), &json!(500), &json!(1))
    );
    assert_eq!(delivery["response"], "out of \u{fffd}order");
    blackbox::assert_time(&wiki.get(&webhook).await["failing_since"]);
    // The first pause is of five seconds or so, the second of minutes.
    let pause = "SELECT extract(epoch FROM due_time - attempted_time)::bigint::text FROM webhook_deliveries";
    let pause = async || wiki.app.database().column(pause).await[0].parse::<u32>().unwrap();
    assert!((4..=6).contains(&pause().await), "{}", pause().await);
    wiki.sql("UPDATE webhook_deliveries SET due_time = now() + interval '1 hour'").await;
    wiki.tick().await;
    assert_eq!(receiver.received().len(), 1, "it is not due yet");

    receiver.reply(Reply { header: Some(("retry-after", "1000")), ..Reply::of(503) });
    wiki.skip_pauses().await;
    wiki.received(&receiver, 2).await;
    assert!(pause().await >= 1000, "the receiver asked for a longer pause: {}", pause().await);

    wiki.skip_pauses().await;
    let requests = wiki.received(&receiver, 3).await;
    assert!(requests.iter().all(|request| is_signed(request, &secret)));
    let ids: BTreeSet<&str> = requests.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!((requests.len(), ids.len()), (3, 1));
    let delivery = wiki.deliveries(&webhook).await[0].clone();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(3)));
    assert_eq!(wiki.get(&webhook).await["failing_since"], json!(null));
}

#[tokio::test]
async fn after_ten_attempts_a_delivery_has_failed() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::of(404));
    let (webhook, _) = wiki.webhook(&receiver.url("/"), &[]).await;
    wiki.page("x").await;
    for attempt in 1..=10 {
        wiki.received(&receiver, attempt).await;
        wiki.skip_pauses().await;
    }
    wiki.tick().await;
    let delivery = wiki.deliveries(&webhook).await[0].clone();
    assert_eq!(
        (&delivery["state"], &delivery["attempts"], &delivery["due_time"]),
        (&json!("failed"), &json!(10), &json!(null))
    );
    assert_eq!(receiver.received().len(), 10);
    assert_eq!(wiki.get(&webhook).await["active"], true, "it has not failed for days");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_turned_off_at_once() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, _) = wiki.webhook(&receiver.url("/secret-path"), &[]).await;
    receiver.reply(Reply::of(410));
    wiki.page("x").await;
    wiki.received(&receiver, 1).await;
    let found = wiki.get(&webhook).await;
    assert_eq!(
        (&found["active"], &found["disabled_reason"]),
        (&json!(false), &json!("The receiver answered 410 Gone."))
    );
    assert_eq!(wiki.deliveries(&webhook).await[0]["state"], "failed");
    let trail = wiki.trail("webhook_disabled").await;
    assert_eq!((trail.len(), &trail[0]["actor_id"]), (1, &json!(null)));
    let details = trail[0]["details"].as_str().unwrap();
    assert!(details.contains("127.0.0.1") && !details.contains("secret-path"), "{details}");
    wiki.until("the log has it", async || {
        let events = wiki.get("/events?type=wasiki.account.webhook_disabled").await;
        events["events"].as_array().unwrap().len() == 1
    })
    .await;

    // What happens meanwhile is not sent, and nothing can be asked for.
    wiki.page("y").await;
    for _ in 0..3 {
        wiki.tick().await;
    }
    let off = wiki.app.post(&format!("{webhook}/test")).cookie(&wiki.cookie).json(json!({})).await.problem(409);
    assert!(off.body["detail"].as_str().unwrap().contains("Turn it on"), "{off:?}");
    assert_eq!((receiver.received().len(), wiki.deliveries(&webhook).await.len()), (1, 1));
    let change = wiki.app.patch(&webhook).cookie(&wiki.cookie).json(json!({"active": true})).await.expect(200).json();
    assert_eq!((&change["active"], &change["disabled_reason"]), (&json!(true), &json!(null)));
    wiki.page("z").await;
    wiki.received(&receiver, 2).await;
}

#[tokio::test]
async fn a_receiver_that_fails_for_days_is_turned_off() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::of(500));
    let (webhook, _) = wiki.webhook(&receiver.url("/"), &[]).await;
    wiki.page("x").await;
    wiki.received(&receiver, 1).await;
    for (days, active) in [(4, true), (6, false)] {
        wiki.sql(&format!("UPDATE webhooks SET failing_since = now() - interval '{days} days'")).await;
        wiki.skip_pauses().await;
        let count = receiver.received().len();
        wiki.received(&receiver, count + 1).await;
        assert_eq!(wiki.get(&webhook).await["active"], active, "{days} days");
    }
    assert_eq!(wiki.get(&webhook).await["disabled_reason"], "Every delivery failed for 5 days.");
    assert_eq!(wiki.trail("webhook_disabled").await.len(), 1);
    // What waits, waits on.
    wiki.skip_pauses().await;
    wiki.tick().await;
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_a_failure() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply { header: Some(("location", "/elsewhere")), ..Reply::of(307) });
    let (webhook, _) = wiki.webhook(&receiver.url("/here"), &[]).await;
    wiki.page("x").await;
    let requests = wiki.received(&receiver, 1).await;
    assert_eq!((requests.len(), &*requests[0].target), (1, "/here"));
    let delivery = wiki.deliveries(&webhook).await[0].clone();
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("waiting"), &json!(307)));
}

#[tokio::test]
async fn relays_at_once_send_everything_once() {
    const PAGES: usize = 30;
    let wiki = Wiki::start_as("inline", 2).await;
    let receiver = Receiver::start().await;
    receiver.always(Reply { pause: Duration::from_millis(20), ..Reply::of(200) });
    let (webhook, _) = wiki.webhook(&receiver.url("/"), &[]).await;
    for page in 0..PAGES {
        wiki.page(&format!("{page}")).await;
    }
    let began = Instant::now();
    while wiki.deliveries(&webhook).await.iter().filter(|delivery| delivery["state"] == "delivered").count() < PAGES {
        assert!(began.elapsed() < START_LIMIT * 2, "{:?}", wiki.deliveries(&webhook).await);
        let ticks = (0..6).map(|tick| {
            let relay = wiki.app.replica(tick % 2).call_relay();
            async move { relay.await.expect(204) }
        });
        at_once(ticks).await;
    }
    let requests = receiver.received();
    let ids: BTreeSet<&str> = requests.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!((requests.len(), ids.len()), (PAGES, PAGES), "each once");
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_rarely_and_holds_no_other() {
    let wiki = Wiki::start().await;
    let [bad, good] = [Receiver::start().await, Receiver::start().await];
    bad.always(Reply::of(502));
    let (webhook, _) = wiki.webhook(&bad.url("/"), &[]).await;
    wiki.webhook(&good.url("/"), &[]).await;
    for page in 0..12 {
        wiki.page(&format!("{page}")).await;
    }
    wiki.received(&good, 12).await;
    assert_eq!(good.received().len(), 12);
    assert!((1..=6).contains(&bad.received().len()), "a few at once, and then none: {}", bad.received().len());
    wiki.sql("UPDATE webhooks SET pause_until = '-infinity'").await;
    let before = bad.received().len();
    wiki.received(&bad, before + 1).await;
    assert_eq!(bad.received().len(), before + 1, "one, to see whether it works again");
    // Once it works, everything comes.
    bad.always(Reply::of(200));
    wiki.until("all are delivered", async || {
        wiki.skip_pauses().await;
        wiki.deliveries(&webhook).await.iter().all(|delivery| delivery["state"] == "delivered")
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_in_the_list_of_deliveries() {
    let wiki = Wiki::start().await;
    let mut webhooks = Vec::new();
    for (url, reason) in [
        ("http://127.0.0.2:9/", "is not among those that the wiki may reach (webhook_hosts, mail_hosts)"),
        ("https://127.0.0.1:9/", "is not among those that the wiki may reach (webhook_hosts, mail_hosts)"),
        ("http://127.0.0.1:9/", "the connection was refused"),
    ] {
        webhooks.push((wiki.webhook(url, &[]).await.0, reason));
    }
    wiki.page("x").await;
    for (webhook, reason) in webhooks {
        wiki.until("an attempt was made", async || {
            wiki.deliveries(&webhook).await.first().is_some_and(|delivery| delivery["attempts"] == 1)
        })
        .await;
        let delivery = wiki.deliveries(&webhook).await[0].clone();
        assert!(delivery["error"].as_str().unwrap().contains(reason), "{delivery}");
        assert_eq!((&delivery["status"], &delivery["state"]), (&json!(null), &json!("waiting")));
    }
}

#[tokio::test]
async fn types_select_what_is_sent() {
    let wiki = Wiki::start().await;
    let mut webhooks = Vec::new();
    let receiver = Receiver::start().await;
    for (path, types, expected) in [
        ("/default", &[][..], &["page.created", "page.edited", "task.created"][..]),
        ("/all", &["wasiki"], &["page.created", "page.edited", "task.created"]),
        ("/pages", &["wasiki.page"], &["page.created", "page.edited"]),
        ("/one", &["wasiki.page.created", "wasiki.task.completed"], &["page.created"]),
        ("/accounts", &["wasiki.account"], &["account.token_created"]),
    ] {
        webhooks.push((wiki.webhook(&receiver.url(path), types).await.0, path, expected));
    }
    let page = wiki.page("x").await;
    let edit = json!({"content": "- [ ] a task", "version": 1});
    wiki.app.put(&format!("/posts/{}", page["post_id"])).cookie(&wiki.cookie).json(edit).await.expect(200);
    wiki.post("/tokens", json!({"name": "t", "scope": "read"}), 201).await;
    let accounts = webhooks.last().unwrap().0.clone();
    wiki.until("the last event was sent", async || {
        wiki.deliveries(&accounts)
            .await
            .iter()
            .any(|delivery| delivery["type"] == "wasiki.account.token_created" && delivery["state"] == "delivered")
    })
    .await;
    for (webhook, path, expected) in webhooks {
        let deliveries = wiki.deliveries(&webhook).await;
        let types = deliveries.iter().map(|delivery| delivery["type"].as_str().unwrap().trim_start_matches("wasiki."));
        let mut types: BTreeSet<String> = types.map(str::to_owned).collect();
        if path == "/accounts" {
            // What made the administrator and the webhooks is there as well.
            types.retain(|kind| !kind.starts_with("account.") || kind.starts_with("account.token"));
        }
        assert_eq!(types, expected.iter().map(|kind| (*kind).to_owned()).collect(), "{path}");
    }
}

#[tokio::test]
async fn a_delivery_can_be_sent_again_and_a_test_event_at_any_time() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, secret) = wiki.webhook(&receiver.url("/"), &["wasiki.task"]).await;
    let asked = wiki.post(&format!("{webhook}/test"), json!({}), 202).await;
    assert_eq!((&asked["type"], &asked["state"]), (&json!("wasiki.test"), &json!("waiting")));
    let requests = wiki.received(&receiver, 1).await;
    let event: Value = serde_json::from_str(&requests[0].body).unwrap();
    assert!(is_signed(&requests[0], &secret));
    assert_eq!((&event["type"], &event["id"]), (&json!("wasiki.test"), &asked["event_id"]));
    assert_eq!(event["data"], json!({"webhook_id": asked_id(&webhook)}));

    let resend = format!("{webhook}/deliveries/{}/resend", asked["id"]);
    assert_eq!(wiki.post(&resend, json!({}), 202).await["state"], "waiting");
    let requests = wiki.received(&receiver, 2).await;
    assert_eq!(
        (&requests[0].body, requests[0].header("webhook-id")),
        (&requests[1].body, requests[1].header("webhook-id"))
    );
    assert_eq!(wiki.deliveries(&webhook).await[0]["state"], "delivered");
    for event in ["webhook_created", "webhook_tested", "webhook_delivery_resent"] {
        assert_eq!(wiki.trail(event).await.len(), 1, "{event}");
    }
    for path in [
        "/webhooks/99/test",
        &format!("{webhook}/deliveries/99/resend"),
        &format!("{webhook}/deliveries/x/resend"),
        &format!("/webhooks/99/deliveries/{}/resend", asked["id"]),
    ] {
        wiki.app.post(path).cookie(&wiki.cookie).json(json!({})).await.problem(404);
    }
}

fn asked_id(webhook: &str) -> i64 {
    webhook.rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn for_a_day_requests_are_signed_with_both_secrets() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, former) = wiki.webhook(&receiver.url("/"), &[]).await;
    let rotated = wiki.post(&format!("{webhook}/rotate"), json!({}), 200).await;
    let secret = rotated["secret"].as_str().unwrap();
    assert_ne!(secret, former);
    blackbox::assert_time(&rotated["former_secret_until"]);
    wiki.page("x").await;
    let requests = wiki.received(&receiver, 1).await;
    assert!(is_signed(&requests[0], secret) && is_signed(&requests[0], &former), "{requests:?}");
    assert_eq!(requests[0].header("webhook-signature").split(' ').count(), 2);

    wiki.sql("UPDATE webhooks SET former_until = now()").await;
    wiki.page("y").await;
    let requests = wiki.received(&receiver, 2).await;
    assert!(is_signed(&requests[1], secret) && !is_signed(&requests[1], &former), "{requests:?}");
    assert_eq!(wiki.get(&webhook).await["former_secret_until"], json!(null));
    assert_eq!(wiki.trail("webhook_secret_rotated").await.len(), 1);
}

#[tokio::test]
async fn wrong_addresses_and_types_are_refused() {
    let wiki = Wiki::start().await;
    let (webhook, _) = wiki.webhook("https://one.example/", &[]).await;
    let long = format!("https://one.example/{}", "a".repeat(2000));
    for (body, field) in [
        (json!({}), "url"),
        (json!({"url": "one.example"}), "url"),
        (json!({"url": "ftp://one.example/"}), "url"),
        (json!({"url": "https://ada:secret@one.example/"}), "url"),
        (json!({"url": "https://one.example/#top"}), "url"),
        (json!({"url": "https://one.example/ "}), "url"),
        (json!({"url": long}), "url"),
        (json!({"url": 5}), "url"),
        (json!({"url": "https://two.example/", "types": ["wasiki.pages"]}), "types"),
        (json!({"url": "https://two.example/", "types": ["wasiki.page", "wasiki.page.craeted"]}), "types"),
        (json!({"url": "https://two.example/", "types": "wasiki.page"}), "types"),
    ] {
        let problem = wiki.app.post("/webhooks").cookie(&wiki.cookie).json(body.clone()).await.problem(422);
        assert_eq!(problem.body["errors"][0]["field"], field, "{body}");
        if body.get("url").is_some() {
            wiki.app.patch(&webhook).cookie(&wiki.cookie).json(body).await.problem(422);
        }
    }
    let taken = wiki.app.post("/webhooks").cookie(&wiki.cookie).json(json!({"url": "https://one.example/"}));
    assert_eq!(taken.await.problem(409).body["errors"][0]["field"], "url");
    for number in 2..=50 {
        wiki.webhook(&format!("https://{number}.example/"), &[]).await;
    }
    let taken = wiki.app.patch(&webhook).cookie(&wiki.cookie).json(json!({"url": "https://2.example/"}));
    taken.await.problem(409);
    let many = wiki.app.post("/webhooks").cookie(&wiki.cookie).json(json!({"url": "https://51.example/"}));
    let many = many.await.problem(409);
    assert!(many.body["detail"].as_str().unwrap().contains("There are 50 webhooks"), "{many:?}");
    // A change of nothing changes nothing.
    wiki.app.patch(&webhook).cookie(&wiki.cookie).json(json!({})).await.expect(200);
    assert!(wiki.trail("webhook_changed").await.is_empty());
    wiki.app.delete(&webhook).cookie(&wiki.cookie).await.expect(204);
    for path in [&webhook, &format!("{webhook}/deliveries")] {
        wiki.app.get(path).cookie(&wiki.cookie).await.problem(404);
    }
    wiki.app.delete(&webhook).cookie(&wiki.cookie).await.problem(404);
    wiki.app.patch(&webhook).cookie(&wiki.cookie).json(json!({})).await.problem(404);
    wiki.app.post(&format!("{webhook}/rotate")).cookie(&wiki.cookie).json(json!({})).await.problem(404);
}

#[tokio::test]
async fn webhooks_are_for_administrators() {
    let wiki = Wiki::start().await;
    wiki.app.create_account(&wiki.cookie, "eve", "editor").await;
    let eve = wiki.app.sign_in("eve", PASSWORD).await;
    let (webhook, _) = wiki.webhook("https://one.example/", &[]).await;
    for (method, path) in [
        ("GET", "/webhooks".to_owned()),
        ("POST", "/webhooks".to_owned()),
        ("GET", webhook.clone()),
        ("PATCH", webhook.clone()),
        ("DELETE", webhook.clone()),
        ("POST", format!("{webhook}/rotate")),
        ("POST", format!("{webhook}/test")),
        ("GET", format!("{webhook}/deliveries")),
        ("POST", format!("{webhook}/deliveries/1/resend")),
        ("GET", "/events/undelivered".to_owned()),
        ("POST", "/events/undelivered/1/retry".to_owned()),
        ("DELETE", "/events/undelivered/1".to_owned()),
    ] {
        wiki.app.request(method, &path).json(json!({})).await.problem(401);
        wiki.app.request(method, &path).cookie(&eve).json(json!({})).await.problem(403);
    }
}

#[tokio::test]
async fn deliveries_are_kept_for_32_days_and_listed_in_parts() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, _) = wiki.webhook(&receiver.url("/"), &[]).await;
    for page in 0..5 {
        wiki.page(&format!("{page}")).await;
    }
    wiki.received(&receiver, 5).await;
    let mut next = format!("{webhook}/deliveries?limit=2");
    let mut seen = Vec::new();
    loop {
        let part = wiki.get(&next).await;
        seen.extend(part["deliveries"].as_array().unwrap().iter().map(|delivery| delivery["id"].as_i64().unwrap()));
        let Some(more) = part["next"].as_str() else { break };
        next = more.to_owned();
    }
    assert!(seen.len() == 5 && seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    wiki.sql(&format!(
        "UPDATE webhook_deliveries SET created_time = now() - interval '33 days' WHERE id < {}; \
         UPDATE webhook_deliveries SET created_time = now() - interval '31 days' WHERE id = {}",
        seen[1], seen[1]
    ))
    .await;
    wiki.page("new").await;
    wiki.received(&receiver, 6).await;
    assert_eq!(wiki.deliveries(&webhook).await.len(), 3);
}

#[tokio::test]
async fn undelivered_events_can_be_looked_at_retried_and_discarded() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (webhook, _) = wiki.webhook(&receiver.url("/"), &[]).await;
    // What no consumer can use is kept.
    let garbage = wiki.app.post("/-/consumers/webhooks").token(EVENTS_TOKEN).body("application/json", "{not json\0");
    assert_eq!(garbage.await.expect(200).json(), json!({"status": "DROP"}));
    // What one could not use then, and can now; and what could not be handed on.
    let event = |id: &str| {
        json!({"specversion": "1.0", "id": id, "source": "wasiki", "type": "wasiki.page.edited", "subject": "/posts/1",
            "time": "2026-11-22T10:00:00Z", "data": {"post_id": 1}})
    };
    wiki.sql(&format!(
        "INSERT INTO undelivered (event_id, consumer, topic, key, payload, error, attempts, is_dead)
         VALUES ('a', 'webhooks', '', '', '{}', 'no', 1, true), ('b', NULL, 'page-events', '1', '{}', 'no', 12, true)",
        event("a"),
        event("b")
    ))
    .await;
    let list = wiki.get("/events/undelivered").await["events"].as_array().unwrap().clone();
    let [relayed, consumed, garbage] = &list[..] else { panic!("{list:?}") };
    assert_eq!((&relayed["event_id"], &relayed["consumer"]), (&json!("b"), &json!(null)));
    assert_eq!((&garbage["consumer"], &garbage["payload"]), (&json!("webhooks"), &json!("{not json\u{fffd}")));
    assert!(garbage["error"].as_str().unwrap().contains("not a CloudEvent"), "{garbage}");
    assert!(list.iter().all(|event| event["dead"] == true && event["due_time"].is_null()), "{list:?}");
    assert_eq!(wiki.app.metric("wasiki_events_dead").await, 3);

    for event in [relayed, consumed, garbage] {
        let retry = format!("/events/undelivered/{}/retry", event["id"]);
        wiki.app.post(&retry).cookie(&wiki.cookie).json(json!({})).await.expect(204);
    }
    wiki.received(&receiver, 2).await;
    let sent: BTreeSet<String> = wiki
        .deliveries(&webhook)
        .await
        .iter()
        .map(|delivery| delivery["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let left = wiki.get("/events/undelivered").await["events"].as_array().unwrap().clone();
    let [left] = &left[..] else { panic!("{left:?}") };
    assert_eq!((&left["id"], &left["dead"]), (&garbage["id"], &json!(false)));
    assert!(left["attempts"].as_i64().unwrap() >= 1, "{left}");

    let path = format!("/events/undelivered/{}", left["id"]);
    wiki.app.delete(&path).cookie(&wiki.cookie).await.expect(204);
    wiki.app.delete(&path).cookie(&wiki.cookie).await.problem(404);
    wiki.app.post(&format!("{path}/retry")).cookie(&wiki.cookie).json(json!({})).await.problem(404);
    assert_eq!((wiki.trail("event_retried").await.len(), wiki.trail("event_discarded").await.len()), (3, 1));
}

#[tokio::test]
async fn metrics_say_how_far_behind_it_is() {
    let wiki = Wiki::start_as("cdc", 1).await;
    wiki.tick().await;
    wiki.webhook("https://one.example/", &[]).await;
    wiki.page("x").await;
    // Something else reads the log.
    for name in ["wasiki_events_undelivered", "wasiki_events_oldest_undelivered_seconds", "wasiki_events_dead"] {
        assert_eq!(wiki.app.metric(name).await, 0, "{name}");
    }
    assert_eq!(wiki.app.database().column("SELECT mode FROM relay").await, ["cdc"]);
    wiki.sql("UPDATE relay SET mode = 'inline'; UPDATE outbox SET created_time = now() - interval '90 seconds'").await;
    assert!(wiki.app.metric("wasiki_events_undelivered").await >= 2);
    assert!((90..200).contains(&wiki.app.metric("wasiki_events_oldest_undelivered_seconds").await));
    wiki.sql(
        "INSERT INTO webhook_deliveries (webhook_id, event_id, type, payload, due_time)
         SELECT webhooks.id, n::text, 'wasiki.test', '{}', now() + interval '1 day' FROM webhooks, generate_series(1, 7) AS n",
    )
    .await;
    assert_eq!(wiki.app.metric("wasiki_webhook_deliveries_waiting").await, 7);
}

/// The code of the fenced block in docs/EVENTS.md in this language that contains `words`.
fn example(language: &str, words: &str) -> String {
    let text = std::fs::read_to_string(repository().join("docs/EVENTS.md")).unwrap();
    let fence = format!("\n```{language}\n");
    let mut blocks = text.split(&fence).skip(1);
    let code = blocks.find_map(|block| Some(block.split("\n```").next()?).filter(|code| code.contains(words)));
    code.unwrap_or_else(|| panic!("docs/EVENTS.md has an example in {language} with {words}")).to_owned()
}

#[tokio::test]
async fn the_examples_of_the_documentation_check_signatures() {
    let wiki = Wiki::start().await;
    let receiver = Receiver::start().await;
    let (_, secret) = wiki.webhook(&receiver.url("/"), &[]).await;
    wiki.page("# Größe 日本").await;
    let request = wiki.received(&receiver, 1).await.remove(0);
    let run = |program: &str, code: &str, secret: &str| {
        let output = Command::new(program)
            .args(["-c", code])
            .env("SECRET", secret)
            .env("ID", request.header("webhook-id"))
            .env("TIMESTAMP", request.header("webhook-timestamp"))
            .env("SIGNATURE", request.header("webhook-signature"))
            .env("BODY", &request.body)
            .stderr(Stdio::inherit())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let has = |program: &str| Command::new(program).arg("version").output().is_ok();
    let other = format!("whsec_{}", BASE64.encode([0; 32]));
    if has("python3") {
        let code = example("python", "def verify")
            + r#"
import os
headers = {"webhook-id": os.environ["ID"], "webhook-timestamp": os.environ["TIMESTAMP"],
           "webhook-signature": os.environ["SIGNATURE"]}
try:
    verify(os.environ["SECRET"], headers, os.environ["BODY"].encode())
    print("yes")
except ValueError as error:
    print(error)
"#;
        assert_eq!(run("python3", &code, &secret), "yes");
        assert_ne!(run("python3", &code, &other), "yes");
    }
    if has("openssl") {
        let code = example("sh", "openssl");
        let signature = request.header("webhook-signature").trim_start_matches("v1,").to_owned();
        assert_eq!(run("sh", &code, &secret), signature);
        assert_ne!(run("sh", &code, &other), signature);
    }
}
