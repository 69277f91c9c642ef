//! The tree: pages below pages, their order, and moves.

use blackbox::{ADMIN_PASSWORD, App, Client, PASSWORD, Value, at_once, json};

async fn page(wiki: &Client, title: &str, parent: Option<i64>) -> i64 {
    let draft = json!({"user_id": 1, "title": title, "content": title, "parent_id": parent});
    wiki.post("/posts").json(draft).await.expect(201).json()["post_id"].as_i64().unwrap()
}

/// The titles below a page, or at the top of the first space.
async fn titles(wiki: &Client, parent: Option<i64>) -> Vec<String> {
    let target = parent.map_or("/spaces/1/children".to_owned(), |id| format!("/posts/{id}/children"));
    let pages = wiki.walk(&format!("{target}?limit=2"), "children").await;
    pages.iter().map(|page| page["title"].as_str().unwrap().to_owned()).collect()
}

async fn relocate(wiki: &Client, id: i64, to: Value) -> u16 {
    wiki.post(&format!("/posts/{id}/move")).json(to).await.status()
}

#[tokio::test]
async fn pages_are_below_pages_in_the_order_of_people() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let top = page(&wiki, "Top", None).await;
    let (a, b, c) =
        (page(&wiki, "A", Some(top)).await, page(&wiki, "B", Some(top)).await, page(&wiki, "C", Some(top)).await);
    assert_eq!(titles(&wiki, Some(top)).await, ["A", "B", "C"]);
    let read = wiki.get(&format!("/posts/{a}")).await.expect(200).json();
    assert_eq!((&read["parent_id"], &read["space_id"]), (&json!(top), &json!(1)));
    assert_eq!(wiki.walk(&format!("/posts?parent_id={top}"), "posts").await.len(), 3);

    assert_eq!(relocate(&wiki, c, json!({"parent_id": top, "position": 0})).await, 200);
    assert_eq!(titles(&wiki, Some(top)).await, ["C", "A", "B"]);
    assert_eq!(relocate(&wiki, c, json!({"parent_id": top, "position": 1})).await, 200);
    assert_eq!(titles(&wiki, Some(top)).await, ["A", "C", "B"]);
    // Often enough between the same two to use up all room between them.
    for round in 0..40 {
        let moved = if round % 2 == 0 { b } else { c };
        assert_eq!(relocate(&wiki, moved, json!({"parent_id": top, "position": 1})).await, 200);
    }
    assert_eq!(titles(&wiki, Some(top)).await, ["A", "C", "B"]);

    assert_eq!(relocate(&wiki, b, json!({"parent_id": a})).await, 200);
    assert_eq!(relocate(&wiki, a, json!({})).await, 200);
    assert_eq!(titles(&wiki, None).await, ["Top", "A"]);
    assert_eq!(titles(&wiki, Some(a)).await, ["B"]);
    let listed = wiki.get("/spaces/1/children").await.expect(200).json();
    assert_eq!(listed["children"][0]["children"], 1, "{listed}");

    // The page above goes: what was below it moves up, and stays there when it comes back.
    wiki.delete(&format!("/posts/{a}")).await.expect(204);
    assert_eq!(titles(&wiki, None).await, ["Top", "B"]);
    wiki.post(&format!("/posts/{a}/restore")).await.expect(200);
    assert_eq!(titles(&wiki, None).await, ["Top", "B", "A"]);
    assert_eq!(titles(&wiki, Some(a)).await, [""; 0]);
    wiki.get(&format!("/posts/{a}/children")).await.expect(200);
    wiki.get("/posts/99/children").await.problem(404);
    wiki.get("/spaces/99/children").await.problem(404);
}

/// The number of the page above a page.
async fn parent(wiki: &Client, id: i64) -> Value {
    wiki.get(&format!("/posts/{id}")).await.expect(200).json()["parent_id"].clone()
}

#[tokio::test]
async fn a_page_is_deleted_with_everything_below_it() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let top = page(&wiki, "Top", None).await;
    let a = page(&wiki, "A", Some(top)).await;
    let (low, gone) = (page(&wiki, "Low", Some(a)).await, page(&wiki, "Gone", Some(a)).await);
    let other = page(&wiki, "Other", Some(top)).await;
    // A page that was deleted before has no second deletion.
    wiki.delete(&format!("/posts/{gone}?comment=before")).await.expect(204);

    let delete = |query: &str| wiki.delete(&format!("/posts/{a}?{query}"));
    delete("below=yes").await.invalid("below");
    delete("below=true&user_id=99").await.problem(404);
    let stale = delete("below=true").header("if-match", "\"7\"").await.problem(412);
    assert_eq!(stale.body["current"]["post_id"], a);
    assert_eq!(titles(&wiki, Some(a)).await, ["Low"]);
    delete("below=true&comment=Old&user_id=1").header("if-match", "\"1\"").await.expect(204);
    delete("below=true").await.problem(404);
    assert_eq!(titles(&wiki, Some(top)).await, ["Other"]);
    let deleted = wiki.walk("/posts/deleted", "posts").await;
    let told: Vec<Value> =
        deleted.iter().map(|page| json!([page["title"], page["comment"], page["deleted_by"]])).collect();
    assert_eq!(told, [json!(["Low", "Old", 1]), json!(["A", "Old", 1]), json!(["Gone", "before", null])]);

    // From the top down, everything comes back to its place.
    for id in [a, low, gone] {
        wiki.post(&format!("/posts/{id}/restore")).await.expect(200);
    }
    assert_eq!(titles(&wiki, Some(top)).await, ["A", "Other"]);
    assert_eq!(titles(&wiki, Some(a)).await, ["Low", "Gone"]);
    let revisions = wiki.walk(&format!("/posts/{low}/revisions"), "revisions").await;
    let kinds: Vec<&str> = revisions.iter().map(|revision| revision["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["restored", "deleted", "created"]);

    // In another order, a page comes below the first page above it that is there, or to the top.
    wiki.delete(&format!("/posts/{top}?below=true")).await.expect(204);
    for id in [low, a, top, other] {
        wiki.post(&format!("/posts/{id}/restore")).await.expect(200);
    }
    for (id, above) in [(low, Value::Null), (a, Value::Null), (top, Value::Null), (other, json!(top))] {
        assert_eq!(parent(&wiki, id).await, above, "page {id}");
    }
}

#[tokio::test]
async fn of_a_tree_all_is_deleted_or_nothing() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    wiki.create_account(&cookie, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    let make = async |title: &str, parent: Option<i64>| {
        let draft = json!({"title": title, "content": title, "parent_id": parent});
        wiki.post("/posts").cookie(&cookie).json(draft).await.expect(201).json()["post_id"].as_i64().unwrap()
    };
    let top = make("Top", None).await;
    let (kept, read, hidden) =
        (make("Kept", Some(top)).await, make("Read", Some(top)).await, make("Kakapo", Some(top)).await);
    let below = make("Numbat", Some(hidden)).await;
    let detail = async || {
        let problem = wiki.delete(&format!("/posts/{top}?below=true")).cookie(&eve).await.problem(403);
        problem.detail
    };
    let narrow = async |id: i64, everybody: &str| {
        let access = json!({"everybody": everybody});
        wiki.put(&format!("/posts/{id}/access")).cookie(&cookie).json(access).await.expect(200);
    };
    wiki.put(&format!("/posts/{kept}/protection")).cookie(&cookie).await.expect(200);
    assert_eq!(detail().await, "Nothing was deleted. Only administrators may delete “Kept” below this page.");
    narrow(read, "read").await;
    narrow(hidden, "none").await;
    assert_eq!(
        detail().await,
        "Nothing was deleted. Only administrators may delete “Kept” below this page. You may read “Read” below this page, but \
         not delete it."
    );
    wiki.delete(&format!("/posts/{kept}/protection")).cookie(&cookie).await.expect(200);
    wiki.delete(&format!("/posts/{read}/access")).cookie(&cookie).await.expect(204);
    for id in [top, kept, read, hidden, below] {
        let page = wiki.get(&format!("/posts/{id}")).cookie(&cookie).await.expect(200).json();
        assert_eq!(page["version"], 1, "{page}");
    }
    // What somebody does not see moves up, with what is below it, and nothing says so.
    wiki.delete(&format!("/posts/{top}?below=true")).cookie(&eve).await.expect(204);
    let listed = wiki.get("/posts").cookie(&cookie).await.expect(200).json();
    let left: Vec<_> =
        listed["posts"].as_array().unwrap().iter().map(|page| (&page["title"], &page["parent_id"])).collect();
    assert_eq!(left, [(&json!("Numbat"), &json!(hidden)), (&json!("Kakapo"), &Value::Null)]);
    // Whoever sees all of it deletes all.
    wiki.delete(&format!("/posts/{hidden}?below=true")).cookie(&cookie).await.expect(204);
    assert_eq!(wiki.get("/posts").cookie(&cookie).await.expect(200).json()["posts"], json!([]));
}

/// Pages that are created, moved and restored below one that is deleted at the same time: none is left below a deleted page.
#[tokio::test]
async fn nothing_is_left_below_what_is_deleted() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    for round in 0..8 {
        let top = page(&wiki, &format!("Top {round}"), None).await;
        let low = page(&wiki, &format!("Low {round}"), Some(top)).await;
        let gone = page(&wiki, &format!("Gone {round}"), Some(low)).await;
        let moved = page(&wiki, &format!("Moved {round}"), None).await;
        wiki.delete(&format!("/posts/{gone}")).await.expect(204);
        let requests = (0..6).map(|number| match number {
            0 => wiki.delete(&format!("/posts/{top}?below=true")),
            1 => wiki.post(&format!("/posts/{moved}/move")).json(json!({"parent_id": low})),
            2 => wiki.post(&format!("/posts/{gone}/restore")),
            _ => {
                let parent = if number % 2 == 0 { top } else { low };
                wiki.post("/posts").json(json!({"user_id": 1, "content": "new", "parent_id": parent}))
            }
        });
        let statuses = at_once(requests.map(|request| async move { request.await.status() })).await;
        assert!(statuses.iter().all(|status| matches!(status, 200 | 201 | 204 | 404)), "{statuses:?}");
        assert_eq!(statuses[0], 204);
        let lost = "SELECT count(*) FROM posts JOIN posts above ON above.id = posts.parent_id
            WHERE posts.deleted_time IS NULL AND above.deleted_time IS NOT NULL";
        let lost: i64 = wiki.database().client().await.query_one(lost, &[]).await.unwrap().get(0);
        assert_eq!(lost, 0, "{statuses:?}");
    }
}

#[tokio::test]
async fn a_move_that_cannot_be_is_refused() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let a = page(&wiki, "A", None).await;
    let b = page(&wiki, "B", Some(a)).await;
    let c = page(&wiki, "C", Some(b)).await;
    for (parent, why) in [(a, "itself"), (b, "its child"), (c, "its grandchild"), (99, "nothing")] {
        let response = wiki.post(&format!("/posts/{a}/move")).json(json!({"parent_id": parent})).await;
        assert_eq!(response.status(), if parent == 99 { 404 } else { 409 }, "below {why}: {response:?}");
    }
    wiki.post("/posts/1/move").json(json!({"space_id": 99})).await.problem(404);
    wiki.post("/posts/1/move").json(json!({"position": -1})).await.invalid("position");
    wiki.post("/posts/3/move").json(json!({"parent_id": 2, "space_id": 9})).await.problem(404);
    wiki.post("/posts/99/move").json(json!({})).await.problem(404);
    let draft = json!({"user_id": 1, "content": "x", "parent_id": 99});
    wiki.post("/posts").json(draft).await.problem(404);
    let draft = json!({"user_id": 1, "content": "x", "space_id": 99});
    wiki.post("/posts").json(draft).await.problem(404);
    assert_eq!(titles(&wiki, None).await, ["A"]);
    assert_eq!(wiki.walk("/posts", "posts").await.len(), 3);

    // As deep as it may be, and no deeper.
    let mut last = c;
    for depth in 4..=50 {
        last = page(&wiki, &format!("Level {depth}"), Some(last)).await;
    }
    let draft = json!({"user_id": 1, "content": "too deep", "parent_id": last});
    wiki.post("/posts").json(draft).await.problem(409);
    let other = page(&wiki, "Other", None).await;
    assert_eq!(relocate(&wiki, a, json!({"parent_id": other})).await, 409);
}

/// Whoever moves what at once: nothing is ever below itself, and nothing is lost.
#[tokio::test]
async fn moves_at_once_never_make_a_circle() {
    const PAGES: i64 = 24;
    const MOVERS: u64 = 32;
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let mut above = None;
    for number in 0..PAGES {
        // A chain, which is as deep as it is long.
        above = Some(page(&wiki, &format!("Page {number}"), above).await);
    }
    let outcomes = at_once((0..MOVERS).map(|mover| {
        let wiki = wiki.clone();
        async move {
            let mut statuses = Vec::new();
            let mut random = mover.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
            let mut number = || {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                i64::try_from(random % PAGES.unsigned_abs()).unwrap() + 1
            };
            for _ in 0..6 {
                let (id, parent) = (number(), number());
                statuses.push(relocate(&wiki, id, json!({"parent_id": parent})).await);
            }
            statuses
        }
    }))
    .await;
    let statuses: Vec<u16> = outcomes.into_iter().flatten().collect();
    let moved = statuses.iter().filter(|status| **status == 200).count();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    assert!(moved > 20, "{moved} of {} moves were done", statuses.len());

    // From the top, every page is reached once.
    let mut level = wiki.walk("/spaces/1/children?limit=200", "children").await;
    let mut seen = 0;
    while !level.is_empty() {
        seen += level.len();
        let mut below = Vec::new();
        for page in &level {
            below.extend(wiki.walk(&format!("/posts/{}/children", page["post_id"]), "children").await);
        }
        level = below;
    }
    assert_eq!(i64::try_from(seen).unwrap(), PAGES);
}
