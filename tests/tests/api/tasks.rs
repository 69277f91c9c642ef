//! Tasks: what the wiki knows of the checklists in its pages.

use blackbox::{App, Client, Value, json};

use crate::shared;

/// Makes a page and returns its number.
async fn page(wiki: &Client, slug: &str, content: &str) -> i64 {
    let page = json!({"user_id": 1, "slug": slug, "title": slug, "content": content});
    wiki.post("/posts").json(page).await.expect(201).json()["post_id"].as_i64().unwrap()
}

async fn edit(wiki: &Client, page: i64, content: &str) {
    let edit = json!({"content": content});
    wiki.put(&format!("/posts/{page}")).header("if-match", "*").json(edit).await.expect(200);
}

/// The tasks of a page in the order of its lines.
async fn tasks(wiki: &Client, page: i64) -> Vec<Value> {
    let mut tasks = wiki.walk(&format!("/tasks?post={page}&limit=2"), "tasks").await;
    tasks.sort_by_key(|task| task["line"].as_i64());
    tasks
}

/// Their numbers.
async fn ids(wiki: &Client, page: i64) -> Vec<i64> {
    tasks(wiki, page).await.iter().map(|task| task["id"].as_i64().unwrap()).collect()
}

async fn wiki_with_user() -> App {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    wiki
}

#[tokio::test]
async fn an_item_of_a_checklist_is_a_task() {
    let wiki = wiki_with_user().await;
    let content = "# Work\n\n- [ ] Renew the certificate @Ada due:2026-12-04 repeat:3mo remind:2d\n- [x] Call `@bob` ⏫ \
                   📅 2026-12-05 ⏳ 2026-12-01\n- no task\n\n```\n- [ ] none either\n```\n";
    let id = page(&wiki, "work", content).await;
    let found = tasks(&wiki, id).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let mut first = found[0].clone();
    blackbox::assert_time(&first["created_time"].take());
    let expected = json!({
        "id": first["id"], "post_id": id, "page_title": "work", "page_slug": "work", "line": 3,
        "text": "Renew the certificate", "done": false, "due": "2026-12-04", "scheduled": null, "assignee": "ada",
        "assignee_id": 1, "priority": null, "repeat": "3mo", "remind": "2d", "done_time": null, "done_by": null,
        "done_by_name": null, "version": 1, "created_time": null,
    });
    assert_eq!(first, expected);
    let second = &found[1];
    let seen = ["text", "done", "due", "scheduled", "priority", "assignee", "done_by", "done_by_name"];
    let seen = seen.map(|member| second[member].clone());
    let expected = json!(["Call `@bob`", true, "2026-12-05", "2026-12-01", "high", null, 1, "ada"]);
    assert_eq!(json!(seen), expected);
    blackbox::assert_time(&second["done_time"]);

    let one = wiki.get(&format!("/tasks/{}", second["id"])).await.expect(200);
    assert_eq!((one.json(), one.header("etag")), (second.clone(), "\"1\""));
    let known = wiki.get(&format!("/tasks/{}", second["id"])).header("if-none-match", "\"1\"").await;
    known.expect(304);
    assert_eq!(wiki.get("/tasks/999999").await.problem(404).detail, "Task not found");
    wiki.get("/tasks/x").await.problem(404);
}

#[tokio::test]
async fn a_task_stays_the_same_when_its_line_moves_or_changes() {
    let wiki = wiki_with_user().await;
    let id = page(&wiki, "list", "- [ ] one due:2026-12-01\n- [ ] two\n- [ ] buy some milk\n").await;
    let [one, two, milk] = ids(&wiki, id).await[..] else { panic!("there are three") };
    for (content, expected) in [
        // Moved, with text around it.
        ("New.\n\n- [ ] two\n- [ ] buy some milk\n\nMore.\n\n- [ ] one due:2026-12-01\n", [two, milk, one]),
        // Indented, numbered, quoted.
        ("- [ ] two\n  - [ ] buy some milk\n\n> 1. [ ] one due:2026-12-01\n", [two, milk, one]),
        // Another date, another box, in other letters.
        ("* [x] TWO\n* [ ] buy some milk\n* [ ] one due:2026-12-24\n", [two, milk, one]),
        // Rewritten where it stands.
        ("* [x] TWO\n* [ ] buy some oat milk\n* [ ] one due:2026-12-24\n", [two, milk, one]),
        ("* [ ] three\n* [ ] buy some oat milk\n* [ ] one due:2026-12-24\n", [two, milk, one]),
    ] {
        edit(&wiki, id, content).await;
        assert_eq!(ids(&wiki, id).await, expected, "{content}");
    }

    // One more between them is a new one, and one that is gone is gone.
    edit(&wiki, id, "* [ ] three\n* [ ] buy some oat milk\n* [ ] call\n* [ ] one due:2026-12-24\n").await;
    let [.., new, _] = ids(&wiki, id).await[..] else { panic!("there are four") };
    assert!(new > milk.max(two));
    edit(&wiki, id, "* [ ] three\n* [ ] call\n* [ ] one due:2026-12-24\n").await;
    assert_eq!(ids(&wiki, id).await, [two, new, one]);
    wiki.get(&format!("/tasks/{milk}")).await.problem(404);

    // Going back brings it back.
    wiki.post(&format!("/posts/{id}/revert")).json(json!({"version": 6})).await.expect(200);
    assert_eq!(ids(&wiki, id).await, [two, milk, one]);

    // Of several that say the same, the first stays the first.
    let same = page(&wiki, "same", "- [ ] a due:2026-12-01\n- [ ] a due:2026-12-02\n- [ ] a\n").await;
    let [_, second, third] = ids(&wiki, same).await[..] else { panic!("there are three") };
    edit(&wiki, same, "- [ ] a due:2026-12-02\n- [ ] a\n").await;
    assert_eq!(ids(&wiki, same).await, [second, third]);
}

#[tokio::test]
async fn a_task_stays_the_same_in_another_page() {
    let wiki = wiki_with_user().await;
    let whole = page(&wiki, "whole", "- [ ] one\n- [ ] two\n- [x] three\n").await;
    let [one, two, three] = ids(&wiki, whole).await[..] else { panic!("there are three") };
    // Cut out there, and put in here.
    edit(&wiki, whole, "- [ ] one\n- [ ] two\n").await;
    let part = page(&wiki, "part", "- [x] three\n").await;
    assert_eq!((ids(&wiki, whole).await, ids(&wiki, part).await), (vec![one, two], vec![three]));
    // Copied first.
    let other = page(&wiki, "other", "- [ ] two\n").await;
    assert_ne!(ids(&wiki, other).await, [two]);
    edit(&wiki, whole, "- [ ] one\n").await;
    assert_eq!((ids(&wiki, whole).await, ids(&wiki, other).await), (vec![one], vec![two]));
}

#[tokio::test]
async fn tasks_go_and_come_with_their_page() {
    let wiki = wiki_with_user().await;
    let id = page(&wiki, "list", "- [ ] one\n").await;
    let before = ids(&wiki, id).await;
    wiki.delete(&format!("/posts/{id}")).await.expect(204);
    assert!(ids(&wiki, id).await.is_empty());
    wiki.get(&format!("/tasks/{}", before[0])).await.problem(404);
    wiki.post(&format!("/posts/{id}/restore")).await.expect(200);
    assert_eq!(ids(&wiki, id).await, before);
    // A page without tasks has none, and one that is renamed keeps them.
    wiki.put(&format!("/posts/{id}"))
        .header("if-match", "*")
        .json(json!({"content": "- [ ] one\n", "title": "New"}))
        .await
        .expect(200);
    assert_eq!((ids(&wiki, id).await, tasks(&wiki, id).await[0]["page_title"].clone()), (before, json!("New")));
    edit(&wiki, id, "nothing").await;
    assert!(ids(&wiki, id).await.is_empty());
}

#[tokio::test]
async fn who_ticked_a_task_and_when_is_known() {
    let wiki = wiki_with_user().await;
    wiki.create_user("bob").await;
    let id = page(&wiki, "list", "- [ ] one\n").await;
    let tick = |content: &str| {
        wiki.put(&format!("/posts/{id}")).header("if-match", "*").json(json!({"content": content, "user_id": 2}))
    };
    tick("- [x] one\n").await.expect(200);
    let task = tasks(&wiki, id).await.remove(0);
    assert_eq!((&task["done_by"], &task["done_by_name"], &task["version"]), (&json!(2), &json!("bob"), &json!(2)));
    // Another edit changes nothing of it.
    edit(&wiki, id, "# New\n\n- [x] one\n").await;
    let later = tasks(&wiki, id).await.remove(0);
    assert_eq!((&later["done_by"], &later["done_time"], &later["version"]), (&json!(2), &task["done_time"], &json!(2)));
    edit(&wiki, id, "- [ ] one\n").await;
    let open = tasks(&wiki, id).await.remove(0);
    assert_eq!((&open["done"], &open["done_by"], &open["done_time"]), (&json!(false), &json!(null), &json!(null)));
}

#[tokio::test]
async fn tasks_are_listed_by_due_date_and_filtered() {
    let wiki = wiki_with_user().await;
    let page = json!({
        "user_id": 1, "slug": "a", "tags": ["Ops"],
        "content": "- [ ] none @ada\n- [ ] late @ada due:2026-01-02\n- [x] done @bob due:2026-01-01\n- [ ] time due:2026-01-02T09:30\n",
    });
    wiki.post("/posts").json(page).await.expect(201);
    self::page(&wiki, "b", "- [ ] other due:2026-01-03 @Bob\n").await;
    let list = async |query: &str| {
        let tasks = wiki.walk(&format!("/tasks?limit=1&{query}"), "tasks").await;
        tasks.iter().map(|task| task["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (query, expected) in [
        ("", "done late time other none"),
        ("done=false", "late time other none"),
        ("done=true", "done"),
        ("assignee=ADA", "late none"),
        ("assignee=bob&done=false", "other"),
        ("assignee=me", ""),
        ("tag=OPS", "done late time none"),
        ("tag=other", ""),
        ("post=2", "other"),
        ("post=x", ""),
        ("due_before=2026-01-02", "done"),
        ("due_before=2026-01-02T09:30:00Z", "done late"),
        ("due_after=2026-01-02", "other"),
        ("due_after=2026-01-01T23:00:00Z&due_before=2026-01-03", "late time"),
    ] {
        assert_eq!(list(query).await, expected, "{query}");
    }
    for (query, field) in [
        ("done=yes", "done"),
        ("assignee=a%20b", "assignee"),
        ("due_before=soon", "due_before"),
        ("due_after=2026-02-30", "due_after"),
        ("tag=,", "tag"),
        ("limit=0", "limit"),
        ("cursor=5b5d", "cursor"),
    ] {
        wiki.get(&format!("/tasks?{query}")).await.invalid(field);
    }
}

#[tokio::test]
async fn a_page_has_a_limited_number_of_tasks() {
    let wiki = shared::wiki().await;
    let user = wiki.create_user("of-many-tasks").await;
    let many = "- [ ] a\n".repeat(1005);
    let page = wiki.create_post(&user, &many).await["post_id"].as_i64().unwrap();
    assert_eq!(wiki.walk(&format!("/tasks?post={page}&limit=200"), "tasks").await.len(), 1000);
    // A whole new text is as quickly saved as any.
    let other: String = (0..1000).map(|number| format!("- [ ] word {number} another\n")).collect();
    edit(&wiki, page, &other).await;
    assert_eq!(wiki.walk(&format!("/tasks?post={page}&limit=200"), "tasks").await.len(), 1000);
}

async fn content(wiki: &Client, page: i64) -> String {
    wiki.get(&format!("/posts/{page}")).await.expect(200).json()["content"].as_str().unwrap().to_owned()
}

async fn latest(wiki: &Client, page: i64) -> Value {
    wiki.get(&format!("/posts/{page}/revisions?limit=1")).await.expect(200).json()["revisions"][0].clone()
}

#[tokio::test]
async fn a_change_of_a_task_is_an_edit_of_its_page() {
    let wiki = wiki_with_user().await;
    wiki.create_user("bob").await;
    let page = page(&wiki, "list", "# T\n\n- [ ] one `x` due:2026-12-04\r\n- [ ] two\n").await;
    let id = ids(&wiki, page).await[0];
    let patch = |body: Value| wiki.patch(&format!("/tasks/{id}")).json(body);

    let done = patch(json!({"done": true, "user_id": 2})).header("if-match", "\"1\"").await.expect(200);
    assert_eq!(done.header("etag"), "\"2\"");
    assert_eq!((&done.json()["done"], &done.json()["done_by_name"]), (&json!(true), &json!("bob")));
    assert_eq!(content(&wiki, page).await, "# T\n\n- [x] one `x` due:2026-12-04\r\n- [ ] two\n");
    let revision = latest(&wiki, page).await;
    let seen = (&revision["version"], &revision["comment"], &revision["author"]);
    assert_eq!(seen, (&json!(2), &json!("done: one `x`"), &json!("bob")));

    // Done again, nothing changes; nor without a change.
    patch(json!({"done": true})).await.expect(200);
    patch(json!({})).await.expect(200);
    assert_eq!(latest(&wiki, page).await["version"], 2);
    let stale = patch(json!({"done": false})).header("if-match", "\"1\"").await.problem(412);
    assert!(stale.detail.contains("changed meanwhile"), "{stale:?}");

    patch(json!({"done": false, "due": "2026-12-24T18:30:00+01:00", "assignee": "Bob"})).await.expect(200);
    assert_eq!(content(&wiki, page).await, "# T\n\n- [ ] one `x` due:2026-12-24T17:30 @Bob\r\n- [ ] two\n");
    assert_eq!(latest(&wiki, page).await["comment"], "not done: one `x`");
    let changed = patch(json!({"due": null, "assignee": null, "text": "another"})).await.expect(200).json();
    assert_eq!(
        (&changed["text"], &changed["due"], &changed["assignee"]),
        (&json!("another"), &json!(null), &json!(null))
    );
    assert_eq!(content(&wiki, page).await, "# T\n\n- [ ] another\r\n- [ ] two\n");
    // Called like another one, it is still itself.
    let changed = patch(json!({"text": "two"})).await.expect(200).json();
    assert_eq!((&changed["id"], &changed["line"]), (&json!(id), &json!(3)));

    for (body, field) in [
        (json!({"done": "yes"}), "done"),
        (json!({"due": "soon"}), "due"),
        (json!({"assignee": "a b"}), "assignee"),
        (json!({"text": ""}), "text"),
        (json!({"text": "a\nb"}), "text"),
        (json!({"text": null}), "text"),
    ] {
        patch(body).await.invalid(field);
    }
    wiki.patch("/tasks/999999").json(json!({"done": true})).await.problem(404);
    wiki.patch(&format!("/tasks/{id}")).json(json!({"done": true, "user_id": 99})).await.problem(404);
}

#[tokio::test]
async fn a_task_that_recurs_comes_back_once() {
    let wiki = wiki_with_user().await;
    let page = page(&wiki, "list", "- [ ] pay due:2026-01-31 repeat:1mo\n  - [ ] look\n- [ ] other\n").await;
    let id = ids(&wiki, page).await[0];
    // All at once.
    let tick = async || wiki.patch(&format!("/tasks/{id}")).json(json!({"done": true})).await.expect(200);
    tokio::join!(tick(), tick(), tick(), tick(), tick(), tick(), tick(), tick());
    let after = "- [x] pay due:2026-01-31 repeat:1mo\n  - [ ] look\n- [ ] pay due:2026-03-31 repeat:1mo\n- [ ] other\n";
    assert_eq!(content(&wiki, page).await, after);
    assert_eq!(latest(&wiki, page).await["version"], 2);
    let all = tasks(&wiki, page).await;
    assert_eq!((&all[0]["id"], &all[2]["done"], &all[2]["due"]), (&json!(id), &json!(false), &json!("2026-03-31")));
    // Opened and done again, it does not come back again.
    wiki.patch(&format!("/tasks/{id}")).json(json!({"done": false})).await.expect(200);
    tick().await;
    assert_eq!(content(&wiki, page).await, after);
}

#[tokio::test]
async fn a_task_that_recurs_comes_back_when_it_is_ticked_in_the_text() {
    let wiki = wiki_with_user().await;
    let (before, done) = ("- [ ] a due:2026-12-04 repeat:1w\n", "- [x] a due:2026-12-04 repeat:1w\n");
    let after = format!("{done}- [ ] a due:2026-12-11 repeat:1w\n");
    // By a program, of the version it saw or of any.
    for condition in ["\"1\"", "*"] {
        let page = page(&wiki, &format!("by-{}", condition.len()), before).await;
        let put = wiki.put(&format!("/posts/{page}")).header("if-match", condition).json(json!({"content": done}));
        let saved = put.await.expect(200).json();
        assert_eq!((&saved["content"], &saved["version"]), (&json!(after), &json!(2)));
        assert_eq!(tasks(&wiki, page).await.len(), 2);
        let stale = wiki.put(&format!("/posts/{page}")).header("if-match", "\"1\"").json(json!({"content": done}));
        stale.await.problem(412);
        // What goes back to a version completes what it completed.
        wiki.post(&format!("/posts/{page}/revert")).json(json!({"version": 1})).await.expect(200);
        assert_eq!(content(&wiki, page).await, before);
        wiki.post(&format!("/posts/{page}/revert")).json(json!({"version": 2})).await.expect(200);
        assert_eq!(content(&wiki, page).await, after);
    }
    // In the editor.
    let page = page(&wiki, "by-form", before).await;
    let number = page.to_string();
    let form = [
        ("title", "by-form"),
        ("content", done),
        ("author", "Ada"),
        ("page", &*number),
        ("version", "1"),
        ("key", "k"),
    ];
    for _ in 0..2 {
        wiki.post("/wiki/by-form/edit").form(&form).await.expect(303);
        assert_eq!(content(&wiki, page).await, after);
    }
    // What was done from the beginning does not come back.
    let page = self::page(&wiki, "done", done).await;
    assert_eq!(content(&wiki, page).await, done);
}

#[tokio::test]
async fn a_task_is_added_to_a_page() {
    let wiki = wiki_with_user().await;
    let page = page(&wiki, "list", "# T\n\n- [ ] one\n").await;
    let body = json!({"text": "two repeat:1w", "due": "2026-12-04", "assignee": "ada", "post_id": page, "user_id": 1});
    let made = wiki.post("/tasks").json(body.clone()).header("idempotency-key", "a").await.expect(201);
    let task = made.json();
    assert_eq!(made.header("location"), format!("/tasks/{}", task["id"]));
    assert_eq!(content(&wiki, page).await, "# T\n\n- [ ] one\n- [ ] two repeat:1w @ada due:2026-12-04\n");
    assert_eq!((&task["text"], &task["repeat"], &task["line"]), (&json!("two"), &json!("1w"), &json!(4)));
    assert_eq!(latest(&wiki, page).await["comment"], "new task: two");
    // Sent again, it is the same one; the key is good for no other.
    let again = wiki.post("/tasks").json(body).header("idempotency-key", "a").await.expect(201);
    assert_eq!(again.json(), task);
    assert_eq!(latest(&wiki, page).await["version"], 2);
    let other = json!({"text": "three", "post_id": page, "user_id": 1});
    wiki.post("/tasks").json(other).header("idempotency-key", "a").await.problem(422);
    let body = json!({"text": "x", "post_id": 99, "user_id": 1});
    wiki.post("/tasks").json(body).await.problem(404);
    wiki.post("/tasks").json(json!({"post_id": page})).await.invalid("text");
    wiki.post("/tasks").json(json!({"text": "x"})).await.invalid("user_id");
}

#[tokio::test]
async fn a_task_without_a_page_is_in_the_authors_own() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let editor = wiki.sign_in("eve", blackbox::PASSWORD).await;
    let add = |text: &str| wiki.post("/tasks").cookie(&editor).json(json!({"text": text}));
    // Of several at once, one makes the page.
    let made = async |text: &str| add(text).await.expect(201).json();
    let made: [Value; 4] = tokio::join!(made("a @eve"), made("b"), made("c"), made("d")).into();
    let page = made[0]["post_id"].as_i64().unwrap();
    let slugs = made.iter().map(|task| (task["page_slug"].as_str().unwrap(), task["page_title"].as_str().unwrap()));
    assert!(slugs.clone().all(|page| page == ("tasks-of-eve", "Tasks of eve")), "{made:?}");
    assert_eq!(tasks(&wiki, page).await.len(), 4);
    // They are the author's, unless a line says whose.
    add("z @ada").await.expect(201);
    let mine = wiki.get("/tasks?assignee=me").cookie(&editor).await.expect(200).json();
    let mut texts: Vec<_> =
        mine["tasks"].as_array().unwrap().iter().map(|task| task["text"].as_str().unwrap()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["a", "b", "c", "d"]);
    // The page keeps its place when it is renamed.
    let content = content(&wiki, page).await;
    let renamed = json!({"content": content, "title": "My list", "slug": "my-list"});
    wiki.put(&format!("/posts/{page}")).cookie(&editor).header("if-match", "*").json(renamed).await.expect(200);
    assert_eq!(add("e").await.expect(201).json()["post_id"], page);

    // A protected page is for administrators, whatever of it is changed; others only read.
    let id = made[0]["id"].as_i64().unwrap();
    wiki.put(&format!("/posts/{page}/protection")).cookie(&administrator).json(json!({})).await.expect(200);
    add("f").await.problem(403);
    let patch = || wiki.patch(&format!("/tasks/{id}")).json(json!({"done": true}));
    patch().cookie(&editor).await.problem(403);
    patch().await.problem(401);
    assert_eq!(patch().cookie(&administrator).await.expect(200).json()["done_by_name"], "admin");
}

#[tokio::test]
async fn tasks_are_a_calendar() {
    let wiki = App::wiki().access("private").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let editor = wiki.sign_in("eve", blackbox::PASSWORD).await;
    let content = "- [ ] Call **Ada**, soon @eve due:2026-12-04T15:00\n- [ ] other due:2026-12-05\n- [x] over @eve\n";
    let page = json!({"slug": "list", "title": "List", "content": content});
    wiki.post("/posts").cookie(&editor).json(page).await.expect(201);
    let read = wiki.create_token(&editor, "read").await;
    let calendar = async |query: &str| wiki.get(&format!("/tasks.ics?{query}")).await;

    let mine = calendar(&format!("token={read}")).await.expect(200);
    assert_eq!(mine.media_type(), "text/calendar");
    let text = mine.text();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
    assert!(text.contains("SUMMARY:Call Ada\\, soon\r\n") && text.contains("DUE:20261204T150000Z\r\n"), "{text}");
    assert!(!text.contains("other") && !text.contains("over"), "{text}");
    let again = wiki.get(&format!("/tasks.ics?token={read}")).header("if-none-match", mine.header("etag")).await;
    again.expect(304);
    let all = calendar(&format!("token={read}&post=1&done=true")).await.expect(200);
    assert!(all.text().contains("STATUS:COMPLETED") && !all.text().contains("Call"), "{all:?}");

    // A token that may do more does not belong in an address, and opens nothing else there.
    calendar(&format!("token={}", wiki.create_token(&editor, "write").await)).await.problem(403);
    calendar("token=wasiki_1_x").await.problem(401);
    calendar("").await.problem(401);
    wiki.get(&format!("/tasks?token={read}")).await.problem(401);
    wiki.get(&format!("/posts/1?token={read}")).await.problem(401);
}
