//! Mail: who is mailed what is unread, how often, and what becomes of what is not taken.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use blackbox::{
    ADMIN_PASSWORD, App, Builder, PASSWORD, POLL, Received, Receiver, Reply, START_LIMIT, Value, at_once, eventually,
    json,
};

const TOKEN: &str = "what-the-service-wants";

/// A wiki that mails Bob what is unread, and Ada, who writes.
struct Wiki {
    app: App,
    receiver: Receiver,
    administrator: String,
    ada: String,
    bob: String,
    bob_id: i64,
}

/// What a wiki needs to send mail.
fn with_mail(wiki: Builder, receiver: &Receiver) -> Builder {
    wiki.env("SPIN_VARIABLE_MAIL_URL", receiver.url("/emails?a=b"))
        .env("SPIN_VARIABLE_MAIL_HOSTS", "http://127.0.0.1:*")
        .env("SPIN_VARIABLE_MAIL_FROM", "The wiki <wiki@example.org>")
        .env("SPIN_VARIABLE_MAIL_TOKEN", TOKEN)
        .env("SPIN_VARIABLE_WIKI_URL", "https://wiki.example.org/")
}

impl Wiki {
    async fn start() -> Self {
        Self::start_with(with_mail).await
    }

    async fn start_with(configured: impl FnOnce(Builder, &Receiver) -> Builder) -> Self {
        let receiver = Receiver::start().await;
        let app = configured(App::wiki().access("public-read").with_events(), &receiver).start().await;
        let administrator = app.administrator().await;
        app.choose_password(&administrator, ADMIN_PASSWORD).await;
        let administrator = app.sign_in("admin", PASSWORD).await;
        let mut tokens = Vec::new();
        for name in ["ada", "bob"] {
            app.create_account(&administrator, name, "editor").await;
            let cookie = app.sign_in(name, PASSWORD).await;
            tokens.push(app.create_token(&cookie, "admin").await);
        }
        let [ada, bob] = tokens.try_into().unwrap();
        let bob_id = app.get("/account").token(&bob).await.expect(200).json()["user_id"].as_i64().unwrap();
        let address = json!({"email": "bob@example.org"});
        app.patch(&format!("/users/{bob_id}")).token(&bob).json(address).await.expect(200);
        let wiki = Self { app, receiver, administrator, ada, bob, bob_id };
        wiki.set("hourly").await;
        wiki
    }

    async fn set(&self, mail: &str) {
        self.app.put("/account/mail").token(&self.bob).json(json!({"mail": mail})).await.expect(204);
    }

    async fn write(&self, slug: &str, content: &str) -> i64 {
        let page = json!({"slug": slug, "title": slug, "content": content});
        let page = self.app.post("/posts").token(&self.ada).json(page).await.expect(201).json();
        page["post_id"].as_i64().unwrap()
    }

    async fn edit(&self, token: &str, page: i64, content: &str) {
        let edit = self.app.put(&format!("/posts/{page}")).header("if-match", "*").token(token);
        edit.json(json!({"content": content})).await.expect(200);
    }

    async fn sql(&self, sql: &str) {
        self.app.database().client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Lets the time pass until the next digest, or the next attempt.
    async fn later(&self) {
        self.sql("UPDATE digests SET mailed_time = '-infinity', pause_until = '-infinity'").await;
    }

    /// What was mailed once `count` digests were, and after some ticks more.
    async fn mails(&self, count: usize) -> Vec<Received> {
        self.app.relay().await;
        let began = Instant::now();
        while self.receiver.received().len() < count {
            assert!(began.elapsed() < START_LIMIT, "waited in vain for {count}: {:?}", self.receiver.received());
            self.app.call_relay().await.expect(204);
            tokio::time::sleep(POLL).await;
        }
        for _ in 0..3 {
            self.app.call_relay().await.expect(204);
        }
        let received = self.receiver.received();
        assert_eq!(received.len(), count, "{received:?}");
        received
    }
}

/// The body of the last mail.
fn last(mails: &[Received]) -> Value {
    serde_json::from_str(&mails.last().unwrap().body).unwrap()
}

fn text(mail: &Value) -> &str {
    mail["text"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_unread_is_mailed_once() {
    let wiki = Wiki::start().await;
    wiki.write("plan", "Ask @bob.").await;
    let mails = wiki.mails(1).await;
    let request = &mails[0];
    assert_eq!((&*request.target, request.header("content-type")), ("/emails?a=b", "application/json"));
    assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"));
    let mail = last(&mails);
    let id = mail["headers"]["Message-ID"].as_str().unwrap();
    assert_eq!(request.header("idempotency-key"), id);
    assert!(id.starts_with(&format!("<digest-{}-", wiki.bob_id)) && id.ends_with("@wiki.example.org>"), "{id}");
    assert_eq!(
        (&mail["from"], &mail["to"], &mail["subject"]),
        (&json!("The wiki <wiki@example.org>"), &json!("bob@example.org"), &json!("1 update in Wasiki"))
    );
    let expected = "1 update in Wasiki\n\n- plan: ada mentioned you\n  https://wiki.example.org/wiki/plan\n\n\
        You asked for this mail, once an hour at most. To change that: https://wiki.example.org/wiki/-/account\n";
    assert_eq!(text(&mail), expected);

    // What comes within the hour waits for its end, and is all there is then.
    let page = wiki.write("other", "- [ ] Call the *plumber* @bob").await;
    wiki.mails(1).await;
    wiki.edit(&wiki.ada, page, "- [ ] Call the *plumber* @bob\n\nMore.").await;
    wiki.edit(&wiki.ada, page, "- [ ] Call the *plumber* @bob\n\nMore and more.").await;
    wiki.mails(1).await;
    wiki.later().await;
    let mail = last(&wiki.mails(2).await);
    assert_eq!(mail["subject"], "2 updates in Wasiki");
    let lines: Vec<&str> = text(&mail).lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(
        lines,
        ["- other: 2 changes, the last by ada", "- Call the plumber: ada assigned this task to you, in other"]
    );

    // What was read is not mailed, and nobody is mailed what they did.
    wiki.edit(&wiki.ada, page, "Less.").await;
    wiki.app.relay().await;
    let latest = wiki.app.get("/inbox?limit=1").token(&wiki.bob).await.expect(200).json()["entries"][0]["id"].clone();
    let read = async |body: Value| wiki.app.post("/inbox/read").token(&wiki.bob).json(body).await.expect(200);
    read(json!({"ids": [latest]})).await;
    wiki.write("third", "@bob").await;
    wiki.edit(&wiki.bob, page, "By Bob, for @bob.").await;
    wiki.later().await;
    let mail = last(&wiki.mails(3).await);
    assert_eq!(mail["subject"], "1 update in Wasiki");
    assert!(text(&mail).contains("- third: ada mentioned you"), "{mail}");
    wiki.edit(&wiki.ada, page, "Least.").await;
    wiki.app.relay().await;
    read(json!({"up_to": i64::MAX})).await;
    wiki.later().await;
    wiki.mails(3).await;

    // A day is longer.
    wiki.set("daily").await;
    wiki.edit(&wiki.ada, page, "Daily.").await;
    for (hours, count) in [(23, 3), (25, 4)] {
        wiki.sql(&format!("UPDATE digests SET mailed_time = now() - interval '{hours} hours'")).await;
        wiki.mails(count).await;
    }
    assert!(text(&last(&wiki.receiver.received())).contains("once a day at most"));

    // Whoever wants none gets none, and later nothing of what came meanwhile.
    wiki.set("none").await;
    wiki.edit(&wiki.ada, page, "None.").await;
    wiki.mails(4).await;
    wiki.set("hourly").await;
    wiki.mails(4).await;
    wiki.write("new", "@bob").await;
    let mail = last(&wiki.mails(5).await);
    assert_eq!(mail["subject"], "1 update in Wasiki");
    assert!(text(&mail).contains("- new: ada mentioned you"), "{mail}");
}

#[tokio::test]
async fn nobody_is_mailed_what_they_may_not_read_by_then() {
    let wiki = Wiki::start().await;
    let (open, secret) = (wiki.write("open", "one").await, wiki.write("zebrafish", "one").await);
    for page in [open, secret] {
        wiki.app.put(&format!("/posts/{page}/watch")).token(&wiki.bob).await.expect(204);
    }
    wiki.sql("UPDATE digests SET pause_until = now() + interval '1 hour'").await;
    for page in [open, secret] {
        wiki.edit(&wiki.ada, page, "two").await;
    }
    wiki.mails(0).await;
    let nobody = json!({"everybody": "none", "entries": []});
    let narrow = wiki.app.put(&format!("/posts/{secret}/access")).cookie(&wiki.administrator);
    narrow.json(nobody).await.expect(200);
    wiki.later().await;
    let mail = last(&wiki.mails(1).await);
    assert_eq!(mail["subject"], "1 update in Wasiki");
    assert!(text(&mail).contains("open: edited by ada") && !mail.to_string().contains("zebrafish"), "{mail}");

    // If there is nothing else, there is no mail, also when they may read it again: that is over.
    wiki.sql("UPDATE digests SET pause_until = now() + interval '1 hour'").await;
    wiki.app.delete(&format!("/posts/{secret}/access")).cookie(&wiki.administrator).await.expect(204);
    wiki.edit(&wiki.ada, secret, "three").await;
    wiki.mails(1).await;
    let narrow = wiki.app.put(&format!("/posts/{secret}/access")).cookie(&wiki.administrator);
    narrow.json(json!({"everybody": "none", "entries": []})).await.expect(200);
    wiki.later().await;
    wiki.mails(1).await;
    wiki.app.delete(&format!("/posts/{secret}/access")).cookie(&wiki.administrator).await.expect(204);
    wiki.later().await;
    wiki.mails(1).await;
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_with_the_same_id() {
    let wiki = Wiki::start().await;
    wiki.receiver.reply(Reply::of(500));
    wiki.write("plan", "@bob").await;
    wiki.mails(1).await;
    let pause = "SELECT extract(epoch FROM pause_until - now())::bigint::text FROM digests";
    let pause = async || wiki.app.database().column(pause).await[0].parse::<i64>().unwrap();
    assert!((30..=60).contains(&pause().await), "{}", pause().await);
    // What comes meanwhile belongs to the next one.
    wiki.write("meanwhile", "@bob").await;
    wiki.receiver.reply(Reply { header: Some(("retry-after", "1000")), ..Reply::of(429) });
    wiki.later().await;
    wiki.mails(2).await;
    assert!(pause().await > 900, "the service asked for a longer pause: {}", pause().await);
    wiki.later().await;
    let mails = wiki.mails(3).await;
    let bodies: BTreeSet<&str> = mails.iter().map(|mail| &*mail.body).collect();
    assert_eq!(bodies.len(), 1, "{mails:?}");
    wiki.later().await;
    let mail = last(&wiki.mails(4).await);
    assert!(text(&mail).contains("- meanwhile: ") && !text(&mail).contains("- plan: "), "{mail}");

    // What the service will never take is given up, and the next one goes. The log has no address.
    wiki.receiver.reply(Reply { body: "bob@example.org is unknown", ..Reply::of(422) });
    wiki.write("refused", "@bob").await;
    wiki.later().await;
    wiki.mails(5).await;
    wiki.write("next", "@bob").await;
    wiki.later().await;
    let mail = last(&wiki.mails(6).await);
    assert!(text(&mail).contains("- next: ") && !text(&mail).contains("- refused: "), "{mail}");
    let refused = format!("mail to user {}: the answer was 422 Unprocessable Entity; it is not sent", wiki.bob_id);
    wiki.app.runner().logged(&refused, 1).await;
    assert!(!wiki.app.runner().stderr().contains("@example.org"), "{}", wiki.app.runner().stderr());
}

#[tokio::test]
async fn a_relay_that_dies_sends_the_same_mail_again() {
    let mut wiki = Wiki::start().await;
    wiki.receiver.reply(Reply { pause: Duration::from_secs(5), ..Reply::of(200) });
    wiki.write("plan", "@bob").await;
    let relay = async {
        loop {
            _ = wiki.app.call_relay().attempt().await;
        }
    };
    tokio::select! {
        () = relay => {}
        () = eventually("the service has it", || async { !wiki.receiver.received().is_empty() }) => {}
    }
    wiki.app.kill9();
    wiki.app.start_again().await;
    wiki.sql("UPDATE relay SET leased_until = '-infinity'").await;
    // For a minute, it may still be alive.
    wiki.mails(1).await;
    wiki.sql("UPDATE digests SET leased_until = '-infinity'").await;
    let mails = wiki.mails(2).await;
    assert_eq!(mails[0].body, mails[1].body);
}

#[tokio::test]
async fn relays_at_once_send_everybody_one_mail() {
    const PEOPLE: usize = 20;
    let wiki = Wiki::start_with(|wiki, receiver| with_mail(wiki, receiver).replicas(2)).await;
    wiki.receiver.always(Reply { pause: Duration::from_millis(20), ..Reply::of(200) });
    wiki.sql(&format!(
        "INSERT INTO users (username, name, password, email)
           SELECT 'n' || n, 'n' || n, 'x', 'n' || n || '@example.org' FROM generate_series(1, {PEOPLE}) AS n;
         INSERT INTO digests (user_id, mail, mailed_id) SELECT id, 'daily', 0 FROM users WHERE username ~ '^n[0-9]'"
    ))
    .await;
    let all: String = (1..=PEOPLE).map(|n| format!("@n{n} ")).collect();
    wiki.write("plan", &all).await;
    let began = Instant::now();
    while wiki.receiver.received().len() < PEOPLE {
        assert!(began.elapsed() < START_LIMIT, "{:?}", wiki.receiver.received());
        let ticks = (0..6).map(|tick| {
            let relay = wiki.app.replica(tick % 2).call_relay();
            async move { relay.await.expect(204) }
        });
        at_once(ticks).await;
    }
    let mails = wiki.mails(PEOPLE).await;
    let to: BTreeSet<String> = mails.iter().map(|mail| last(std::slice::from_ref(mail))["to"].to_string()).collect();
    assert_eq!(to.len(), PEOPLE, "each once");
}

#[tokio::test]
async fn a_service_that_is_away_is_asked_rarely() {
    let wiki = Wiki::start().await;
    wiki.receiver.always(Reply::of(503));
    wiki.sql(
        "INSERT INTO users (username, name, password, email)
           SELECT 'n' || n, 'n' || n, 'x', 'n' || n || '@example.org' FROM generate_series(1, 40) AS n;
         INSERT INTO digests (user_id, mail, mailed_id) SELECT id, 'daily', 0 FROM users WHERE username ~ '^n[0-9]'",
    )
    .await;
    for page in 0..2 {
        let all: String = (1..=20).map(|n| format!("@n{} ", page * 20 + n)).collect();
        wiki.write(&format!("plan-{page}"), &all).await;
    }
    // One batch, and then nobody's for a minute.
    wiki.mails(10).await;
    let waiting = "SELECT count(*)::text FROM digests WHERE pause_until > now() + interval '20 seconds'";
    assert_eq!(wiki.app.database().column(waiting).await, ["41"]);
}

#[tokio::test]
async fn a_long_digest_ends_with_where_the_rest_is() {
    let wiki = Wiki::start().await;
    let page = wiki.write("plan", "x").await;
    wiki.sql(&format!(
        "INSERT INTO inbox (user_id, kind, post_id, actor_id, version, first_version, event_id, time)
         SELECT {}, 'mention', {page}, 1, 1, 1, n::text, now() FROM generate_series(1, 62) AS n",
        wiki.bob_id
    ))
    .await;
    let mail = last(&wiki.mails(1).await);
    assert_eq!(mail["subject"], "62 updates in Wasiki");
    assert_eq!(text(&mail).lines().filter(|line| line.starts_with("- ")).count(), 50);
    assert!(text(&mail).contains("And 12 more: https://wiki.example.org/wiki/-/inbox?unread=true\n"), "{mail}");
    // Who has no address any more is mailed nothing, and not later either.
    let address = |address: Value| {
        let at = format!("/users/{}", wiki.bob_id);
        wiki.app.patch(&at).token(&wiki.bob).json(json!({"email": address}))
    };
    address(json!(null)).await.expect(200);
    wiki.write("none", "@bob").await;
    wiki.later().await;
    wiki.mails(1).await;
    address(json!("bob@example.org")).await.expect(200);
    wiki.later().await;
    wiki.mails(1).await;
    // Nor is somebody who is deleted.
    wiki.write("gone", "@bob").await;
    wiki.app.delete(&format!("/users/{}", wiki.bob_id)).token(&wiki.bob).await.expect(204);
    wiki.later().await;
    wiki.mails(1).await;
    assert_eq!(wiki.app.database().column("SELECT count(*)::text FROM digests").await, ["0"]);
}

#[tokio::test]
async fn a_binding_of_dapr_sends_mail_in_every_mode() {
    let wiki = Wiki::start_with(|wiki, receiver| {
        with_mail(wiki, receiver)
            .env("SPIN_VARIABLE_MAIL_URL", receiver.url("/v1.0/bindings/mail"))
            .env("SPIN_VARIABLE_DAPR_API_TOKEN", "of-dapr")
            .env("SPIN_VARIABLE_EVENTS", "cdc")
    })
    .await;
    wiki.write("plan", "Ask @bob.").await;
    // Something else brings events to the consumer.
    let events = async || wiki.app.walk("/events?type=wasiki.page", "events").await;
    eventually("the log has it", || async { !events().await.is_empty() }).await;
    wiki.app.deliver("notification", &events().await[0]).await.expect(204);
    eventually("the mail came", || async {
        wiki.app.call_relay().await.expect(204);
        !wiki.receiver.received().is_empty()
    })
    .await;
    let requests = wiki.receiver.received();
    let request = &requests[0];
    assert_eq!((&*request.target, request.header("dapr-api-token")), ("/v1.0/bindings/mail", "of-dapr"));
    assert_eq!(request.header("authorization"), "");
    let body = last(&requests);
    assert_eq!(body["operation"], "create");
    let metadata = json!({"emailFrom": "The wiki <wiki@example.org>", "emailTo": "bob@example.org", "subject": "1 update in Wasiki"});
    assert_eq!(body["metadata"], metadata);
    let data = body["data"].as_str().unwrap();
    assert!(
        data.starts_with("<pre ") && data.contains("- plan: ada mentioned you\n  https://wiki.example.org/"),
        "{data}"
    );
}

#[tokio::test]
async fn without_an_address_of_a_service_nothing_is_sent() {
    let wiki = Wiki::start_with(|wiki, _| wiki).await;
    wiki.write("plan", "@bob").await;
    wiki.mails(0).await;
    let account = async |wiki: &Wiki| {
        let cookie = wiki.app.sign_in("bob", PASSWORD).await;
        wiki.app.get("/wiki/-/account").cookie(&cookie).await.expect(200).text().to_owned()
    };
    let html = account(&wiki).await;
    assert!(html.contains("This wiki sends no mail"), "{html}");
    let wiki = Wiki::start().await;
    wiki.mails(0).await;
    let html = account(&wiki).await;
    assert!(!html.contains("This wiki sends no mail"), "{html}");
}

#[tokio::test]
async fn wrong_variables_are_named() {
    for (name, value, expected) in [
        ("MAIL_URL", "mail.example", "must be the address of a mail service"),
        ("MAIL_FROM", "", "must be the address that mail comes from"),
        ("WIKI_URL", "", "must be the address of this wiki"),
        ("WIKI_URL", "https://a.example/wiki", "must be the address of this wiki"),
    ] {
        let receiver = Receiver::start().await;
        let wiki = with_mail(App::wiki().with_events(), &receiver).env(&format!("SPIN_VARIABLE_{name}"), value);
        let wiki = wiki.start().await;
        wiki.call_relay().await.expect(500);
        // The value between them is quoted as each host's log quotes.
        wiki.runner().logged(&format!("variable {}: ", name.to_lowercase()), 1).await;
        wiki.runner().logged(expected, 1).await;
    }
}

#[tokio::test]
async fn people_choose_how_often_they_are_mailed() {
    let wiki = Wiki::start_with(|wiki, _| wiki).await;
    let setting = async |token: &str| wiki.app.get("/account/mail").token(token).await.expect(200).json();
    assert_eq!(setting(&wiki.bob).await, json!({"mail": "hourly"}));
    assert_eq!(setting(&wiki.ada).await, json!({"mail": "none"}));
    for body in [json!({}), json!({"mail": "weekly"}), json!({"mail": true}), json!({"mail": null})] {
        wiki.app.put("/account/mail").token(&wiki.bob).json(body).await.invalid("mail");
    }
    wiki.set("hourly").await;
    assert_eq!(setting(&wiki.bob).await, json!({"mail": "hourly"}));

    // The form has the address as well.
    let cookie = wiki.app.sign_in("ada", PASSWORD).await;
    let send = |fields: &[(&str, &str)]| wiki.app.post("/wiki/-/account/mail").cookie(&cookie).form(fields);
    for (fields, expected) in [
        ([("email", ""), ("mail", "daily")], "Email address is needed"),
        ([("email", "nobody"), ("mail", "none")], "Email address must be"),
        ([("email", "Bob@example.org"), ("mail", "none")], "Email address is already taken"),
        ([("email", "ada@example.org"), ("mail", "weekly")], "must be one of: none, hourly, daily"),
    ] {
        let refused = send(&fields).await;
        assert!((409..=422).contains(&refused.status()) && refused.text().contains(expected), "{refused:?}");
    }
    assert_eq!(setting(&wiki.ada).await, json!({"mail": "none"}));
    let saved = send(&[("email", "ada@example.org"), ("mail", "daily")]).await.expect(303);
    assert_eq!(saved.header("location"), "/wiki/-/account");
    let html = wiki.app.get("/wiki/-/account").cookie(&cookie).await.expect(200).text().to_owned();
    assert!(html.contains("value=\"ada@example.org\"") && html.contains("<option value=\"daily\" selected>"), "{html}");
    send(&[("email", ""), ("mail", "none")]).await.expect(303);
    assert_eq!(setting(&wiki.ada).await, json!({"mail": "none"}));

    let trail = wiki.app.get("/audit?limit=200").cookie(&wiki.administrator).await.expect(200).json();
    let trail = trail["entries"].as_array().unwrap().iter().filter(|entry| entry["event"] == "mail_changed");
    let details: Vec<&str> = trail.map(|entry| entry["details"].as_str().unwrap()).collect();
    assert_eq!(details, ["daily → none", "none → daily", "none → hourly"]);
}
