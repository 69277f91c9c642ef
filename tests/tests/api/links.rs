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

/// What the site makes of `[[text]]` on page `id`: the slug it leads to, or nothing if it is shown as missing.
async fn leads_to(wiki: &Client, id: i64, text: &str) -> Option<String> {
    let page = wiki.get(&format!("/posts/{id}")).header("accept", "text/html").await.expect(200).text().to_owned();
    let (before, _) = page.split_once(&format!("\">{text}</a>")).unwrap_or_else(|| panic!("{text} in {page}"));
    let tag = before.rsplit_once("<a ").unwrap().1;
    let href = tag.split_once("href=\"").unwrap().1.split('"').next().unwrap();
    (!tag.starts_with("class=\"missing\"")).then(|| href.strip_prefix("/wiki/").unwrap().to_owned())
}

async fn retitle(wiki: &Client, id: i64, title: &str) {
    let post = wiki.get(&format!("/posts/{id}")).await.expect(200).json();
    let body = json!({"content": post["content"], "title": title, "version": post["version"]});
    wiki.put(&format!("/posts/{id}")).json(body).await.expect(200);
}

#[tokio::test]
async fn a_link_names_the_title_then_the_slug_then_what_they_were() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    write(&wiki, "Old title", "x").await;
    write(&wiki, "Linker", "[[Old title]] [[New title]] [[chosen]] [[Nothing]]").await;
    let shown = async || {
        let mut shown = Vec::new();
        for text in ["Old title", "New title", "chosen", "Nothing"] {
            shown.push(leads_to(&wiki, 2, text).await.unwrap_or_default());
        }
        shown
    };
    assert_eq!(shown().await, ["old-title", "", "", ""]);

    // The slug stays, as nobody changed it; the page has its new title and keeps the old one.
    retitle(&wiki, 1, "New title").await;
    assert_eq!(shown().await, ["old-title", "old-title", "", ""]);
    assert_eq!(backlinks(&wiki, 1).await, ["Linker"]);
    rename(&wiki, 1, "chosen").await;
    assert_eq!(shown().await, ["chosen", "chosen", "chosen", ""]);
    for address in ["old-title", "new-title", "New%20title"] {
        assert_eq!(wiki.get(&format!("/wiki/{address}")).await.expect(302).header("location"), "/wiki/chosen");
    }
    assert_eq!(wiki.get("/wiki/new-title/edit").await.expect(302).header("location"), "/wiki/chosen/edit");
    retitle(&wiki, 1, "Newest title").await;
    assert_eq!(shown().await, ["chosen", "chosen", "chosen", ""], "a title that was is a name");
    assert_eq!(backlinks(&wiki, 1).await, ["Linker"]);

    // A page that has the title now comes before one that had it, and before one that has it as its slug.
    write(&wiki, "New title", "x").await;
    assert_eq!(shown().await, ["chosen", "new-title", "chosen", ""]);
    let chosen = json!({"user_id": 1, "title": "Chosen", "content": "x"});
    assert_eq!(wiki.post("/posts").json(chosen).await.expect(201).json()["slug"], "chosen-4");
    assert_eq!(shown().await, ["chosen", "new-title", "chosen-4", ""]);
    for id in [1, 3, 4] {
        assert_eq!(backlinks(&wiki, id).await, ["Linker"], "{id}");
    }
    // An address is that of its slug all the same.
    wiki.get("/wiki/chosen").await.expect(200);

    // They come back to the first when those are gone, and are missing when it is.
    wiki.delete("/posts/3").await.expect(204);
    wiki.delete("/posts/4").await.expect(204);
    assert_eq!(shown().await, ["chosen", "chosen", "chosen", ""]);
    wiki.delete("/posts/1").await.expect(204);
    assert_eq!(shown().await, ["", "", "", ""]);
    wiki.get("/posts/1/backlinks").await.problem(404);
    wiki.post("/posts/1/restore").await.expect(200);
    assert_eq!(shown().await, ["chosen", "chosen", "chosen", ""]);
}

#[tokio::test]
async fn of_two_pages_with_one_title_a_link_names_that_with_its_slug() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    for _ in 0..3 {
        write(&wiki, "Notes", "x").await;
    }
    write(&wiki, "Linker", "[[Notes]] [[notes 2]]").await;
    assert_eq!(leads_to(&wiki, 4, "Notes").await.as_deref(), Some("notes"));
    assert_eq!(leads_to(&wiki, 4, "notes 2").await.as_deref(), Some("notes-2"));
    assert_eq!(backlinks(&wiki, 1).await, ["Linker"]);
    assert_eq!(backlinks(&wiki, 2).await, ["Linker"]);
    assert_eq!(backlinks(&wiki, 3).await, [""; 0]);
    wiki.delete("/posts/1").await.expect(204);
    assert_eq!(leads_to(&wiki, 4, "Notes").await.as_deref(), Some("notes-2"));
    // A page that is restored under another slug keeps its title.
    let chosen = json!({"user_id": 1, "title": "Other", "content": "x", "slug": "notes"});
    wiki.post("/posts").json(chosen).await.expect(201);
    assert_eq!(wiki.post("/posts/1/restore").await.expect(200).json()["slug"], "notes-1");
    assert_eq!(leads_to(&wiki, 4, "Notes").await.as_deref(), Some("notes-1"));
    assert_eq!(backlinks(&wiki, 5).await, [""; 0]);
}
