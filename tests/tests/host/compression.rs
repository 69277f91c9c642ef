//! Texts are compressed for clients that take it, and entity tags keep their meaning.

use std::io::Read as _;

use blackbox::{App, Client, Request, Response, json};
use flate2::read::GzDecoder;

/// What a first visit may bring over the wire, heads of responses included.
const MOST: usize = 25_000;
/// More than the head of a response has.
const HEAD: usize = 600;

/// The text of a page: more than is sent as it is.
fn long(text: &str) -> String {
    format!("{text}\n\n").repeat(200)
}

fn gzip(request: Request) -> Request {
    request.header("accept-encoding", "gzip, deflate, br, zstd")
}

fn decompressed(response: &Response) -> String {
    assert_eq!(response.header("content-encoding"), "gzip", "{response:?}");
    let mut text = String::new();
    GzDecoder::new(response.bytes()).read_to_string(&mut text).expect("gzip");
    text
}

async fn wiki_with_a_page() -> App {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, &long("A page.")).await;
    wiki
}

#[tokio::test]
async fn pages_and_data_are_compressed_for_who_takes_it() {
    let wiki = wiki_with_a_page().await;
    for (path, accept) in [("/posts/1", "application/json"), ("/posts/1", "text/html"), ("/openapi.json", "*/*")] {
        let plain = wiki.get(path).header("accept", accept).await.expect(200);
        let compressed = gzip(wiki.get(path).header("accept", accept)).await.expect(200);
        assert!(!plain.has_header("content-encoding"));
        assert!(plain.header("vary").contains("accept-encoding"), "{path}: {}", plain.header("vary"));
        assert!(compressed.bytes().len() * 3 < plain.bytes().len(), "{path} {accept}");
        assert_eq!(decompressed(&compressed), plain.text(), "{path} {accept}");
    }
    let small = gzip(wiki.get("/users/1")).await.expect(200);
    assert!(!small.has_header("content-encoding"), "{small:?}");
    let head = gzip(wiki.request("HEAD", "/posts/1")).await.expect(200);
    assert!(!head.has_header("content-encoding"), "{head:?}");
}

#[tokio::test]
async fn a_tag_of_what_was_compressed_is_understood() {
    let wiki = wiki_with_a_page().await;
    let read = gzip(wiki.get("/posts/1")).await.expect(200);
    let tag = read.header("etag").to_owned();
    assert_ne!(tag, wiki.get("/posts/1").await.expect(200).header("etag"), "another representation");
    let unchanged = gzip(wiki.get("/posts/1").header("if-none-match", &tag)).await.expect(304);
    assert_eq!(unchanged.header("etag"), tag);
    let edit = |tag: &str, text: &str| {
        let body = json!({"user_id": 1, "content": long(text)});
        wiki.put("/posts/1").header("if-match", tag).json(body)
    };
    let edited = gzip(edit(&tag, "Edited.")).await.expect(200);
    assert!(decompressed(&edited).contains("Edited."));
    edit(&tag, "Once more.").await.problem(412);
    edit(edited.header("etag"), "Once more.").await.expect(200);
}

#[tokio::test]
async fn what_shows_a_secret_is_not_compressed() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let form = "token=nightly&scope=read&days=30";
    let request = wiki.post("/wiki/-/account/tokens").cookie(&cookie).header("origin", wiki.url());
    let made = gzip(request.body("application/x-www-form-urlencoded", form)).await.expect(201);
    assert!(made.text().contains("_secret"));
}

#[tokio::test]
async fn compression_can_be_turned_off() {
    let wiki = App::wiki().env("RUNNER_COMPRESSION", "false").start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, &long("A page.")).await;
    let page = gzip(wiki.get("/posts/1")).await.expect(200);
    assert!(!page.has_header("content-encoding"));
    // Another replica compressed it.
    let tag = page.header("etag").replacen('"', "", 1).replace('"', "--gzip\"");
    wiki.get("/posts/1").header("if-none-match", format!("\"{tag}")).await.expect(304);
}

/// What a browser loads that has never been here.
async fn visited(wiki: &Client, path: &str) -> usize {
    let page = gzip(wiki.get(path).header("accept", "text/html")).await.expect(200);
    let text = decompressed(&page);
    let mut bytes = HEAD + page.bytes().len();
    let files = text.split(['"', '\'']).filter(|part| part.starts_with("/static/"));
    // Some are loaded later, or never.
    let is_later = |path: &&str| ["palette", "diagrams", "tables"].iter().any(|name| path.contains(name));
    for path in files.filter(|path| !is_later(path)) {
        bytes += HEAD + gzip(wiki.get(path)).await.expect(200).bytes().len();
    }
    bytes
}

#[tokio::test]
async fn a_first_visit_is_small() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    for number in 1..=30 {
        let text = format!(
            "# Page {number}\n\n{}",
            "Some words of a page that has headings.\n\n## Part\n\n- one\n- two\n\n".repeat(6)
        );
        wiki.create_post(&ada, &text).await;
    }
    for path in ["/wiki/page-7", "/wiki"] {
        let bytes = visited(&wiki, path).await;
        assert!(bytes < MOST, "{path}: {bytes} bytes");
    }
}
