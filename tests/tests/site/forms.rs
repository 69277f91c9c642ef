//! The web interface as a browser without scripts speaks to it: forms, redirects, headers.

use blackbox::{App, Client, Response, Value, json};

use crate::shared;

/// What browsers accept.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

async fn open(wiki: &Client, path: &str) -> Response {
    wiki.get(path).header("accept", BROWSER).await
}

/// Submits a form from the wiki's own pages.
async fn submit(wiki: &Client, path: &str, fields: &[(&str, &str)]) -> Response {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    wiki.post(path)
        .header("accept", BROWSER)
        .header("sec-fetch-site", "same-origin")
        .body("application/x-www-form-urlencoded", form)
        .await
}

async fn write(wiki: &Client, title: &str, content: &str) -> String {
    let fields = [("title", title), ("content", content), ("author", "Ada"), ("tags", ""), ("comment", "")];
    saved(submit(wiki, "/wiki/-/new", &fields).await)
}

/// The page that a form saved.
#[track_caller]
fn saved(response: Response) -> String {
    let response = response.expect(303);
    let (page, save) = response.header("location").split_once('?').expect("a save says so in the address it leads to");
    assert!(save.starts_with("saved="), "{response:?}");
    page.to_owned()
}

async fn post(wiki: &Client, id: i64) -> Value {
    wiki.get(&format!("/posts/{id}")).await.expect(200).json()
}

fn assert_page(response: &Response) {
    assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert_eq!(response.header("x-content-type-options"), "nosniff");
    let text = response.text();
    assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"), "{response:?}");
}

#[tokio::test]
async fn every_page_answers_with_html_and_a_strict_policy() {
    let wiki = App::wiki().start().await;
    assert_page(&open(&wiki, "/wiki").await.expect(200));
    wiki.create_user("ada").await;
    let body =
        json!({"user_id": 1, "title": "Größe & <b>Maß</b>", "content": "# One\n\n[[Two]]", "tags": ["a/b", "ü"]});
    let page = wiki.post("/posts").json(body).await.expect(201).json();
    let version = json!({"content": "changed", "version": 1});
    wiki.put("/posts/1").json(version).await.expect(200);
    let slug = "gr%C3%B6%C3%9Fe-b-ma%C3%9F-b";
    assert_eq!(page["slug"], "größe-b-maß-b");
    for path in [
        "/",
        "/wiki",
        "/wiki/{}",
        "/wiki/{}/",
        "/wiki/{}/edit",
        "/wiki/{}/history",
        "/wiki/{}/history?limit=1",
        "/wiki/{}/history/1",
        "/wiki/{}/compare",
        "/wiki/{}/compare?from=0&to=1",
        "/wiki/{}/compare?from=2&to=1",
        "/wiki/{}/backlinks",
        "/wiki/{}/delete",
        "/wiki/two/edit",
        "/wiki/-/new",
        "/wiki/-/new?title=x",
        "/wiki/-/pages",
        "/wiki/-/pages?sort=-updated",
        "/wiki/-/pages?user_id=1&limit=1",
        "/wiki/-/changes",
        "/wiki/-/deleted",
        "/wiki/-/changes?limit=1&user_id=1",
        "/wiki/-/tags",
        "/wiki/-/tags/a%2Fb",
        "/wiki/-/tags/none",
        "/wiki/-/search",
        "/wiki/-/search?q=changed",
        "/wiki/-/search?q=none&tag=none",
        "/wiki/-/users",
        "/wiki/-/users/1",
        "/posts/1",
    ] {
        assert_page(&open(&wiki, &path.replace("{}", slug)).await.expect(200));
    }
    for path in [
        "/wiki/two",
        "/wiki/-",
        "/wiki/-/none",
        "/wiki/{}/none",
        "/wiki/{}/history/9",
        "/wiki/{}/history/x",
        "/wiki/-/users/9",
        "/wiki/...",
        "/wiki/%01",
        "/wiki/%00",
        "/wiki/%00/edit",
        "/wiki/a%00b/history",
        "/wiki/a%00/history/1",
        "/wiki/a%00/compare",
        "/wiki/a%00/backlinks",
        "/wiki/a%00/delete",
        "/wiki/-/tags/%00",
        "/nowhere",
    ] {
        assert_page(&open(&wiki, &path.replace("{}", slug)).await.expect(404));
    }
    assert_page(&open(&wiki, &format!("/wiki/{slug}/history?cursor=x")).await.expect(422));
    // What a person may have mistyped in an address still leads somewhere.
    for path in ["/wiki/{}/compare?from=x", "/wiki/-/search?q=%00", "/wiki/-/pages?sort=x"] {
        assert_page(&open(&wiki, &path.replace("{}", slug)).await.expect(200));
    }
    assert_page(
        &submit(&wiki, "/wiki/%00/edit", &[("title", "x"), ("content", "x"), ("author", "x")]).await.expect(404),
    );
    // Programs get their problems as such, here as everywhere; and so does everybody from the API.
    wiki.get("/wiki/-/none").await.problem(404);
    open(&wiki, "/posts/99").await.problem(404);
    let page = open(&wiki, &format!("/wiki/{slug}")).await.expect(200);
    wiki.get(&format!("/wiki/{slug}")).header("if-none-match", page.header("etag")).await.expect(304);
    assert!(wiki.head(&format!("/wiki/{slug}")).await.expect(200).bytes().is_empty());
}

#[tokio::test]
async fn control_characters_in_addresses_are_not_shown() {
    let wiki = shared::wiki().await;
    let controls = "%00%01%08%0B%1B%7F%C2%85";
    for (path, status) in [
        (format!("/wiki/-/new?title=A{controls}b"), 200),
        (format!("/wiki/ab/edit?title=A{controls}b"), 200),
        (format!("/wiki/ab?title=A{controls}b"), 404),
    ] {
        let page = open(&wiki, &path).await.expect(status);
        assert!(page.text().contains("Ab"), "{page:?}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!page.text().chars().any(control), "{path}: {page:?}");
    }
    let page = open(&wiki, "/wiki/-/search?q=a%00b").await.expect(200);
    assert!(page.text().contains("value=\"ab\""), "{page:?}");
    // No page has such a tag.
    for query in ["tag=%00", "q=a&tag=%00", "tag=a%1B"] {
        assert_page(&open(&wiki, &format!("/wiki/-/search?{query}")).await.expect(422));
    }
}

#[tokio::test]
async fn a_page_is_written_and_edited_with_forms() {
    let wiki = App::wiki().start().await;
    let fields = [
        ("title", "Hello World"),
        ("content", "One\r\n\r\nTwo & <three>\r\n"),
        ("tags", " Greetings , first,, "),
        ("comment", "it begins"),
        ("author", "Ada Lovelace"),
        ("action", "save"),
    ];
    let created = submit(&wiki, "/wiki/-/new", &fields).await.expect(303);
    assert_eq!(created.header("location"), "/wiki/hello-world?saved=1");
    assert!(created.header("set-cookie").starts_with("author=Ada%20Lovelace; "), "{created:?}");
    let page = post(&wiki, 1).await;
    assert_eq!((&page["content"], &page["tags"]), (&json!("One\n\nTwo & <three>\n"), &json!(["greetings", "first"])));

    let form = wiki.get("/wiki/hello-world/edit").header("cookie", "author=Ada%20Lovelace").await.expect(200);
    for expected in ["Hello World", "One\n\nTwo &amp; &lt;three&gt;\n", "greetings, first", "Ada Lovelace"] {
        assert!(form.text().contains(expected), "{expected} in {}", form.text());
    }
    let edit =
        [("title", "Hello"), ("content", "Three"), ("tags", ""), ("comment", ""), ("author", "bob"), ("version", "1")];
    assert_eq!(saved(submit(&wiki, "/wiki/hello-world/edit", &edit).await), "/wiki/hello-world");
    let page = post(&wiki, 1).await;
    assert_eq!((&page["title"], &page["content"], &page["version"]), (&json!("Hello"), &json!("Three"), &json!(2)));
    let revisions = wiki.get("/posts/1/revisions").await.json();
    assert_eq!(
        (&revisions["revisions"][0]["author"], &revisions["revisions"][1]["author"]),
        (&json!("bob"), &json!("Ada Lovelace"))
    );
    // The same name, however it is written, is the same person.
    let again = [("title", "Hello"), ("content", "Four"), ("author", "ADA LOVELACE"), ("version", "2")];
    submit(&wiki, "/wiki/hello-world/edit", &again).await.expect(303);
    assert_eq!(wiki.metric("users_created_total").await, 2);

    // A slug that is known but has no page yet.
    let fields = [("title", "Other"), ("content", "x"), ("author", "bob")];
    assert_eq!(saved(submit(&wiki, "/wiki/second-page/edit", &fields).await), "/wiki/second-page");
}

#[tokio::test]
async fn invalid_input_shows_the_form_again_with_its_text() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Taken", "x").await;
    write(&wiki, "Page", "x").await;
    let tags = (0..21).map(|n| format!("tag{n}")).collect::<Vec<_>>().join(",");
    let long = "é".repeat((1 << 19) + 1);
    for (field, value) in [
        ("title", ""),
        ("title", "\u{200b}"),
        ("title", &*"x".repeat(201)),
        ("author", " "),
        ("author", "\u{202e}"),
        ("tags", "a,\u{2060}"),
        ("tags", "a, .."),
        ("author", "\u{7}"),
        ("tags", &tags),
        ("tags", "a\u{1}b"),
        ("comment", &"x".repeat(501)),
        ("content", "a\0b"),
        ("slug", "???"),
        ("content", &long),
    ] {
        let mut fields = vec![
            ("title", "Page"),
            ("content", "typed & kept"),
            ("tags", ""),
            ("comment", ""),
            ("author", "Ada"),
            ("slug", "page"),
            ("version", "1"),
        ];
        fields.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value;
        let answer = submit(&wiki, "/wiki/page/edit", &fields).await.expect(422);
        assert_page(&answer);
        assert!(answer.text().contains("aria-invalid"), "{field}");
        assert!(field == "content" || answer.text().contains("typed &amp; kept"), "{field}");
    }
    let taken = [("title", "Page"), ("content", "typed"), ("author", "Ada"), ("slug", "taken"), ("version", "1")];
    let answer = submit(&wiki, "/wiki/page/edit", &taken).await.expect(409);
    assert!(answer.text().contains("Another page has this address.") && answer.text().contains("typed"));
    assert_eq!(post(&wiki, 2).await["version"], 1);
    // Nobody typed what is not UTF-8.
    let form = "title=x&author=x&content=a%ffb";
    for path in ["/wiki/-/new", "/wiki/page/edit", "/wiki/-/preview"] {
        wiki.post(path).body("application/x-www-form-urlencoded", form).await.problem(400);
    }
    assert_eq!(wiki.metric("posts_created_total").await, 2);
    // What is no form at all.
    wiki.post("/wiki/page/edit").json(json!({"content": "x"})).await.problem(415);
    submit(&wiki, "/wiki/-/edit", &taken).await.expect(404);
}

#[tokio::test]
async fn an_edit_conflict_shows_both_texts_and_loses_nothing() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Page", "one\n\ntwo\n\nthree\n").await;
    let theirs =
        [("title", "Page"), ("content", "ONE\r\n\r\ntwo\r\n\r\nthree\r\n"), ("author", "Bob"), ("version", "1")];
    submit(&wiki, "/wiki/page/edit", &theirs).await.expect(303);

    let ours = [("title", "Page"), ("content", "uno\r\n\r\ntwo\r\n\r\nthree\r\n"), ("author", "Ada"), ("version", "1")];
    let conflict = submit(&wiki, "/wiki/page/edit", &ours).await.expect(409);
    assert_page(&conflict);
    for expected in ["uno\n\ntwo", "ONE\n\ntwo", "Bob", "name=\"version\" value=\"2\""] {
        assert!(conflict.text().contains(expected), "{expected} in {}", conflict.text());
    }
    assert_eq!(post(&wiki, 1).await["version"], 2, "nothing was overwritten");

    // In different places, the new version has both, and the page says so.
    let ours = [("title", "Page"), ("content", "one\r\n\r\ntwo\r\n\r\nTHREE\r\n"), ("author", "Ada"), ("version", "1")];
    let both = submit(&wiki, "/wiki/page/edit", &ours).await.expect(303);
    assert_eq!(both.header("location"), "/wiki/page?saved=3&merged=2");
    assert_eq!(post(&wiki, 1).await["content"], "ONE\n\ntwo\n\nTHREE\n");
    let page = open(&wiki, both.header("location")).await.expect(200);
    for expected in ["Saved.", "Bob</bdi> edited the page as well", "/wiki/page/compare?from=2&amp;to=3"] {
        assert!(page.text().contains(expected), "{expected} in {}", page.text());
    }

    // Two who make the same page at once.
    submit(&wiki, "/wiki/new-page/edit", &[("title", "New"), ("content", "first"), ("author", "Ada")])
        .await
        .expect(303);
    let second = submit(&wiki, "/wiki/new-page/edit", &[("title", "New"), ("content", "second"), ("author", "Bob")])
        .await
        .expect(409);
    assert!(second.text().contains("first") && second.text().contains("second"));

    // A page that was deleted while somebody edited it.
    wiki.delete("/posts/1").await.expect(204);
    let gone = submit(&wiki, "/wiki/page/edit", &ours).await.expect(409);
    assert!(gone.text().contains("THREE"), "{}", gone.text());
    assert_eq!(gone.text().matches("The page was deleted").count(), 1, "{}", gone.text());
}

#[tokio::test]
async fn tags_that_two_people_change_at_once_are_merged() {
    let wiki = App::wiki().start().await;
    let page = json!({"user_id": 1, "title": "Page", "content": "one\n\ntwo\n", "tags": ["old", "kept"]});
    wiki.create_user("ada").await;
    wiki.post("/posts").json(page).await.expect(201);
    let edit = |content, tags, version| {
        [
            ("title", "Page"),
            ("content", content),
            ("tags", tags),
            ("author", "Ada"),
            ("version", version),
            ("page", "1"),
        ]
    };
    let tags = async || post(&wiki, 1).await["tags"].clone();
    submit(&wiki, "/wiki/page/edit", &edit("one\n\ntwo\n", "old, kept, Theirs", "1")).await.expect(303);
    submit(&wiki, "/wiki/page/edit", &edit("one\n\ntwo\n", "kept, Ours", "1")).await.expect(303);
    assert_eq!(tags().await, json!(["kept", "theirs", "ours"]));

    // Texts that conflict are shown, with the tags of both in the field.
    submit(&wiki, "/wiki/page/edit", &edit("uno\n\ntwo\n", "kept, theirs, new", "3")).await.expect(303);
    let conflict = submit(&wiki, "/wiki/page/edit", &edit("eins\n\ntwo\n", "theirs, ours", "3")).await.expect(409);
    assert!(conflict.text().contains("name=\"tags\" value=\"theirs, new\""), "{}", conflict.text());
    assert!(!conflict.text().contains("Their tags"), "{}", conflict.text());

    // So are those of a page that was created meanwhile.
    let first = [("title", "New"), ("content", "first"), ("tags", "a"), ("author", "Ada")];
    submit(&wiki, "/wiki/new-page/edit", &first).await.expect(303);
    let second = [("title", "New"), ("content", "second"), ("tags", "b"), ("author", "Bob")];
    let second = submit(&wiki, "/wiki/new-page/edit", &second).await.expect(409);
    assert!(second.text().contains("name=\"tags\" value=\"a, b\""), "{}", second.text());
}

#[tokio::test]
async fn renaming_keeps_old_links_working() {
    let wiki = App::wiki().start().await;
    write(&wiki, "First", "x").await;
    write(&wiki, "Linker", "[[First]] and [[First#part]] and [[Nowhere]]").await;
    for (version, from, to) in [("1", "first", "second"), ("2", "second", "third")] {
        let edit = [("title", "First"), ("content", "x"), ("author", "Ada"), ("slug", to), ("version", version)];
        assert_eq!(saved(submit(&wiki, &format!("/wiki/{from}/edit"), &edit).await), format!("/wiki/{to}"));
    }
    for (old, new) in [
        ("/wiki/first", "/wiki/third"),
        ("/wiki/second", "/wiki/third"),
        ("/wiki/first/history?limit=1", "/wiki/third/history?limit=1"),
        ("/wiki/Third", "/wiki/third"),
        ("/wiki/first/edit", "/wiki/third/edit"),
        ("/wiki/The%20Third!", "/wiki/the-third"),
    ] {
        assert_eq!(open(&wiki, old).await.expect(302).header("location"), new, "{old}");
    }
    // Only for people: to programs a slug names one page.
    assert_eq!(wiki.get("/posts?slug=first").await.expect(200).json()["posts"], json!([]));
    let linker = open(&wiki, "/wiki/linker").await.expect(200);
    assert!(linker.text().contains("class=\"missing\" href=\"/wiki/nowhere?title=Nowhere\""), "{}", linker.text());
    assert_eq!(linker.text().matches("class=\"missing\"").count(), 1);
    assert!(open(&wiki, "/wiki/third/backlinks").await.expect(200).text().contains("Linker"));
    // Until another page takes the name.
    let another = json!({"user_id": 1, "title": "First", "content": "[[First]]"});
    assert_eq!(wiki.post("/posts").json(another).await.expect(201).json()["slug"], "first");
    let backlinks = async |id| wiki.get(&format!("/posts/{id}/backlinks")).await.expect(200).json()["posts"].clone();
    assert_eq!(backlinks(1).await, json!([]));
    assert_eq!(backlinks(3).await.as_array().map(Vec::len), Some(1), "a page's links to itself do not count");
}

#[tokio::test]
async fn the_address_changes_with_the_title() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Old title", "x").await;
    write(&wiki, "Linker", "[[Old title]] [[New title]]").await;
    let edit = |title, slug, version| {
        [("title", title), ("content", "x"), ("author", "Ada"), ("slug", slug), ("version", version), ("page", "1")]
    };
    let form = open(&wiki, "/wiki/old-title/edit").await.expect(200);
    assert!(form.text().contains("It changes with the title"), "{}", form.text());
    let renamed = submit(&wiki, "/wiki/old-title/edit", &edit("New title", "old-title", "1")).await;
    assert_eq!(saved(renamed), "/wiki/new-title");
    assert_eq!(open(&wiki, "/wiki/old-title").await.expect(302).header("location"), "/wiki/new-title");
    let linker = open(&wiki, "/wiki/linker").await.expect(200);
    // Two links in the text, and one in the sidebar.
    assert_eq!(linker.text().matches("href=\"/wiki/new-title\"").count(), 3, "{}", linker.text());
    assert!(!linker.text().contains("class=\"missing\""));

    // An address that is taken gets the page's number, and that is still the title's own.
    let other = json!({"user_id": 1, "title": "Something else", "content": "x", "slug": "third-title"});
    wiki.post("/posts").json(other).await.expect(201);
    let renamed = submit(&wiki, "/wiki/new-title/edit", &edit("Third title", "new-title", "2")).await;
    assert_eq!(saved(renamed), "/wiki/third-title-1");
    // The case of the title is no other address.
    let renamed = submit(&wiki, "/wiki/third-title-1/edit", &edit("THIRD title", "third-title-1", "3")).await;
    assert_eq!(saved(renamed), "/wiki/third-title-1");
    let renamed = submit(&wiki, "/wiki/third-title-1/edit", &edit("Fourth", "third-title-1", "4")).await;
    assert_eq!(saved(renamed), "/wiki/fourth");
    for old in ["old-title", "new-title", "third-title-1"] {
        assert_eq!(open(&wiki, &format!("/wiki/{old}")).await.expect(302).header("location"), "/wiki/fourth", "{old}");
    }

    // One that was chosen stays, and so does one that is chosen with the title.
    assert_eq!(saved(submit(&wiki, "/wiki/fourth/edit", &edit("Fifth", "chosen", "5")).await), "/wiki/chosen");
    assert!(!open(&wiki, "/wiki/chosen/edit").await.expect(200).text().contains("It changes with the title"));
    assert_eq!(saved(submit(&wiki, "/wiki/chosen/edit", &edit("Sixth", "chosen", "6")).await), "/wiki/chosen");
    assert_eq!(open(&wiki, "/wiki/sixth").await.expect(302).header("location"), "/wiki/chosen");
    // So does the front page, which is known by its address.
    write(&wiki, "Home", "Welcome.").await;
    let home = [("title", "Our wiki"), ("content", "Hello."), ("author", "Ada"), ("slug", "home"), ("version", "1")];
    assert_eq!(saved(submit(&wiki, "/wiki/home/edit", &home).await), "/wiki/home");

    // A rename meets other edits as any edit does.
    write(&wiki, "Busy", "one\n\ntwo\n").await;
    let of = |title, content| {
        [("title", title), ("content", content), ("author", "Ada"), ("slug", "busy"), ("version", "1"), ("page", "5")]
    };
    saved(submit(&wiki, "/wiki/busy/edit", &of("Busy", "one\n\nTWO\n")).await);
    assert_eq!(saved(submit(&wiki, "/wiki/busy/edit", &of("Calm", "ONE\n\ntwo\n")).await), "/wiki/calm");
    let page = post(&wiki, 5).await;
    assert_eq!(
        (&page["title"], &page["slug"], &page["content"]),
        (&json!("Calm"), &json!("calm"), &json!("ONE\n\nTWO\n"))
    );
}

#[tokio::test]
async fn a_second_page_with_a_title_is_refused_with_an_offer() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Café crème", "x").await;
    write(&wiki, "Other", "x").await;
    let new = |title| [("title", title), ("content", "typed"), ("author", "Ada"), ("tags", "t"), ("comment", "c")];
    for title in ["Café crème", "  café   CRÈME ", "Cafe\u{301} cre\u{300}me"] {
        let refused = submit(&wiki, "/wiki/-/new", &new(title)).await.expect(409);
        let expected =
            ["caf%C3%A9-cr%C3%A8me/edit\"", "Edit that page", "typed", "value=\"t\"", "value=\"c\"", "value=\"Ada\""];
        for expected in expected.into_iter().chain([title.trim()]) {
            assert!(refused.text().contains(expected), "{expected} in {}", refused.text());
        }
        assert!(!refused.text().contains("Check the form"), "{}", refused.text());
    }
    // Neither at an address of its own, nor by another title.
    submit(&wiki, "/wiki/elsewhere/edit", &new("café crème")).await.expect(409);
    let edit = [("title", "CAFÉ crème"), ("content", "typed"), ("author", "Ada"), ("slug", "other"), ("version", "1")];
    let refused = submit(&wiki, "/wiki/other/edit", &edit).await.expect(409);
    assert!(refused.text().contains("Edit that page") && refused.text().contains("typed"), "{}", refused.text());
    assert_eq!(post(&wiki, 2).await["version"], 1);
    assert_eq!(wiki.metric("posts_created_total").await, 2);

    // The page itself may have its title, in whatever case.
    let own = [("title", "CAFÉ CRÈME"), ("content", "y"), ("author", "Ada"), ("slug", "café-crème"), ("version", "1")];
    assert_eq!(saved(submit(&wiki, "/wiki/caf%C3%A9-cr%C3%A8me/edit", &own).await), "/wiki/caf%C3%A9-cr%C3%A8me");
    // Another title may have the same address, which gets a number.
    assert_eq!(write(&wiki, "C++", "x").await, "/wiki/c");
    let numbered = write(&wiki, "C#", "x").await;
    assert!(numbered.starts_with("/wiki/c-"), "{numbered}");
    submit(&wiki, "/wiki/-/new", &new("c#")).await.expect(409);
    // Programs may make pages of one title, as they always could, and people may go on to edit each.
    let mut twin = String::new();
    for _ in 0..2 {
        let draft = json!({"user_id": 1, "title": "Twin", "content": "x"});
        let made = wiki.post("/posts").json(draft).await.expect(201).json();
        twin = made["slug"].as_str().unwrap().to_owned();
    }
    let edit = [("title", "Twin"), ("content", "y"), ("author", "Ada"), ("slug", &*twin), ("version", "1")];
    assert_eq!(saved(submit(&wiki, &format!("/wiki/{twin}/edit"), &edit).await), format!("/wiki/{twin}"));
    // A title that is free again can be had.
    wiki.delete("/posts/2").await.expect(204);
    assert_eq!(write(&wiki, "Other", "x").await, "/wiki/other");
}

#[tokio::test]
async fn of_people_who_make_a_page_of_one_title_at_once_one_does() {
    let wiki = App::wiki().start().await;
    wiki.create_user("Ada").await;
    let statuses = blackbox::at_once((0..12).map(|n| {
        let client = wiki.replica(0).clone();
        async move {
            let (key, text) = (format!("key{}", n / 2), format!("text {}", n / 2));
            // Each of them clicks twice.
            let fields = [("title", "One"), ("content", &*text), ("author", "Ada"), ("key", &*key)];
            submit(&client, "/wiki/-/new", &fields).await.status()
        }
    }))
    .await;
    assert_eq!(wiki.metric("posts_created_total").await, 1, "{statuses:?}");
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(303), count(409)), (2, 10), "{statuses:?}");
}

#[tokio::test]
async fn a_form_opened_before_the_page_was_renamed_is_about_the_page() {
    let wiki = App::wiki().start().await;
    write(&wiki, "First", "one\n\ntwo\n").await;
    let fields = |content, slug, version| {
        [("title", "First"), ("content", content), ("author", "Ada"), ("slug", slug), ("version", version)]
    };
    submit(&wiki, "/wiki/first/edit", &fields("one\n\ntwo\n", "second", "1")).await.expect(303);

    // What was typed meanwhile meets the rename as any other edit: the new version has both.
    assert_eq!(saved(submit(&wiki, "/wiki/first/edit", &fields("one\n\nTWO\n", "first", "1")).await), "/wiki/second");
    let page = post(&wiki, 1).await;
    assert_eq!((&page["slug"], &page["content"]), (&json!("second"), &json!("one\n\nTWO\n")));

    // An edit of the current version is saved, and the page stays where it is.
    assert_eq!(saved(submit(&wiki, "/wiki/first/edit", &fields("one\n\n2\n", "first", "3")).await), "/wiki/second");
    let page = post(&wiki, 1).await;
    assert_eq!((&page["slug"], &page["content"]), (&json!("second"), &json!("one\n\n2\n")));
    let reverted = submit(&wiki, "/wiki/first/revert", &[("version", "1"), ("author", "Ada")]).await.expect(303);
    assert_eq!(reverted.header("location"), "/wiki/second");

    // If another page has the address by now, what was typed is shown beside that one's text.
    let another = json!({"user_id": 1, "title": "First", "content": "another"});
    assert_eq!(wiki.post("/posts").json(another).await.expect(201).json()["slug"], "first");
    let other = submit(&wiki, "/wiki/first/edit", &fields("typed", "first", "3")).await.expect(409);
    for expected in ["typed", "another", "name=\"version\" value=\"1\""] {
        assert!(other.text().contains(expected), "{expected} in {}", other.text());
    }
    assert_eq!(post(&wiki, 2).await["content"], "another");

    // The form names the page it was opened for, which it finds wherever that is, and takes no other for it.
    let form = open(&wiki, "/wiki/second/edit").await.expect(200);
    assert!(form.text().contains("name=\"page\" value=\"1\""), "{}", form.text());
    let named = |content, version| [&fields(content, "first", version)[..], &[("page", "1")]].concat();
    assert_eq!(saved(submit(&wiki, "/wiki/first/edit", &named("found", "5")).await), "/wiki/second");
    assert_eq!(post(&wiki, 1).await["content"], "found");
    wiki.delete("/posts/1").await.expect(204);
    let other = submit(&wiki, "/wiki/first/edit", &named("typed", "1")).await.expect(409);
    for expected in ["typed", "another", "name=\"page\" value=\"2\""] {
        assert!(other.text().contains(expected), "{expected} in {}", other.text());
    }
    assert_eq!(post(&wiki, 2).await["content"], "another");
}

#[tokio::test]
async fn pages_are_deleted_restored_and_reverted_with_forms() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Page", "good").await;
    submit(&wiki, "/wiki/page/edit", &[("title", "Page"), ("content", "bad"), ("author", "Bob"), ("version", "1")])
        .await
        .expect(303);
    submit(&wiki, "/wiki/page/revert", &[("version", "1"), ("author", ""), ("comment", "typed")]).await.expect(422);
    submit(&wiki, "/wiki/page/revert", &[("version", "1"), ("author", "Ada"), ("comment", "")]).await.expect(303);
    assert_eq!((&post(&wiki, 1).await["content"], &post(&wiki, 1).await["version"]), (&json!("good"), &json!(3)));

    let stale = submit(&wiki, "/wiki/page/delete", &[("version", "2"), ("reason", "why")]).await.expect(409);
    // The form is back, about the page as it is now, with what was typed.
    for expected in ["name=\"version\" value=\"3\"", "value=\"why\"", "/wiki/page/compare?from=2&amp;to=3"] {
        assert!(stale.text().contains(expected), "{expected} in {}", stale.text());
    }
    submit(&wiki, "/wiki/page/delete", &[]).await.expect(422);
    submit(&wiki, "/wiki/page/delete", &[("version", "3")]).await.expect(303);
    let deleted = open(&wiki, "/wiki/page").await.expect(404);
    assert!(deleted.text().contains("action=\"/wiki/-/deleted/1\""), "{}", deleted.text());
    assert_eq!(submit(&wiki, "/wiki/page/restore", &[]).await.expect(303).header("location"), "/wiki/page");
    open(&wiki, "/wiki/page").await.expect(200);
    // Twice is no error.
    submit(&wiki, "/wiki/page/restore", &[]).await.expect(303);
    submit(&wiki, "/wiki/never/restore", &[]).await.expect(404);
}

#[tokio::test]
async fn deleted_pages_are_found_and_restored() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Page", "good").await;
    assert!(open(&wiki, "/wiki/-/deleted").await.expect(200).text().contains("No page has been deleted."));
    let ask = open(&wiki, "/wiki/page/delete").await.expect(200);
    for expected in
        ["Reason (optional)", "The page moves to <a href=\"/wiki/-/deleted\">Deleted pages</a>, with its history."]
    {
        assert!(ask.text().contains(expected), "{expected} in {}", ask.text());
    }
    let long = "x".repeat(501);
    let refused = submit(&wiki, "/wiki/page/delete", &[("version", "1"), ("reason", &long)]).await.expect(422);
    assert!(refused.text().contains(&long) && refused.text().contains("_reason-error"), "{}", refused.text());
    let fields = [("version", "1"), ("reason", "twice & thrice"), ("author", "Grace")];
    let deleted = submit(&wiki, "/wiki/page/delete", &fields).await.expect(303);
    assert!(deleted.header("set-cookie").starts_with("author=Grace;"), "{deleted:?}");

    // Who, when and why: in the list, at the page's address, in the changes, and by its number.
    let list = open(&wiki, "/wiki/-/deleted").await.expect(200);
    assert_page(&list);
    let shown = ["twice &amp; thrice", "<bdi>Grace</bdi>", "href=\"/wiki/-/deleted/1\"", " datetime="];
    for expected in shown.into_iter().chain(["<form method=\"post\" action=\"/wiki/-/deleted/1\">"]) {
        assert!(list.text().contains(expected), "{expected} in {}", list.text());
    }
    let changes = open(&wiki, "/wiki/-/changes").await.expect(200);
    for expected in shown.into_iter().chain(["<span class=\"badge\">deleted</span>"]) {
        assert!(changes.text().contains(expected), "{expected} in {}", changes.text());
    }
    assert!(!changes.text().contains("/wiki/page/compare"), "{}", changes.text());
    for (path, status) in [("/wiki/page", 404), ("/wiki/page/history", 404), ("/wiki/-/deleted/1", 200)] {
        let notice = open(&wiki, path).await.expect(status);
        assert!(notice.text().contains("twice &amp; thrice") && notice.text().contains("Restore"), "{path}");
        assert!(!notice.text().contains("good"), "{path} shows the text");
    }
    open(&wiki, "/wiki/-/deleted/9").await.expect(404);
    open(&wiki, "/wiki/-/deleted/x").await.expect(404);

    // A page that has its address by now does not stand in the way.
    write(&wiki, "Page", "another").await;
    let restored = submit(&wiki, "/wiki/-/deleted/1", &[]).await.expect(303);
    assert_eq!(restored.header("location"), "/wiki/page-1");
    let page = open(&wiki, "/wiki/page-1").await.expect(200);
    assert!(
        page.text().contains("Restored <time")
            && page.text().contains(">3 versions</a>")
            && page.text().contains("unknown"),
        "{}",
        page.text()
    );
    assert_eq!(open(&wiki, "/wiki/-/deleted/1").await.expect(302).header("location"), "/wiki/page-1");
    // Twice is no error.
    submit(&wiki, "/wiki/-/deleted/1", &[]).await.expect(303);
    submit(&wiki, "/wiki/-/deleted/9", &[]).await.expect(404);
    let history = open(&wiki, "/wiki/page-1/history").await.expect(200);
    for badge in ["deleted", "restored", "new"] {
        assert!(history.text().contains(&format!("<span class=\"badge\">{badge}</span>")), "{badge}");
    }
}

#[tokio::test]
async fn another_site_cannot_change_anything() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Page", "x").await;
    wiki.delete("/posts/1").await.expect(204);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        for path in [
            "/wiki/-/new",
            "/wiki/page/edit",
            "/wiki/page/delete",
            "/wiki/page/restore",
            "/wiki/-/deleted/1",
            "/wiki/page/revert",
            "/wiki/-/preview",
            "/posts/1/restore",
            "/posts",
        ] {
            let form = "title=x&content=x&author=x&version=1";
            wiki.post(path).header(name, value).body("application/x-www-form-urlencoded", form).await.problem(403);
        }
        wiki.delete("/posts/1").header(name, value).await.problem(403);
    }
    wiki.get("/posts/1").await.problem(404);
    assert_eq!(wiki.metric("posts_created_total").await, 1);
}

#[tokio::test]
async fn the_preview_is_a_piece_of_safe_html() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Known", "x").await;
    let fields = [
        ("content", "# T\n\n[[Known]] [[Unknown]] <script>alert(1)</script> [x](javascript:alert(1))"),
        ("title", "T"),
    ];
    let preview = submit(&wiki, "/wiki/-/preview", &fields).await.expect(200);
    let html = preview.text();
    assert!(!html.contains("<html") && html.contains("/wiki/known\"") && html.contains("class=\"missing\""), "{html}");
    assert!(
        html.contains("&lt;script&gt;") && !html.contains("<script") && !html.contains("javascript:alert(1)\""),
        "{html}"
    );
    // Without a script, the form itself shows it.
    let fields = [("title", "T"), ("content", "*typed*"), ("author", ""), ("action", "preview")];
    let form = submit(&wiki, "/wiki/-/new", &fields).await.expect(200);
    assert!(form.text().contains("<em>typed</em>") && form.text().contains("*typed*"), "{}", form.text());
    assert_eq!(wiki.metric("posts_created_total").await, 1);
}

#[tokio::test]
async fn the_largest_page_is_shown_and_edited() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    for content in [
        "word ".repeat((1 << 20) / 5),
        "[".repeat(1 << 20),
        "> ".repeat(1 << 19),
        "[[a]]".repeat((1 << 20) / 5),
        "|a".repeat(1 << 19),
        "*_".repeat(1 << 19),
    ] {
        let page = wiki.create_post(&user, &content).await;
        let slug = page["slug"].as_str().unwrap();
        let path = format!("/posts/{}", page["post_id"]);
        wiki.get(&path).header("accept", "text/html").await.expect(200);
        open(&wiki, &format!("/wiki/{slug}/edit")).await.expect(200);
    }
}

#[tokio::test]
async fn static_files_are_immutable_under_their_content_hash() {
    let wiki = shared::wiki().await;
    let front = open(&wiki, "/wiki").await.expect(200).links();
    let mut seen = 0;
    for part in front.iter().filter(|link| link.starts_with("/static/")) {
        let file = wiki.get(part).await.expect(200);
        assert!(file.header("cache-control").contains("immutable"), "{part}");
        assert!(!file.bytes().is_empty());
        seen += 1;
    }
    assert!(seen >= 3, "{front:?}");
    assert!(!wiki.get("/static/style.css").await.expect(200).header("cache-control").contains("immutable"));
    for path in ["/static/none.css", "/static/..%2Fspin.toml", "/static/"] {
        wiki.get(path).await.problem(404);
    }
}

#[tokio::test]
async fn the_feed_lists_changes() {
    let wiki = App::wiki().start().await;
    assert!(wiki.get("/feed.atom").await.expect(200).text().contains("<updated>1970-01-01T00:00:00"));
    write(&wiki, "<b>Title</b> & more", "x").await;
    let feed = wiki.get("/feed.atom").header("host", "wiki.example:8000").await.expect(200);
    assert_eq!(feed.header("content-type"), "application/atom+xml; charset=utf-8");
    let text = feed.text();
    assert!(text.starts_with("<?xml") && text.contains("&lt;b&gt;Title&lt;/b&gt; &amp; more"), "{text}");
    assert!(text.contains("http://wiki.example:8000/wiki/b-title-b-more/compare?from=0&amp;to=1"), "{text}");
    let tag = feed.header("etag").to_owned();
    wiki.get("/feed.atom").header("host", "wiki.example:8000").header("if-none-match", tag).await.expect(304);
    // What readers know entries by stays (RFC 4287, 4.2.6).
    let ids = |feed: &str| -> Vec<String> {
        feed.split("<id>").skip(1).map(|rest| rest.split("</id>").next().unwrap_or_default().to_owned()).collect()
    };
    let before = ids(text);
    assert!(before.len() == 2 && before.iter().all(|id| id.starts_with("urn:uuid:")), "{before:?}");
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "y", "slug": "other"})).await.expect(200);
    let elsewhere = wiki.get("/feed.atom").header("host", "other.example").header("x-forwarded-proto", "https").await;
    let after = ids(elsewhere.expect(200).text());
    assert_eq!((after.len(), &after[0], &after[2]), (3, &before[0], &before[1]));
    assert_ne!(after[1], after[2]);
}

/// What a person typed into the editor.
const TYPED: [(&str, &str); 5] = [
    ("title", "Typed title"),
    ("content", "Typed\r\ntext"),
    ("tags", "typed, tags"),
    ("comment", "typed why"),
    ("author", "Ada"),
];

/// That a form has come back with everything in [`TYPED`].
#[track_caller]
fn assert_typed(response: &Response) {
    assert_page(response);
    for typed in ["value=\"Typed title\"", ">\nTyped\ntext</textarea>", "value=\"typed, tags\"", "value=\"typed why\""]
    {
        assert!(response.text().contains(typed), "{typed} in {}", response.text());
    }
}

#[tokio::test]
async fn a_form_whose_session_ended_comes_back_and_signs_in() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    wiki.post("/posts")
        .cookie(&cookie)
        .json(json!({"user_id": 1, "content": "one", "title": "Page"}))
        .await
        .expect(201);
    let form = [&TYPED[..], &[("page", "1"), ("version", "1"), ("key", "k1")]].concat();
    let ended = submit(&wiki, "/wiki/page/edit", &form).await.expect(401);
    assert_typed(&ended);
    for field in
        ["name=\"sign_in_username\"", "name=\"sign_in_password\"", "name=\"version\" value=\"1\"", "value=\"k1\""]
    {
        assert!(ended.text().contains(field), "{field} in {}", ended.text());
    }
    let sign_in = |password| [&form[..], &[("sign_in_username", "admin"), ("sign_in_password", password)]].concat();
    let wrong = submit(&wiki, "/wiki/page/edit", &sign_in("not the password")).await.expect(401);
    assert_typed(&wrong);
    assert!(wrong.text().contains("value=\"admin\"") && !wrong.text().contains("not the password"), "{}", wrong.text());

    let response = submit(&wiki, "/wiki/page/edit", &sign_in(blackbox::ADMIN_PASSWORD)).await.expect(303);
    let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(response.header("location"), "/wiki/page?saved=2");
    let page = wiki.get("/posts/1").cookie(&cookie).await.expect(200).json();
    assert_eq!((&page["title"], &page["version"]), (&json!("Typed title"), &json!(2)));
    // Any other form, too, but what is secret.
    let fields = [("username", "grace"), ("name", "Grace"), ("password", "four words for grace")];
    let again = submit(&wiki, "/wiki/-/users/new", &fields).await.expect(401);
    assert!(again.text().contains("value=\"Grace\"") && !again.text().contains("four words"), "{}", again.text());
    // It says what happened. Where only accounts write, nobody is asked for another name.
    assert!(again.text().contains("<h1>Not signed in</h1>") && !again.text().contains("Not done"), "{}", again.text());
    assert!(!ended.text().contains("Your name"), "{}", ended.text());
}

#[tokio::test]
async fn the_largest_page_comes_back_when_a_session_has_ended() {
    let wiki = App::wiki().access("private").start().await;
    // As it is sent, each letter takes six characters, and each line end.
    let line = format!("{}\n", "é".repeat(30));
    let content = line.repeat((1 << 20) / line.len());
    let sent = content.replace('\n', "\r\n");
    for path in ["/wiki/-/new", "/wiki/some-page/edit"] {
        let back = submit(&wiki, path, &[("title", "Long"), ("content", &sent), ("version", "1")]).await.expect(401);
        assert_page(&back);
        assert!(back.text().contains(&content) && back.text().contains("value=\"Long\""), "{path}");
    }
    let fields: Vec<(&str, &str)> = (0..601).map(|_| ("a", "b")).collect();
    submit(&wiki, "/wiki/-/sign-in", &fields).await.expect(400);
}

#[tokio::test]
async fn a_form_that_is_longer_than_any_page_is_refused() {
    let wiki = App::wiki().access("private").start().await;
    let content = "é".repeat(1 << 20);
    submit(&wiki, "/wiki/-/new", &[("title", "Long"), ("content", &content)]).await.expect(413);
}

#[tokio::test]
async fn a_form_that_is_refused_comes_back() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", blackbox::PASSWORD).await;
    wiki.post("/posts").cookie(&eve).json(json!({"user_id": 2, "content": "one", "title": "Page"})).await.expect(201);
    wiki.put("/posts/1/protection").cookie(&administrator).await.expect(200);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(TYPED).append_pair("version", "1").finish();
    let send = |site: &'static str| {
        let request =
            wiki.post("/wiki/page/edit").cookie(&eve).header("accept", BROWSER).header("sec-fetch-site", site);
        request.body("application/x-www-form-urlencoded", body.clone())
    };
    let protected = send("same-origin").await.expect(403);
    assert_typed(&protected);
    assert!(protected.text().contains("The page is protected"), "{}", protected.text());
    // What another site sends is not a person's own: nothing of it is shown, to be sent by them.
    let forged = send("cross-site").await.expect(403);
    assert!(!forged.text().contains("Typed"), "{}", forged.text());
    // Programs get problems as everywhere.
    wiki.post("/wiki/page/edit").cookie(&eve).form(&[&TYPED[..], &[("version", "1")]].concat()).await.problem(403);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_saves_once() {
    let wiki = App::wiki().start().await;
    let form = wiki.get("/wiki/-/new").await.expect(200);
    let key =
        form.text().split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    assert!(key.len() >= 20, "{key}");
    let with = |extra: &[(&str, &str)], key: &str| {
        let pairs = TYPED.iter().filter(|(name, _)| !extra.iter().any(|(other, _)| other == name)).chain(extra);
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).append_pair("key", key).finish()
    };
    let send = |path: &str, body: String| {
        wiki.post(path)
            .header("accept", BROWSER)
            .header("sec-fetch-site", "same-origin")
            .body("application/x-www-form-urlencoded", body)
    };
    // A double click, and a browser that tries again: all at once.
    let answers = blackbox::at_once((0..8).map(|_| send("/wiki/-/new", with(&[], &key)).into_future())).await;
    for answer in answers {
        assert_eq!(saved(answer), "/wiki/typed-title");
    }
    let posts = wiki.walk("/posts", "posts").await;
    assert_eq!(posts.len(), 1);
    // A save that comes second may have used up the first number.
    let id = posts[0]["post_id"].as_i64().unwrap();
    let page = id.to_string();
    assert_eq!(post(&wiki, id).await["version"], 1);
    // Back to the form, another thought, and Save: the same page.
    assert_eq!(saved(send("/wiki/-/new", with(&[("content", "More")], &key)).await), "/wiki/typed-title");
    assert_eq!((&post(&wiki, id).await["content"], &post(&wiki, id).await["version"]), (&json!("More"), &json!(2)));
    // The same for an edit: it is no conflict with oneself.
    let edit = [("content", "Edited"), ("version", "2"), ("page", &page)];
    for _ in 0..2 {
        assert_eq!(saved(send("/wiki/typed-title/edit", with(&edit, "key-of-the-edit")).await), "/wiki/typed-title");
    }
    let edit = [("content", "Edited again"), ("version", "2"), ("page", &page)];
    assert_eq!(saved(send("/wiki/typed-title/edit", with(&edit, "key-of-the-edit")).await), "/wiki/typed-title");
    let saved = post(&wiki, id).await;
    assert_eq!((&saved["content"], &saved["version"]), (&json!("Edited again"), &json!(4)));
}

#[tokio::test]
async fn a_save_leads_back_to_the_section_that_was_edited() {
    let wiki = App::wiki().start().await;
    write(&wiki, "Page", "intro\n\n## One\n\na\n\n## Größe\n\nb\n").await;
    let edit = [
        ("title", "Page"),
        ("content", "intro\n\n## One\n\na\n\n## Größe\n\nc\n"),
        ("author", "Ada"),
        ("version", "1"),
    ];
    let response = submit(&wiki, "/wiki/page/edit", &edit).await.expect(303);
    assert_eq!(response.header("location"), "/wiki/page?saved=2#section-gr%C3%B6%C3%9Fe");
    let page = open(&wiki, "/wiki/page?saved=2").await.expect(200);
    assert!(page.text().contains("id=\"_saved\"") && page.text().contains("id=\"section-größe\""), "{}", page.text());
    for plain in ["/wiki/page", "/wiki/page?saved=9", "/wiki/page?saved=x"] {
        assert!(!open(&wiki, plain).await.expect(200).text().contains("id=\"_saved\""), "{plain}");
    }
}

#[tokio::test]
async fn a_section_is_edited_within_its_page() {
    let wiki = App::wiki().start().await;
    let content = "intro\n\n## One\n\na\n\n## Two & \"more\"\n\nb\n\n## Three\n\nc\n";
    write(&wiki, "Page", content).await;
    let page = open(&wiki, "/wiki/page").await.expect(200);
    let link = "href=\"/wiki/page/edit?section=section-two-more\"";
    assert!(page.text().contains(link), "{}", page.text());

    let form = open(&wiki, "/wiki/page/edit?section=section-two-more").await.expect(200);
    assert!(form.text().contains(">\n## Two &amp; &quot;more&quot;\n\nb</textarea>"), "{}", form.text());
    // What is around it is in the form, so that nothing depends on where it is when the form comes back.
    let edit = |section: &str| {
        [
            ("title", "Page".to_owned()),
            ("section", "section-two-more".to_owned()),
            ("before", "intro\r\n\r\n## One\r\n\r\na\r\n\r\n".to_owned()),
            ("content", section.to_owned()),
            ("after", "\r\n\r\n## Three\r\n\r\nc\r\n".to_owned()),
            ("author", "Ada".to_owned()),
            ("version", "1".to_owned()),
            ("page", "1".to_owned()),
        ]
    };
    let send = async |fields: &[(&str, String)], path: &str| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        submit(&wiki, path, &fields).await
    };
    // Somebody else adds a section above and one of the same name.
    let other = json!({"content": content.replace("## One", "## Two & \"more\"\n\nz\n\n## One"), "version": 1});
    wiki.put("/posts/1").json(other).await.expect(200);
    let saved = send(&edit("## Two, renamed\r\n\r\nB"), "/wiki/page/edit").await.expect(303);
    assert_eq!(saved.header("location"), "/wiki/page?saved=3&merged=2#section-two-renamed");
    let now = "intro\n\n## Two & \"more\"\n\nz\n\n## One\n\na\n\n## Two, renamed\n\nB\n\n## Three\n\nc\n";
    assert_eq!(post(&wiki, 1).await["content"], now);

    // The same section: both texts are shown whole.
    let conflict = send(&edit("## Two & \"more\"\r\n\r\nby me"), "/wiki/page/edit").await.expect(409);
    assert!(
        conflict.text().contains(
            ">\nintro\n\n## One\n\na\n\n## Two &amp; &quot;more&quot;\n\nby me\n\n## Three\n\nc\n</textarea>"
        ),
        "{}",
        conflict.text()
    );
    assert!(!conflict.text().contains("name=\"before\" value=\"i"), "{}", conflict.text());
    // A mistake elsewhere leaves the form as it was; nothing changed leads back, too.
    let mut wrong = edit("## Two\r\n\r\nb");
    wrong[0].1.clear();
    let again = send(&wrong, "/wiki/page/edit").await.expect(422);
    assert!(
        again.text().contains(">\n## Two\n\nb</textarea>") && again.text().contains("value=\"intro\n\n## One"),
        "{}",
        again.text()
    );
    let mut same = edit("## Two, renamed\r\n\r\nB");
    same[1].1 = "section-two-renamed".to_owned();
    same[2].1 = now[..now.find("## Two, renamed").unwrap()].to_owned();
    same[6].1 = "3".to_owned();
    let saved = send(&same, "/wiki/page/edit").await.expect(303);
    assert_eq!(saved.header("location"), "/wiki/page?saved=3#section-two-renamed");
    // A section that is not there: all of it.
    let whole = open(&wiki, "/wiki/page/edit?section=section-gone").await.expect(200);
    assert!(whole.text().contains(">\nintro\n") && !whole.text().contains("name=\"before\""), "{}", whole.text());
}
