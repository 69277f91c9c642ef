//! Posts, the wiki's pages: create, read, list, edit, delete.

use blackbox::{App, Value, assert_time, json, percent_encoded};

use crate::shared;

/// Double-encoded emoji, C1 control characters, variation selectors, three kinds of line ends, no line end at the end.
const MOJIBAKE: &str = include_str!("../../data/mojibake.md");
/// Box drawings, tables, fenced code and everything a careless template or SQL builder would expand.
const BOXES: &str = include_str!("../../data/boxes.md");

#[tokio::test]
async fn a_post_is_created_and_read() {
    let wiki = shared::wiki().await;
    let user = wiki.create_user("sketcher").await;
    let body = json!({
        "user_id": user["id"], "content": "# Notes\n\nOn the engine.", "title": "Sketch", "slug": "sketch-1",
        "tags": ["engine", "maths"], "comment": "first draft",
    });
    let created = wiki.post("/posts").json(body).await.expect(201);
    let post = created.json();
    assert!(post["post_id"].as_i64().is_some_and(|id| id > 0), "{post}");
    assert_eq!(post["user_id"], user["id"]);
    assert_eq!(post["title"], "Sketch");
    assert_eq!(post["slug"], "sketch-1");
    assert_eq!(post["content"], "# Notes\n\nOn the engine.");
    assert_eq!(post["tags"], json!(["engine", "maths"]));
    assert_eq!(post["version"], 1);
    assert_time(&post["created_time"]);
    assert_eq!(post["updated_time"], post["created_time"]);

    assert_eq!(created.header("location"), format!("/posts/{}", post["post_id"]));
    let read = wiki.get(created.header("location")).await.expect(200);
    assert_eq!(read.json(), post);
    assert_eq!(read.header("etag"), created.header("etag"));
}

#[tokio::test]
async fn the_title_is_the_first_heading_or_line_and_the_slug_comes_from_it() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    for (content, title, slug) in [
        ("# The Engine\n\ntext", "The Engine", "the-engine"),
        ("intro\n\n## A heading\n\ntext", "A heading", "a-heading"),
        ("\n\nJust a line\nand another", "Just a line", "just-a-line"),
    ] {
        let post = wiki.create_post(&user, content).await;
        assert_eq!((&post["title"], &post["slug"]), (&json!(title), &json!(slug)), "{content:?}");
    }
    // Whatever the content, there is some title and some slug, and the page can be read.
    for content in
        ["", " \n ", "#", "\u{85}", "???", "山田", &"long ".repeat(500), "```\n# not a heading\n```", "---\n"]
    {
        let post = wiki.create_post(&user, content).await;
        for member in ["title", "slug"] {
            let text = post[member].as_str().unwrap_or_default();
            assert!(!text.trim().is_empty() && text.chars().count() <= 250, "{member} of {content:?} is {text:?}");
        }
        assert_eq!(wiki.get(&format!("/posts/{}", post["post_id"])).await.json()["content"], content);
    }
}

#[tokio::test]
async fn equal_titles_get_different_slugs() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let mut slugs = std::collections::HashSet::new();
    for _ in 0..5 {
        let post = wiki.create_post(&user, "# The same").await;
        assert_eq!(post["title"], "The same");
        let slug = post["slug"].as_str().unwrap().to_owned();
        assert!(slug.starts_with("the-same"), "{slug}");
        assert!(slugs.insert(slug), "{slugs:?}");
    }
    let taken = json!({"user_id": user["id"], "content": "x", "slug": "the-same"});
    let problem = wiki.post("/posts").json(taken.clone()).await.problem(409);
    assert!(problem.detail.contains("slug"), "{}", problem.detail);
    // A deleted page holds its slug no longer.
    wiki.delete("/posts/1").await.expect(204);
    wiki.post("/posts").json(taken).await.expect(201);
    // Without a letter or digit in the title, and without any text.
    for (content, title, slug) in [("???", "???", "page"), ("!", "!", "page-{}"), ("", "Untitled", "untitled")] {
        let post = wiki.create_post(&user, content).await;
        let slug = slug.replace("{}", &post["post_id"].to_string());
        assert_eq!((&post["title"], &post["slug"]), (&json!(title), &json!(slug)));
    }
}

#[tokio::test]
async fn a_slug_made_from_a_title_always_succeeds_and_can_be_sent_back() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let chosen = |slug: &str| json!({"user_id": 1, "content": "x", "slug": slug});
    let mut slugs = std::collections::HashSet::new();
    let long = "long ".repeat(30);
    for title in ["Same", &long, &"ab".repeat(60)] {
        for _ in 0..3 {
            let post = wiki.create_post(&user, &format!("# {title}")).await;
            let slug = post["slug"].as_str().unwrap().to_owned();
            assert!(slug.chars().count() <= 100, "{slug}");
            assert!(slugs.insert(slug.clone()), "{slug}");
            let path = format!("/posts/{}", post["post_id"]);
            let edit = json!({"content": "y", "slug": slug});
            wiki.put(&path).header("if-match", "*").json(edit).await.expect(200);
        }
    }
    let first = wiki.create_post(&user, "# Taken").await["post_id"].as_i64().unwrap();
    wiki.post("/posts").json(chosen(&format!("taken-{}", first + 2))).await.expect(201);
    assert_eq!(wiki.create_post(&user, "# Taken").await["slug"], format!("taken-{}-2", first + 2));
    // A deleted page comes back, too.
    let (slug, path) = ("b".repeat(100), |id: i64| format!("/posts/{id}"));
    let id = wiki.post("/posts").json(chosen(&slug)).await.expect(201).json()["post_id"].as_i64().unwrap();
    wiki.delete(&path(id)).await.expect(204);
    wiki.post("/posts").json(chosen(&slug)).await.expect(201);
    let numbered = format!("{}-{id}", "b".repeat(99 - id.to_string().len()));
    wiki.post("/posts").json(chosen(&numbered)).await.expect(201);
    let restored = wiki.post(&format!("{}/restore", path(id))).await.expect(200).json();
    assert_eq!(restored["slug"], format!("{}-{id}-2", "b".repeat(97 - id.to_string().len())));
}

#[tokio::test]
async fn slugs_as_they_were_made_once_keep_working() {
    let wiki = App::wiki().start().await;
    let database = wiki.database().client().await;
    wiki.create_user("ada").await;
    let long = format!("{}-1234", "c".repeat(100));
    for (title, slug) in [("C", &*long), ("เก่า", "เก-า"), ("ΟΔΟΣ", "οδοσ"), ("한", "\u{1112}\u{1161}\u{11ab}")]
    {
        let draft = json!({"user_id": 1, "title": title, "content": "x", "slug": "old"});
        let id = wiki.post("/posts").json(draft).await.expect(201).json()["post_id"].clone();
        database.execute(&format!("UPDATE posts SET slug = '{slug}' WHERE id = {id}"), &[]).await.unwrap();
        let address = percent_encoded(slug);
        wiki.get(&format!("/wiki/{address}")).await.expect(200);
        let found = wiki.get(&format!("/posts?slug={address}")).await.expect(200).json();
        assert_eq!(found["posts"][0]["post_id"], id);
        let save = json!({"content": "y", "slug": slug});
        let saved = wiki.put(&format!("/posts/{id}")).header("if-match", "*").json(save).await.expect(200).json();
        assert_eq!((&saved["slug"], &saved["version"]), (&json!(slug), &json!(2)));
        // Its title leads there.
        if title != "C" && title != "한" {
            let moved = wiki.get(&format!("/wiki/{}", percent_encoded(&title.to_lowercase()))).await;
            assert_eq!(moved.expect(302).header("location"), format!("/wiki/{address}"));
        }
        let rename = json!({"content": "y", "slug": format!("new-{id}")});
        wiki.put(&format!("/posts/{id}")).header("if-match", "*").json(rename).await.expect(200);
        let moved = wiki.get(&format!("/wiki/{address}")).await.expect(302);
        assert_eq!(moved.header("location"), format!("/wiki/new-{id}"));
    }
}

#[tokio::test]
async fn composed_and_decomposed_texts_are_one_page() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let draft =
        |title: &str| json!({"user_id": 1, "title": title, "content": "[[Re\u{301}sume\u{301}]]", "tags": [title]});
    let page = wiki.post("/posts").json(draft("Re\u{301}sume\u{301}")).await.expect(201).json();
    assert_eq!([&page["title"], &page["slug"], &page["tags"][0]], ["Résumé", "résumé", "résumé"]);
    let moved = wiki.get("/wiki/re%CC%81sume%CC%81").await.expect(302);
    assert_eq!(moved.header("location"), "/wiki/r%C3%A9sum%C3%A9");
    for query in ["tag=Re%CC%81sume%CC%81", "slug=re%CC%81sume%CC%81"] {
        assert_eq!(wiki.get(&format!("/posts?{query}")).await.expect(200).json()["posts"][0]["post_id"], 1, "{query}");
    }
    let chosen = json!({"user_id": 1, "content": "x", "slug": "re\u{301}sume\u{301}"});
    wiki.post("/posts").json(chosen).await.problem(409);
    // Marks make other words.
    for title in ["เก่า", "เก้า"] {
        let page = wiki.post("/posts").json(draft(title)).await.expect(201).json();
        assert_eq!([&page["title"], &page["slug"]], [title, title]);
    }
}

#[tokio::test]
async fn content_comes_back_byte_for_byte() {
    let wiki = shared::wiki().await;
    let user = wiki.create_user("dockertest").await;
    let c1: String = ('\u{80}'..='\u{9f}').collect();
    let astral = "\u{1f4d6}\u{10ffff}\u{fffd}\u{feff}\u{2028}\u{0301}";
    let large = "é🎯\\\"\n".repeat((1 << 20) / 9);
    for content in [MOJIBAKE, BOXES, &c1, astral, "\t \r\n\r \n", "no line end", &large] {
        let post = wiki.create_post(&user, content).await;
        assert_eq!(post["content"], content);
        let path = format!("/posts/{}", post["post_id"]);
        assert_eq!(wiki.get(&path).await.expect(200).json()["content"], content);
        let markdown = wiki.get(&path).header("accept", "text/markdown").await.expect(200);
        assert_eq!(markdown.media_type(), "text/markdown");
        assert!(markdown.bytes() == content.as_bytes(), "the Markdown is the content itself");
    }
}

#[tokio::test]
async fn json_escapes_are_only_a_way_to_write() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let body = r#"{"user_id": 1, "content": "\u00e9\ud83c\udfaf\/\u0009\u0080"}"#;
    let post = wiki.post("/posts").body("application/json", body).await.expect(201).json();
    assert_eq!(post["content"], "é🎯/\t\u{80}");
}

#[tokio::test]
async fn a_mebibyte_is_the_limit_of_a_page() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let largest = "x".repeat(1 << 20);
    let post = wiki.create_post(&user, &largest).await;
    let path = format!("/posts/{}", post["post_id"]);

    let larger = json!({"user_id": user["id"], "content": format!("{largest}x")});
    let problem = wiki.post("/posts").json(larger.clone()).await.problem(413);
    assert!(problem.detail.contains("1048576"), "{}", problem.detail);
    wiki.put(&path).header("if-match", "*").json(larger).await.problem(413);
    // The limit is of bytes, not of characters.
    let accented = json!({"user_id": user["id"], "content": "é".repeat((1 << 19) + 1)});
    wiki.post("/posts").json(accented).await.problem(413);
    assert_eq!(wiki.get(&path).await.json()["content"].as_str().map(str::len), Some(1 << 20));
    assert_eq!(wiki.metric("posts_created_total").await, 1);
}

#[tokio::test]
async fn a_post_needs_a_user_there_is() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    for id in
        [json!(2), json!(0), json!(-1), json!(9_223_372_036_854_775_807_i64), json!(9_223_372_036_854_775_808_u64)]
    {
        let problem = wiki.post("/posts").json(json!({"user_id": id, "content": "x"})).await.problem(404);
        assert_eq!(problem.detail, "User not found");
    }
    assert_eq!(wiki.metric("posts_created_total").await, 0);
}

#[tokio::test]
async fn invalid_members_are_refused_by_name() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let cases = [
        ("user_id", json!({"content": "x"})),
        ("user_id", json!({"user_id": null, "content": "x"})),
        ("user_id", json!({"user_id": "1", "content": "x"})),
        ("user_id", json!({"user_id": 1.5, "content": "x"})),
        ("user_id", json!({"user_id": [1], "content": "x"})),
        ("content", json!({"user_id": 1})),
        ("content", json!({"user_id": 1, "content": null})),
        ("content", json!({"user_id": 1, "content": 5})),
        ("content", json!({"user_id": 1, "content": ["x"]})),
        ("content", json!({"user_id": 1, "content": "a\u{0}b"})),
        ("content", json!({"user_id": 1, "content": "a\u{1}b"})),
        ("content", json!({"user_id": 1, "content": "a\u{8}b"})),
        ("content", json!({"user_id": 1, "content": "a\u{b}b"})),
        ("content", json!({"user_id": 1, "content": "a\u{c}b"})),
        ("content", json!({"user_id": 1, "content": "a\u{1b}[31mb"})),
        ("content", json!({"user_id": 1, "content": "a\u{1f}b"})),
        ("title", json!({"user_id": 1, "content": "x", "title": ""})),
        ("title", json!({"user_id": 1, "content": "x", "title": "\u{200b}"})),
        ("title", json!({"user_id": 1, "content": "x", "title": "x".repeat(300)})),
        ("title", json!({"user_id": 1, "content": "x", "title": "a\u{0}b"})),
        ("title", json!({"user_id": 1, "content": "x", "title": "a\nb"})),
        ("title", json!({"user_id": 1, "content": "x", "title": "a\u{85}b"})),
        ("title", json!({"user_id": 1, "content": "x", "title": 5})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": ""})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": "a b"})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": "../users"})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": "x".repeat(300)})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": "a\u{0}"})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": "a"})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": [1]})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": [""]})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": ["a", "\u{202e}"]})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": ["."]})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": ["a", " .. "]})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": "."})),
        ("slug", json!({"user_id": 1, "content": "x", "slug": ".."})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": ["a\u{0}"]})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": ["x".repeat(300)]})),
        ("tags", json!({"user_id": 1, "content": "x", "tags": vec!["a"; 1000]})),
        ("comment", json!({"user_id": 1, "content": "x", "comment": "a\u{0}b"})),
        ("comment", json!({"user_id": 1, "content": "x", "comment": 5})),
    ];
    for (field, body) in cases {
        let refused = wiki.post("/posts").json(body.clone()).await;
        assert_eq!(refused.status(), 422, "{body}: {refused:?}");
        refused.invalid(field);
    }
    assert_eq!(wiki.walk("/posts", "posts").await, Vec::<Value>::new(), "nothing was created");
}

#[tokio::test]
async fn unknown_post_ids_are_not_found() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "x").await;
    for id in ["0", "-1", "2", "9223372036854775807", "9223372036854775808", "abc", "1.0", "%00", "%FF", "1%20", "1/x"]
    {
        let path = format!("/posts/{id}");
        wiki.get(&path).await.problem(404);
        wiki.put(&path).header("if-match", "*").json(json!({"content": "y"})).await.problem(404);
        wiki.delete(&path).await.problem(404);
    }
    assert_eq!(wiki.get("/posts/1").await.expect(200).json()["content"], "x");
}

#[tokio::test]
async fn each_form_of_a_post_has_an_etag_of_its_own() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "x").await;
    let json_form = wiki.get("/posts/1").header("accept", "application/json").await.expect(200);
    let markdown = wiki.get("/posts/1").header("accept", "text/markdown").await.expect(200);
    assert_ne!(json_form.header("etag"), markdown.header("etag"));
    for form in [&json_form, &markdown] {
        assert!(form.header("vary").to_ascii_lowercase().contains("accept"), "{form:?}");
        let accept = form.media_type();
        let known = wiki.get("/posts/1").header("accept", accept).header("if-none-match", form.header("etag")).await;
        assert_eq!(known.status(), 304);
    }
    // Either says which version a writer saw.
    let edit = json!({"content": "y"});
    wiki.put("/posts/1").header("if-match", markdown.header("etag")).json(edit).await.expect(200);
    wiki.get("/posts/1").header("if-none-match", json_form.header("etag")).await.expect(200);
}

#[tokio::test]
async fn an_edit_names_the_version_it_was_made_from() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let editor = wiki.create_user("grace").await;
    let body = json!({"user_id": user["id"], "content": "one", "title": "Title", "tags": ["a"]});
    let created = wiki.post("/posts").json(body).await.expect(201);
    let path = created.header("location").to_owned();

    // By header …
    let edit = json!({"content": "two", "user_id": editor["id"], "comment": "second"});
    let edited = wiki.put(&path).header("if-match", created.header("etag")).json(edit).await.expect(200);
    let post = edited.json();
    assert_eq!((&post["content"], &post["version"]), (&json!("two"), &json!(2)));
    assert_eq!((&post["title"], &post["tags"]), (&json!("Title"), &json!(["a"])), "what is not given stays");
    assert_eq!(post["created_time"], created.json()["created_time"]);
    assert!(post["updated_time"].as_str() >= post["created_time"].as_str(), "{post}");
    assert_ne!(edited.header("etag"), created.header("etag"));
    assert_eq!(wiki.get(&path).await.json(), post);

    // … or in the body.
    let edit = json!({"content": "three", "version": 2, "title": "New title", "slug": "new", "tags": []});
    let post = wiki.put(&path).json(edit).await.expect(200).json();
    assert_eq!((&post["title"], &post["slug"], &post["tags"]), (&json!("New title"), &json!("new"), &json!([])));
    assert_eq!(post["version"], 3);

    // A save that changes nothing makes no new version.
    let same = wiki.put(&path).json(json!({"content": "three", "version": 3})).await.expect(200).json();
    assert_eq!(same, post);
}

#[tokio::test]
async fn an_edit_without_a_version_is_refused() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "one").await;
    let problem = wiki.put("/posts/1").json(json!({"content": "two"})).await.problem(428);
    assert!(problem.detail.contains("If-Match"), "{}", problem.detail);
    wiki.put("/posts/1").json(json!({"content": "two", "version": null})).await.problem(428);
    wiki.put("/posts/1").header("if-match", "3, what").json(json!({"content": "two"})).await.problem(400);
    wiki.put("/posts/1").json(json!({"content": "two", "version": "1"})).await.invalid("version");
    assert_eq!(wiki.get("/posts/1").await.json()["content"], "one");
}

#[tokio::test]
async fn an_edit_of_an_old_version_gets_the_current_one() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "one").await;
    let old = wiki.get("/posts/1").await.header("etag").to_owned();
    wiki.put("/posts/1").header("if-match", &old).json(json!({"content": "two"})).await.expect(200);

    let mine = json!({"content": "mine"});
    let by_header = wiki.put("/posts/1").header("if-match", &old).json(mine.clone()).await.problem(412);
    let by_body = wiki.put("/posts/1").json(json!({"content": "mine", "version": 1})).await.problem(409);
    for problem in [by_header, by_body] {
        assert_eq!(problem.body["version"], 2, "{problem:?}");
        assert_eq!(problem.body["current"]["content"], "two", "{problem:?}");
    }
    // A weak tag never matches (RFC 9110, 13.1.1), neither does one that was never given; a list may hold the right one.
    let current = wiki.get("/posts/1").await.header("etag").to_owned();
    wiki.put("/posts/1").header("if-match", format!("W/{current}")).json(mine.clone()).await.problem(412);
    wiki.put("/posts/1").header("if-match", "\"never\"").json(mine.clone()).await.problem(412);
    wiki.put("/posts/1").json(json!({"content": "mine", "version": 99})).await.problem(409);
    wiki.put("/posts/1").header("if-match", "").json(mine.clone()).await.problem(412);
    assert_eq!(wiki.get("/posts/1").await.json()["content"], "two");
    wiki.put("/posts/1").header("if-match", format!("{old}, {current}")).json(mine).await.expect(200);
}

#[tokio::test]
async fn an_edit_obeys_the_rules_of_a_creation() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "# One").await;
    wiki.create_post(&user, "# Two").await;
    let put = async |body: Value| wiki.put("/posts/1").header("if-match", "*").json(body).await;

    put(json!({})).await.invalid("content");
    put(json!({"content": "a\u{0}b"})).await.invalid("content");
    put(json!({"content": "x", "title": "a\nb"})).await.invalid("title");
    put(json!({"content": "x", "tags": [5]})).await.invalid("tags");
    put(json!({"content": "x", "slug": "two"})).await.problem(409);
    let problem = put(json!({"content": "x", "user_id": 99})).await.problem(404);
    assert_eq!(problem.detail, "User not found");
    let post = wiki.get("/posts/1").await.json();
    assert_eq!((&post["content"], &post["version"]), (&json!("# One"), &json!(1)));
}

#[tokio::test]
async fn a_deleted_post_is_gone() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let post = wiki.create_post(&user, "x").await;
    wiki.create_post(&user, "y").await;
    let path = format!("/posts/{}", post["post_id"]);

    wiki.put(&path).header("if-match", "*").json(json!({"content": "x2"})).await.expect(200);
    wiki.delete(&path).header("if-match", "\"1\"").await.problem(412);
    wiki.get(&path).await.expect(200);
    let deleted = wiki.delete(&path).await.expect(204);
    assert!(deleted.bytes().is_empty());
    for form in ["application/json", "text/markdown", "text/html"] {
        wiki.get(&path).header("accept", form).await.problem(404);
    }
    wiki.put(&path).header("if-match", "*").json(json!({"content": "z"})).await.problem(404);
    wiki.delete(&path).await.problem(404);
    let left = wiki.walk("/posts", "posts").await;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0]["post_id"], post["post_id"]);
}

#[tokio::test]
async fn a_list_is_filtered_and_sorted() {
    let wiki = App::wiki().start().await;
    let (ada, grace) = (wiki.create_user("ada").await, wiki.create_user("grace").await);
    for (user, title, tags) in [
        (&ada, "banana", json!(["fruit"])),
        (&grace, "apple", json!(["fruit", "red"])),
        (&ada, "cherry", json!(["red"])),
    ] {
        let body = json!({"user_id": user["id"], "title": title, "content": "x", "tags": tags});
        wiki.post("/posts").json(body).await.expect(201);
    }
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "edited last"})).await.expect(200);
    let titles = async |target: &str| -> Vec<String> {
        let posts = wiki.walk(target, "posts").await;
        posts.iter().map(|post| post["title"].as_str().unwrap().to_owned()).collect()
    };
    for (target, expected) in [
        ("/posts", "cherry apple banana"),
        ("/posts?sort=-created&limit=1", "cherry apple banana"),
        ("/posts?sort=created&limit=2", "banana apple cherry"),
        ("/posts?sort=title&limit=1", "apple banana cherry"),
        ("/posts?sort=-title&limit=2", "cherry banana apple"),
        ("/posts?sort=-updated&limit=1", "banana cherry apple"),
        ("/posts?sort=updated&limit=1", "apple cherry banana"),
        ("/posts?user_id=1&sort=created", "banana cherry"),
        ("/posts?user_id=2", "apple"),
        ("/posts?user_id=99", ""),
        ("/posts?tag=red&sort=title&limit=1", "apple cherry"),
        ("/posts?tag=fruit&user_id=2", "apple"),
        ("/posts?tag=nothing", ""),
        ("/posts?tag=%27%20OR%201%3D1%20--", ""),
    ] {
        assert_eq!(titles(target).await.join(" "), expected, "{target}");
    }
    wiki.get("/posts?sort=size").await.invalid("sort");
    wiki.get("/posts?sort=title;DROP%20TABLE%20posts").await.invalid("sort");
    // A cursor belongs to the list that gave it out.
    let next = wiki.get("/posts?sort=title&limit=1").await.json()["next"].as_str().unwrap().replace("title", "created");
    wiki.get(&next).await.invalid("cursor");
    // [2⁶³−1, 2] and [−2⁶³, 2]: PostgreSQL has no such times.
    for cursor in ["5b393232333337323033363835343737353830372c325d", "5b2d393232333337323033363835343737353830382c325d"]
    {
        for list in ["/posts?sort=updated", "/posts?sort=-updated", "/wiki/-/pages?sort=-updated"] {
            wiki.get(&format!("{list}&cursor={cursor}")).await.invalid("cursor");
        }
    }
}

#[tokio::test]
async fn a_list_shows_everything_but_the_content() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, &"é".repeat(1000)).await;
    let listed = wiki.get("/posts").await.expect(200);
    assert!(listed.bytes().len() < 1000, "{listed:?}");
    let (listed, post) = (listed.json()["posts"][0].clone(), wiki.get("/posts/1").await.json());
    for member in ["post_id", "user_id", "title", "slug", "tags", "version", "created_time", "updated_time"] {
        assert_eq!(listed[member], post[member], "{member}");
    }
    assert_eq!(listed["size"], 2000);
}

#[tokio::test]
async fn a_tag_that_no_page_can_have_is_refused() {
    let wiki = shared::wiki().await;
    for tag in ["%00", "a%0Ab", "a,b", "", "%20", ".", "%2E%2E", &"x".repeat(51)] {
        wiki.get(&format!("/posts?tag={tag}")).await.invalid("tag");
    }
}

#[tokio::test]
async fn a_page_is_found_by_its_slug_and_a_user_by_their_username() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("Ada").await;
    wiki.create_user("bob").await;
    wiki.create_post(&user, "# Größe").await;
    wiki.create_post(&user, "# Other").await;
    let found = wiki.get("/posts?slug=gr%C3%B6%C3%9Fe").await.expect(200).json();
    assert_eq!((found["posts"].as_array().unwrap().len(), &found["posts"][0]["post_id"]), (1, &json!(1)));
    assert_eq!(wiki.get("/posts?slug=none").await.expect(200).json(), json!({"posts": [], "next": null}));
    wiki.get("/posts?slug=%00").await.invalid("slug");

    let found = wiki.get("/users?username=ada").await.expect(200).json();
    assert_eq!((found["users"].as_array().unwrap().len(), &found["users"][0]["id"]), (1, &user["id"]));
    assert_eq!(wiki.get("/users?username=eve").await.expect(200).json(), json!({"users": [], "next": null}));
    wiki.get("/users?username=%00").await.invalid("username");
}

#[tokio::test]
async fn a_page_written_elsewhere_keeps_its_time() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let with_time = |time: &str| json!({"user_id": user["id"], "content": "# Old", "created_time": time});
    let post = wiki.post("/posts").json(with_time("1970-01-01T01:00:00+01:00")).await.expect(201).json();
    assert_eq!(post["created_time"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(wiki.get("/posts/1").await.expect(200).json(), post);
    assert_eq!(wiki.get("/posts/1/revisions/1").await.expect(200).json()["created_time"], post["created_time"]);
    for time in ["2999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "yesterday", ""] {
        wiki.post("/posts").json(with_time(time)).await.invalid("created_time");
    }
}

#[tokio::test]
async fn a_page_written_elsewhere_keeps_the_time_of_its_last_edit() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let create = |created: Option<&str>, updated: &str| {
        let times =
            json!({"user_id": user["id"], "content": "# Old", "created_time": created, "updated_time": updated});
        wiki.post("/posts").json(times)
    };
    let (created, updated) = ("2001-02-03T04:05:06.789012Z", "2002-02-03T04:05:06.789012Z");
    let post = create(Some(created), updated).await.expect(201).json();
    assert_eq!((&post["created_time"], &post["updated_time"]), (&json!(created), &json!(updated)));
    // What the page says now was written then.
    assert_eq!(wiki.get("/posts/1/revisions/1").await.expect(200).json()["created_time"], updated);
    let post = create(None, updated).await.expect(201).json();
    assert_eq!((&post["created_time"], &post["updated_time"]), (&json!(updated), &json!(updated)));
    for (created, updated) in [(Some(updated), created), (None, "2999-01-01T00:00:00Z"), (None, "yesterday")] {
        create(created, updated).await.invalid("updated_time");
    }
}

#[tokio::test]
async fn a_request_with_an_idempotency_key_can_be_sent_again() {
    let wiki = App::wiki().start().await;
    let (ada, bob) = (wiki.create_user("ada").await, wiki.create_user("bob").await);
    let create = |user: &Value, content: &str, key: &str| {
        wiki.post("/posts").header("idempotency-key", key).json(json!({"user_id": user["id"], "content": content}))
    };
    let answers = blackbox::at_once((0..8).map(|_| create(&ada, "# One", "\"a-1\"").into_future())).await;
    let mut ids = Vec::new();
    for answer in answers {
        let answer = answer.expect(201);
        assert_eq!(answer.header("location"), format!("/posts/{}", answer.json()["post_id"]));
        ids.push(answer.json()["post_id"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(wiki.walk("/posts", "posts").await.len(), 1);
    // A key is for one request, and each person's own.
    create(&ada, "# Two", "a-1").await.problem(422);
    create(&bob, "# Two", "a-1").await.expect(201);
    create(&ada, "# One", "a-2").await.expect(201);
    for wrong in ["", "with space", &"x".repeat(201)] {
        create(&ada, "# One", wrong).await.problem(400);
    }
    assert_eq!(wiki.walk("/posts", "posts").await.len(), 3);
    // What is gone is not made again.
    wiki.delete(&format!("/posts/{}", ids[0])).await.expect(204);
    assert!(create(&ada, "# One", "a-1").await.problem(409).detail.contains("was deleted"));
    let user = || wiki.post("/users").header("idempotency-key", "u-1").json(json!({"username": "eve"}));
    let eve = user().await.expect(201).json();
    wiki.delete(&format!("/users/{}", eve["id"])).await.expect(204);
    assert!(user().await.problem(409).detail.contains("was deleted"));
}
