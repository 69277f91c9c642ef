//! Many at once, and a crash in the middle of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use blackbox::{App, Client, Value, at_once, eventually, json};

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|s| **s == status).count()
}

#[tokio::test]
async fn of_50_requests_for_one_username_exactly_one_succeeds() {
    let wiki = App::wiki().replicas(2).start().await;
    let requests = (0..50).map(|n| {
        let client = wiki.replica(n % wiki.replicas()).clone();
        async move { client.post("/users").json(json!({"username": "ada"})).await.status() }
    });
    let statuses = at_once(requests).await;
    assert_eq!((count(&statuses, 201), count(&statuses, 409)), (1, 49), "{statuses:?}");
    assert_eq!(wiki.metric("users_created_total").await, 1);
}

#[tokio::test]
async fn of_50_requests_for_one_email_exactly_one_succeeds() {
    let wiki = App::wiki().start().await;
    let requests = (0..50).map(|n| {
        let client = wiki.replica(0).clone();
        async move {
            let body = json!({"username": format!("user{n}"), "email": "docker@test.com"});
            client.post("/users").json(body).await.status()
        }
    });
    let statuses = at_once(requests).await;
    assert_eq!((count(&statuses, 201), count(&statuses, 409)), (1, 49), "{statuses:?}");
}

#[tokio::test]
async fn of_concurrent_edits_of_one_version_exactly_one_wins() {
    let wiki = App::wiki().replicas(2).start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "version 1").await;
    for version in 1..=5 {
        let writers = (0..20).map(|n| {
            let client = wiki.replica(n % wiki.replicas()).clone();
            async move {
                let content = format!("version {} by writer {n}", version + 1);
                let request = client.put("/posts/1");
                // Half of them say what they saw in the header, half in the body.
                let answer = if n < 10 {
                    request.header("if-match", format!("\"{version}\"")).json(json!({"content": content})).await
                } else {
                    request.json(json!({"content": content, "version": version})).await
                };
                if answer.status() != 200 {
                    assert_eq!(answer.problem(if n < 10 { 412 } else { 409 }).body["version"], version + 1);
                }
                (answer.status(), content)
            }
        });
        let answers = at_once(writers).await;
        let winners: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let post = wiki.get("/posts/1").await.expect(200).json();
        assert_eq!((&post["content"], &post["version"]), (&json!(winners[0].1), &json!(version + 1)));
    }
}

#[tokio::test]
async fn a_page_is_deleted_once() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "x").await;
    let deletions = (0..20).map(|_| {
        let client = wiki.replica(0).clone();
        async move { client.delete("/posts/1").await.status() }
    });
    let statuses = at_once(deletions).await;
    assert_eq!((count(&statuses, 204), count(&statuses, 404)), (1, 19), "{statuses:?}");
}

#[tokio::test]
async fn pages_with_one_title_are_all_created_at_once() {
    let wiki = App::wiki().start().await;
    let id = wiki.create_user("ada").await["id"].clone();
    let posts = at_once((0..30).map(|_| {
        let (client, user) = (wiki.replica(0).clone(), json!({"id": id}));
        async move { client.create_post(&user, "# One title").await }
    }))
    .await;
    let slugs: HashSet<_> = posts.iter().map(|post| post["slug"].to_string()).collect();
    assert_eq!(slugs.len(), 30);
}

#[tokio::test]
async fn a_list_of_120_is_walked_completely_while_others_write() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("writer").await;
    for n in 0..120 {
        wiki.create_user(&format!("user{n}")).await;
    }
    for n in 0..120 {
        wiki.create_post(&user, &format!("Page {n}")).await;
    }
    let walking = Arc::new(AtomicUsize::new(1));
    let writers: Vec<_> = (0..2)
        .map(|w| {
            let (client, user, walking) = (wiki.replica(0).clone(), user.clone(), walking.clone());
            tokio::spawn(async move {
                let mut n = 0;
                while walking.load(Ordering::Relaxed) > 0 {
                    client.create_user(&format!("new{w}-{n}")).await;
                    client.create_post(&user, "new").await;
                    n += 1;
                }
                n
            })
        })
        .collect();
    for (list, items, key) in [
        ("/users?limit=50", "users", "id"),
        ("/users", "users", "id"),
        ("/posts?limit=50", "posts", "post_id"),
        ("/posts?sort=created&limit=50", "posts", "post_id"),
        ("/posts?sort=title&limit=50", "posts", "post_id"),
    ] {
        let walked = wiki.walk(list, items).await;
        let ids: Vec<_> = walked.iter().filter_map(|item| item[key].as_i64()).collect();
        let distinct: HashSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{list} repeats nothing");
        for id in 1..=120 {
            assert!(distinct.contains(&id), "{list} leaves out nothing: {id}");
        }
    }
    walking.store(0, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0, "somebody wrote meanwhile");
    }
}

#[tokio::test]
async fn many_first_requests_on_an_empty_database_all_succeed() {
    let wiki = App::wiki().as_owner().replicas(5).at_once().start().await;
    let requests = (0..50).map(|n| {
        let client = wiki.replica(n % wiki.replicas()).clone();
        async move {
            match n % 3 {
                0 => client.post("/users").json(json!({"username": format!("user{n}")})).await.expect(201),
                1 => client.get("/posts").await.expect(200),
                _ => client.get("/ready").await.expect(200),
            }
        }
    });
    at_once(requests).await;
    assert_eq!(wiki.metric("users_created_total").await, 17);
    let files = std::fs::read_dir(blackbox::repository().join("migrations")).unwrap().count();
    let versions = wiki.database().column("SELECT version FROM schema_migrations ORDER BY version").await;
    let expected: Vec<String> = (1..=files).map(|version| version.to_string()).collect();
    assert_eq!(versions, expected, "each migration was applied once");
}

#[tokio::test]
async fn a_crash_during_1000_writes_loses_nothing_that_was_acknowledged() {
    const WRITES: usize = 1000;
    let mut wiki = App::wiki().start().await;
    let user = wiki.create_user("writer").await;
    let (next, acknowledged) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (client, user) = (wiki.replica(0).clone(), user.clone());
            tokio::spawn(write_until_it_breaks(client, user, next.clone(), WRITES, acknowledged.clone()))
        })
        .collect();
    eventually("400 writes are acknowledged", || async { acknowledged.lock().unwrap().len() >= 400 }).await;
    wiki.kill9();
    for writer in writers {
        writer.await.unwrap();
    }
    let acknowledged: Vec<Value> = std::mem::take(&mut acknowledged.lock().unwrap());
    assert!(acknowledged.len() < WRITES, "the crash came in the middle of the writes");

    wiki.start_again().await;
    let posts = wiki.walk("/posts?limit=200&sort=created", "posts").await;
    let kept: HashSet<_> = posts.iter().map(|post| post["post_id"].as_i64()).collect();
    for post in &acknowledged {
        assert!(kept.contains(&post["post_id"].as_i64()), "{post} was acknowledged and is lost");
    }
    for post in acknowledged.iter().step_by(50) {
        let read = wiki.get(&format!("/posts/{}", post["post_id"])).await.expect(200).json();
        assert_eq!(&read, post);
    }
    assert_eq!(wiki.metric("posts_created_total").await, posts.len() as u64, "the counter is as exact as before");
    wiki.create_post(&user, "and the wiki goes on").await;
}

async fn write_until_it_breaks(
    client: Client,
    user: Value,
    next: Arc<AtomicUsize>,
    writes: usize,
    acknowledged: Arc<Mutex<Vec<Value>>>,
) {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= writes {
            return;
        }
        let body = json!({"user_id": user["id"], "content": format!("write {n}")});
        match client.post("/posts").json(body).attempt().await {
            Ok(answer) => acknowledged.lock().unwrap().push(answer.expect(201).json()),
            Err(_) => return,
        }
    }
}
