//! Small requests reach a guest in one piece, all others part by part, and it makes no difference to clients.

use blackbox::{App, Client, json, send_raw};

use crate::shared;

/// A body that is passed in one piece, at most.
const LARGEST: usize = 64 << 10;

async fn way(client: &Client, length: usize) -> String {
    let request = client.post("/shelf/a").body("text/plain", "x".repeat(length));
    request.await.expect(200).json()["way"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_is_small_comes_in_one_piece() {
    let shop = shared::bookshop().await;
    assert_eq!(shop.get("/shelf/a").await.expect(200).json()["way"], "buffered");
    assert_eq!(way(&shop, 1).await, "buffered");
    assert_eq!(way(&shop, LARGEST).await, "buffered");
    assert_eq!(way(&shop, LARGEST + 1).await, "streamed");
}

#[tokio::test]
async fn trailers_are_not_lost() {
    let shop = shared::bookshop().await;
    let chunked = |end: &str| {
        let head = "POST /shelf/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
        format!("{head}Trailer: x-sum\r\n\r\n1\r\na\r\n0\r\n{end}\r\n")
    };
    assert!(send_raw(shop.url(), chunked("")).await.text.contains(r#""way":"buffered""#));
    assert!(send_raw(shop.url(), chunked("x-sum: 1\r\n")).await.text.contains(r#""way":"streamed""#));
}

#[tokio::test]
async fn a_request_looks_the_same_either_way() {
    let shop = App::bookshop().start().await;
    let streaming = App::bookshop().env("RUNNER_BUFFERED", "off").start().await;
    let mut shapes = Vec::new();
    for app in [&shop, &streaming] {
        let request = app.patch("/shelf/a/b?x=1&x=2&y=%20").header("host", "books.example:81").header("x-own", "a: b");
        let request = request.header("x-own", "").header("x-own", "\u{e9}\t.").header("keep-alive", "timeout=5");
        let mut shape = request.body("text/plain", "a body").await.expect(200).json();
        for changing in ["spin-client-addr", "traceparent"] {
            shape["headers"].as_object_mut().unwrap().remove(changing).expect(changing);
        }
        shapes.push((shape["way"].take(), shape));
    }
    let [(buffered, first), (streamed, second)] = &shapes[..] else { panic!("two") };
    assert_eq!((buffered, streamed), (&json!("buffered"), &json!("streamed")));
    assert_eq!(first, second);
    assert_eq!(first["authority"], "books.example:81");
    for hidden in ["host", "keep-alive", "connection"] {
        assert_eq!(first["headers"].get(hidden), None, "{hidden}");
    }
}

#[tokio::test]
async fn what_is_no_response_reaches_no_client() {
    let shop = App::bookshop().start().await;
    for how in ["smuggle", "miscount", "garble"] {
        let refused = shop.get(&format!("/misbehave/{how}")).await.expect(500);
        assert!(!refused.has_header("transfer-encoding"), "{how}: {refused:?}");
        assert!(!refused.text().contains("abc"), "{how}: {refused:?}");
        assert_eq!(shop.get("/shelf/a").await.expect(200).json()["way"], "buffered");
    }
}

#[tokio::test]
async fn a_long_response_is_streamed() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    let text = "0123456789abcdef".repeat(60_000);
    wiki.create_post(&ada, &text).await;
    let read = wiki.get("/posts/1").header("accept", "text/markdown").await.expect(200);
    assert_eq!(read.text(), text);
}
