//! What a page has been: revisions, compare, revert, restore, recent changes.

use blackbox::{App, Client, Value, at_once, json};

/// Edits page 1 from `version` on, as `user`.
async fn edit(wiki: &Client, version: i64, user: &Value, content: &str, comment: &str) -> Value {
    let body = json!({"content": content, "user_id": user["id"], "comment": comment, "version": version});
    wiki.put("/posts/1").json(body).await.expect(200).json()
}

#[tokio::test]
async fn every_edit_is_a_revision_with_its_author_size_and_comment() {
    let wiki = App::wiki().start().await;
    let (ada, bob) = (wiki.create_user("ada").await, wiki.create_user("bob").await);
    wiki.create_post(&ada, "one").await;
    edit(&wiki, 1, &bob, "one, two", "more").await;
    edit(&wiki, 2, &ada, "", "").await;

    let page = wiki.get("/posts/1/revisions").await.expect(200).json();
    assert_eq!(page["next"], Value::Null);
    let brief =
        |entry: &Value| json!([entry["version"], entry["user_id"], entry["comment"], entry["size"], entry["delta"]]);
    let entries: Vec<Value> = page["revisions"].as_array().unwrap().iter().map(brief).collect();
    assert_eq!(entries, [json!([3, 1, "", 0, -8]), json!([2, 2, "more", 8, 5]), json!([1, 1, "", 3, 3])]);

    let second = wiki.get("/posts/1/revisions/2").await.expect(200);
    assert_eq!((&second.json()["content"], &second.json()["slug"]), (&json!("one, two"), &json!("one")));
    wiki.get("/posts/1/revisions/2").header("if-none-match", second.header("etag")).await.expect(304);
    assert_eq!(wiki.metric("revisions_created_total").await, 3);
}

#[tokio::test]
async fn unknown_revisions_are_not_found() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "one").await;
    for version in ["2", "999", "0", "-1", "abc", "9223372036854775808"] {
        let problem = wiki.get(&format!("/posts/1/revisions/{version}")).await.problem(404);
        assert_eq!(problem.detail, format!("The page has no version {version}."));
        wiki.get(&format!("/wiki/one/history/{version}")).await.problem(404);
        assert_eq!(wiki.get(&format!("/posts/2/revisions/{version}")).await.problem(404).detail, "Post not found");
    }
    for path in [
        "/posts/2/revisions",
        "/posts/abc/revisions",
        "/posts/2/compare",
        "/posts/1/compare?from=7",
        "/posts/1/compare?to=7",
    ] {
        wiki.get(path).await.problem(404);
    }
    wiki.delete("/posts/1").await.expect(204);
    for path in ["/posts/1/revisions", "/posts/1/revisions/1", "/posts/1/compare"] {
        wiki.get(path).await.problem(404);
    }
}

#[tokio::test]
async fn a_long_history_is_walked_page_by_page() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "version 1").await;
    for version in 1..25 {
        edit(&wiki, version, &ada, &format!("version {}", version + 1), "").await;
    }
    let walked = wiki.walk("/posts/1/revisions?limit=10", "revisions").await;
    let versions: Vec<i64> = walked.iter().map(|entry| entry["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, (1..=25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_history_of_10000_revisions_is_walked_to_its_beginning() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "x").await;
    wiki.database()
        .column(
            "WITH edits AS (
               INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta)
               SELECT 1, version, 1, 'x', 'x', 'x', '{}', '', 1, 0 FROM generate_series(2, 10000) AS version
             ) UPDATE posts SET version = 10000 RETURNING version::text",
        )
        .await;
    let walked = wiki.walk("/posts/1/revisions?limit=200", "revisions").await;
    let versions: Vec<i64> = walked.iter().map(|entry| entry["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, (1..=10_000).rev().collect::<Vec<_>>());
    edit(&wiki, 10_000, &ada, "y", "").await;
}

#[tokio::test]
async fn two_versions_are_compared_line_by_line() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "# Fox\n\nThe quick brown fox.\n").await;
    edit(&wiki, 1, &ada, "# Fox\n\nThe quick red fox.\nIt jumps.\n", "").await;

    let difference = wiki.get("/posts/1/compare?from=1&to=2").await.expect(200).json();
    assert_eq!((&difference["from"]["version"], &difference["to"]["version"]), (&json!(1), &json!(2)));
    let lines = difference["hunks"][0]["lines"].as_array().unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unchanged", "unchanged", "removed", "added", "added"]);
    let changed = |line: &Value| line["parts"].as_array().unwrap().iter().find(|part| part["changed"] == true).cloned();
    assert_eq!(changed(&lines[2]).unwrap()["text"], "brown");
    assert_eq!(changed(&lines[3]).unwrap()["text"], "red");

    // The last change is what is meant when nothing is said.
    assert_eq!(wiki.get("/posts/1/compare").await.expect(200).json(), difference);
    // The first version is all new, and a version does not differ from itself.
    let first = wiki.get("/posts/1/compare?to=1").await.expect(200).json();
    assert_eq!((&first["from"], first["hunks"][0]["lines"].as_array().unwrap().len()), (&Value::Null, 3));
    assert_eq!(wiki.get("/posts/1/compare?from=2&to=2").await.expect(200).json()["hunks"], json!([]));
    assert_eq!(wiki.get("/posts/1/compare?from=0&to=1").await.expect(200).json(), first);
    let all = wiki.get("/posts/1/compare?from=0").await.expect(200).json();
    assert_eq!((&all["from"], &all["to"]["version"]), (&Value::Null, &json!(2)));
    for query in ["from=00", "from=-1", "from=x", "to=0", "to=", "to=9223372036854775808"] {
        wiki.get(&format!("/posts/1/compare?{query}")).await.problem(422);
    }
}

#[tokio::test]
async fn a_revert_makes_a_new_version() {
    let wiki = App::wiki().start().await;
    let (ada, bob) = (wiki.create_user("ada").await, wiki.create_user("bob").await);
    wiki.create_post(&ada, "# Good").await;
    edit(&wiki, 1, &ada, "spam", "").await;

    let reverted =
        wiki.post("/posts/1/revert").json(json!({"version": 1, "user_id": bob["id"]})).await.expect(200).json();
    assert_eq!((&reverted["content"], &reverted["version"]), (&json!("# Good"), &json!(3)));
    let revision = wiki.get("/posts/1/revisions/3").await.expect(200).json();
    assert_eq!((&revision["user_id"], &revision["comment"]), (&bob["id"], &json!("Revert to version 1")));

    // Once more changes nothing and makes no version.
    let again = wiki.post("/posts/1/revert").json(json!({"version": 1})).await.expect(200).json();
    assert_eq!(again["version"], 3);

    let stale = wiki.post("/posts/1/revert").header("if-match", "\"2\"").json(json!({"version": 2})).await.problem(412);
    assert_eq!(stale.body["version"], 3);
    wiki.post("/posts/1/revert").json(json!({"version": 9})).await.problem(404);
    wiki.post("/posts/1/revert").json(json!({"version": 2, "user_id": 99})).await.problem(404);
    wiki.post("/posts/9/revert").json(json!({"version": 1})).await.problem(404);
    wiki.post("/posts/1/revert").json(json!({})).await.problem(422);
    wiki.post("/posts/1/revert").json(json!({"version": "1"})).await.problem(422);
    assert_eq!(wiki.get("/posts/1").await.json()["version"], 3);
}

#[tokio::test]
async fn a_deleted_page_is_restored_with_its_history() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "# Page").await;
    edit(&wiki, 1, &ada, "# Page\n\nmore", "").await;
    let before = wiki.get("/posts/1").await.expect(200).json();
    wiki.delete("/posts/1").await.expect(204);
    assert_eq!(wiki.metric("wiki_posts").await, 0);

    let after = wiki.post("/posts/1/restore").await.expect(200).json();
    for member in ["title", "slug", "content", "tags", "user_id", "created_time"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!((&before["version"], &after["version"]), (&json!(2), &json!(4)));
    assert_eq!(wiki.get("/posts/1").await.expect(200).json(), after);
    assert_eq!(wiki.get("/posts/1/revisions").await.expect(200).json()["revisions"].as_array().unwrap().len(), 4);
    assert_eq!(wiki.metric("wiki_posts").await, 1);
    // What is there needs no restoring, and what never was cannot be.
    assert_eq!(wiki.post("/posts/1/restore").await.expect(200).json(), after);
    wiki.post("/posts/2/restore").await.problem(404);

    // Meanwhile its slug may have gone to another page.
    wiki.delete("/posts/1").await.expect(204);
    wiki.post("/posts").json(json!({"user_id": ada["id"], "content": "x", "slug": "page"})).await.expect(201);
    assert_eq!(wiki.post("/posts/1/restore").await.expect(200).json()["slug"], "page-1");
}

#[tokio::test]
async fn deletions_restorations_and_renames_are_history() {
    let wiki = App::wiki().start().await;
    let (ada, bob) = (wiki.create_user("ada").await, wiki.create_user("bob").await);
    wiki.create_post(&ada, "# One\n\nsame").await;
    edit(&wiki, 1, &ada, "# One\n\nother", "").await;
    let rename = json!({"content": "# One\n\nother", "title": "Two", "version": 2, "user_id": bob["id"]});
    wiki.put("/posts/1").json(rename).await.expect(200);
    wiki.delete(&format!("/posts/1?comment=out%20of%20date&user_id={}", bob["id"])).await.expect(204);

    // Of a page that is deleted, only that is left in the changes.
    let brief = |changes: Vec<Value>| -> Vec<Value> {
        let brief = |change: &Value| json!([change["version"], change["kind"], change["author"], change["comment"]]);
        changes.iter().map(brief).collect()
    };
    let deletion = json!([4, "deleted", "bob", "out of date"]);
    assert_eq!(brief(wiki.walk("/changes", "changes").await), std::slice::from_ref(&deletion));
    assert_eq!(brief(wiki.walk("/changes?user_id=2", "changes").await), std::slice::from_ref(&deletion));
    let feed = wiki.get("/feed.atom").await.expect(200).text().to_owned();
    for expected in
        ["<title>Two (deleted)</title>", "out of date", "/wiki/-/deleted/1\"", "<category term=\"deleted\"/>"]
    {
        assert!(feed.contains(expected), "{expected} in {feed}");
    }
    assert_eq!(feed.matches("<entry>").count(), 1);

    wiki.post("/posts/1/restore?comment=still%20needed&user_id=1").await.expect(200);
    let changes = wiki.walk("/changes?limit=2", "changes").await;
    assert_eq!(
        brief(changes.clone()),
        [
            json!([5, "restored", "ada", "still needed"]),
            deletion,
            json!([3, "renamed", "bob", ""]),
            json!([2, "edited", "ada", ""]),
            json!([1, "created", "ada", ""]),
        ]
    );
    assert_eq!(changes, wiki.walk("/posts/1/revisions", "revisions").await);
    assert_eq!((&changes[2]["title"], &changes[2]["former_title"]), (&json!("Two"), &json!("One")));
    assert!(changes.iter().enumerate().all(|(at, change)| at == 2 || change.get("former_title").is_none()));
    assert_eq!((&changes[1]["size"], &changes[1]["delta"]), (&changes[2]["size"], &json!(0)));
    assert_eq!(wiki.get("/posts/1/compare?from=3&to=5").await.expect(200).json()["hunks"], json!([]));
    assert_eq!(wiki.get("/posts/1/revisions/4").await.expect(200).json()["content"], "# One\n\nother");
    assert_eq!(wiki.metric("revisions_created_total").await, 5);

    // Whoever saw the page before it was deleted did not see what it is now.
    wiki.put("/posts/1").header("if-match", "\"3\"").json(json!({"content": "x"})).await.problem(412);
}

#[tokio::test]
async fn deleted_pages_are_listed_latest_first() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    for title in ["One", "Two", "Three", "Four"] {
        wiki.create_post(&ada, &format!("# {title}")).await;
    }
    assert_eq!(wiki.get("/posts/deleted").await.expect(200).json(), json!({"posts": [], "next": null}));
    wiki.delete("/posts/2?user_id=1&comment=twice").await.expect(204);
    wiki.delete("/posts/1").await.expect(204);
    wiki.delete("/posts/4?user_id=1").await.expect(204);
    wiki.post("/posts/4/restore").await.expect(200);
    wiki.delete("/posts/3?user_id=1").await.expect(204);
    // Its slug may have gone to another page.
    wiki.create_post(&ada, "# Two").await;

    let walked = wiki.walk("/posts/deleted?limit=1", "posts").await;
    let brief =
        |page: &Value| json!([page["post_id"], page["title"], page["slug"], page["deleted_by"], page["comment"]]);
    assert_eq!(
        walked.iter().map(brief).collect::<Vec<_>>(),
        [json!([3, "Three", "three", 1, ""]), json!([1, "One", "one", null, ""]), json!([2, "Two", "two", 1, "twice"])]
    );
    assert_eq!((&walked[2]["deleted_by_name"], &walked[2]["version"]), (&json!("ada"), &json!(2)));
    assert!(walked.iter().all(|page| page["deleted_time"].is_string() && page.get("content").is_none()));

    // Who and why are checked as for any edit, and a deletion that is refused changes nothing.
    wiki.delete("/posts/4?user_id=99").await.problem(404);
    wiki.delete("/posts/4?user_id=x").await.invalid("user_id");
    wiki.delete(&format!("/posts/4?comment={}", "x".repeat(501))).await.invalid("comment");
    wiki.delete("/posts/4?comment=%00").await.invalid("comment");
    wiki.get("/posts/4").await.expect(200);
    wiki.post("/posts/3/restore?user_id=99").await.problem(404);
    wiki.post("/posts/3/restore?comment=%0a").await.invalid("comment");
    wiki.get("/posts/3").await.problem(404);
    for query in
        ["limit=0", "limit=201", "cursor=00", "cursor=5b315d", "cursor=5b393232333337323033363835343737353830372c325d"]
    {
        wiki.get(&format!("/posts/deleted?{query}")).await.problem(422);
        wiki.get(&format!("/wiki/-/deleted?{query}")).await.problem(422);
    }
}

#[tokio::test]
async fn recent_changes_list_the_revisions_of_all_pages() {
    let wiki = App::wiki().start().await;
    let (ada, bob) = (wiki.create_user("ada").await, wiki.create_user("bob").await);
    wiki.create_post(&ada, "one").await;
    wiki.create_post(&bob, "two").await;
    edit(&wiki, 1, &bob, "one!", "louder").await;
    wiki.create_post(&ada, "three").await;
    wiki.delete("/posts/3").await.expect(204);

    let brief = |changes: Vec<Value>| -> Vec<Value> {
        changes.iter().map(|change| json!([change["post_id"], change["version"], change["user_id"]])).collect()
    };
    assert_eq!(
        brief(wiki.walk("/changes?limit=1", "changes").await),
        [json!([3, 2, null]), json!([1, 2, 2]), json!([2, 1, 2]), json!([1, 1, 1])]
    );
    assert_eq!(brief(wiki.walk("/changes?user_id=1", "changes").await), [json!([1, 1, 1])]);
    assert_eq!(brief(wiki.walk("/changes?user_id=abc", "changes").await), Vec::<Value>::new());
    // The last two would go on at times that PostgreSQL has not: [2⁶³−1, 2, 1] and [−2⁶³, 2, 1].
    for query in [
        "limit=0",
        "cursor=00",
        "cursor=5b315d",
        "cursor=5b393232333337323033363835343737353830372c322c315d",
        "cursor=5b2d393232333337323033363835343737353830382c322c315d",
    ] {
        wiki.get(&format!("/changes?{query}")).await.problem(422);
        wiki.get(&format!("/wiki/-/changes?{query}")).await.problem(422);
    }
}

/// Each editor reads the page, adds a line of its own and writes it back, from the start again whenever somebody else was
/// faster: no line may be missing in the end, and no version may be there twice.
#[tokio::test]
async fn concurrent_edits_by_32_editors_are_all_kept() {
    const EDITORS: usize = 32;
    const EDITS: usize = 50;
    let wiki = App::wiki().replicas(2).start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "").await;
    let editors = (0..EDITORS).map(|editor| {
        let client = wiki.replica(editor % wiki.replicas()).clone();
        async move {
            let mut current = client.get("/posts/1").await.expect(200).json();
            for edit in 0..EDITS {
                let line = format!("{editor}.{edit}\n");
                loop {
                    let content = format!("{}{line}", current["content"].as_str().unwrap());
                    let version = current["version"].as_i64().unwrap();
                    let put = client.put("/posts/1").header("if-match", format!("\"{version}\""));
                    let answer = put.json(json!({"content": content})).await;
                    if answer.status() == 200 {
                        current = answer.json();
                        break;
                    }
                    // A loser gets what it needs to merge and try again, without asking.
                    current = answer.problem(412).body["current"].clone();
                    assert!(current["version"].as_i64().unwrap() > version, "{current}");
                }
            }
        }
    });
    at_once(editors).await;

    let post = wiki.get("/posts/1").await.expect(200).json();
    assert_eq!(post["version"], EDITORS * EDITS + 1);
    let mut lines: Vec<&str> = post["content"].as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), EDITORS * EDITS);
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), EDITORS * EDITS, "every line once");
    let walked = wiki.walk("/posts/1/revisions?limit=200", "revisions").await;
    let versions: Vec<usize> = walked.iter().map(|entry| entry["version"].as_u64().unwrap() as usize).collect();
    assert_eq!(versions, (1..=EDITORS * EDITS + 1).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_largest_pages_are_compared_in_bounded_time() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    // A mebibyte of lines, and one of words in a single line: nothing in common.
    let text = |prefix: &str, end: char| {
        (0..130_000).map(|n| format!("{prefix}{:06}{end}", n * 7919 % 130_003)).collect::<String>()
    };
    for (version, (prefix, end)) in [("a", '\n'), ("b", '\n'), ("a", ' '), ("b", ' ')].into_iter().enumerate() {
        match i64::try_from(version).unwrap() {
            0 => drop(wiki.create_post(&ada, &text(prefix, end)).await),
            version => drop(edit(&wiki, version, &ada, &text(prefix, end), "").await),
        }
    }
    // Answered at all means within the runner's time for a request.
    for query in ["from=1&to=2", "from=3&to=4", "from=1&to=3"] {
        let difference = wiki.get(&format!("/posts/1/compare?{query}")).await.expect(200).json();
        assert!(!difference["hunks"].as_array().unwrap().is_empty());
    }
}
