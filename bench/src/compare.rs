//! Checks that peers do the same work: a comparison of different answers would say nothing.

use anyhow::{Context, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::peers::Running;
use crate::workload::Workload;

/// What differs from one writing request to the next, however the same the answers are.
const CHANGING: [&str; 5] = ["post_id", "slug", "created_time", "updated_time", "timestamp"];

/// Compares each peer's answers with those of the first wiki among them; fails naming what differs.
pub async fn peers(running: &[Running]) -> anyhow::Result<()> {
    let servers: Vec<&Running> = running.iter().filter(|running| !running.url.is_empty()).collect();
    let Some(wiki) = servers.iter().find(|running| running.peer.is_a_wiki()) else { return Ok(()) };
    for other in &servers {
        let checked = if other.peer.is_a_wiki() { wikis(wiki, other).await } else { old_service(wiki, other).await };
        checked.with_context(|| format!("{} and {} cannot be compared", wiki.peer, other.peer))?;
    }
    Ok(())
}

async fn wikis(wiki: &Running, other: &Running) -> anyhow::Result<()> {
    let client = Client::new()?;
    for (workload, path, accept) in [
        (Workload::GetUser, "/users/1", ""),
        (Workload::GetPost, "/posts/1", ""),
        (Workload::ListPosts, "/posts", ""),
        (Workload::PageHtml, "/posts/1", "text/html"),
        (Workload::Search, "/search?q=207", ""),
    ] {
        if other.peer.answers(workload) {
            let one = client.get(&format!("{}{path}", wiki.url), accept).await?;
            let two = client.get(&format!("{}{path}", other.url), accept).await?;
            same(&format!("GET {path}"), &one, &two)?;
        }
    }
    let health = [wiki, other].map(|running| format!("{}/health", running.url));
    let [one, two] = [client.get(&health[0], "").await?, client.get(&health[1], "").await?];
    same("GET /health", &without_what_changes(one)?, &without_what_changes(two)?)?;

    let written = [write(&client, wiki).await?, write(&client, other).await?];
    let [one, two] = written;
    for (what, (one, two)) in ["POST /posts", "PUT /posts/{id}"].into_iter().zip(one.into_iter().zip(two)) {
        same(what, &without_what_changes(one)?, &without_what_changes(two)?)?;
    }
    Ok(())
}

/// Makes a page and edits it; returns both answers.
async fn write(client: &Client, running: &Running) -> anyhow::Result<[Answer; 2]> {
    let url = format!("{}/posts", running.url);
    let page = json!({"user_id": 1, "content": "# A check\n\nSee [[Page 1]]."}).to_string();
    let made = client.send_json(Method::POST, &url, page, None).await?;
    ensure!(made.is_success(), "{} answers POST /posts {}: {}", running.peer, made.status, made.excerpt());
    let id = serde_json::from_slice::<Value>(&made.body).context("an answer is not JSON")?["post_id"].clone();
    let edit = json!({"content": "# A check\n\nMore.", "title": "Checked"}).to_string();
    let edited = client.send_json(Method::PUT, &format!("{url}/{id}"), edit, Some("\"1\"")).await?;
    Ok([made, edited])
}

/// The answer with an empty value for each member that no two answers share.
fn without_what_changes(mut answer: Answer) -> anyhow::Result<Answer> {
    let mut value: Value = serde_json::from_slice(&answer.body).context("an answer is not JSON")?;
    for name in CHANGING {
        if let Some(member) = value.get_mut(name) {
            *member = Value::Null;
        }
    }
    answer.body = value.to_string().into_bytes();
    Ok(answer)
}

fn same(what: &str, one: &Answer, two: &Answer) -> anyhow::Result<()> {
    ensure!(one.is_success(), "{what} is answered {}: {}", one.status, one.excerpt());
    if one != two {
        bail!(
            "the answers to {what} differ:\n{} {} {}\n{} {} {}",
            one.status,
            one.content_type,
            one.excerpt(),
            two.status,
            two.content_type,
            two.excerpt()
        );
    }
    Ok(())
}

/// The old service answers in its own words: its users and posts must be the wiki's.
async fn old_service(wiki: &Running, other: &Running) -> anyhow::Result<()> {
    let client = Client::new()?;
    for (path, members) in
        [("/users/1", &["id", "username", "email"][..]), ("/posts/1", &["post_id", "user_id", "content"])]
    {
        let mut values = Vec::new();
        for running in [wiki, other] {
            let answer = client.get(&format!("{}{path}", running.url), "").await?;
            ensure!(answer.is_success(), "{} answers GET {path} {}: {}", running.peer, answer.status, answer.excerpt());
            values.push(serde_json::from_slice::<Value>(&answer.body).context("an answer is not JSON")?);
        }
        for member in members {
            ensure!(values[0][*member] == values[1][*member], "the answers to GET {path} differ in {member}");
        }
    }
    let page = json!({"user_id": 1, "content": "# A check"}).to_string();
    let made = client.send_json(Method::POST, &format!("{}/posts", other.url), page, None).await?;
    ensure!(made.is_success(), "{} answers POST /posts {}: {}", other.peer, made.status, made.excerpt());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, content_type: "application/json".into(), body: body.into() }
    }

    #[test]
    fn different_answers_are_refused() {
        assert!(same("GET /", &answer(200, "a"), &answer(200, "a")).is_ok());
        assert!(same("GET /", &answer(200, "a"), &answer(200, "b")).is_err());
        assert!(same("GET /", &answer(200, "a"), &answer(201, "a")).is_err());
        assert!(same("GET /", &answer(404, "a"), &answer(404, "a")).is_err());
    }

    #[test]
    fn what_changes_is_left_out_and_the_order_of_members_is_not() {
        let plain = |body: &str| without_what_changes(answer(200, body)).unwrap();
        assert_eq!(plain(r#"{"post_id":1,"title":"a"}"#), plain(r#"{"post_id":2,"title":"a"}"#));
        assert_ne!(plain(r#"{"post_id":1,"title":"a"}"#), plain(r#"{"title":"a","post_id":1}"#));
        assert_ne!(plain(r#"{"title":"a"}"#), plain(r#"{"title":"b"}"#));
    }
}
