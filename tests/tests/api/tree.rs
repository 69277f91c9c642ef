//! The tree: pages below pages, their order, and moves.

use blackbox::{App, Client, Value, at_once, json};

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
