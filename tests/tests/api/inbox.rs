//! The inbox: who is told of what, and how often.

use blackbox::{ADMIN_PASSWORD, App, PASSWORD, Value, json};
use chrono::{TimeDelta, Utc};

/// A wiki with three editors, each by the token of their account.
struct Team {
    wiki: App,
    administrator: String,
    ada: String,
    bob: String,
    eve: String,
}

impl Team {
    async fn new(mode: &str) -> Self {
        let wiki = App::wiki().access(mode).with_events().start().await;
        let administrator = wiki.administrator().await;
        let mut tokens = Vec::new();
        for name in ["ada", "bob", "eve"] {
            wiki.create_account(&administrator, name, "editor").await;
            let cookie = wiki.sign_in(name, PASSWORD).await;
            tokens.push(wiki.create_token(&cookie, "admin").await);
        }
        let [ada, bob, eve] = tokens.try_into().unwrap();
        Self { wiki, administrator, ada, bob, eve }
    }

    /// Writes a page below another one.
    async fn write_below(&self, token: &str, parent: i64, slug: &str) -> i64 {
        let page = json!({"slug": slug, "title": slug, "content": slug, "parent_id": parent});
        let page = self.wiki.post("/posts").token(token).json(page).await.expect(201).json();
        page["post_id"].as_i64().unwrap()
    }

    async fn write(&self, token: &str, slug: &str, content: &str) -> i64 {
        let page = json!({"slug": slug, "title": slug, "content": content});
        let page = self.wiki.post("/posts").token(token).json(page).await.expect(201).json();
        page["post_id"].as_i64().unwrap()
    }

    async fn edit(&self, token: &str, page: i64, content: &str) {
        let edit = self.wiki.put(&format!("/posts/{page}")).header("if-match", "*").token(token);
        edit.json(json!({"content": content})).await.expect(200);
    }

    /// The inbox of the owner of a token, latest entry first, once every event was handed on.
    async fn inbox(&self, token: &str) -> Vec<Value> {
        self.wiki.relay().await;
        let inbox = self.wiki.get("/inbox?limit=200").token(token).await.expect(200).json();
        inbox["entries"].as_array().unwrap().clone()
    }

    /// The same, as `kind page by whom: task`, oldest first.
    async fn told(&self, token: &str) -> Vec<String> {
        self.inbox(token).await.iter().rev().map(said).collect()
    }

    async fn read_all(&self, token: &str) {
        self.wiki.relay().await;
        let read = json!({"up_to": i64::MAX});
        let left = self.wiki.post("/inbox/read").token(token).json(read).await.expect(200).json();
        assert_eq!(left, json!({"unread": 0}));
    }

    /// The events of the log with this type, oldest first.
    async fn events(&self, kind: &str) -> Vec<Value> {
        self.wiki.relay().await;
        self.wiki.walk(&format!("/events?type={kind}&limit=200"), "events").await
    }
}

fn said(entry: &Value) -> String {
    let text = |member: &str| entry[member].as_str();
    let mut said = format!("{} {}", entry["kind"].as_str().unwrap(), entry["page_slug"].as_str().unwrap());
    if let Some(name) = text("user_name") {
        said += &format!(" by {name}");
    }
    if let Some(task) = text("task_text") {
        said += &format!(": {task}");
    }
    if entry["changes"] != 1 {
        said += &format!(" x{}", entry["changes"]);
    }
    said
}

/// A time as pages write it, so many minutes from now.
fn minutes(minutes: i64) -> String {
    (Utc::now() + TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M").to_string()
}

#[tokio::test]
async fn people_are_told_what_concerns_them_and_not_what_they_did() {
    let team = Team::new("public-read").await;
    let page = team.write(&team.ada, "plan", "# Plan\n\nAsk @bob and @ada.\n").await;
    assert_eq!(team.told(&team.bob).await, ["mention plan by ada"]);
    assert!(team.told(&team.ada).await.is_empty(), "who mentions themselves is not told");

    // Who creates a page watches it; so does who edits it.
    team.edit(&team.bob, page, "# Plan\n\nAsk @bob and @ada. Done.\n").await;
    assert_eq!(team.told(&team.ada).await, ["changed plan by bob"]);
    team.edit(&team.bob, page, "# Plan\n\nAsk @bob and @ada. Really done.\n").await;
    let entries = team.inbox(&team.ada).await;
    assert_eq!(entries.iter().map(said).collect::<Vec<_>>(), ["changed plan by bob x2"], "one entry for each page");
    let versions = ["first_version", "version", "read_time", "page_deleted"].map(|member| entries[0][member].clone());
    assert_eq!(versions, [json!(2), json!(3), json!(null), json!(false)]);
    // What was read is followed by another entry.
    team.read_all(&team.ada).await;
    team.edit(&team.bob, page, "# Plan\n\nAsk @bob and @ada.\n").await;
    assert_eq!(team.told(&team.ada).await, ["changed plan by bob x2", "changed plan by bob"]);
    assert_eq!(team.told(&team.bob).await, ["mention plan by ada"], "a text that names them as before is no mention");

    // A task of somebody's.
    team.edit(&team.ada, page, "- [ ] Call the *plumber* @bob\n- [ ] Pay @ada\n").await;
    let told = team.told(&team.bob).await;
    assert_eq!(told, ["mention plan by ada", "assigned plan by ada: Call the *plumber*"], "and of that change no more");
    team.edit(&team.ada, page, "- [ ] Call the *plumber* now @eve\n- [ ] Pay @ada\n").await;
    assert_eq!(team.told(&team.eve).await, ["assigned plan by ada: Call the *plumber* now"]);
    assert_eq!(team.told(&team.bob).await.last().unwrap(), "changed plan by ada");
    // Other changes of it are changes of its page; one that goes back is news.
    team.read_all(&team.eve).await;
    team.edit(&team.ada, page, "- [x] Call the *plumber* now @eve\n- [ ] Pay @ada\n").await;
    assert_eq!(team.told(&team.eve).await.len(), 2);
    team.edit(&team.ada, page, "- [ ] Call the *plumber* now @bob\n- [ ] Pay @ada\n").await;
    team.edit(&team.ada, page, "- [ ] Call the *plumber* now @eve\n- [ ] Pay @ada\n").await;
    let told = team.told(&team.eve).await;
    assert_eq!(told.iter().filter(|said| said.starts_with("assigned")).count(), 2, "{told:?}");

    // Deletions, restores and new names are changes.
    team.read_all(&team.bob).await;
    let at = format!("/posts/{page}");
    team.wiki.delete(&at).token(&team.ada).await.expect(204);
    let entry = team.inbox(&team.bob).await[0].clone();
    assert_eq!((said(&entry), &entry["page_deleted"]), ("changed plan by ada".to_owned(), &json!(true)));
    team.wiki.post(&format!("{at}/restore")).token(&team.ada).json(json!({})).await.expect(200);
    let rename = json!({"content": "x", "slug": "renamed"});
    team.wiki.put(&at).header("if-match", "*").token(&team.ada).json(rename).await.expect(200);
    assert_eq!(team.told(&team.bob).await.last().unwrap(), "changed renamed by ada x3");
}

#[tokio::test]
async fn an_event_that_comes_again_or_late_has_no_effect() {
    let team = Team::new("public-read").await;
    let page = team.write(&team.ada, "plan", "- [ ] Call @eve\n\nAsk @bob.\n").await;
    team.edit(&team.bob, page, "- [ ] Call @eve\n\nAsk @bob and @eve.\n").await;
    team.edit(&team.bob, page, "- [ ] Call @bob\n\nAsk @bob and @eve.\n").await;
    let due = minutes(-1);
    team.edit(&team.bob, page, &format!("- [ ] Call @bob due:{due}\n")).await;
    let everything =
        "SELECT concat_ws(' ', id, user_id, kind, version, changes, event_id, read_time) FROM inbox ORDER BY id";
    let watches = "SELECT concat_ws(' ', post_id, user_id, is_on, told_version) FROM watches ORDER BY user_id";
    let mut events = team.events("wasiki").await;
    assert!(events.len() > 7, "{events:?}");
    team.read_all(&team.ada).await;
    let before = (team.wiki.database().column(everything).await, team.wiki.database().column(watches).await);
    assert_eq!(before.0.len(), 6, "{before:?}");
    for _ in 0..2 {
        for event in &events {
            team.wiki.deliver("notification", event).await.expect(204);
        }
        events.reverse();
    }
    let after = (team.wiki.database().column(everything).await, team.wiki.database().column(watches).await);
    assert_eq!(after, before);

    // Newer ones that come first count; older ones after them do not.
    let bob = team.wiki.get("/account").token(&team.bob).await.expect(200).json()["user_id"].clone();
    let mut event = events.iter().find(|event| event["type"] == "wasiki.page.edited").unwrap().clone();
    for version in [107, 105, 106, 107] {
        event["id"] = json!(format!("made up {version}"));
        event["data"]["version"] = json!(version);
        event["data"]["user_id"] = bob.clone();
        team.wiki.deliver("notification", &event).await.expect(204);
    }
    let entries = team.inbox(&team.ada).await;
    let unread: Vec<&Value> = entries.iter().filter(|entry| entry["read_time"].is_null()).collect();
    let [entry] = unread[..] else { panic!("{entries:?}") };
    assert_eq!((&entry["version"], &entry["first_version"], &entry["changes"]), (&json!(107), &json!(107), &json!(1)));
    // What could concern nobody is passed over.
    event["data"]["post_id"] = json!(999_999);
    team.wiki.deliver("notification", &event).await.expect(204);
    event["data"] = json!({"post_id": "1"});
    team.wiki.deliver("notification", &event).await.expect(204);
}

#[tokio::test]
async fn who_does_not_want_to_watch_a_page_is_left_alone() {
    let team = Team::new("public-read").await;
    let page = team.write(&team.ada, "plan", "one").await;
    team.wiki.relay().await;
    let at = format!("/posts/{page}/watch");
    let watching = async |token: &str| team.wiki.get(&at).token(token).await.expect(200).json()["watching"] == true;
    assert!(watching(&team.ada).await && !watching(&team.bob).await);
    team.wiki.put(&at).token(&team.bob).await.expect(204);
    team.edit(&team.eve, page, "two").await;
    assert_eq!(team.told(&team.bob).await, ["changed plan by eve"]);
    assert_eq!(team.told(&team.ada).await, ["changed plan by eve"]);

    for token in [&team.ada, &team.bob, &team.bob] {
        team.wiki.delete(&at).token(token).await.expect(204);
    }
    // Neither an edit nor a task makes them watch it again; what is theirs, they are told.
    team.edit(&team.bob, page, "three").await;
    team.edit(&team.eve, page, "- [ ] Call @ada\n\n@bob").await;
    team.edit(&team.eve, page, "- [ ] Call @ada\n\n@bob, now").await;
    assert!(!watching(&team.ada).await && !watching(&team.bob).await);
    assert_eq!(team.told(&team.bob).await, ["changed plan by eve", "mention plan by eve"]);
    assert_eq!(team.told(&team.ada).await, ["changed plan by eve", "assigned plan by eve: Call"]);

    // What happened before somebody watches is no news.
    team.edit(&team.eve, page, "four").await;
    team.wiki.put(&at).token(&team.bob).await.expect(204);
    assert_eq!(team.told(&team.bob).await.len(), 2);
    for path in ["/posts/999999/watch", "/posts/x/watch"] {
        team.wiki.put(path).token(&team.bob).await.problem(404);
        team.wiki.get(path).token(&team.bob).await.problem(404);
        team.wiki.delete(path).token(&team.bob).await.problem(404);
    }
}

#[tokio::test]
async fn who_watches_a_page_with_everything_below_is_told_of_what_is_there_when_it_changes() {
    let team = Team::new("public-read").await;
    let guide = team.write(&team.ada, "guide", "one").await;
    let chapter = team.write_below(&team.ada, guide, "chapter").await;
    let section = team.write_below(&team.ada, chapter, "section").await;
    let elsewhere = team.write(&team.ada, "elsewhere", "one").await;
    let watch = |page: i64| format!("/posts/{page}/watch");
    let watching = async |page: i64| team.wiki.get(&watch(page)).token(&team.bob).await.expect(200).json();
    team.wiki.put(&watch(guide)).token(&team.bob).json(json!({"below": true})).await.expect(204);
    assert_eq!(watching(guide).await, json!({"watching": true, "below": true}));
    assert_eq!(watching(section).await, json!({"watching": true, "below": false}));
    assert_eq!(watching(elsewhere).await, json!({"watching": false, "below": false}));
    assert!(team.told(&team.bob).await.is_empty(), "what happened before is no news");

    team.edit(&team.eve, section, "two").await;
    team.edit(&team.eve, elsewhere, "two").await;
    assert_eq!(team.told(&team.bob).await, ["changed section by eve"]);
    assert!(team.told(&team.eve).await.is_empty(), "who did it");
    // Once, also who watches the page itself and one between them.
    for page in [chapter, section] {
        team.wiki.put(&watch(page)).token(&team.bob).json(json!({"below": true})).await.expect(204);
    }
    team.edit(&team.eve, section, "three").await;
    assert_eq!(team.told(&team.bob).await, ["changed section by eve x2"]);
    team.edit(&team.bob, chapter, "two").await;
    assert_eq!(team.told(&team.bob).await.len(), 1, "what they did themselves");

    // What is made there, and what moves there, until it moves away.
    team.read_all(&team.bob).await;
    let new = team.write_below(&team.eve, chapter, "new").await;
    let to = async |page: i64, parent: i64| {
        let there = json!({"parent_id": parent});
        team.wiki.post(&format!("/posts/{page}/move")).token(&team.eve).json(there).await.expect(200);
    };
    to(elsewhere, chapter).await;
    team.edit(&team.eve, elsewhere, "three").await;
    let unread = async || -> Vec<String> {
        team.inbox(&team.bob).await.iter().rev().filter(|entry| entry["read_time"].is_null()).map(said).collect()
    };
    assert_eq!(unread().await, ["changed new by eve", "changed elsewhere by eve"]);
    team.read_all(&team.bob).await;
    let apart = team.write(&team.ada, "apart", "one").await;
    to(elsewhere, apart).await;
    team.edit(&team.eve, elsewhere, "four").await;
    team.wiki.delete(&format!("/posts/{new}")).token(&team.eve).await.expect(204);
    assert_eq!(unread().await, ["changed new by eve"]);

    // An event that comes again has no effect.
    let inbox =
        "SELECT concat_ws(' ', id, user_id, kind, version, changes, event_id, read_time) FROM inbox ORDER BY id";
    let before = team.wiki.database().column(inbox).await;
    let mut events = team.events("wasiki.page").await;
    for _ in 0..2 {
        for event in &events {
            team.wiki.deliver("notification", event).await.expect(204);
        }
        events.reverse();
    }
    assert_eq!(team.wiki.database().column(inbox).await, before);
}

#[tokio::test]
async fn watching_everything_below_ends_for_a_page_or_for_all() {
    let team = Team::new("public-read").await;
    let guide = team.write(&team.ada, "guide", "one").await;
    let chapter = team.write_below(&team.ada, guide, "chapter").await;
    let section = team.write_below(&team.ada, chapter, "section").await;
    let watch = |page: i64| format!("/posts/{page}/watch");
    let watching = async |page: i64| team.wiki.get(&watch(page)).token(&team.bob).await.expect(200).json();
    let edit_all = async |content: &str| {
        for page in [guide, chapter, section] {
            team.edit(&team.eve, page, content).await;
        }
    };
    let unread = async || -> Vec<String> {
        let told = team.inbox(&team.bob).await;
        let told = told.iter().rev().filter(|entry| entry["read_time"].is_null()).map(said).collect();
        team.read_all(&team.bob).await;
        told
    };
    team.wiki.put(&watch(guide)).token(&team.bob).json(json!({"below": true})).await.expect(204);
    edit_all("two").await;
    assert_eq!(unread().await, ["changed guide by eve", "changed chapter by eve", "changed section by eve"]);

    // A page that they do not want, whatever they do to it. Those below it are others.
    team.wiki.delete(&watch(chapter)).token(&team.bob).await.expect(204);
    team.edit(&team.bob, chapter, "Changed by Bob.").await;
    team.wiki.put(&watch(guide)).token(&team.bob).json(json!({"below": true})).await.expect(204);
    assert_eq!(watching(chapter).await, json!({"watching": false, "below": false}));
    edit_all("three").await;
    assert_eq!(unread().await, ["changed guide by eve", "changed section by eve"]);

    // Without a word about what is below, that stays as it is.
    for (body, below) in [(json!({}), true), (json!({"below": null}), true), (json!({"below": false}), false)] {
        team.wiki.put(&watch(guide)).token(&team.bob).json(body.clone()).await.expect(204);
        assert_eq!(watching(guide).await, json!({"watching": true, "below": below}), "{body}");
    }
    team.wiki.put(&watch(guide)).token(&team.bob).await.expect(204);
    assert_eq!(watching(section).await, json!({"watching": false, "below": false}));
    edit_all("four").await;
    assert_eq!(unread().await, ["changed guide by eve"]);
    team.wiki.put(&watch(guide)).token(&team.bob).json(json!({"below": true})).await.expect(204);
    team.wiki.delete(&watch(guide)).token(&team.bob).await.expect(204);
    edit_all("five").await;
    assert!(unread().await.is_empty());
    // Editing makes them watch a page that they were only told of because of one above.
    team.edit(&team.bob, section, "By Bob.").await;
    team.wiki.relay().await;
    assert_eq!(watching(section).await, json!({"watching": true, "below": false}));

    let wrong = team.wiki.put(&watch(guide)).token(&team.bob).json(json!({"below": "yes"})).await;
    wrong.invalid("below");
    team.wiki.put(&watch(999_999)).token(&team.bob).json(json!({"below": true})).await.problem(404);
}

#[tokio::test]
async fn nobody_is_told_of_pages_below_that_they_may_not_read_or_that_were_imported() {
    let team = Team::new("public-read").await;
    team.wiki.choose_password(&team.administrator, ADMIN_PASSWORD).await;
    let administrator = team.wiki.sign_in("admin", PASSWORD).await;
    let guide = team.write(&team.ada, "guide", "one").await;
    let secret = team.write_below(&team.ada, guide, "secret").await;
    for who in [&team.bob, &team.eve] {
        let watch = team.wiki.put(&format!("/posts/{guide}/watch")).token(who);
        watch.json(json!({"below": true})).await.expect(204);
    }
    let bob = team.wiki.get("/account").token(&team.bob).await.expect(200).json()["user_id"].clone();
    let ada = team.wiki.get("/account").token(&team.ada).await.expect(200).json()["user_id"].clone();
    let access =
        json!({"everybody": "none", "entries": [{"user_id": ada, "role": "write"}, {"user_id": bob, "role": "read"}]});
    let narrow = team.wiki.put(&format!("/posts/{secret}/access")).cookie(&administrator);
    narrow.json(access).await.expect(200);
    team.edit(&team.ada, secret, "two").await;
    assert_eq!(team.told(&team.bob).await, ["changed secret by ada"]);
    assert!(team.told(&team.eve).await.is_empty());
    // Nothing waits for the day on which they may.
    team.wiki.delete(&format!("/posts/{secret}/access")).cookie(&administrator).await.expect(204);
    assert!(team.told(&team.eve).await.is_empty());

    let imported = json!({"slug": "old", "content": "Old.", "parent_id": guide,
        "created_time": "2026-01-01T00:00:00Z", "updated_time": "2026-01-01T00:00:00Z"});
    team.wiki.post("/posts").token(&team.ada).json(imported).await.expect(201);
    team.write_below(&team.ada, guide, "young").await;
    assert_eq!(team.told(&team.eve).await, ["changed young by ada"]);
}

#[tokio::test]
async fn only_accounts_are_told_and_of_each_version_twenty() {
    let team = Team::new("open").await;
    let names: Vec<String> = (0..25).map(|number| format!("n{number}")).collect();
    for name in &names {
        let user = format!("INSERT INTO users (username, name, password) VALUES ('{name}', '{name}', 'x')");
        team.wiki.database().client().await.batch_execute(&user).await.unwrap();
    }
    team.wiki.create_user("ghost").await;
    let all: String = names.iter().map(|name| format!("@{name} ")).collect();
    let page =
        team.write(&team.ada, "plan", &format!("@ghost @nobody `@bob` ada@eve {all}\n\n    @eve\n\n@N3\n")).await;
    team.wiki.relay().await;
    let told = "SELECT username FROM inbox JOIN users ON users.id = inbox.user_id ORDER BY inbox.id";
    assert_eq!(team.wiki.database().column(told).await, &names[..20]);
    // Whoever was deleted is told no more, and what they were told is gone.
    let bob = team.wiki.get("/users?username=bob").await.expect(200).json()["users"][0]["id"].clone();
    team.wiki.put(&format!("/posts/{page}/watch")).token(&team.bob).await.expect(204);
    team.edit(&team.ada, page, "Ask @bob.").await;
    assert_eq!(team.told(&team.bob).await, ["mention plan by ada"]);
    team.wiki.delete(&format!("/users/{bob}")).token(&team.bob).await.expect(204);
    team.edit(&team.ada, page, "Ask @bob. Ask @bob. Ask @bob.").await;
    team.wiki.relay().await;
    for table in ["inbox", "watches"] {
        let left = format!("SELECT count(*) FROM {table} WHERE user_id = {bob}");
        assert_eq!(team.wiki.database().column(&left).await, ["0"], "{table}");
    }
    // Somebody without an account is named where they wrote, and has no inbox.
    let edit = json!({"content": "By a guest, to @eve", "user_id": team.wiki.get("/users?username=ghost").await.json()["users"][0]["id"]});
    team.wiki.put(&format!("/posts/{page}")).header("if-match", "*").json(edit).await.expect(200);
    assert_eq!(team.told(&team.eve).await, ["mention plan by ghost"]);
    assert_eq!(team.told(&team.ada).await, ["changed plan by ghost"]);
    team.wiki.get("/inbox").await.problem(401);
}

#[tokio::test]
async fn pages_of_another_time_tell_nobody() {
    let team = Team::new("public-read").await;
    let imported = json!({"slug": "old", "content": "Ask @bob.\n\n- [ ] Call @bob due:2026-01-02\n",
        "created_time": "2026-01-01T00:00:00Z", "updated_time": "2026-01-01T00:00:00Z"});
    team.wiki.post("/posts").token(&team.ada).json(imported).await.expect(201);
    assert!(team.told(&team.bob).await.is_empty());
    let kinds = team.events("wasiki.task").await;
    assert_eq!(kinds.len(), 1, "it is in the log, and its date is history: {kinds:?}");
}

#[tokio::test]
async fn tasks_are_told_when_their_time_has_come() {
    let team = Team::new("private").await;
    let today = Utc::now().format("%Y-%m-%d");
    let (soon, later) = (minutes(45), minutes(30));
    let page = team.write(&team.ada, "plan", "x").await;
    // A minute that has come, one an hour ago, a reminder whose time has come, a day that has begun, and what nobody has to do.
    let tasks = [
        format!("- [ ] Minute @bob due:{}\n", minutes(-2)),
        format!("- [ ] Hour @bob due:{} remind:1h\n", minutes(-61)),
        format!("- [ ] Reminder @bob due:{soon} remind:1h\n"),
        format!("- [ ] Later @bob due:{later} remind:10m\n"),
        format!("- [x] Done @bob due:{}\n", minutes(-2)),
        format!("- [ ] Day @bob due:{today}\n"),
        format!("- [ ] Nobody's due:{}\n", minutes(-2)),
        format!("- [ ] Stranger's @stranger due:{}\n", minutes(-2)),
        "- [ ] Forgotten @bob due:2020-01-01\n".to_owned(),
    ];
    let content = tasks.concat();
    team.edit(&team.bob, page, &content).await;
    let mut told = team.told(&team.bob).await;
    told.sort();
    assert_eq!(told, ["due plan: Day", "due plan: Minute", "overdue plan: Hour", "reminder plan: Reminder"]);
    let told = team.told(&team.ada).await;
    assert_eq!(told, ["changed plan by bob", "due plan: Nobody's"], "whose page it is");
    assert!(team.told(&team.eve).await.is_empty());
    let events = team.wiki.get("/events?type=wasiki.task.due").token(&team.eve).await.expect(200).json();
    let data = &events["events"][0]["data"];
    assert!(data["due"].is_string() && data["assignee"].is_string() && data["done"] == false, "{events}");
    let topics = "SELECT DISTINCT aggregatetype FROM outbox WHERE type IN
        ('wasiki.task.reminder', 'wasiki.task.due', 'wasiki.task.overdue')";
    assert_eq!(team.wiki.database().column(topics).await, ["reminders"]);

    // Once, whatever is saved; a task with another date is told again, and one that is done is not.
    team.edit(&team.bob, page, &format!("More.\n\n{content}")).await;
    assert_eq!(team.told(&team.bob).await.len(), 4);
    let postponed = content.replace(&soon, &minutes(50));
    team.edit(&team.bob, page, &postponed).await;
    let told = team.told(&team.bob).await;
    assert_eq!((told.len(), told.last().unwrap().as_str()), (5, "reminder plan: Reminder"));
    let done = postponed.replace(&later, &minutes(-3)).replace("[ ] Later", "[x] Later");
    team.edit(&team.bob, page, &done).await;
    assert_eq!(team.told(&team.bob).await.len(), 5);

    // What does not hold any more, such as the reminder of a task that has none now, is taken away.
    let past = "UPDATE task_alarms SET moment = now() - interval '1 minute' WHERE NOT is_over";
    team.wiki.database().client().await.batch_execute(past).await.unwrap();
    assert_eq!(team.told(&team.bob).await.len(), 5);
    assert_eq!(team.wiki.database().column("SELECT count(*) FROM task_alarms WHERE NOT is_over").await, ["0"]);
}

#[tokio::test]
async fn tasks_of_a_page_that_was_deleted_are_told_when_it_is_restored() {
    let team = Team::new("public-read").await;
    let told = format!("- [ ] Told @bob due:{}\n", minutes(-4));
    let page = team.write(&team.bob, "plan", &told).await;
    assert_eq!(team.told(&team.bob).await, ["due plan: Told"]);

    team.edit(&team.bob, page, &format!("{told}- [ ] Missed @bob due:{}\n", minutes(-2))).await;
    team.wiki.delete(&format!("/posts/{page}")).token(&team.bob).await.expect(204);
    assert_eq!(team.told(&team.bob).await, ["due plan"], "its page is deleted");

    let events = team.events("wasiki.task").await.len();
    let restore = team.wiki.post(&format!("/posts/{page}/restore")).cookie(&team.administrator);
    restore.json(json!({})).await.expect(200);
    let told = team.told(&team.bob).await;
    assert_eq!(told, ["due plan: Told", "changed plan by admin", "due plan: Missed"], "each once");
    assert_eq!(team.events("wasiki.task").await.len(), events + 1, "that it is due, and nothing else");
}

#[tokio::test]
async fn several_relays_tell_once() {
    let wiki = App::wiki().access("open").with_events().replicas(2).start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "ada", "editor").await;
    let cookie = wiki.sign_in("ada", PASSWORD).await;
    let token = wiki.create_token(&cookie, "write").await;
    let tasks: String = (0..40).map(|number| format!("- [ ] Task {number} @ada due:{}\n", minutes(-1))).collect();
    wiki.post("/posts").token(&token).json(json!({"content": tasks})).await.expect(201);
    let relay = async |replica: usize| {
        for _ in 0..5 {
            wiki.replica(replica).post("/-/relay").token(blackbox::EVENTS_TOKEN).await.expect(204);
        }
    };
    tokio::join!(relay(0), relay(1), relay(0), relay(1));
    wiki.relay().await;
    assert_eq!(wiki.database().column("SELECT count(*) FROM inbox").await, ["40"]);
    assert_eq!(wiki.database().column("SELECT count(*) FROM outbox WHERE type = 'wasiki.task.due'").await, ["40"]);
}

#[tokio::test]
async fn an_inbox_is_read_in_parts_and_marked_as_read() {
    let team = Team::new("private").await;
    for number in 0..5 {
        team.write(&team.ada, &format!("page-{number}"), "@bob @eve").await;
    }
    team.wiki.relay().await;
    let entries = team.wiki.get("/inbox?limit=2").token(&team.bob).await.expect(200);
    let first = entries.json();
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["unread"]), (2, &json!(5)));
    let known = team.wiki.get("/inbox?limit=2").token(&team.bob).header("if-none-match", entries.header("etag"));
    known.await.expect(304);
    let second = team.wiki.get(first["next"].as_str().unwrap()).token(&team.bob).await.expect(200).json();
    assert_eq!(second["entries"][0]["page_slug"], "page-2");
    let id = |page: &Value, place: usize| page["entries"][place]["id"].as_i64().unwrap();

    let read = async |token: &str, body: Value| team.wiki.post("/inbox/read").token(token).json(body).await;
    assert_eq!(read(&team.bob, json!({"ids": [id(&first, 0)]})).await.expect(200).json(), json!({"unread": 4}));
    assert_eq!(
        read(&team.eve, json!({"ids": [id(&first, 1)]})).await.expect(200).json(),
        json!({"unread": 5}),
        "of others"
    );
    assert_eq!(read(&team.bob, json!({"up_to": id(&second, 0)})).await.expect(200).json(), json!({"unread": 1}));
    assert_eq!(read(&team.bob, json!({"ids": [], "up_to": null})).await.expect(200).json(), json!({"unread": 1}));
    let slugs = async |query: &str| -> Vec<Value> {
        let page = team.wiki.get(&format!("/inbox?{query}")).token(&team.bob).await.expect(200).json();
        page["entries"].as_array().unwrap().iter().map(|entry| entry["page_slug"].clone()).collect()
    };
    assert_eq!(slugs("unread=true").await, [json!("page-3")]);
    assert_eq!(slugs("unread=false").await, [json!("page-4"), json!("page-2"), json!("page-1"), json!("page-0")]);

    for (body, field) in [
        (json!({}), "ids"),
        (json!({"ids": "1"}), "ids"),
        (json!({"ids": ["1"]}), "ids"),
        (json!({"ids": vec![1; 201]}), "ids"),
        (json!({"up_to": "1"}), "up_to"),
    ] {
        read(&team.bob, body).await.invalid(field);
    }
    for (query, field) in [("unread=yes", "unread"), ("limit=0", "limit"), ("cursor=00", "cursor")] {
        team.wiki.get(&format!("/inbox?{query}")).token(&team.bob).await.invalid(field);
    }
    let reader = team.wiki.sign_in("bob", PASSWORD).await;
    let reader = team.wiki.create_token(&reader, "read").await;
    team.wiki.get("/inbox").token(&reader).await.expect(200);
    read(&reader, json!({"up_to": 1})).await.problem(403);
}
