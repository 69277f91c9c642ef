//! Drafts: what signed-in people typed and did not save, kept by the wiki.

use blackbox::{App, Client, PASSWORD, Response, json};

/// What the script sends while somebody types.
fn draft<'a>(page: &'a str, key: &'a str, content: &'a str) -> [(&'a str, &'a str); 6] {
    [("page", page), ("version", "1"), ("key", key), ("title", "Plan"), ("content", content), ("tags", "a, b")]
}

async fn keep(wiki: &Client, cookie: &str, fields: &[(&str, &str)]) -> Response {
    wiki.post("/wiki/-/drafts").cookie(cookie).form(fields).await
}

async fn text(wiki: &Client, cookie: &str, address: &str) -> String {
    wiki.get(address).cookie(cookie).await.expect(200).text().to_owned()
}

/// The address of the link with these words.
fn address_of(page: &str, words: &str) -> String {
    let before = page.split(&format!(">{words}</a>")).next().unwrap();
    let address = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    address.replace("&amp;", "&")
}

#[tokio::test]
async fn a_draft_of_a_page_is_offered_until_it_is_saved_or_discarded() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    let page = json!({"title": "Plan", "slug": "plan", "content": "One\n\nTwo\n"});
    wiki.post("/posts").cookie(&eve).json(page).await.expect(201);

    // What is on the page is no draft.
    keep(&wiki, &eve, &draft("1", "k-1", "One\r\n\r\nTwo\r\n")[..5]).await.expect(204);
    assert!(!text(&wiki, &eve, "/wiki/plan/edit").await.contains("Unsaved draft"));
    keep(&wiki, &eve, &draft("1", "k-1", "One\n\nTwo, thought over\n")).await.expect(204);
    let form = text(&wiki, &eve, "/wiki/plan/edit").await;
    assert!(form.contains("Unsaved draft") && !form.contains("thought over"), "{form}");
    let restored = text(&wiki, &eve, &address_of(&form, "Restore")).await;
    assert!(restored.contains("thought over") && restored.contains("value=\"a, b\""), "{restored}");
    assert!(text(&wiki, &eve, "/wiki/-/drafts").await.contains("Plan"));

    // It is the person's own; others see that somebody is at it.
    let other = text(&wiki, &administrator, "/wiki/plan/edit").await;
    assert!(!other.contains("Unsaved draft") && other.contains("<bdi>eve</bdi> is editing this page"), "{other}");
    let theirs = text(&wiki, &administrator, &address_of(&form, "Restore")).await;
    assert!(!theirs.contains("thought over"), "{theirs}");

    // Saved on top of what somebody else saved meanwhile, and gone with that.
    let edit = json!({"content": "One, at last\n\nTwo\n", "version": 1});
    wiki.put("/posts/1").cookie(&administrator).json(edit).await.expect(200);
    let save = [draft("1", "k-1", "One\n\nTwo, thought over\n").as_slice(), &[("action", "save")]].concat();
    wiki.post("/wiki/plan/edit").cookie(&eve).form(&save).await.expect(303);
    let saved = wiki.get("/posts/1").await.expect(200).json();
    assert_eq!(saved["content"], "One, at last\n\nTwo, thought over\n");
    assert!(!text(&wiki, &eve, "/wiki/plan/edit").await.contains("Unsaved draft"));
    // What the script sent before, and arrives late, does not come back.
    keep(&wiki, &eve, &draft("1", "k-1", "One\n\nTwo, thought")).await.problem(409);
    assert!(!text(&wiki, &eve, "/wiki/plan/edit").await.contains("Unsaved draft"));

    keep(&wiki, &eve, &draft("1", "k-2", "Never mind")).await.expect(204);
    let form = text(&wiki, &eve, "/wiki/plan/edit").await;
    let id = address_of(&form, "Restore").split('=').next_back().unwrap().to_owned();
    let discard = |cookie: &str| wiki.post("/wiki/-/drafts/discard").cookie(cookie).form(&[("id", id.as_str())]);
    discard(&administrator).await.expect(303);
    assert!(text(&wiki, &eve, "/wiki/plan/edit").await.contains("Unsaved draft"), "somebody else discarded it");
    discard(&eve).await.expect(303);
    assert!(!text(&wiki, &eve, "/wiki/plan/edit").await.contains("Unsaved draft"));
}

#[tokio::test]
async fn drafts_of_new_pages_are_listed() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    for (key, title) in [("n-1", "First idea"), ("n-2", "")] {
        keep(&wiki, &cookie, &[("key", key), ("title", title), ("content", "To be continued")]).await.expect(204);
    }
    let missing = wiki.post("/wiki/-/drafts?slug=road-map").cookie(&cookie);
    missing.form(&[("key", "n-3"), ("title", "Road map"), ("content", "2027")]).await.expect(204);
    assert!(text(&wiki, &cookie, "/wiki/-/new").await.contains("3 unsaved drafts"));
    let list = text(&wiki, &cookie, "/wiki/-/drafts").await;
    assert!(address_of(&list, "Road map").starts_with("/wiki/road-map/edit?draft="), "{list}");
    let form = text(&wiki, &cookie, &address_of(&list, "First idea")).await;
    assert!(form.contains("To be continued") && form.contains("value=\"n-1\""), "{form}");
    let fields = [("key", "n-1"), ("title", "First idea"), ("content", "Done"), ("action", "save")];
    wiki.post("/wiki/-/new").cookie(&cookie).form(&fields).await.expect(303);
    let list = text(&wiki, &cookie, "/wiki/-/drafts").await;
    assert!(!list.contains("First idea") && list.contains("Untitled"), "{list}");
}

#[tokio::test]
async fn drafts_are_for_people_who_are_signed_in_and_have_a_limit() {
    let wiki = App::wiki().access("open").start().await;
    let fields = [("key", "n-1"), ("title", "x"), ("content", "y")];
    wiki.post("/wiki/-/drafts").form(&fields).await.problem(401);
    let cookie = wiki.administrator().await;
    let long = "x".repeat((1 << 20) + 1);
    keep(&wiki, &cookie, &[("key", "n-1"), ("content", long.as_str())]).await.problem(413);
    keep(&wiki, &cookie, &[("key", "n-1"), ("tags", &long[..20_000])]).await.problem(413);
    for number in 0..105 {
        let (key, title) = (format!("k-{number}"), format!("Number {number}."));
        keep(&wiki, &cookie, &[("key", key.as_str()), ("title", title.as_str())]).await.expect(204);
    }
    let list = text(&wiki, &cookie, "/wiki/-/drafts").await;
    assert_eq!(list.matches("?draft=").count(), 100);
    assert!(list.contains("Number 104.") && !list.contains("Number 4."), "the oldest go first");
}
