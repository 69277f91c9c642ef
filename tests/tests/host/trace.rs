//! Requests as parts of traces.

use std::time::Duration;

use blackbox::{App, eventually, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::shared;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_guest_continues_the_trace_of_its_client() {
    let shop = shared::bookshop().await;
    let seen = shop.get("/shelf/a").header("traceparent", PARENT).header("tracestate", "vendor=1").await.expect(200);
    let seen = seen.json();
    let parent = seen["headers"]["traceparent"][0].as_str().unwrap();
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-01"), "{parent}");
    assert!(!parent.contains("b7ad6b7169203331"), "a span of its own: {parent}");
    assert_eq!(seen["headers"]["tracestate"], json!(["vendor=1"]));
}

#[tokio::test]
async fn an_invalid_trace_is_replaced_by_a_new_one() {
    let shop = shared::bookshop().await;
    for given in ["", "00-0-0-00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
        let request = shop.get("/shelf/a").header("tracestate", "vendor=1");
        let request = if given.is_empty() { request } else { request.header("traceparent", given) };
        let seen = request.await.expect(200).json();
        let parent = seen["headers"]["traceparent"][0].as_str().unwrap();
        assert_eq!(parent.len(), 55, "{parent}");
        assert!(!parent.contains(TRACE), "{parent}");
        assert_eq!(seen["headers"].get("tracestate"), None, "it belongs to the trace that was refused");
    }
}

/// A collector: what is posted to it.
async fn collector() -> (String, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut got = Vec::new();
                let mut piece = [0; 4096];
                while let Ok(Ok(count @ 1..)) =
                    tokio::time::timeout(Duration::from_millis(500), stream.read(&mut piece)).await
                {
                    got.extend_from_slice(&piece[..count]);
                }
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
                _ = sender.send(got);
            });
        }
    });
    (url, receiver)
}

#[tokio::test]
async fn a_collector_gets_request_instance_and_query() {
    let (url, mut posted) = collector().await;
    let shop = App::bookshop()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .env("OTEL_SERVICE_NAME", "the-shop")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start()
        .await;
    let sale = json!({"statements": [{"sql": "SELECT 'private'"}]});
    shop.post("/till/4?secret=1").header("traceparent", PARENT).json(sale).await.expect(200);
    let mut all = Vec::new();
    let trace: Vec<u8> = (0..16).map(|i| u8::from_str_radix(&TRACE[2 * i..2 * i + 2], 16).unwrap()).collect();
    let has = |all: &[u8], text: &[u8]| all.windows(text.len()).any(|window| window == text);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !has(&all, &trace) {
        let piece = tokio::time::timeout_at(deadline, posted.recv()).await.expect("spans of the trace arrive").unwrap();
        all.extend(piece);
    }
    for text in ["POST /v1/traces", "the-shop", "POST", "instance", "query", "/till/4"] {
        assert!(has(&all, text.as_bytes()), "{text} in {:?}", String::from_utf8_lossy(&all));
    }
    for text in ["secret", "private"] {
        assert!(!has(&all, text.as_bytes()), "{text} is nobody's business");
    }
}

#[tokio::test]
async fn an_unreachable_collector_is_harmless() {
    let shop = App::bookshop().env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").start().await;
    for _ in 0..20 {
        shop.get("/health").await.expect(200);
    }
    eventually("the service still answers", || async { shop.get("/health").await.status() == 200 }).await;
    assert!(shop.runner().terminate().await.success());
}
