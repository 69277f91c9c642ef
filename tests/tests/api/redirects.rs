//! Redirects: slugs that lead to a page beside its own.

use blackbox::{App, Client, Value, json};

async fn write(wiki: &Client, slug: &str) {
    wiki.post("/posts").json(json!({"user_id": 1, "slug": slug, "content": "x"})).await.expect(201);
}

async fn redirects(wiki: &Client) -> Vec<(String, i64)> {
    let read = |item: Value| (item["slug"].as_str().unwrap().to_owned(), item["post_id"].as_i64().unwrap());
    wiki.walk("/redirects?limit=1", "redirects").await.into_iter().map(read).collect()
}

#[tokio::test]
async fn a_redirect_leads_to_its_page() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    write(&wiki, "new-name").await;
    write(&wiki, "other").await;
    wiki.post("/posts")
        .json(json!({"user_id": 1, "slug": "linker", "title": "Linker", "content": "[[Alias]]"}))
        .await
        .expect(201);
    let set = wiki.put("/redirects/alias").json(json!({"post_id": 1})).await.expect(200);
    assert_eq!(set.json(), json!({"slug": "alias", "post_id": 1}));
    let moved = wiki.get("/wiki/alias").await;
    assert!(moved.header("location").ends_with("/wiki/new-name"), "{moved:?}");
    let backlinks = wiki.get("/posts/1/backlinks").await.expect(200).json();
    assert_eq!(backlinks["posts"][0]["slug"], "linker");

    // A slug that a page had before it was renamed is one as well, and they come in the order of their slugs.
    wiki.put("/posts/2").header("if-match", "*").json(json!({"content": "x", "slug": "renamed"})).await.expect(200);
    wiki.put("/redirects/cafe%CC%81").json(json!({"post_id": 2})).await.expect(200);
    let all = [("alias".to_owned(), 1), ("café".to_owned(), 2), ("other".to_owned(), 2)];
    assert_eq!(redirects(&wiki).await, all);

    // Set again, nothing changes; what leads to another page, or is one's name, is taken.
    wiki.put("/redirects/alias").json(json!({"post_id": 1})).await.expect(200);
    for (slug, page) in [("alias", 2), ("renamed", 1), ("renamed", 2)] {
        let problem = wiki.put(&format!("/redirects/{slug}")).json(json!({"post_id": page})).await.problem(409);
        assert!(problem.detail.contains("already taken"), "{problem:?}");
    }
    assert_eq!(redirects(&wiki).await, all);

    // A page that takes the slug has it, as long as it is there.
    write(&wiki, "alias").await;
    assert_eq!(redirects(&wiki).await, all[1..]);
    wiki.delete("/posts/4").await.expect(204);
    assert_eq!(redirects(&wiki).await, all);
    // What led to a page that is deleted may lead to another.
    wiki.delete("/posts/1").await.expect(204);
    wiki.put("/redirects/alias").json(json!({"post_id": 2})).await.expect(200);

    wiki.delete("/redirects/alias").await.expect(204);
    wiki.delete("/redirects/alias").await.problem(404);
    wiki.get("/wiki/alias").await.expect(404);
}

#[tokio::test]
async fn what_is_no_redirect_is_refused() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let editor = wiki.sign_in("eve", blackbox::PASSWORD).await;
    wiki.post("/posts").cookie(&editor).json(json!({"slug": "page", "content": "x"})).await.expect(201);
    let set = |slug: &str, body: Value| wiki.put(&format!("/redirects/{slug}")).cookie(&editor).json(body);
    set("Not-A-Slug", json!({"post_id": 1})).await.invalid("slug");
    set("-", json!({"post_id": 1})).await.invalid("slug");
    set("alias", json!({})).await.invalid("post_id");
    set("alias", json!({"post_id": "1"})).await.invalid("post_id");
    set("alias", json!({"post_id": 99})).await.problem(404);
    wiki.put("/redirects/alias").json(json!({"post_id": 1})).await.problem(401);

    set("alias", json!({"post_id": 1})).await.expect(200);
    wiki.put("/posts/1/protection").cookie(&administrator).json(json!({})).await.expect(200);
    set("another", json!({"post_id": 1})).await.problem(403);
    wiki.delete("/redirects/alias").cookie(&editor).await.problem(403);
    wiki.put("/redirects/another").cookie(&administrator).json(json!({"post_id": 1})).await.expect(200);
    wiki.delete("/redirects/alias").cookie(&administrator).await.expect(204);
    assert_eq!(redirects(&wiki).await, [("another".to_owned(), 1)]);
}
