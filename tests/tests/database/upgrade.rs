//! Databases that older versions wrote: what the migrations make of them.

use blackbox::{App, Database, json};
use tempfile::TempDir;

/// A folder with the migrations up to number `last`.
pub fn migrations_up_to(last: u32) -> TempDir {
    let folder = TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made");
    for file in std::fs::read_dir(blackbox::repository().join("migrations")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name[..4].parse::<u32>().unwrap() <= last {
            std::fs::copy(file.path(), folder.path().join(name)).unwrap();
        }
    }
    folder
}

/// A database with the migrations up to number `last`.
async fn of_version(last: u32) -> Database {
    let database = Database::create().await;
    database.migrate(&database.url(), migrations_up_to(last).path(), &[]).await.success();
    database
}

#[tokio::test]
async fn pages_are_found_by_titles_they_were_given_before_titles_were_names() {
    let database = of_version(5).await;
    let client = database.client().await;
    client.batch_execute("INSERT INTO users (username, name) VALUES ('ada', 'Ada')").await.unwrap();
    let titles = ["Same", "It's a \"New\" title -- ", "!?", "Größe", &"long ".repeat(30)];
    for (at, title) in titles.into_iter().enumerate() {
        let slug = if at == 0 { "same".to_owned() } else { format!("old-{at}") };
        let page = "INSERT INTO posts (user_id, title, slug, content) VALUES (1, $1, $2, 'x')";
        client.execute(page, &[&title, &slug]).await.unwrap();
    }
    let wiki = App::wiki().database(database).start().await;
    for (name, slug) in [("It’s a New Title", "old-1"), ("page", "old-2"), (&"LONG ".repeat(30), "old-4")] {
        let moved = wiki.get(&format!("/wiki/{}", blackbox::percent_encoded(name))).await.expect(302);
        let moved = match moved.header("location") {
            // First to the slug of what was typed.
            step if !step.ends_with(slug) => wiki.get(step).await.expect(302).header("location").to_owned(),
            there => there.to_owned(),
        };
        assert_eq!(moved, format!("/wiki/{slug}"), "{name}");
    }
    let kept = wiki.database().column("SELECT slug FROM posts WHERE title_slug IS NULL ORDER BY id").await;
    assert_eq!(kept, ["same", "old-3"]);
    // PostgreSQL does not know the slugs of such titles; the next edit does.
    wiki.get("/wiki/gr%C3%B6%C3%9Fe").await.expect(404);
    let edit = json!({"content": "y", "title": "Größe"});
    wiki.put("/posts/4").header("if-match", "*").json(edit).await.expect(200);
    assert_eq!(wiki.get("/wiki/gr%C3%B6%C3%9Fe").await.expect(302).header("location"), "/wiki/old-3");
}

#[tokio::test]
async fn pages_that_were_deleted_before_deletions_were_kept_are_found() {
    let database = of_version(5).await;
    database
        .client()
        .await
        .batch_execute(
            "INSERT INTO users (username, name) VALUES ('ada', 'Ada'), ('bob', 'Bob');
             INSERT INTO posts (user_id, title, slug, content, version, deleted_time) VALUES
               (1, 'Kept', 'kept', 'x', 2, NULL), (1, 'By Bob', 'by-bob', 'one', 1, '2026-01-01 00:00Z'),
               (1, 'By nobody', 'by-nobody', 'two', 1, '2026-02-01 00:00Z');
             INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta) VALUES
               (1, 1, 1, 'First', 'first', 'x', '{}', '', 1, 1), (1, 2, 1, 'Kept', 'kept', 'x', '{}', '', 1, 0),
               (2, 1, 1, 'By Bob', 'by-bob', 'one', '{}', '', 3, 3),
               (3, 1, 1, 'By nobody', 'by-nobody', 'two', '{}', '', 3, 3);
             INSERT INTO audit (event, actor_id, address, post_id, details) VALUES
               ('page_deleted', 1, '', 2, 'By Bob'), ('page_restored', 1, '', 2, 'By Bob'),
               ('page_deleted', 2, '', 2, 'By Bob'), ('page_deleted', NULL, '', 3, 'By nobody');",
        )
        .await
        .unwrap();
    let wiki = App::wiki().database(database).start().await;
    let deleted = wiki.get("/posts/deleted").await.expect(200).json()["posts"].clone();
    assert_eq!(
        deleted,
        json!([
            {"post_id": 3, "title": "By nobody", "slug": "by-nobody", "version": 2, "deleted_by": null,
             "deleted_by_name": null, "deleted_time": "2026-02-01T00:00:00.000000Z", "comment": ""},
            {"post_id": 2, "title": "By Bob", "slug": "by-bob", "version": 2, "deleted_by": 2,
             "deleted_by_name": "Bob", "deleted_time": "2026-01-01T00:00:00.000000Z", "comment": ""},
        ])
    );
    let restored = wiki.post("/posts/2/restore").await.expect(200).json();
    assert_eq!((&restored["version"], &restored["content"]), (&json!(3), &json!("one")));
    let kinds = |entries: &[blackbox::Value]| -> Vec<String> {
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    };
    let of = async |id: i64| wiki.walk(&format!("/posts/{id}/revisions"), "revisions").await;
    assert_eq!(kinds(&of(2).await), ["restored", "deleted", "created"]);
    assert_eq!(kinds(&of(1).await), ["renamed", "created"]);
}

#[tokio::test]
async fn pages_that_older_versions_wrote_are_found() {
    let database = of_version(10).await;
    database
        .client()
        .await
        .batch_execute(
            "INSERT INTO users (username, name) VALUES ('ada', 'Ada');
             INSERT INTO posts (user_id, title, slug, content) SELECT 1, 'Page ' || n, 'page-' || n, '**needle** ' || n
             FROM generate_series(1, 250) AS n;
             UPDATE posts SET deleted_time = now() WHERE id = 1",
        )
        .await
        .unwrap();
    let wiki = App::wiki().database(database).start().await;
    let total = async |query: &str| wiki.get(&format!("/search?q={query}")).await.expect(200).json()["total"].clone();
    let waiting = "SELECT count(*)::text FROM searched WHERE words IS NULL";
    // Each search makes the words of some pages, and so does each look at whether the wiki is ready.
    for _ in 0..10 {
        wiki.get("/ready").await.expect(200);
    }
    assert_eq!(wiki.database().column(waiting).await, ["0"]);
    assert_eq!(total("needle").await, 249);
    let found = wiki.get("/search?q=needle&limit=1").await.expect(200).json();
    assert_eq!(found["results"][0]["snippet"].as_str().unwrap().split(' ').next(), Some("<mark>needle</mark>"));

    // An older version still runs, writes a new page and two old ones, and finds what this one wrote.
    wiki.put("/posts/4").header("if-match", "*").json(json!({"content": "A weaving loom."})).await.expect(200);
    let client = wiki.database().client().await;
    client
        .batch_execute(
            "INSERT INTO posts (user_id, title, slug, content) VALUES (1, 'New', 'new', 'thread');
             UPDATE posts SET content = 'thread', version = version + 1 WHERE id = 2;
             UPDATE posts SET title = 'A thread', content = content, version = version + 1 WHERE id = 3",
        )
        .await
        .unwrap();
    let by_older = "SELECT id::text FROM searched_posts
                    WHERE deleted_time IS NULL AND words @@ websearch_to_tsquery('wiki', 'weaves') AND is_read";
    assert_eq!(wiki.database().column(by_older).await, ["4"]);
    assert_eq!(total("thread").await, 3);
    // An edit here that does not say the title meets a page whose title was not read yet.
    client.batch_execute("UPDATE posts SET title = 'Silk', version = version + 1 WHERE id = 5").await.unwrap();
    wiki.put("/posts/5").header("if-match", "*").json(json!({"content": "A cocoon."})).await.expect(200);
    assert_eq!((total("silk").await, total("cocoon").await), (json!(1), json!(1)));
    wiki.post("/posts/1/restore").await.expect(200);
    assert_eq!(total("needle").await, 247);
}

#[tokio::test]
async fn tasks_of_pages_that_older_versions_wrote_are_read() {
    let database = of_version(11).await;
    database
        .client()
        .await
        .batch_execute(
            "INSERT INTO users (username, name) VALUES ('ada', 'Ada');
             INSERT INTO posts (user_id, title, slug, content)
             SELECT 1, 'Page ' || n, 'page-' || n, '- [ ] task ' || n || E' @ada\n- [x] done' FROM generate_series(1, 150) AS n;
             INSERT INTO posts (user_id, title, slug, content) VALUES (1, 'None', 'none', 'no task');
             INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta)
             SELECT id, 1, 1, title, slug, content, '{}', '', 0, 0 FROM posts",
        )
        .await
        .unwrap();
    let wiki = App::wiki().database(database).start().await;
    let count = async |query: &str| wiki.walk(&format!("/tasks?limit=200&{query}"), "tasks").await.len();
    // Some pages with each look at whether the wiki is ready, and with a list.
    for _ in 0..3 {
        wiki.get("/ready").await.expect(200);
    }
    assert_eq!((count("done=false").await, count("assignee=ada").await), (150, 150));
    let done = wiki.get("/tasks?post=1&done=true").await.expect(200).json()["tasks"][0].clone();
    assert_eq!(done["done_by_name"], "Ada");

    // An older version still runs, and writes a page that this one has written, an old one and a new one.
    let first = wiki.get("/tasks?post=2&done=false").await.expect(200).json()["tasks"][0]["id"].clone();
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "- [ ] one"})).await.expect(200);
    let client = wiki.database().client().await;
    client
        .batch_execute(
            "UPDATE posts SET content = E'New.\n- [ ] one\n- [ ] two', version = version + 1 WHERE id = 1;
             UPDATE posts SET content = E'New.\n\n- [x] task 2 @ada', version = version + 1 WHERE id = 2;
             INSERT INTO posts (user_id, title, slug, content) VALUES (1, 'Last', 'last', '- [ ] last')",
        )
        .await
        .unwrap();
    wiki.get("/ready").await.expect(200);
    assert_eq!((count("post=1").await, count("post=2").await, count("post=152").await), (2, 1, 1));
    let second = wiki.get("/tasks?post=2").await.expect(200).json()["tasks"][0].clone();
    assert_eq!((&second["id"], &second["done"], &second["line"]), (&first, &json!(true), &json!(3)));
    assert_eq!(wiki.database().column("SELECT count(*)::text FROM tasks_waiting").await, ["0"]);
}
