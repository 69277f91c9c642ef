//! Databases that older versions wrote: what the migrations make of them.

use blackbox::{App, Database, json, wiki_runner};
use tempfile::TempDir;

/// A database with the migrations up to number `last`.
async fn of_version(last: u32) -> Database {
    let folder = TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made");
    for file in std::fs::read_dir(blackbox::repository().join("migrations")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name[..4].parse::<u32>().unwrap() <= last {
            std::fs::copy(file.path(), folder.path().join(name)).unwrap();
        }
    }
    let database = Database::create().await;
    let manifest = blackbox::manifest_of_the_wiki();
    let args = ["migrate", folder.path().to_str().unwrap(), "--from", manifest.to_str().unwrap()];
    wiki_runner(&args, &[("DATABASE_URL", String::from(database.url().unwrap()))]).await.success();
    database
}

#[tokio::test]
async fn pages_that_were_deleted_before_deletions_were_kept_are_found() {
    if Database::needs_server("only the service writes into it") {
        return;
    }
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
