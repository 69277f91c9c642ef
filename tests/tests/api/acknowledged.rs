//! A save that was acknowledged is a revision, whatever else happens to the page at the same moment.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blackbox::{App, Client, Value, at_once, json};

const WRITERS: usize = 6;
const SAVES: usize = 40;

/// The contents of the saves that were answered 200, of several writers at once. Others may be refused with `refusals`.
async fn save_at_once(wiki: &App, refusals: &'static [u16]) -> Vec<String> {
    let writers = (0..WRITERS).map(|writer| {
        let client = wiki.replica(0).clone();
        async move {
            let mut saved = Vec::new();
            for n in 0..SAVES {
                let content = format!("save {n} of writer {writer}");
                let version = match client.get("/posts/1").await {
                    post if post.status() == 200 => post.json()["version"].clone(),
                    // Deleted at this moment. The next version is never below the one in a test this short.
                    _ => continue,
                };
                let response = client.put("/posts/1").json(json!({"content": content, "version": version})).await;
                match response.status() {
                    200 => saved.push(content),
                    status => assert!(refusals.contains(&status), "{response:?}"),
                }
            }
            saved
        }
    });
    at_once(writers).await.into_iter().flatten().collect()
}

/// The contents of all revisions of the page.
async fn revisions(wiki: &App) -> HashSet<String> {
    let latest = wiki.get("/posts/1").await.expect(200).json()["version"].as_i64().expect("a version");
    let mut contents = HashSet::new();
    for version in 1..=latest {
        let revision = wiki.get(&format!("/posts/1/revisions/{version}")).await.expect(200).json();
        contents.insert(revision["content"].as_str().expect("a text").to_owned());
    }
    contents
}

/// Runs `toggle` over and over while others save, and checks that what they were told is true.
async fn acknowledged_saves_are_revisions<F>(
    wiki: &App,
    refusals: &'static [u16],
    toggle: impl Fn(Client) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let over = Arc::new(AtomicBool::new(false));
    let (stop, client) = (over.clone(), wiki.replica(0).clone());
    let toggling = tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            toggle(client.clone()).await;
        }
    });
    let saved = save_at_once(wiki, refusals).await;
    over.store(true, Ordering::Relaxed);
    toggling.await.expect("toggling does not fail");
    assert!(!saved.is_empty(), "nothing was saved: this test tried nothing");
    let revisions = revisions(wiki).await;
    let lost: Vec<_> = saved.iter().filter(|content| !revisions.contains(*content)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged saves are no revisions: {lost:?}", lost.len(), saved.len());
}

#[tokio::test]
async fn an_acknowledged_save_is_a_revision_while_protection_is_toggled() {
    let wiki = App::wiki().access("open").start().await;
    let administrator = wiki.administrator().await;
    let post = wiki.post("/posts").cookie(&administrator).json(json!({"content": "one"})).await.expect(201).json();
    assert_eq!(post["post_id"], Value::from(1));
    acknowledged_saves_are_revisions(&wiki, &[403, 409], move |client| {
        let administrator = administrator.clone();
        async move {
            client.put("/posts/1/protection").cookie(&administrator).json(json!({})).await.expect(200);
            client.delete("/posts/1/protection").cookie(&administrator).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn an_acknowledged_save_is_a_revision_while_the_page_is_deleted_and_restored() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "one").await;
    acknowledged_saves_are_revisions(&wiki, &[404, 409], |client| async move {
        client.delete("/posts/1").await.expect(204);
        client.post("/posts/1/restore").json(json!({})).await.expect(200);
    })
    .await;
}
