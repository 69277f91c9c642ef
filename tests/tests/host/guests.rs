//! Guests that misbehave: their request fails, everybody else is served.

use std::time::{Duration, Instant};

use blackbox::{App, Builder, Client, at_once, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard};

use crate::shared;

/// Short limits, so that a test of one does not take long.
fn strict() -> Builder {
    App::bookshop().env("RUNNER_REQUEST_TIMEOUT", "4s").env("RUNNER_MAX_MEMORY", "64MiB")
}

/// Whoever holds it may use up all processors: two at once would starve one another's customers.
async fn all_processors() -> MutexGuard<'static, ()> {
    static PROCESSORS: Mutex<()> = Mutex::const_new(());
    PROCESSORS.lock().await
}

/// Ordinary customers, with and without the database, while somebody misbehaves: all are served.
async fn serve_customers(shop: &Client) {
    let customers = (0..30).map(|n| {
        let shop = shop.clone();
        async move {
            match n % 10 {
                0..5 => shop.get("/health").await.expect(200),
                5..9 => shop.get("/shelf/a").await.expect(200),
                _ => {
                    let sale = json!({"statements": [{"sql": "SELECT 1"}]});
                    let answer = shop.post("/till/4").json(sale).await.expect(200);
                    assert!(answer.json()["results"][0]["rows"].is_array(), "{answer:?}");
                    answer
                }
            }
        }
    });
    at_once(customers).await;
}

/// Sends `target` a few times at once, and customers before, meanwhile and after; the misbehaving requests all get
/// `status`.
async fn misbehave(shop: &App, target: &'static str, status: u16) {
    serve_customers(shop).await;
    let culprits: Vec<_> = (0..4)
        .map(|_| {
            let shop = shop.replica(0).clone();
            tokio::spawn(async move { shop.get(target).await })
        })
        .collect();
    serve_customers(shop).await;
    for culprit in culprits {
        let answer = culprit.await.unwrap();
        answer.problem(status);
    }
    serve_customers(shop).await;
}

#[tokio::test]
async fn a_guest_that_traps_fails_alone() {
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/trap", 500).await;
}

#[tokio::test]
async fn a_guest_that_panics_fails_alone_and_its_message_stays_in_the_log() {
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/panic", 500).await;
    let answer = shop.get("/misbehave/panic").await.expect(500);
    assert!(!answer.text().contains("out of books"), "{answer:?}");
    shop.runner().logged("out of books", 1).await;
}

#[tokio::test]
async fn a_guest_that_loops_forever_is_stopped_in_time() {
    let _alone = all_processors().await;
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/loop", 504).await;
    let began = Instant::now();
    shop.get("/misbehave/loop").await.problem(504);
    assert!(began.elapsed() >= Duration::from_secs(4), "not before its time");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn more_looping_guests_than_processors_do_not_stop_the_others() {
    let _alone = all_processors().await;
    let shop = strict().start().await;
    let count = std::thread::available_parallelism().map_or(4, usize::from) * 3;
    let loops: Vec<_> = (0..count)
        .map(|_| {
            let shop = shop.replica(0).clone();
            tokio::spawn(async move { shop.get("/misbehave/loop").await })
        })
        .collect();
    let began = Instant::now();
    for _ in 0..20 {
        shop.get("/health").await.expect(200);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for looping in loops {
        looping.await.unwrap().problem(504);
    }
}

#[tokio::test]
async fn a_guest_that_allocates_without_end_fails_alone() {
    let _alone = all_processors().await;
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/allocate", 500).await;
}

#[tokio::test]
async fn a_guest_that_recurses_without_end_fails_alone() {
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/recurse", 500).await;
}

#[tokio::test]
async fn a_guest_that_sleeps_too_long_is_stopped_in_time() {
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/sleep?60000", 504).await;
}

#[tokio::test]
async fn a_guest_that_answers_nothing_is_an_error() {
    let shop = strict().start().await;
    misbehave(&shop, "/misbehave/silence", 500).await;
}

#[tokio::test]
async fn a_truncated_response_is_an_error() {
    let shop = strict().start().await;
    for _ in 0..3 {
        let answer = shop.get("/misbehave/half").attempt().await;
        assert!(answer.is_err(), "the client must be able to tell: {answer:?}");
    }
    serve_customers(&shop).await;
}

#[tokio::test]
async fn a_large_response_arrives_complete() {
    let shop = strict().start().await;
    const SIZE: usize = 24 << 20;
    let answer = shop.get(&format!("/misbehave/huge?{SIZE}")).await.expect(200);
    assert_eq!(answer.bytes().len(), SIZE);
    assert!(answer.bytes().iter().all(|byte| *byte == b'b'));
}

#[tokio::test]
async fn a_response_is_streamed_while_the_guest_writes_it() {
    let shop = shared::bookshop().await;
    let mut answer = shop.get("/misbehave/stream?3").stream().await.unwrap();
    let (mut first, mut size) = (None, 0);
    while let Some(chunk) = answer.chunk().await.unwrap() {
        first.get_or_insert_with(Instant::now);
        size += chunk.len();
    }
    assert_eq!(size, 3 * 64 * 1024);
    // The guest pauses 400 ms after each third; the first one arrives before the pauses.
    assert!(first.unwrap().elapsed() >= Duration::from_millis(800), "{:?}", first.unwrap().elapsed());
}

/// The connection of a client whose guest has begun to misbehave, for the `round`th time in this way.
async fn begin(shop: &App, how: &str, round: usize) -> TcpStream {
    let request = format!("GET /misbehave/{how} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut stream = blackbox::connect(shop.url()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let name = how.split('?').next().unwrap_or_default();
    shop.runner().logged(&format!("about to {name}"), round).await;
    stream
}

#[tokio::test]
async fn an_unread_response_is_not_buffered() {
    let shop = strict().env("RUNNER_REQUEST_TIMEOUT", "30s").start().await;
    let mut held = Vec::new();
    for round in 1..=4 {
        held.push(begin(&shop, "huge?4000000000", round).await);
    }
    // Sent as fast as it is written, this would be gigabytes after a second.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let metrics = shop.admin().get("/metrics").await.expect(200).text().to_owned();
        let memory = blackbox::metric(&metrics, "process_resident_memory_bytes").unwrap();
        assert!(memory < 200 << 20, "{memory} bytes are in use");
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_frees_its_slot() {
    let shop = strict().env("RUNNER_BODY_TIMEOUT", "1s").env("RUNNER_MAX_CONCURRENCY", "2").start().await;
    let mut held = Vec::new();
    for round in 1..=2 {
        held.push(begin(&shop, "huge?4000000000", round).await);
    }
    blackbox::eventually("their places are free again", || async {
        let metrics = shop.admin().get("/metrics").await.expect(200).text().to_owned();
        blackbox::metric(&metrics, "wiki_runner_requests_in_flight") == Some(0)
    })
    .await;
    serve_customers(&shop).await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_running() {
    let _alone = all_processors().await;
    let shop = strict().env("RUNNER_REQUEST_TIMEOUT", "30s").env("RUNNER_MAX_CONCURRENCY", "4").start().await;
    for round in 1..=3 {
        for how in ["loop", "sleep?30000", "huge?4000000000"] {
            drop(begin(&shop, how, round).await);
        }
    }
    // More went away than may run at once: if they still did, nobody else could be served for 30 s.
    let began = Instant::now();
    serve_customers(&shop).await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_guest_that_logs_too_much_is_still_answered() {
    let shop = strict().start().await;
    let answer = shop.get("/misbehave/flood?2000").await.expect(200).json();
    assert_eq!(answer, json!({"lines": 2000}));
    shop.runner().logged("talks too much", 1).await;
    serve_customers(&shop).await;
}

#[tokio::test]
async fn half_a_line_is_not_logged_with_the_next_request() {
    let shop = strict().env("RUNNER_LOG_FORMAT", "json").start().await;
    for number in ["1", "2"] {
        let target = format!("/misbehave/mutter?{number}");
        shop.get(&target).header("x-request-id", number).await.expect(200);
    }
    for number in ["1", "2"] {
        let said = format!("\"half a line of number {number}\"");
        shop.runner().logged(&said, 1).await;
        let log = shop.runner().stderr();
        let line = log.lines().find(|line| line.contains(&said)).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["span"]["id"], number, "{line}");
    }
}

#[tokio::test]
async fn the_service_survives_every_kind_of_guest_at_once() {
    let _alone = all_processors().await;
    let shop = strict().start().await;
    let culprits: Vec<_> =
        ["trap", "panic", "loop", "recurse", "allocate", "silence", "half", "sleep?5000", "flood?100"]
            .iter()
            .cycle()
            .take(27)
            .map(|how| {
                let (shop, target) = (shop.replica(0).clone(), format!("/misbehave/{how}"));
                tokio::spawn(async move { shop.get(&target).attempt().await.map(|answer| answer.status()) })
            })
            .collect();
    serve_customers(&shop).await;
    for culprit in culprits {
        let outcome = culprit.await.unwrap();
        assert!(matches!(outcome, Ok(200 | 500 | 504) | Err(_)), "{outcome:?}");
    }
    serve_customers(&shop).await;
}
