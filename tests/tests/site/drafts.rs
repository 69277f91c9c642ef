//! Drafts: what signed-in people typed and did not save, kept by the wiki.

use blackbox::{App, Client, PASSWORD, Response, json};

/// What the script sends while somebody types.
fn draft<'a>(page: &'a str, key: &'a str, content: &'a str) -> [(&'a str, &'a str); 6] {
    [("page", page), ("version", "1"), ("key", key), ("title", "Plan"), ("content", content), ("tags", "a, b")]
}

async fn keep(wiki: &Client, cookie: &str, fields: &[(&str, &str)]) -> Response {
    wiki.post("/wiki/-/drafts").cookie(cookie).form(fields).await
}

/// What a view shows, without what is around it on every page.
async fn text(wiki: &Client, cookie: &str, address: &str) -> String {
    let page = wiki.get(address).cookie(cookie).await.expect(200);
    page.text().split_once("<main").unwrap().1.to_owned()
}

/// The address of the link with these words.
fn address_of(page: &str, words: &str) -> String {
    let before = page.split(&format!(">{words}</a>")).next().unwrap();
    let address = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    address.replace("&amp;", "&")
}

/// What is in the field of this name; nothing if there is none.
fn value_of(page: &str, field: &str) -> String {
    let after = page.split(&format!("name=\"{field}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

/// The keys of a form that was opened.
fn keys(form: &str) -> (String, String) {
    (value_of(form, "key"), value_of(form, "continues"))
}

/// A private wiki and its administrator, who edits.
async fn desk() -> (App, String) {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    (wiki, cookie)
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

#[tokio::test]
async fn a_draft_that_is_continued_stays_one() {
    let (wiki, cookie) = desk().await;
    let drafts = async || text(&wiki, &cookie, "/wiki/-/drafts").await;
    keep(&wiki, &cookie, &[("key", "n-1"), ("title", "Idea"), ("content", "Once")]).await.expect(204);
    let restore = address_of(&drafts().await, "Idea");
    let (key, continues) = keys(&text(&wiki, &cookie, &restore).await);
    assert_eq!((continues.as_str(), key != "n-1"), ("n-1", true));
    let again = [("key", &*key), ("continues", &*continues), ("title", "Idea"), ("content", "Twice")];
    for _ in 0..2 {
        keep(&wiki, &cookie, &again).await.expect(204);
    }
    let list = drafts().await;
    assert_eq!(list.matches("?draft=").count(), 1, "{list}");
    assert!(text(&wiki, &cookie, &restore).await.contains("Twice"));
    // Another page that is written meanwhile has a draft of its own.
    keep(&wiki, &cookie, &[("key", "n-2"), ("title", "Other"), ("content", "x")]).await.expect(204);
    let save = [again.as_slice(), &[("action", "save")]].concat();
    wiki.post("/wiki/-/new").cookie(&cookie).form(&save).await.expect(303);
    let list = drafts().await;
    assert!(!list.contains("Idea") && list.contains("Other"), "{list}");

    // A page that does not exist, at an address that is known, is one page.
    let missing =
        async |fields: &[(&str, &str)]| wiki.post("/wiki/-/drafts?slug=road-map").cookie(&cookie).form(fields).await;
    missing(&[("key", "m-1"), ("title", "Road map"), ("content", "2027")]).await.expect(204);
    let form = text(&wiki, &cookie, "/wiki/road-map/edit").await;
    let restored = text(&wiki, &cookie, &address_of(&form, "Restore")).await;
    assert!(restored.contains("2027"), "{restored}");
    let (key, continues) = keys(&restored);
    missing(&[("key", &*key), ("continues", &*continues), ("content", "2028")]).await.expect(204);
    assert_eq!(drafts().await.matches("/wiki/road-map/edit?draft=").count(), 1);
}

#[tokio::test]
async fn a_draft_is_not_overwritten_by_a_form_that_did_not_start_from_it() {
    let (wiki, cookie) = desk().await;
    let page = json!({"title": "Plan", "slug": "plan", "content": "One\n\nTwo\n"});
    wiki.post("/posts").cookie(&cookie).json(page).await.expect(201);
    keep(&wiki, &cookie, &draft("1", "at-home", "One\n\nTwo, at length\n")).await.expect(204);
    // A form that was open elsewhere, or ignores the offer.
    keep(&wiki, &cookie, &draft("1", "at-work", "One, in short\n\nTwo\n")).await.problem(412);
    let form = text(&wiki, &cookie, "/wiki/plan/edit").await;
    let restored = text(&wiki, &cookie, &address_of(&form, "Restore")).await;
    assert!(restored.contains("Two, at length"), "{restored}");
    // Saving what is in that form leaves the draft.
    let save = [draft("1", "at-work", "One, in short\n\nTwo\n").as_slice(), &[("action", "save")]].concat();
    wiki.post("/wiki/plan/edit").cookie(&cookie).form(&save).await.expect(303);
    assert!(text(&wiki, &cookie, "/wiki/plan/edit").await.contains("Unsaved draft"));
    // The form that was restored goes on with it.
    let (key, continues) = keys(&restored);
    let fields = draft("1", &key, "One\n\nTwo, at more length\n");
    let fields = [fields.as_slice(), &[("continues", &*continues)]].concat();
    keep(&wiki, &cookie, &fields).await.expect(204);
    let saved = wiki.post("/wiki/plan/edit").cookie(&cookie).form(&fields).await.expect(303);
    assert_eq!(saved.header("location").split('#').next(), Some("/wiki/plan?saved=3&merged=2"));
    assert_eq!(
        wiki.get("/posts/1").cookie(&cookie).await.expect(200).json()["content"],
        "One, in short\n\nTwo, at more length\n"
    );
    assert!(!text(&wiki, &cookie, "/wiki/plan/edit").await.contains("Unsaved draft"));
}

#[tokio::test]
async fn one_draft_that_is_saved_on_two_devices_loses_no_edit() {
    let (wiki, cookie) = desk().await;
    let page = json!({"title": "Plan", "slug": "plan", "content": "One\n\nTwo\n\nThree\n\nFour\n"});
    wiki.post("/posts").cookie(&cookie).json(page).await.expect(201);
    keep(&wiki, &cookie, &draft("1", "k-1", "One\n\nTwo\n\nThree\n\nFOUR\n")).await.expect(204);
    let restore = address_of(&text(&wiki, &cookie, "/wiki/plan/edit").await, "Restore");
    let forms = [text(&wiki, &cookie, &restore).await, text(&wiki, &cookie, &restore).await];
    let save = async |form: &str, content: &str| {
        let (key, continues) = keys(form);
        let fields = draft("1", &key, content);
        let fields = [fields.as_slice(), &[("continues", &*continues), ("action", "save")]].concat();
        wiki.post("/wiki/plan/edit").cookie(&cookie).header("accept", "text/html").form(&fields).await
    };
    let content = async || wiki.get("/posts/1").cookie(&cookie).await.expect(200).json()["content"].clone();
    save(&forms[0], "ONE\n\nTwo\n\nThree\n\nFOUR\n").await.expect(303);
    // A colleague's edit in between is merged as well.
    let edit = json!({"content": "ONE\n\nTWO\n\nThree\n\nFOUR\n", "version": 2});
    wiki.put("/posts/1").cookie(&cookie).json(edit).await.expect(200);
    let saved = save(&forms[1], "One\n\nTwo\n\nTHREE\n\nFOUR\n").await.expect(303);
    assert!(saved.header("location").starts_with("/wiki/plan?saved=4&merged=3"), "{saved:?}");
    assert_eq!(content().await, "ONE\n\nTWO\n\nTHREE\n\nFOUR\n");

    // Where both have changed the same, the second is asked.
    keep(&wiki, &cookie, &draft("1", "k-2", "x")).await.expect(204);
    let restore = address_of(&text(&wiki, &cookie, "/wiki/plan/edit").await, "Restore");
    let forms = [text(&wiki, &cookie, &restore).await, text(&wiki, &cookie, &restore).await];
    save(&forms[0], "Here").await.expect(409);
    let (now, mine) = (text(&wiki, &cookie, "/wiki/plan/edit").await, "There");
    assert!(!now.contains(mine));
    let conflict = save(&forms[1], mine).await.expect(409);
    assert!(conflict.text().contains("This page has changed since you opened it"), "{conflict:?}");
    assert!(conflict.text().contains(mine));

    // So it is with a new page.
    keep(&wiki, &cookie, &[("key", "n-1"), ("title", "Idea"), ("content", "Once")]).await.expect(204);
    let restore = address_of(&text(&wiki, &cookie, "/wiki/-/drafts").await, "Idea");
    let forms = [text(&wiki, &cookie, &restore).await, text(&wiki, &cookie, &restore).await];
    let create = async |form: &str, content: &str| {
        let (key, continues) = keys(form);
        let fields = [("key", &*key), ("continues", &*continues), ("title", "Idea"), ("content", content)];
        wiki.post("/wiki/-/new").cookie(&cookie).header("accept", "text/html").form(&fields).await
    };
    create(&forms[0], "On the train").await.expect(303);
    let second = create(&forms[1], "At the desk").await.expect(409);
    assert!(second.text().contains("Edit that page") && second.text().contains("At the desk"), "{second:?}");
    assert_eq!(wiki.get("/posts/2").cookie(&cookie).await.expect(200).json()["content"], "On the train");
}

#[tokio::test]
async fn a_draft_outlives_its_page_and_meets_one_that_was_created_meanwhile() {
    let (wiki, cookie) = desk().await;
    let page = json!({"title": "Plan", "slug": "plan", "content": "One\n"});
    wiki.post("/posts").cookie(&cookie).json(page).await.expect(201);
    keep(&wiki, &cookie, &draft("1", "k-1", "One, thought over\n")).await.expect(204);
    wiki.delete("/posts/1").cookie(&cookie).await.expect(204);
    let list = text(&wiki, &cookie, "/wiki/-/drafts").await;
    let form = text(&wiki, &cookie, &address_of(&list, "Plan")).await;
    assert!(form.contains("One, thought over") && !form.contains("name=\"version\""), "{form}");
    let (key, continues) = keys(&form);
    let fields = [("key", &*key), ("continues", &*continues), ("title", "Plan"), ("content", "One, anew")];
    keep(&wiki, &cookie, &fields).await.expect(204);
    assert_eq!(text(&wiki, &cookie, "/wiki/-/drafts").await.matches("?draft=").count(), 1);
    wiki.post("/wiki/-/new").cookie(&cookie).form(&fields).await.expect(303);
    assert!(text(&wiki, &cookie, "/wiki/-/drafts").await.contains("No drafts."));

    let missing = wiki.post("/wiki/-/drafts?slug=road-map").cookie(&cookie);
    missing.form(&[("key", "m-1"), ("title", "Road map"), ("content", "2027")]).await.expect(204);
    let page = json!({"title": "Road map", "slug": "road-map", "content": "2026"});
    wiki.post("/posts").cookie(&cookie).json(page).await.expect(201);
    let list = text(&wiki, &cookie, "/wiki/-/drafts").await;
    let form = text(&wiki, &cookie, &address_of(&list, "Road map")).await;
    assert!(form.contains("2027"), "{form}");
    let (key, continues) = keys(&form);
    let (key, page, continues) = (("key", &*key), ("page", "3"), ("continues", &*continues));
    let fields = [key, page, continues, ("title", "Road map"), ("content", "2027"), ("slug", "road-map")];
    let conflict = wiki.post("/wiki/road-map/edit").cookie(&cookie).header("accept", "text/html").form(&fields).await;
    assert!(conflict.expect(409).text().contains("2026"));
}

#[tokio::test]
async fn a_draft_of_a_new_page_keeps_its_place() {
    let (wiki, cookie) = desk().await;
    wiki.post("/posts").cookie(&cookie).json(json!({"title": "Above", "content": "x"})).await.expect(201);
    let space = json!({"name": "Team", "slug": "team"});
    let space = wiki.post("/spaces").cookie(&cookie).json(space).await.expect(201).json()["space_id"].to_string();
    for (key, place) in [("n-1", ("parent", "1")), ("n-2", ("space", &*space))] {
        let form = [("key", key), ("title", key), ("content", "{{title}}"), ("template", "yes"), place];
        keep(&wiki, &cookie, &form).await.expect(204);
        let form = text(&wiki, &cookie, &address_of(&text(&wiki, &cookie, "/wiki/-/drafts").await, key)).await;
        let [kept, chosen] = ["name=\"parent\" value=\"1\"", &format!("<option value=\"{space}\" selected>")];
        assert!(form.contains(if place.0 == "parent" { kept } else { chosen }), "{form}");
        assert_eq!(value_of(&form, "template"), "yes", "{form}");
    }
    let form = text(&wiki, &cookie, &address_of(&text(&wiki, &cookie, "/wiki/-/drafts").await, "n-1")).await;
    assert!(form.contains("<li><a href=\"/wiki/above\""), "where it comes to be is shown: {form}");
    let (key, continues) = keys(&form);
    let parent = value_of(&form, "parent");
    let fields =
        [("key", &*key), ("continues", &*continues), ("title", "Below"), ("content", "y"), ("parent", &*parent)];
    wiki.post("/wiki/-/new").cookie(&cookie).form(&fields).await.expect(303);
    assert_eq!(wiki.get("/posts?slug=below").cookie(&cookie).await.expect(200).json()["posts"][0]["parent_id"], 1);
}

#[tokio::test]
async fn who_else_is_editing_is_said_to_those_who_may_edit() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    for name in ["eve", "bob"] {
        wiki.create_account(&administrator, name, "editor").await;
    }
    let (eve, bob) = (wiki.sign_in("eve", PASSWORD).await, wiki.sign_in("bob", PASSWORD).await);
    wiki.post("/posts").cookie(&eve).json(json!({"title": "Plan", "content": "One"})).await.expect(201);
    keep(&wiki, &eve, &draft("1", "k-1", "Two")).await.expect(204);
    // The answer to a draft says so, as long as there is somebody.
    let answer = keep(&wiki, &bob, &draft("1", "k-2", "Three")).await.expect(200).json();
    assert_eq!(answer, json!({"editing": ["eve"]}));
    assert!(text(&wiki, &eve, "/wiki/plan/edit").await.contains("<bdi>bob</bdi> is editing this page"));
    // Of a page that is protected, only to administrators; of one that they may not change, to nobody.
    wiki.put("/posts/1/protection").cookie(&administrator).await.expect(200);
    keep(&wiki, &bob, &draft("1", "k-2", "Four")).await.expect(204);
    let answer = keep(&wiki, &administrator, &draft("1", "k-3", "Five")).await.expect(200).json();
    assert_eq!(answer["editing"].as_array().unwrap().len(), 2);
    wiki.delete("/posts/1/protection").cookie(&administrator).await.expect(200);
    let only = json!({"everybody": "read", "entries": []});
    wiki.put("/posts/1/access").cookie(&administrator).json(only).await.expect(200);
    keep(&wiki, &bob, &draft("1", "k-2", "Six")).await.expect(204);
    assert!(!text(&wiki, &bob, "/wiki/plan/edit").await.contains("editing this page"));
    // Nor where the page is not to be seen at all.
    let none = json!({"everybody": "none", "entries": []});
    wiki.put("/posts/1/access").cookie(&administrator).json(none).await.expect(200);
    keep(&wiki, &bob, &draft("1", "k-2", "Seven")).await.expect(204);
}

#[tokio::test]
async fn a_draft_is_discarded_by_the_form_that_wrote_it() {
    let (wiki, cookie) = desk().await;
    keep(&wiki, &cookie, &[("key", "n-1"), ("title", "First"), ("content", "x")]).await.expect(204);
    keep(&wiki, &cookie, &[("key", "n-2"), ("title", "Second"), ("content", "x")]).await.expect(204);
    let discard = async |fields: &[(&str, &str)]| {
        wiki.post("/wiki/-/drafts/discard").cookie(&cookie).form(fields).await.expect(303);
        text(&wiki, &cookie, "/wiki/-/drafts").await
    };
    // A form that wrote none, and one without a key.
    for fields in [&[("key", "n-3")][..], &[("key", "")], &[]] {
        let list = discard(fields).await;
        assert!(list.contains("First") && list.contains("Second"), "{list}");
    }
    let list = discard(&[("key", "n-1")]).await;
    assert!(!list.contains("First") && list.contains("Second"), "{list}");
    let list = discard(&[("key", "n-4"), ("continues", "n-2")]).await;
    assert!(list.contains("No drafts."), "{list}");
}
