//! Checks that peers do the same work: a comparison of different answers would be worth nothing.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::database::Database;
use crate::peer::Peer;
use crate::peers::Running;
use crate::workload::Workload;

/// Members of JSON whose values differ between any two new pages or moments.
const CHANGING: [&str; 5] = ["post_id", "slug", "created_time", "updated_time", "timestamp"];

/// The rows of a page, its revisions and its words, without what differs between any two pages: also its place behind all others,
/// and what follows from a slug that another page has.
const ROWS: &str = "SELECT (to_jsonb(p) - '{id,slug,title_slug,position,created_time,updated_time}'::text[])::text || (
                      SELECT jsonb_agg(to_jsonb(r) - '{post_id,slug,created_time}'::text[] ORDER BY version)
                      FROM revisions AS r WHERE post_id = p.id) || (
                      SELECT (to_jsonb(s) - 'post_id')::text FROM searched AS s WHERE post_id = p.id)
                    FROM posts AS p WHERE id = ";

/// An answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    headers: [String; 2],
    pub body: String,
}

/// Compares each peer's answers, and what it writes, with those of the first wiki; fails with what differs.
pub async fn peers(running: &[Running], database: &Database) -> anyhow::Result<()> {
    let Some(wiki) = running.iter().find(|running| running.peer.answers(Workload::EditPost)) else { return Ok(()) };
    let client = client()?;
    for other in running {
        let checked = match other.peer {
            Peer::Pgbench => Ok(()),
            Peer::FastApi(_) => old_service(&client, wiki, other).await,
            _ => wikis(&client, wiki, other, database).await,
        };
        checked.with_context(|| format!("{} and {} cannot be compared", wiki.peer, other.peer))?;
    }
    Ok(())
}

async fn wikis(client: &Client, wiki: &Running, other: &Running, database: &Database) -> anyhow::Result<()> {
    for (workload, path, accept) in [
        (Workload::Health, "/health", "*/*"),
        (Workload::GetUser, "/users/1", "*/*"),
        (Workload::GetPost, "/posts/1", "*/*"),
        (Workload::ListPosts, "/posts", "*/*"),
        (Workload::PageHtml, "/posts/1", "text/html"),
        (Workload::Search, "/search?q=page", "*/*"),
    ] {
        if other.peer.answers(workload) {
            let get = |running: &Running| send(client.get(format!("{}{path}", running.url)).header("accept", accept));
            same(&format!("GET {path}"), get(wiki).await?, get(other).await?)?;
        }
    }
    let [one, two] = [write(client, wiki, database).await?, write(client, other, database).await?];
    same("POST /posts", one.0, two.0)?;
    same("PUT /posts/{id}", one.1, two.1)?;
    ensure!(one.2 == two.2, "they write different rows:\n{:?}\n{:?}", one.2, two.2);
    Ok(())
}

/// Creates a page and edits it; returns both answers and the rows.
async fn write(client: &Client, running: &Running, db: &Database) -> anyhow::Result<(Answer, Answer, Vec<String>)> {
    let url = format!("{}/posts", running.url);
    let page = json!({"user_id": 1, "content": "# A check\n\nSee [[Page 1]], `[[Page 2]]` and [[Page 1|it]]."});
    let created = send(with_json(client.post(&url), &page)).await?;
    let id = json(&created)?["post_id"].as_i64().with_context(|| format!("POST /posts is answered {created:?}"))?;
    let rows = format!("{ROWS}{id}");
    let mut written = db.column(&rows).await?;
    let edit = json!({"content": "# A check\n\nMore, see [[Page 3]].", "title": "Checked"});
    let edited = send(with_json(client.put(format!("{url}/{id}")).header("if-match", "\"1\""), &edit)).await?;
    written.extend(db.column(&rows).await?);
    Ok((created, edited, written))
}

/// The old service answers in its own words: its users and posts must be the wiki's.
async fn old_service(client: &Client, wiki: &Running, other: &Running) -> anyhow::Result<()> {
    for (path, members) in
        [("/users/1", &["id", "username", "email"][..]), ("/posts/1", &["post_id", "user_id", "content"])]
    {
        let get = |running: &Running| send(client.get(format!("{}{path}", running.url)));
        let [one, two] = [json(&get(wiki).await?)?, json(&get(other).await?)?];
        for member in members {
            let same = one.get(member).is_some() && one.get(member) == two.get(member);
            ensure!(same, "the answers to GET {path} differ in {member}:\n{one}\n{two}");
        }
    }
    let page = json!({"user_id": 1, "content": "# A check"});
    let created = send(with_json(client.post(format!("{}/posts", other.url)), &page)).await?;
    ensure!(created.status == 201, "POST /posts is answered {created:?}");
    Ok(())
}

/// A client for single requests.
pub fn client() -> anyhow::Result<Client> {
    Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().context("cannot create an HTTP client")
}

fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

pub async fn send(request: RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await.context("no answer")?;
    let headers = ["content-type", "etag"].map(|name| response.headers().get(name).map(|value| format!("{value:?}")));
    let headers = headers.map(Option::unwrap_or_default);
    Ok(Answer { status: response.status().as_u16(), headers, body: response.text().await? })
}

fn json(answer: &Answer) -> anyhow::Result<Value> {
    serde_json::from_str(&answer.body).with_context(|| format!("an answer is not JSON: {answer:?}"))
}

/// Fails unless two answers are the same byte for byte, but for the values that always differ in an answer to a write.
fn same(what: &str, one: Answer, two: Answer) -> anyhow::Result<()> {
    let comparable = |mut answer: Answer| {
        ensure!((200..300).contains(&answer.status), "{what} is answered {answer:?}");
        if what == "GET /health" || !what.starts_with("GET") {
            let mut value = json(&answer)?;
            for name in CHANGING {
                value.get_mut(name).map(Value::take);
            }
            answer.body = value.to_string();
        }
        Ok(answer)
    };
    let (one, two) = (comparable(one)?, comparable(two)?);
    ensure!(one == two, "the answers to {what} differ:\n{one:?}\n{two:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(what: &str, one: (u16, &str), two: (u16, &str)) -> bool {
        let [one, two] =
            [one, two].map(|(status, body)| Answer { status, headers: Default::default(), body: body.into() });
        same(what, one, two).is_ok()
    }

    #[test]
    fn different_answers_are_refused() {
        assert!(is_same("GET /", (200, "a"), (200, "a")));
        assert!(!is_same("GET /", (200, "a"), (200, "b")));
        assert!(!is_same("GET /", (200, "a"), (201, "a")));
        assert!(!is_same("GET /", (404, "a"), (404, "a")));
    }

    #[test]
    fn the_order_of_members_counts_and_changing_values_do_not() {
        let post = |one, two| is_same("POST /", (201, one), (201, two));
        assert!(post(r#"{"post_id":1,"title":"a"}"#, r#"{"post_id":2,"title":"a"}"#));
        assert!(!post(r#"{"post_id":1,"title":"a"}"#, r#"{"title":"a","post_id":1}"#));
        assert!(!post(r#"{"title":"a"}"#, r#"{"title":"b"}"#));
    }
}
