//! Time zones: of the wiki and of people, and what they make of tasks.
//!
//! No clock is set. Of the zones here, one is 25 hours ahead of the other, so that their days always differ.

use blackbox::{App, Client, PASSWORD, Value, at_once, eventually, json};
use chrono::{NaiveDate, TimeDelta, Utc};

/// UTC+14.
const AHEAD: &str = "Pacific/Kiritimati";
/// UTC-11.
const BEHIND: &str = "Pacific/Pago_Pago";

/// The day that it is now where clocks are so many hours ahead of UTC.
fn day(hours: i64) -> NaiveDate {
    (Utc::now() + TimeDelta::hours(hours)).date_naive()
}

/// Waits while a day is about to begin in one of the zones, so that it is the same day to the end of a test.
async fn within_a_day() {
    let soon = TimeDelta::seconds(30);
    while [14, -11].iter().any(|hours| (Utc::now() + TimeDelta::hours(*hours) + soon).date_naive() != day(*hours)) {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// An open wiki with accounts, each by its cookie.
struct Team {
    wiki: App,
    administrator: String,
    ada: String,
    bob: String,
}

impl Team {
    async fn new() -> Self {
        let wiki = App::wiki().access("open").with_events().start().await;
        let administrator = wiki.administrator().await;
        for name in ["ada", "bob"] {
            wiki.create_account(&administrator, name, "editor").await;
        }
        let (ada, bob) = (wiki.sign_in("ada", PASSWORD).await, wiki.sign_in("bob", PASSWORD).await);
        Self { wiki, administrator, ada, bob }
    }

    async fn set_zone_of_wiki(&self, zone: &str) {
        let change = self.wiki.patch("/settings").cookie(&self.administrator).json(json!({"time_zone": zone}));
        assert_eq!(change.await.expect(200).json()["time_zone"], zone);
    }

    async fn set_zone(&self, cookie: &str, zone: Option<&str>) {
        let id = self.wiki.get("/account").cookie(cookie).await.expect(200).json()["user_id"].clone();
        let change = self.wiki.patch(&format!("/users/{id}")).cookie(cookie).json(json!({"time_zone": zone}));
        let user = change.await.expect(200).json();
        assert_eq!(user.get("time_zone").and_then(Value::as_str), zone);
    }

    async fn write(&self, slug: &str, content: &str) -> i64 {
        let page = json!({"slug": slug, "title": slug, "content": content});
        self.wiki.post("/posts").cookie(&self.bob).json(page).await.expect(201).json()["post_id"].as_i64().unwrap()
    }

    async fn content(&self, page: i64) -> String {
        self.wiki.get(&format!("/posts/{page}")).await.expect(200).json()["content"].as_str().unwrap().to_owned()
    }

    /// What the owner of a cookie is told of a page that has come: kinds of entries, oldest first.
    async fn told(&self, cookie: &str, page: i64) -> Vec<String> {
        self.wiki.relay().await;
        let inbox = self.wiki.get("/inbox?limit=200").cookie(cookie).await.expect(200).json();
        let entries = inbox["entries"].as_array().unwrap().iter().rev();
        let kinds = entries.filter(|entry| entry["post_id"] == page).map(|entry| entry["kind"].as_str().unwrap());
        kinds.filter(|kind| ["reminder", "due", "overdue"].contains(kind)).map(str::to_owned).collect()
    }

    /// Headings and words of a list of tasks: `Today: Call: today`.
    async fn listed(&self, path: &str, cookie: Option<&str>) -> Vec<String> {
        let request = self.wiki.get(path);
        let request = if let Some(cookie) = cookie { request.cookie(cookie) } else { request };
        let html = scraper::Html::parse_document(request.await.expect(200).text());
        let select = |selector: &str| scraper::Selector::parse(selector).unwrap();
        let text = |element: scraper::ElementRef<'_>| element.text().collect::<String>();
        let mut rows = Vec::new();
        for group in html.select(&select("section.day")) {
            let heading = group.select(&select("h2")).next().map(text).unwrap();
            for row in group.select(&select("li")) {
                let title = row.select(&select(".title")).next().map(text).unwrap();
                let due = row.select(&select(".facts bdi[title]")).next().map(text).unwrap_or_default();
                rows.push(format!("{heading}: {title}: {due}"));
            }
        }
        rows
    }
}

async fn tasks(wiki: &Client, page: i64) -> Vec<Value> {
    let mut tasks = wiki.walk(&format!("/tasks?post={page}&limit=2"), "tasks").await;
    tasks.sort_by_key(|task| task["line"].as_i64());
    tasks
}

async fn dues(wiki: &Client, page: i64) -> Vec<Value> {
    tasks(wiki, page).await.iter().map(|task| task["due"].clone()).collect()
}

#[tokio::test]
async fn a_zone_is_called_by_its_name() {
    let team = Team::new().await;
    let settings = team.wiki.get("/settings").await.expect(200).json();
    assert_eq!(settings["time_zone"], "UTC");
    let change = async |zone: Value| {
        let change = team.wiki.patch("/settings").cookie(&team.administrator).json(json!({"time_zone": zone}));
        change.await
    };
    let changed = change(json!("europe/BERLIN")).await.expect(200).json();
    assert_eq!((&changed["time_zone"], &changed["name"]), (&json!("Europe/Berlin"), &settings["name"]));

    let user = team.wiki.get("/account").cookie(&team.ada).await.expect(200).json();
    assert_eq!(user["time_zone"], Value::Null);
    let of_ada = format!("/users/{}", user["user_id"]);
    let own = async |zone: Value| team.wiki.patch(&of_ada).cookie(&team.ada).json(json!({"time_zone": zone})).await;
    let posix = [
        "UTC+3",
        "<+03>-3",
        "EST5EDT4",
        "+03:00",
        "posix/Europe/Berlin",
        "right/UTC",
        "localtime",
        "Factory",
        "Nowhere/Land",
        "Europe/Berlin;",
        " ",
        "",
    ];
    for zone in posix {
        for refused in [change(json!(zone)).await, own(json!(zone)).await] {
            let problem = refused.invalid("time_zone");
            assert!(
                problem.detail.contains("must be the name of a time zone, as in Europe/Berlin"),
                "{zone}: {}",
                problem.detail
            );
        }
    }
    let problem = own(json!("berlin")).await.invalid("time_zone");
    assert!(
        problem.detail.contains("must be the whole name of a time zone, such as Europe/Berlin"),
        "{}",
        problem.detail
    );
    own(json!(3)).await.invalid("time_zone");

    // One's own is one's own.
    own(json!(AHEAD)).await.expect(200);
    assert_eq!(team.wiki.get("/account").cookie(&team.ada).await.expect(200).json()["time_zone"], AHEAD);
    let seen =
        async |cookie: &str| team.wiki.get(&of_ada).cookie(cookie).await.expect(200).json().get("time_zone").cloned();
    assert_eq!(seen(&team.ada).await, Some(json!(AHEAD)));
    assert_eq!(seen(&team.administrator).await, Some(json!(AHEAD)));
    assert_eq!(seen(&team.bob).await, None);
    team.wiki.patch(&of_ada).cookie(&team.bob).json(json!({"time_zone": "UTC"})).await.problem(403);
    assert_eq!(own(Value::Null).await.expect(200).json().get("time_zone"), None);
    team.wiki.patch("/settings").cookie(&team.ada).json(json!({"time_zone": "UTC"})).await.problem(403);
}

#[tokio::test]
async fn zones_are_chosen_in_forms() {
    let team = Team::new().await;
    let account = async || team.wiki.get("/wiki/-/account").cookie(&team.ada).await.expect(200).text().to_owned();
    assert!(account().await.contains("that of the wiki, UTC."));
    let send = async |zone: &str| {
        team.wiki.post("/wiki/-/account/time-zone").cookie(&team.ada).form(&[("time_zone", zone)]).await
    };
    assert_eq!(send(" Europe/Berlin ").await.expect(303).header("location"), "/wiki/-/account#_zone");
    assert!(account().await.contains("value=\"Europe/Berlin\""));
    for zone in ["Berlin", "UTC+3", "<b>"] {
        let refused = send(zone).await.expect(422);
        let text = refused.text();
        assert!(text.contains("Time zone must be the") && text.contains("aria-invalid"), "{zone}: {text}");
    }
    send("").await.expect(303);
    assert!(!account().await.contains("value=\"Europe/Berlin\""));

    let page = team.wiki.get("/wiki/-/settings").cookie(&team.administrator).await.expect(200);
    assert!(page.text().contains("name=\"time_zone\" value=\"UTC\""), "{page:?}");
    let form = async |zone: &str, version: &str| {
        let fields = [
            ("wiki_name", "Wiki"),
            ("mark", ""),
            ("color", "teal"),
            ("footer", ""),
            ("language", "en"),
            ("time_zone", zone),
            ("version", version),
        ];
        team.wiki.post("/wiki/-/settings").cookie(&team.administrator).form(&fields).await
    };
    form("Mars/Olympus", "1").await.expect(422);
    form("America/New_York", "1").await.expect(303);
    assert_eq!(team.wiki.get("/settings").await.expect(200).json()["time_zone"], "America/New_York");
}

#[tokio::test]
async fn times_in_pages_are_in_the_zone_of_the_wiki() {
    let team = Team::new().await;
    let text = "- [ ] Call due:2026-12-04T15:00 ⏳ 2026-12-01T10:00\n- [ ] Write due:2026-12-04\n- [ ] Wait\n";
    let page = team.write("list", text).await;
    assert_eq!(dues(&team.wiki, page).await, [json!("2026-12-04T15:00:00Z"), json!("2026-12-04"), Value::Null]);
    let before = tasks(&team.wiki, page).await;

    team.set_zone_of_wiki("Europe/Berlin").await;
    let after = tasks(&team.wiki, page).await;
    assert_eq!(team.content(page).await, text, "a text stays as it is");
    assert_eq!(
        (&after[0]["due"], &after[0]["scheduled"]),
        (&json!("2026-12-04T14:00:00Z"), &json!("2026-12-01T09:00:00Z"))
    );
    assert_eq!((&after[1]["due"], &after[2]["due"]), (&json!("2026-12-04"), &Value::Null));
    // What clients were told of a time is not true any more, so they are told again.
    let versions = |tasks: &[Value]| tasks.iter().map(|task| task["version"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!((versions(&before), versions(&after)), (vec![1, 1, 1], vec![2, 1, 1]));
    // An event is listed once all that began before it are over, those of other databases as well.
    let updated = async || {
        let events = team.wiki.get("/events?type=wasiki.task.updated").cookie(&team.administrator);
        events.await.expect(200).json()["events"].as_array().unwrap().clone()
    };
    eventually("the event is listed", || async { !updated().await.is_empty() }).await;
    let events = updated().await;
    assert_eq!((events.len(), &events[0]["data"]["due"]), (1, &json!("2026-12-04T14:00:00Z")));
    // Another zone with the same clocks is no news.
    team.set_zone_of_wiki("Europe/Paris").await;
    assert_eq!(versions(&tasks(&team.wiki, page).await), [2, 1, 1]);
    team.set_zone_of_wiki("Europe/Berlin").await;

    // An instant that a client sends is written as clocks there show it.
    let path = format!("/tasks/{}", after[0]["id"]);
    let patch = async |due: Value| team.wiki.patch(&path).cookie(&team.bob).json(json!({"due": due})).await;
    let version = team.wiki.get(&format!("/posts/{page}")).await.json()["version"].clone();
    patch(json!("2026-12-04T14:00:00Z")).await.expect(200);
    assert_eq!(team.wiki.get(&format!("/posts/{page}")).await.json()["version"], version, "nothing has changed");
    for (sent, written, read) in [
        ("2026-12-05T08:30:00Z", "2026-12-05T09:30", "2026-12-05T08:30:00Z"),
        ("2026-07-01T23:30:00+00:00", "2026-07-02T01:30", "2026-07-01T23:30:00Z"),
        ("2026-12-05T09:30", "2026-12-05T09:30", "2026-12-05T08:30:00Z"),
        ("2026-12-06", "2026-12-06", "2026-12-06"),
        // A time that a clock shows twice is the second one, and one that it skips is an hour later.
        ("2026-10-25T02:30", "2026-10-25T02:30", "2026-10-25T01:30:00Z"),
        ("2026-03-29T02:30", "2026-03-29T02:30", "2026-03-29T01:30:00Z"),
    ] {
        assert_eq!(patch(json!(sent)).await.expect(200).json()["due"], read, "{sent}");
        let content = team.content(page).await;
        assert!(content.contains(&format!("Call due:{written} ")), "{sent}: {content}");
    }
    patch(json!("9999-12-31T23:59:00Z")).await.invalid("due");
    let new = json!({"post_id": page, "text": "New", "due": "2026-12-04T14:00:00Z"});
    let new = team.wiki.post("/tasks").cookie(&team.bob).json(new).await.expect(201).json();
    assert_eq!(new["due"], "2026-12-04T14:00:00Z");
    assert!(team.content(page).await.contains("New due:2026-12-04T15:00"));

    // A calendar has the instant, and the day as a day.
    let daily = team
        .write("daily", "- [ ] Daily due:2026-12-04T15:00 repeat:1d\n- [ ] Weekly due:2026-12-04 repeat:1w\n")
        .await;
    let calendar = team.wiki.get(&format!("/tasks.ics?post={daily}")).await.expect(200).text().to_owned();
    assert!(calendar.contains("DTSTART:20261204T140000Z\r\n") && calendar.contains("DTSTART;VALUE=DATE:20261204\r\n"));
    assert!(calendar.contains("FREQ=WEEKLY") && !calendar.contains("FREQ=DAILY"), "{calendar}");
}

#[tokio::test]
async fn today_is_where_the_reader_is() {
    let team = Team::new().await;
    within_a_day().await;
    team.set_zone_of_wiki(BEHIND).await;
    team.set_zone(&team.ada, Some(AHEAD)).await;
    let (ahead, behind) = (day(14), day(-11));
    let yesterday = ahead - TimeDelta::days(1);
    let tomorrow = ahead + TimeDelta::days(1);
    let mut text = String::new();
    for name in ["ada", "bob"] {
        for (title, day) in [("One", yesterday), ("Two", ahead), ("Three", tomorrow)] {
            text += &format!("- [ ] {title} @{name} due:{day}\n");
        }
    }
    let page = team.write("list", &text).await;
    let mine = team.listed("/wiki/-/tasks", Some(&team.ada)).await;
    assert_eq!(mine, ["Overdue: One: 1 day late", "Today: Two: today", "Later: Three: tomorrow"]);
    // Where the wiki is, it is the day before or the one before that.
    let mine = team.listed("/wiki/-/tasks", Some(&team.bob)).await;
    let is_next = behind == yesterday;
    let first = if is_next { "Today: One: today" } else { "Later: One: tomorrow" };
    assert_eq!((mine.len(), mine[0].as_str()), (3, first));
    // Whether something is late does not depend on who looks.
    let of_ada = team.listed("/wiki/-/tasks?assignee=ada", Some(&team.bob)).await;
    assert!(of_ada[0].starts_with("Overdue: One: ") && of_ada[0].ends_with(", late"), "{of_ada:?}");
    let of_bob = team.listed("/wiki/-/tasks?assignee=bob", Some(&team.ada)).await;
    assert!(of_bob[0].starts_with("Today: One: ") && !of_bob[0].ends_with("late"), "{of_bob:?}");
    let strangers = team.listed(&format!("/wiki/-/tasks?post={page}"), None).await;
    assert!(strangers[0].starts_with("Overdue: One: "), "{strangers:?}");

    // In the order in which their days begin.
    let order: Vec<String> = team
        .wiki
        .walk("/tasks?limit=1", "tasks")
        .await
        .iter()
        .map(|task| format!("{} {}", task["assignee"].as_str().unwrap(), task["due"].as_str().unwrap()))
        .collect();
    let expected =
        [("ada", yesterday), ("ada", ahead), ("bob", yesterday), ("ada", tomorrow), ("bob", ahead), ("bob", tomorrow)];
    assert_eq!(order, expected.map(|(name, day)| format!("{name} {day}")));
    // A day in a filter is the sender's.
    let count = async |query: &str, cookie: &str| {
        team.wiki.get(&format!("/tasks?assignee=ada&{query}")).cookie(cookie).await.expect(200).json()["tasks"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count(&format!("due_before={ahead}"), &team.ada).await, 1);
    assert_eq!(count(&format!("due_before={ahead}"), &team.bob).await, 3, "her days begin 25 hours earlier");
    assert_eq!(count(&format!("due_after={yesterday}"), &team.ada).await, 2);
    let begins = ahead.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::hours(14);
    let instant = |seconds| (begins + TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(count(&format!("due_before={}", instant(0)), &team.bob).await, 1);
    assert_eq!(count(&format!("due_before={}", instant(1)), &team.bob).await, 2);

    // A time of day is shown as the reader's clocks show it, and said to be in their zone.
    let timed = team.write("timed", &format!("- [ ] Timed due:{}T23:59\n", behind + TimeDelta::days(1))).await;
    let list = format!("/wiki/-/tasks?post={timed}");
    assert_eq!(team.listed(&list, None).await, ["Later: Timed: tomorrow at 23:59"]);
    let hers = team.listed(&list, Some(&team.ada)).await;
    assert!(hers[0].ends_with(" at 00:59"), "{hers:?}");
    let html = team.wiki.get(&list).cookie(&team.ada).await.text().to_owned();
    let on_page = async |cookie: &str| team.wiki.get("/wiki/timed").cookie(cookie).await.expect(200).text().to_owned();
    let (on_hers, on_his) = (on_page(&team.ada).await, on_page(&team.bob).await);
    assert!(on_hers.contains(", 00:59 Pacific/Kiritimati</bdi></span> Timed"), "{on_hers}");
    assert!(on_his.contains("T23:59") && !on_his.contains("Kiritimati"), "{on_his}");
    assert!(
        html.contains("Times are in Pacific/Kiritimati.") && html.contains(", 00:59 Pacific/Kiritimati\""),
        "{html}"
    );
}

#[tokio::test]
async fn alarms_follow_a_zone_that_changes() {
    let team = Team::new().await;
    within_a_day().await;
    team.set_zone_of_wiki(BEHIND).await;
    let (ahead, behind) = (day(14), day(-11));
    // There it is today; here it will be.
    let page = team.write("hers", &format!("- [ ] Call @ada due:{ahead}\n")).await;
    let over = team.write("over", &format!("- [ ] Write @ada due:{}\n", ahead - TimeDelta::days(1))).await;
    let nobody = team.write("nobody", &format!("- [ ] Wait due:{ahead}\n- [ ] Then due:{ahead}T00:00\n")).await;
    assert_eq!(team.told(&team.ada, page).await, [""; 0]);
    let first = team.told(&team.ada, over).await;
    assert!(!first.contains(&"overdue".to_owned()), "{first:?}");

    team.set_zone(&team.ada, Some(AHEAD)).await;
    assert_eq!(team.told(&team.ada, page).await, ["due"]);
    let told = team.told(&team.ada, over).await;
    assert_eq!(told.last().unwrap(), "overdue");
    // Going back and coming again tells nothing twice.
    for zone in [None, Some(AHEAD), Some("UTC"), Some(AHEAD)] {
        team.set_zone(&team.ada, zone).await;
        assert_eq!(team.told(&team.ada, page).await, ["due"]);
        assert_eq!(team.told(&team.ada, over).await, told);
    }
    // Another date is another date.
    let edit = json!({"content": format!("- [ ] Call @ada due:{behind}\n")});
    team.wiki.put(&format!("/posts/{page}")).header("if-match", "*").cookie(&team.bob).json(edit).await.expect(200);
    assert_eq!(team.told(&team.ada, page).await, ["due", "overdue"]);

    // Of nobody's task, who made its page is told, by the zone of the wiki.
    assert_eq!(team.told(&team.bob, nobody).await, [""; 0]);
    team.set_zone_of_wiki(AHEAD).await;
    let told = team.told(&team.bob, nobody).await;
    assert!(told.len() == 2 && told.contains(&"due".to_owned()), "{told:?}");
    team.set_zone_of_wiki(BEHIND).await;
    team.set_zone_of_wiki(AHEAD).await;
    assert_eq!(team.told(&team.bob, nobody).await.len(), 2);
}

#[tokio::test]
async fn days_are_those_of_the_account_that_has_the_name() {
    let team = Team::new().await;
    team.set_zone(&team.ada, Some(AHEAD)).await;
    let text = "- [ ] a @ada due:2026-12-04\n- [ ] b @grace due:2026-12-04\n- [ ] c @ada due:2026-12-04T00:00\n- [ ] d due:2026-12-04\n";
    team.write("list", text).await;
    let begins = async || {
        let sql = "SELECT to_char(begins_time AT TIME ZONE 'UTC', 'DD HH24') || '-' || to_char(ends_time AT TIME ZONE 'UTC', 'DD HH24')
            FROM tasks ORDER BY place";
        team.wiki.database().column(sql).await
    };
    let (hers, plain, at_once) = ("03 10-04 10", "04 00-05 00", "04 00-04 00");
    assert_eq!(begins().await, [hers, plain, at_once, plain]);
    // Under another name, the tasks with that name are hers.
    let id = team.wiki.get("/account").cookie(&team.ada).await.json()["user_id"].clone();
    let rename = async |name: &str| {
        let change = team.wiki.patch(&format!("/users/{id}")).cookie(&team.ada).json(json!({"username": name}));
        change.await.expect(200);
    };
    rename("Grace").await;
    assert_eq!(begins().await, [plain, hers, at_once, plain]);
    rename("ada").await;
    assert_eq!(begins().await, [hers, plain, at_once, plain]);
    team.wiki.delete(&format!("/users/{id}")).cookie(&team.ada).await.expect(204);
    assert_eq!(begins().await, [plain, plain, at_once, plain]);
    // Where days begin at another time after a change of the clocks, they are as long as they are.
    team.set_zone_of_wiki("Europe/Berlin").await;
    team.write("change", "- [ ] e due:2026-03-29\n- [ ] f due:2026-10-25\n").await;
    let hours = "SELECT extract(epoch FROM ends_time - begins_time)::integer / 3600 || '' FROM tasks WHERE text IN ('e', 'f') ORDER BY place";
    assert_eq!(team.wiki.database().column(hours).await, ["23", "25"]);
}

#[tokio::test]
async fn what_recurs_keeps_its_days_and_times() {
    let team = Team::new().await;
    within_a_day().await;
    team.set_zone_of_wiki("Europe/Berlin").await;
    // Over the beginning of summer time.
    let page = team.write("list", "- [ ] Call due:2026-03-28T15:00 repeat:1d\n").await;
    let task = &tasks(&team.wiki, page).await[0];
    assert_eq!(task["due"], "2026-03-28T14:00:00Z");
    team.wiki.patch(&format!("/tasks/{}", task["id"])).cookie(&team.bob).json(json!({"done": true})).await.expect(200);
    let after = "- [x] Call due:2026-03-28T15:00 repeat:1d\n- [ ] Call due:2026-03-29T15:00 repeat:1d\n";
    assert_eq!(team.content(page).await, after);
    assert_eq!(dues(&team.wiki, page).await[1], "2026-03-29T13:00:00Z");

    // Counted from the day on which it is done, which is another one for each.
    team.set_zone_of_wiki(BEHIND).await;
    team.set_zone(&team.ada, Some(AHEAD)).await;
    let (ahead, behind) = (day(14), day(-11));
    let text = "- [ ] one @ada repeat:1d!\n- [ ] two @ada due:2020-01-01 repeat:1d!\n- [ ] three @ada due:2020-01-01T15:00 repeat:1d!\n- [ ] four @bob repeat:1d!\n";
    let next = |day: NaiveDate| (day + TimeDelta::days(1)).to_string();
    let expected = [
        format!("[ ] one @ada repeat:1d! due:{}", next(ahead)),
        format!("[ ] two @ada due:{} repeat:1d!", next(ahead)),
        format!("[ ] three @ada due:{}T15:00 repeat:1d!", next(behind)),
        format!("[ ] four @bob repeat:1d! due:{}", next(behind)),
    ];
    // By the API, in the text, and on the page.
    let by_api = team.write("by-api", text).await;
    for task in tasks(&team.wiki, by_api).await {
        team.wiki
            .patch(&format!("/tasks/{}", task["id"]))
            .cookie(&team.bob)
            .json(json!({"done": true}))
            .await
            .expect(200);
    }
    let by_text = team.write("by-text", text).await;
    let edit = json!({"content": text.replace("[ ]", "[x]")});
    team.wiki.put(&format!("/posts/{by_text}")).header("if-match", "*").cookie(&team.bob).json(edit).await.expect(200);
    let by_form = team.write("by-form", text).await;
    for (version, place) in [("1", "0"), ("2", "2"), ("3", "4"), ("4", "6")] {
        let form = [("version", version), ("tick", place)];
        team.wiki.post("/wiki/by-form/tasks").cookie(&team.bob).form(&form).await.expect(303);
    }
    for page in [by_api, by_text, by_form] {
        let content = team.content(page).await;
        for line in &expected {
            assert!(content.contains(line), "{line}: {content}");
        }
    }
}

#[tokio::test]
async fn no_task_is_left_in_a_former_zone() {
    let team = Team::new().await;
    let client = &*team.wiki;
    let mut writing = Vec::new();
    for number in 0..24 {
        let (client, cookie) = (client.clone(), team.bob.clone());
        writing.push((client, cookie, number));
    }
    let zones = [AHEAD, BEHIND, "UTC", "Europe/Berlin", BEHIND, AHEAD];
    let (administrator, ada) = (team.administrator.clone(), team.ada.clone());
    let id = client.get("/account").cookie(&ada).await.json()["user_id"].clone();
    let changing = {
        let client = client.clone();
        tokio::spawn(async move {
            for zone in zones {
                client.patch("/settings").cookie(&administrator).json(json!({"time_zone": zone})).await.expect(200);
                let own = json!({"time_zone": if zone == "UTC" { None } else { Some(zone) }});
                client.patch(&format!("/users/{id}")).cookie(&ada).json(own).await.expect(200);
            }
        })
    };
    at_once(writing.into_iter().map(|(client, cookie, number)| async move {
        let text = |day: u32| {
            (0..20)
                .map(|line| {
                    format!(
                        "- [ ] Task {line} @ada due:2026-12-{day:02}{}\n",
                        if line % 2 == 0 { "" } else { "T12:00" }
                    )
                })
                .collect::<String>()
        };
        let page = json!({"slug": format!("page-{number}"), "title": format!("Page {number}"), "content": text(4)});
        let page = client.post("/posts").cookie(&cookie).json(page).await.expect(201).json()["post_id"].clone();
        let edit = json!({"content": text(5)});
        client.put(&format!("/posts/{page}")).header("if-match", "*").cookie(&cookie).json(edit).await.expect(200);
    }))
    .await;
    changing.await.unwrap();
    let wrong = "SELECT count(*) || ' of ' || (SELECT count(*) FROM tasks) FROM tasks CROSS JOIN settings JOIN users ON username = 'ada'
        WHERE begins_time <> (due_time AT TIME ZONE 'UTC') AT TIME ZONE
            CASE WHEN due_is_day THEN coalesce(users.time_zone, settings.time_zone) ELSE settings.time_zone END";
    assert_eq!(team.wiki.database().column(wrong).await, ["0 of 480"]);
    let alarms = "SELECT count(*)::text FROM tasks JOIN task_alarms ON task_id = tasks.id AND kind = 'due' WHERE moment <> begins_time";
    assert_eq!(team.wiki.database().column(alarms).await, ["0"]);
}
