//! Links between pages: backlinks, and what happens to them when a page is renamed.

use blackbox::{App, Client, json};

async fn write(wiki: &Client, title: &str, content: &str) {
    wiki.post("/posts").json(json!({"user_id": 1, "title": title, "content": content})).await.expect(201);
}

async fn backlinks(wiki: &Client, id: i64) -> Vec<String> {
    let posts = wiki.walk(&format!("/posts/{id}/backlinks?limit=2&sort=title"), "posts").await;
    posts.iter().map(|post| post["title"].as_str().unwrap().to_owned()).collect()
}

async fn rename(wiki: &Client, id: i64, slug: &str) {
    let post = wiki.get(&format!("/posts/{id}")).await.expect(200).json();
    let body = json!({"content": post["content"], "slug": slug, "version": post["version"]});
    wiki.put(&format!("/posts/{id}")).json(body).await.expect(200);
}

#[tokio::test]
async fn a_page_lists_its_backlinks() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    write(&wiki, "Target", "I link to [[Target]] myself.").await;
    write(&wiki, "B", "See [[target]] and [[TARGET|again]].").await;
    write(&wiki, "A", "See [[Target#section]].").await;
    write(&wiki, "C", "Not a link: `[[Target]]`\n\n```\n[[Target]]\n```\n").await;
    write(&wiki, "D", "To [[nowhere]] and [[Target]]").await;
    assert_eq!(backlinks(&wiki, 1).await, ["A", "B", "D"]);
    assert_eq!(backlinks(&wiki, 2).await, [""; 0]);

    // They follow edits, reverts, deletions and restores of the page that links.
    wiki.put("/posts/2").header("if-match", "*").json(json!({"content": "no more"})).await.expect(200);
    assert_eq!(backlinks(&wiki, 1).await, ["A", "D"]);
    wiki.post("/posts/2/revert").json(json!({"version": 1})).await.expect(200);
    wiki.delete("/posts/3").await.expect(204);
    assert_eq!(backlinks(&wiki, 1).await, ["B", "D"]);
    wiki.post("/posts/3/restore").await.expect(200);
    assert_eq!(backlinks(&wiki, 1).await, ["A", "B", "D"]);

    wiki.get("/posts/99/backlinks").await.problem(404);
    wiki.get("/posts/x/backlinks").await.problem(404);
    wiki.delete("/posts/1").await.expect(204);
    wiki.get("/posts/1/backlinks?sort=title&limit=0").await.invalid("limit");
}

#[tokio::test]
async fn backlinks_follow_a_page_that_is_renamed() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    write(&wiki, "First name", "x").await;
    write(&wiki, "Linker", "[[First name]]").await;
    rename(&wiki, 1, "second-name").await;
    rename(&wiki, 1, "third-name").await;
    write(&wiki, "Newer", "[[Third name]]").await;
    assert_eq!(backlinks(&wiki, 1).await, ["Linker", "Newer"]);

    // A page that takes the old name takes the links to it.
    write(&wiki, "First name", "another").await;
    assert_eq!(backlinks(&wiki, 1).await, ["Newer"]);
    assert_eq!(backlinks(&wiki, 4).await, ["Linker"]);
    // And they come back to the first when that is gone.
    wiki.delete("/posts/4").await.expect(204);
    assert_eq!(backlinks(&wiki, 1).await, ["Linker", "Newer"]);
}

#[tokio::test]
async fn a_page_with_a_thousand_links_is_saved_and_each_of_them_counts() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    write(&wiki, "Page 0", "x").await;
    write(&wiki, "Page 999", "x").await;
    let links: String = (0..1000).map(|n| format!("- [[Page {n}]]\n")).collect();
    write(&wiki, "Index", &links).await;
    assert_eq!(backlinks(&wiki, 1).await, ["Index"]);
    assert_eq!(backlinks(&wiki, 2).await, ["Index"]);
}
