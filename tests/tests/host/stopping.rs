//! Ends of a service that nobody notices.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blackbox::{App, at_once, connect, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Asks on this connection, and is asked to go elsewhere with the next request.
async fn is_answered_and_closed(mut stream: TcpStream) {
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_stopping_service_is_not_ready_but_still_answers() {
    let shop = App::bookshop().env("RUNNER_DRAIN_DELAY", "3s").start().await;
    let admin = shop.admin();
    admin.get("/readyz").await.expect(200);
    let ended = async { shop.runner().terminate().await };
    let meanwhile = async {
        eventually("it is no longer ready", || async { admin.get("/readyz").await.status() == 503 }).await;
        assert_eq!(admin.get("/readyz").await.problem(503).detail, "The service is stopping.");
        admin.get("/livez").await.expect(200);
        // Whoever did not hear of it yet is served, on a new connection too, and asked to go elsewhere next time.
        is_answered_and_closed(connect(shop.url()).await.unwrap()).await;
    };
    let (status, ()) = tokio::join!(ended, meanwhile);
    assert!(status.success());
}

#[tokio::test]
async fn a_new_connection_is_still_answered_while_stopping() {
    let shop = App::bookshop().start().await;
    let stream = connect(shop.url()).await.unwrap();
    let ended = async { shop.runner().terminate().await };
    let meanwhile = async {
        shop.runner().logged("requests in flight may finish", 1).await;
        is_answered_and_closed(stream).await;
    };
    let (status, ()) = tokio::join!(ended, meanwhile);
    assert!(status.success());
}

/// A proxy in front of services that asks each whether it is ready, as a load balancer does.
async fn pick(shops: &[App]) -> &App {
    for shop in shops {
        if shop.admin().get("/readyz").attempt().await.is_ok_and(|answer| answer.status() == 200) {
            return shop;
        }
    }
    panic!("no service is ready");
}

#[tokio::test]
async fn a_rolling_restart_under_load_loses_no_request() {
    let old = App::bookshop().env("RUNNER_DRAIN_DELAY", "2s").start().await;
    let new = App::bookshop().start().await;
    let shops = [old, new];
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let answered = AtomicUsize::new(0);
    let load = async {
        let mut target = pick(&shops).await;
        let mut asked = std::time::Instant::now();
        while !*stopped.borrow() {
            // Every half second, as a load balancer would: in between it does not know.
            if asked.elapsed() > Duration::from_millis(500) {
                target = pick(&shops).await;
                asked = std::time::Instant::now();
            }
            let requests = (0..8).map(|_| target.get("/shelf/a").attempt());
            for answer in at_once(requests).await {
                assert_eq!(answer.expect("no connection is refused or broken off").status(), 200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let more = async |count: usize| {
        let enough = answered.load(Ordering::Relaxed) + count;
        eventually("more requests are answered", || async { answered.load(Ordering::Relaxed) >= enough }).await;
    };
    let restart = async {
        more(100).await;
        assert!(shops[0].runner().terminate().await.success());
        more(100).await;
        _ = stop.send(true);
    };
    tokio::join!(load, restart);
}
