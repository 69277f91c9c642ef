//! Clients that are too slow, too many or too much: they are refused, everybody else is served.

use std::time::{Duration, Instant};

use blackbox::{App, Client, at_once, eventually, send_raw};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::shared;

async fn connect(shop: &Client) -> TcpStream {
    blackbox::connect(shop.url()).await.unwrap()
}

/// A request on a connection of its own. The client's pool may hold connections that have not been used yet, which end
/// with the time for a head, too.
async fn is_served(shop: &Client) -> bool {
    let request = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    send_raw(shop.url(), request).await.status == Some(200)
}

/// What comes until the service closes the connection, and when that was.
async fn rest(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut bytes = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    assert!(closed.is_ok(), "the connection was not closed: {:?}", String::from_utf8_lossy(&bytes));
    (String::from_utf8_lossy(&bytes).into_owned(), began.elapsed())
}

/// How long the service takes a byte now and then.
async fn trickle(stream: &mut TcpStream, byte: &[u8]) -> Duration {
    let (mut read, mut write) = stream.split();
    let trickle = async {
        while write.write_all(byte).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let began = Instant::now();
    let mut rest = Vec::new();
    tokio::select! {
        _ = read.read_to_end(&mut rest) => {}
        () = trickle => {}
        () = tokio::time::sleep(Duration::from_secs(15)) => panic!("it is still taken"),
    }
    began.elapsed()
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let shop = App::bookshop().env("RUNNER_HEADER_TIMEOUT", "1s").start().await;
    let mut stream = connect(&shop).await;
    stream.write_all(b"GET /health HTTP/1.1\r\n").await.unwrap();
    let taken = trickle(&mut stream, b"x").await;
    assert!((Duration::from_millis(900)..Duration::from_secs(10)).contains(&taken), "{taken:?}");
    assert!(is_served(&shop).await);
}

#[tokio::test]
async fn an_idle_connection_outlives_the_header_timeout() {
    let shop = App::bookshop().env("RUNNER_HEADER_TIMEOUT", "1s").env("RUNNER_IDLE_TIMEOUT", "3s").start().await;
    let mut stream = connect(&shop).await;
    let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut answer = [0; 4096];
    for _ in 0..2 {
        stream.write_all(request).await.unwrap();
        let count = stream.read(&mut answer).await.unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200 OK"));
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    let (_, waited) = rest(&mut stream).await;
    assert!((Duration::from_secs(1)..Duration::from_secs(6)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered() {
    let shop = App::bookshop().env("RUNNER_BODY_TIMEOUT", "1s").start().await;
    let mut stream = connect(&shop).await;
    stream.write_all(b"PUT /books/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    let (answer, waited) = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout"), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("connection: close"), "{answer}");
    assert!((Duration::from_millis(900)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_body_that_trickles_in_is_cut_off_and_occupies_no_slot() {
    let shop = App::bookshop().env("RUNNER_BODY_TIMEOUT", "2s").env("RUNNER_MAX_CONCURRENCY", "1").start().await;
    let mut stream = connect(&shop).await;
    stream.write_all(b"PUT /books/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    assert!(is_served(&shop).await, "another client waits for it");
    // The 99 bytes that are left would take twenty seconds.
    let taken = trickle(&mut stream, b" ").await;
    assert!(taken < Duration::from_secs(8), "{taken:?}");
}

#[tokio::test]
async fn an_overloaded_service_is_still_ready() {
    let shop = App::bookshop().env("RUNNER_MAX_CONCURRENCY", "1").env("RUNNER_MAX_QUEUE", "0").start().await;
    let busy = keep_busy(&shop).await;
    shop.get("/health").await.expect(503);
    shop.admin().get("/readyz").await.expect(200);
    busy.abort();
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_refused() {
    let shop = App::bookshop().env("RUNNER_MAX_BODY", "1KiB").start().await;
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let request =
        format!("PUT /books/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(3));
    assert_eq!(send_raw(shop.url(), request).await.status, Some(413));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let shop = shared::bookshop().await;
    let request =
        format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Much: {}\r\nConnection: close\r\n\r\n", "x".repeat(300 << 10));
    assert_eq!(send_raw(shop.url(), request).await.status, Some(431));
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let request = format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}Connection: close\r\n\r\n");
    assert_eq!(send_raw(shop.url(), request).await.status, Some(431));
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "x".repeat(300 << 10));
    assert!(matches!(send_raw(shop.url(), long).await.status, Some(414 | 431)));
}

#[tokio::test]
async fn connections_over_the_limit_get_503_and_the_others_go_on() {
    let shop = App::bookshop().env("RUNNER_MAX_CONNECTIONS", "8").env("RUNNER_HEADER_TIMEOUT", "2s").start().await;
    let mut first = connect(&shop).await;
    let mut answer = [0; 4096];
    let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    first.write_all(request).await.unwrap();
    assert!(first.read(&mut answer).await.is_ok_and(|count| answer[..count].starts_with(b"HTTP/1.1 200 OK")));
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(connect(&shop).await);
    }
    eventually("all connections are taken", || async {
        let mut one_more = connect(&shop).await;
        let mut answer = vec![0; 256];
        matches!(one_more.read(&mut answer).await, Ok(count) if answer[..count].starts_with(b"HTTP/1.1 503"))
    })
    .await;
    // The connection that was there first is still good.
    first.write_all(request).await.unwrap();
    assert!(first.read(&mut answer).await.is_ok_and(|count| answer[..count].starts_with(b"HTTP/1.1 200 OK")));
    // And those that say nothing make room.
    for stream in &mut held {
        rest(stream).await;
    }
    eventually("there is room again", || is_served(&shop)).await;
    let refused = shop.admin().get("/metrics").await.expect(200);
    assert!(!refused.text().contains("wiki_runner_connections_refused_total 0"), "{}", refused.text());
}

#[tokio::test]
async fn one_address_does_not_take_every_connection() {
    let shop = App::bookshop().env("RUNNER_MAX_CONNECTIONS_PER_ADDRESS", "8").start().await;
    let address = shop.url().strip_prefix("http://").unwrap().parse().unwrap();
    // On loopback, every client has as many addresses as it likes.
    let connect = async |from: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from.parse().unwrap()).unwrap();
        socket.connect(address).await.unwrap()
    };
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(connect("127.0.0.2:0").await);
    }
    eventually("all of its connections are taken", || async {
        let mut answer = vec![0; 256];
        let read = connect("127.0.0.2:0").await.read(&mut answer).await;
        matches!(read, Ok(count) if answer[..count].starts_with(b"HTTP/1.1 503"))
    })
    .await;
    assert!(is_served(&shop).await, "another address");
    drop(held);
    eventually("there is room again", || async {
        let mut stream = connect("127.0.0.2:0").await;
        let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut answer = vec![0; 4096];
        stream.write_all(request).await.is_ok()
            && matches!(stream.read(&mut answer).await, Ok(count) if answer[..count].starts_with(b"HTTP/1.1 200"))
    })
    .await;
}

/// A request that is at work until it is stopped.
async fn keep_busy(shop: &App) -> JoinHandle<()> {
    let request = shop.get("/misbehave/sleep?60000");
    let busy = tokio::spawn(async move { _ = request.attempt().await });
    eventually("the guest is at work", || async {
        shop.admin().get("/metrics").await.text().contains("wiki_runner_requests_in_flight 1")
    })
    .await;
    busy
}

#[tokio::test]
async fn overload_is_reported_early() {
    let shop = App::bookshop()
        .env("RUNNER_MAX_CONCURRENCY", "1")
        .env("RUNNER_MAX_QUEUE", "2")
        .env("RUNNER_QUEUE_TIMEOUT", "20s")
        .env("RUNNER_REQUEST_TIMEOUT", "5s")
        .start()
        .await;
    let busy = keep_busy(&shop).await;
    let began = Instant::now();
    let answers = at_once((0..6).map(|_| {
        let request = shop.get("/health");
        async move {
            let answer = request.await;
            (answer.status(), answer.has_header("retry-after"), began.elapsed())
        }
    }))
    .await;
    let refused: Vec<_> = answers.iter().filter(|(status, ..)| *status == 503).collect();
    assert_eq!(refused.len(), 4, "two wait: {answers:?}");
    assert!(refused.iter().all(|(_, told, time)| *told && *time < Duration::from_secs(3)), "{answers:?}");
    assert!(answers.iter().filter(|(status, ..)| *status == 200).count() == 2, "{answers:?}");
    _ = busy.await;
}

#[tokio::test]
async fn waiting_in_the_queue_times_out() {
    let shop = App::bookshop()
        .env("RUNNER_MAX_CONCURRENCY", "1")
        .env("RUNNER_QUEUE_TIMEOUT", "500ms")
        .env("RUNNER_REQUEST_TIMEOUT", "8s")
        .start()
        .await;
    let busy = keep_busy(&shop).await;
    let began = Instant::now();
    shop.get("/health").await.problem(503);
    assert!((Duration::from_millis(400)..Duration::from_secs(5)).contains(&began.elapsed()), "{:?}", began.elapsed());
    busy.abort();
}

#[tokio::test]
async fn thousands_of_slow_clients_do_not_stop_a_healthy_one() {
    // As if they came from as many addresses.
    let shop = App::bookshop()
        .env("RUNNER_HEADER_TIMEOUT", "60s")
        .env("RUNNER_MAX_CONNECTIONS_PER_ADDRESS", "8192")
        .start()
        .await;
    let sample = async || {
        let mut times = Vec::new();
        for _ in 0..100 {
            let began = Instant::now();
            shop.get("/health").await.expect(200);
            times.push(began.elapsed());
        }
        times.sort_unstable();
        times[98]
    };
    // The best of several: what else the machine does comes and goes, what the clients do stays.
    let ninety_nine_percent = async || {
        let mut best = Duration::MAX;
        for _ in 0..8 {
            best = best.min(sample().await);
        }
        best
    };
    let alone = ninety_nine_percent().await;
    let mut slow = Vec::new();
    for _ in 0..2_000 {
        // The test's own limit of open files may be lower.
        let Ok(mut stream) = blackbox::connect(shop.url()).await else { break };
        stream.write_all(b"GET /health HTTP/1.1\r\nHo").await.unwrap();
        slow.push(stream);
    }
    assert!(slow.len() >= 400, "only {} slow clients could be had", slow.len());
    // While each of them says a little more, as slowly as that.
    let trickle = async {
        loop {
            for stream in &mut slow {
                _ = stream.write_all(b"x").await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    let beside = tokio::select! {
        time = ninety_nine_percent() => time,
        () = trickle => unreachable!("it has no end"),
    };
    println!("99 % within {alone:?} alone, {beside:?} beside {}", slow.len());
    // Three times, and room for a machine that is busy all the time.
    assert!(beside < alone * 3 + Duration::from_millis(50), "{alone:?} alone, {beside:?} beside {}", slow.len());
}

#[tokio::test]
async fn the_service_survives_running_out_of_file_descriptors() {
    let shop = App::bookshop().open_files(256).start().await;
    let mut held = Vec::new();
    for _ in 0..400 {
        held.push(connect(&shop).await);
    }
    shop.runner().logged("cannot accept a connection", 1).await;
    drop(held);
    eventually("the service answers again", || async {
        matches!(shop.get("/health").attempt().await, Ok(answer) if answer.status() == 200)
    })
    .await;
}

/// Each of these is read differently by different servers, and so hides a request from one of them.
#[tokio::test]
async fn a_request_with_two_hosts_is_refused() {
    let shop = shared::bookshop().await;
    for target in ["/health", "http://x/health"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n");
        assert_eq!(send_raw(shop.url(), request).await.status, Some(400), "{target}");
    }
}

#[tokio::test]
async fn requests_that_hide_another_are_refused() {
    let shop = shared::bookshop().await;
    let hidden = "GET /shelf/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, request) in [
        (
            "two lengths",
            format!(
                "POST /shelf HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: {}\r\n\r\n{hidden}",
                hidden.len()
            ),
        ),
        ("a list of lengths", format!("POST /shelf HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n{hidden}")),
        ("a signed length", format!("POST /shelf HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n{hidden}")),
        (
            "a length and chunks",
            format!(
                "POST /shelf HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
                hidden.len() + 5
            ),
        ),
        (
            "chunks and a length",
            format!(
                "POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "chunks that are not last",
            format!("POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "an unknown coding",
            format!("POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "chunks in HTTP/1.0",
            format!(
                "POST /shelf HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "a space before the colon",
            format!(
                "POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "a folded header",
            format!(
                "POST /shelf HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "a chunk size that is none",
            format!("POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{hidden}"),
        ),
        (
            "a chunk size without end",
            format!(
                "POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n{hidden}"
            ),
        ),
        ("a NUL in a header", format!("POST /shelf HTTP/1.1\r\nHost: x\r\nX: \0\r\nContent-Length: 0\r\n\r\n{hidden}")),
    ] {
        let answer = send_raw(shop.url(), request).await;
        assert!(!answer.text.contains("smuggled"), "{what}: {answer:?}");
        assert!(answer.text.matches("HTTP/1.1 ").count() <= 1, "{what}: one answer at most: {answer:?}");
    }
    shop.get("/health").await.expect(200);
}
