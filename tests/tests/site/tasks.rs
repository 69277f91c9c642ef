//! Tasks in the site: ticked where they are read, and listed.

use blackbox::{App, Client, Response, Value, json};

async fn write(wiki: &Client, slug: &str, content: &str) -> i64 {
    let page = json!({"user_id": 1, "slug": slug, "title": slug, "content": content});
    wiki.post("/posts").json(page).await.expect(201).json()["post_id"].as_i64().unwrap()
}

async fn content(wiki: &Client, page: i64) -> String {
    wiki.get(&format!("/posts/{page}")).await.expect(200).json()["content"].as_str().unwrap().to_owned()
}

async fn latest(wiki: &Client, page: i64) -> Value {
    wiki.get(&format!("/posts/{page}/revisions?limit=1")).await.expect(200).json()["revisions"][0].clone()
}

/// Presses the button with this name and value on the page with this slug, as it was at that version.
async fn press(wiki: &Client, slug: &str, version: &str, name: &str, place: &str) -> Response {
    let form = [("version", version), (name, place), ("author", "Grace"), ("next", "/wiki/list")];
    wiki.post(&format!("/wiki/{slug}/tasks")).form(&form).await
}

async fn wiki_with_user() -> App {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    wiki
}

#[tokio::test]
async fn a_task_is_ticked_where_it_is_read() {
    let wiki = wiki_with_user().await;
    let page = write(&wiki, "list", "- [ ] one repeat:1d due:2026-12-04\n- [ ] two\n").await;
    let html = wiki.get("/wiki/list").await.expect(200).text().to_owned();
    assert!(html.contains("<form id=\"_ticks\" method=\"post\" action=\"/wiki/list/tasks\">"), "{html}");
    assert!(html.contains("name=\"tick\" value=\"1\" id=\"task-2\" aria-label=\"two\""), "{html}");

    let ticked = press(&wiki, "list", "1", "tick", "0").await.expect(303);
    assert_eq!(ticked.header("location"), "/wiki/list#task-1");
    let after = "- [x] one repeat:1d due:2026-12-04\n- [ ] one repeat:1d due:2026-12-05\n- [ ] two\n";
    assert_eq!(content(&wiki, page).await, after);
    let revision = latest(&wiki, page).await;
    assert_eq!((&revision["comment"], &revision["author"]), (&json!("done: one"), &json!("Grace")));
    let html = wiki.get("/wiki/list").await.expect(200).text().to_owned();
    assert!(
        html.contains("aria-checked=\"true\"")
            && html.contains("<span class=\"ticked\"><bdi dir=\"ltr\"><bdi>Grace</bdi>, "),
        "{html}"
    );

    // Sent again, as by a double click, it does nothing, whatever has happened since.
    press(&wiki, "list", "1", "tick", "0").await.expect(303);
    assert_eq!(latest(&wiki, page).await["version"], 2);
    press(&wiki, "list", "2", "untick", "0").await.expect(303);
    press(&wiki, "list", "1", "tick", "0").await.expect(303);
    let open = after.replacen("[x]", "[ ]", 1);
    assert_eq!(
        (content(&wiki, page).await, latest(&wiki, page).await["comment"].clone()),
        (open, json!("not done: one"))
    );

    // A page that was edited meanwhile is ticked in the right place; a task that is gone, nowhere.
    wiki.put(&format!("/posts/{page}"))
        .header("if-match", "*")
        .json(json!({"content": "New.\n\n- [ ] zero\n- [ ] two\n"}))
        .await
        .expect(200);
    let moved = press(&wiki, "list", "1", "tick", "1").await.expect(303);
    assert_eq!(moved.header("location"), "/wiki/list#task-2");
    assert_eq!(content(&wiki, page).await, "New.\n\n- [ ] zero\n- [x] two\n");
    let gone = press(&wiki, "list", "2", "tick", "0").await.expect(409);
    assert!(gone.text().contains("no longer in it"), "{gone:?}");
    for (name, place) in [("tick", "99"), ("tick", "x"), ("other", "1")] {
        press(&wiki, "list", "1", name, place).await.expect(409);
    }
    press(&wiki, "none", "1", "tick", "0").await.expect(404);
}

#[tokio::test]
async fn ticks_at_once_make_one_version() {
    let wiki = wiki_with_user().await;
    let page = write(&wiki, "list", "- [ ] one repeat:1d due:2026-12-04\n- [ ] two\n- [ ] three\n").await;
    let tick = async |place: &str| press(&wiki, "list", "1", "tick", place).await.expect(303);
    tokio::join!(tick("0"), tick("0"), tick("1"), tick("0"), tick("2"), tick("0"));
    let after = "- [x] one repeat:1d due:2026-12-04\n- [ ] one repeat:1d due:2026-12-05\n- [x] two\n- [x] three\n";
    assert_eq!(content(&wiki, page).await, after);
    assert_eq!(latest(&wiki, page).await["version"], 4);
}

#[tokio::test]
async fn who_ticks_says_who_they_are() {
    let wiki = wiki_with_user().await;
    let page = write(&wiki, "list", "- [ ] one\n").await;
    let form = [("version", "1"), ("tick", "0")];
    let asked = wiki.post("/wiki/list/tasks").form(&form).await.expect(422);
    assert!(
        asked.text().contains("Enter your name.") && asked.text().contains("name=\"tick\" value=\"0\""),
        "{asked:?}"
    );
    // The browser remembers the name.
    wiki.post("/wiki/list/tasks").header("cookie", "author=Grace").form(&form).await.expect(303);
    assert_eq!(latest(&wiki, page).await["author"], "Grace");
}

#[tokio::test]
async fn only_writers_tick() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let page = json!({"slug": "list", "content": "- [x] one\n- [ ] two @eve\n"});
    wiki.post("/posts").cookie(&administrator).json(page).await.expect(201);
    wiki.create_account(&administrator, "eve", "editor").await;
    let editor = wiki.sign_in("eve", blackbox::PASSWORD).await;
    let form = [("version", "1"), ("tick", "1")];
    let html = wiki.get("/wiki/list").await.expect(200).text().to_owned();
    assert!(
        !html.contains("_ticks")
            && html.contains(
                "disabled checked aria-label=\"Done\"> <span class=\"ticked\"><bdi dir=\"ltr\"><bdi>admin</bdi>, "
            )
    );
    wiki.post("/wiki/list/tasks").form(&form).await.expect(401);

    wiki.put("/posts/1/protection").cookie(&administrator).json(json!({})).await.expect(200);
    wiki.post("/wiki/list/tasks").cookie(&editor).form(&form).await.expect(403);
    assert!(!wiki.get("/wiki/list").cookie(&editor).await.expect(200).text().contains("_ticks"));
    wiki.delete("/posts/1/protection").cookie(&administrator).await.expect(200);

    let mine = wiki.get("/wiki/-/tasks").cookie(&editor).await.expect(200);
    assert!(mine.text().contains("My tasks") && mine.text().contains("name=\"tick\" value=\"2.1\""), "{mine:?}");
    assert!(!wiki.get("/wiki/-/tasks").await.expect(200).text().contains("name=\"tick\""));
    // Another site cannot tick.
    let form = "tick=2.1&next=%2Fwiki%2F-%2Ftasks%3Fassignee%3Deve";
    let tick = |site: &str| {
        let post = wiki.post("/wiki/-/tasks").cookie(&editor).header("sec-fetch-site", site);
        post.body("application/x-www-form-urlencoded", form)
    };
    tick("cross-site").await.expect(403);
    let ticked = tick("same-origin").await.expect(303);
    assert_eq!(ticked.header("location"), "/wiki/-/tasks?assignee=eve");
    let revision = latest(&wiki, 1).await;
    assert_eq!((&revision["comment"], &revision["author"]), (&json!("done: two"), &json!("eve")));
    // Sent again, it is done already.
    tick("same-origin").await.expect(303);
    assert_eq!(latest(&wiki, 1).await["version"], 2);
}

#[tokio::test]
async fn tasks_are_listed_for_people() {
    let wiki = wiki_with_user().await;
    let day = |days: i64| (chrono::Utc::now() + chrono::TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let lines = [("late", -3), ("now", 0), ("soon", 1), ("later", 40)]
        .map(|(text, days)| format!("- [ ] the **{text}** one @ada due:{}\n", day(days)));
    let page = json!({"user_id": 1, "slug": "list", "tags": ["ops"], "content": lines.concat() + "- [ ] someday\n- [x] over @ada\n"});
    let page = wiki.post("/posts").json(page).await.expect(201).json()["post_id"].clone();
    let all = wiki.get("/wiki/-/tasks").await.expect(200).text().to_owned();
    for text in
        ["Overdue", "3 days late", "Today", ">today<", "Later", "tomorrow", "No date", "the late one", "someday"]
    {
        assert!(all.contains(text), "{text}: {all}");
    }
    assert!(!all.contains("over</span>"), "{all}");
    for (query, has, has_not) in [
        ("assignee=ada", "the now one", "someday"),
        ("assignee=bob", "No open tasks", "the now one"),
        ("tag=ops", "someday", "No open tasks"),
        ("tag=none", "No open tasks", "someday"),
        (&*format!("post={page}"), "someday", "No open tasks"),
        ("assignee=ada&done=true", "over</span>", "the now one"),
        ("limit=1", "More tasks", "someday"),
    ] {
        let html = wiki.get(&format!("/wiki/-/tasks?{query}")).await.expect(200).text().to_owned();
        assert!(html.contains(has) && !html.contains(has_not), "{query}: {html}");
    }
    wiki.get("/wiki/-/tasks?post=99").await.expect(404);
}
