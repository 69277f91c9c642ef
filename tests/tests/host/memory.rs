//! What clients can make the process use of its memory.

use std::time::{Duration, Instant};

use blackbox::{App, Client, Container, at_once, eventually, metric, send_raw};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MIB: u64 = 1 << 20;

/// A connection on which `text` was sent.
async fn begin(shop: &Client, text: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = blackbox::connect(shop.url()).await.unwrap();
    stream.write_all(text.as_ref()).await.unwrap();
    stream
}

/// The beginning of a request whose body has `length` bytes, and the first `sent` of them.
async fn begin_body(shop: &Client, length: u64, sent: u64) -> TcpStream {
    let mut request = format!("POST /shelf HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    request.resize(request.len() + usize::try_from(sent).unwrap(), b'x');
    begin(shop, request).await
}

/// The rest of what comes on a connection until the service closes it.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection was not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn value(shop: &App, name: &str) -> u64 {
    let metrics = shop.admin().get("/metrics").await.expect(200).text().to_owned();
    metric(&metrics, name).unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

/// A private wiki whose database is away: what is refused before it is asked costs the same.
async fn private_wiki() -> App {
    App::wiki()
        .without_database()
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing")
        .env("SPIN_VARIABLE_ACCESS", "private")
        .env("SPIN_VARIABLE_ADMIN_PASSWORD", "four words of ours")
        .at_once()
        .start()
        .await
}

#[tokio::test]
async fn nobody_can_use_up_the_memory_of_a_private_wiki() {
    let wiki = private_wiki().await;
    let before = wiki.runner().peak_memory();
    let form = "a=b&".repeat(2 << 20);
    let json = format!("{{\"content\": \"{}\"}}", "x".repeat(8_000_000));
    for (target, media_type, body, status) in [
        ("/wiki/-/sign-in", "application/x-www-form-urlencoded", &form, 413),
        ("/wiki/-/sign-out", "application/x-www-form-urlencoded", &form, 413),
        ("/wiki/-/new", "application/x-www-form-urlencoded", &form, 413),
        ("/wiki/-/preview", "application/x-www-form-urlencoded", &form, 401),
        ("/wiki/-/users/new", "application/x-www-form-urlencoded", &form, 413),
        ("/posts", "application/json", &json, 401),
        ("/nothing", "application/json", &json, 404),
        ("/health", "application/json", &json, 405),
    ] {
        let requests = (0..16).map(|_| wiki.post(target).body(media_type, body.clone()).into_future());
        for answer in at_once(requests).await {
            // Beyond the buffers, they get no further.
            assert!([status, 503].contains(&answer.status()), "{target}: {answer:?}");
        }
    }
    let grown = wiki.runner().peak_memory() - before;
    println!("grew by {} MiB", grown / MIB);
    // The bodies themselves take up to an eighth, which is 256 MiB without a container.
    assert!(grown < 450 * MIB, "{} MiB more", grown / MIB);
}

#[tokio::test]
async fn sign_in_takes_no_more_than_it_needs() {
    let wiki = private_wiki().await;
    let before = wiki.runner().peak_memory();
    let form = "a=b&".repeat(2 << 20);
    let requests = (0..4)
        .map(|_| wiki.post("/wiki/-/sign-in").body("application/x-www-form-urlencoded", form.clone()).into_future());
    at_once(requests).await.iter().for_each(|answer| assert_eq!(answer.status(), 413, "{answer:?}"));
    let grown = wiki.runner().peak_memory() - before;
    println!("grew by {} MiB", grown / MIB);
    assert!(grown < 96 * MIB, "{} MiB more", grown / MIB);
}

#[tokio::test]
async fn guests_share_what_they_may_have() {
    let shop = App::bookshop().env("RUNNER_GUEST_MEMORY", "48MiB").start().await;
    let hoards = (0..6).map(|_| shop.get("/misbehave/hoard?16").into_future());
    let (hoards, healthy) = tokio::join!(at_once(hoards), async {
        shop.runner().logged("has its hoard", 1).await;
        let began = Instant::now();
        for _ in 0..20 {
            shop.get("/health").await.expect(200);
        }
        began.elapsed()
    });
    let statuses: Vec<u16> = hoards.iter().map(|answer| answer.status()).collect();
    assert!(statuses.contains(&200) && statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    for refused in hoards.iter().filter(|answer| answer.status() == 503) {
        assert!(refused.has_header("retry-after"), "{refused:?}");
        refused.problem(503);
    }
    assert!(healthy < Duration::from_secs(5), "{healthy:?}");
    // More than there ever is: as with a limit of its own.
    shop.get("/misbehave/hoard?60").await.problem(500);
    assert!(value(&shop, "wiki_runner_guest_memory_bytes").await <= 48 * MIB);
}

#[tokio::test]
async fn a_guest_waits_for_memory_as_for_a_place() {
    let shop = App::bookshop().env("RUNNER_GUEST_MEMORY", "48MiB").env("RUNNER_QUEUE_TIMEOUT", "20s").start().await;
    let hoards = (0..4).map(|_| shop.get("/misbehave/hoard?16").into_future());
    at_once(hoards).await.into_iter().for_each(|answer| drop(answer.expect(200)));
}

#[tokio::test]
async fn idle_instances_make_room() {
    let shop = App::bookshop().env("RUNNER_GUEST_MEMORY", "32MiB").env("RUNNER_QUEUE_TIMEOUT", "100ms").start().await;
    // They keep nearly as much as they may.
    at_once((0..3).map(|_| shop.get("/misbehave/hoard?5").into_future())).await;
    shop.get("/misbehave/hoard?20").await.expect(200);
    shop.get("/health").await.expect(200);
    assert!(shop.admin().get("/metrics").await.text().contains("reason=\"reclaimed\""));
}

#[tokio::test]
async fn bodies_that_trickle_in_keep_nobody_waiting() {
    let shop = App::bookshop().env("RUNNER_MAX_CONCURRENCY", "8").env("RUNNER_QUEUE_TIMEOUT", "1s").start().await;
    let mut slow = Vec::new();
    for _ in 0..16 {
        slow.push(begin_body(&shop, MIB, 100_000).await);
    }
    eventually("all of them have arrived", || async { value(&shop, "wiki_runner_requests_in_flight").await == 16 })
        .await;
    let trickle = async {
        loop {
            for stream in &mut slow {
                _ = stream.write_all(&[b'x'; 600]).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let served = async {
        for _ in 0..20 {
            let request = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            assert_eq!(send_raw(shop.url(), request).await.status, Some(200));
        }
    };
    tokio::select! {
        () = served => {}
        () = trickle => {}
    }
    // They are no worse off themselves.
    let mut one = slow.pop().unwrap();
    one.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
    let mut status = [0; 12];
    one.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test]
async fn the_slowest_body_makes_room() {
    let shop = App::bookshop().env("RUNNER_BUFFER_MEMORY", "1MiB").start().await;
    let slow = begin_body(&shop, MIB, 900_000).await;
    eventually("it is buffered", || async { value(&shop, "wiki_runner_buffer_memory_bytes").await > 800_000 }).await;
    // Everybody is fast in the first second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    shop.post("/shelf").body("text/plain", "x".repeat(700_000)).await.expect(200);
    let answer = rest(slow).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"), "{answer}");
    eventually("nothing is buffered", || async { value(&shop, "wiki_runner_buffer_memory_bytes").await == 0 }).await;
}

#[tokio::test]
async fn tiny_chunks_take_no_more_than_they_are() {
    let shop = App::bookshop().start().await;
    let before = shop.runner().peak_memory();
    let mut slow = Vec::new();
    for _ in 0..8 {
        let head = "POST /shelf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        slow.push(begin(&shop, format!("{head}{}", "1\r\nx\r\n".repeat(1 << 16))).await);
    }
    eventually("they are buffered", || async { value(&shop, "wiki_runner_buffer_memory_bytes").await == 8 << 16 })
        .await;
    let grown = shop.runner().peak_memory() - before;
    assert!(grown < 24 * MIB, "{} MiB more for half a MiB", grown / MIB);
}

#[tokio::test]
async fn a_body_beyond_the_buffer_is_streamed() {
    let shop = App::bookshop().env("RUNNER_BODY_BUFFER", "64KiB").env("RUNNER_BODY_TIMEOUT", "1s").start().await;
    let book = format!("{{\"title\": \"Long\", \"price\": null{}}}", " ".repeat(4 << 20));
    shop.put("/books/1").body("application/json", book).await.expect(200);
    // The guest answers without it.
    let mut early = begin_body(&shop, 4 << 20, 100_000).await;
    let mut status = [0; 12];
    early.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    // This one needs it, and it comes too slowly: 20 KiB a second are enough only for what is buffered.
    let request = "PUT /books/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n{";
    let mut slow = begin(&shop, format!("{request}{}", " ".repeat(100_000))).await;
    let began = Instant::now();
    let (mut read, mut write) = slow.split();
    let trickle = async {
        while write.write_all(&[b' '; 2 << 10]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut answer = [0; 12];
    tokio::select! {
        read = read.read_exact(&mut answer) => drop(read.unwrap()),
        () = trickle => panic!("it was closed without an answer"),
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test]
async fn slow_readers_keep_nobody_waiting() {
    let shop = App::bookshop()
        .env("RUNNER_MAX_CONCURRENCY", "2")
        .env("RUNNER_QUEUE_TIMEOUT", "2s")
        .env("RUNNER_BODY_TIMEOUT", "60s")
        .start()
        .await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        slow.push(begin(&shop, "GET /misbehave/huge?6000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await);
    }
    // They are buffered, but for what the connections take.
    eventually("the guests are done", || async {
        let metrics = shop.admin().get("/metrics").await.expect(200).text().to_owned();
        let busy = metric(&metrics, "wiki_runner_instances{component=\"shop\",state=\"busy\"}");
        busy == Some(0) && metric(&metrics, "wiki_runner_buffer_memory_bytes").is_some_and(|bytes| bytes > 8_000_000)
    })
    .await;
    for _ in 0..10 {
        shop.get("/health").await.expect(200);
    }
    let answer = rest(slow.pop().unwrap()).await;
    assert_eq!(answer.split_once("\r\n\r\n").map(|(_, body)| body.matches('b').count()), Some(6_000_000));
}

#[tokio::test]
async fn responses_that_nobody_reads_make_room() {
    let shop = App::bookshop().env("RUNNER_BUFFER_MEMORY", "4MiB").start().await;
    let request = "GET /misbehave/huge?12000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let slow = begin(&shop, request).await;
    eventually("it is buffered", || async { value(&shop, "wiki_runner_buffer_memory_bytes").await > 3 << 20 }).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(shop.get("/misbehave/huge?12000000").await.expect(200).bytes().len(), 12_000_000);
    let answer = rest(slow).await;
    assert!(answer.len() < 12_000_000, "it was aborted");
}

/// Everything at once, by many clients, beside a limit as that of a pod.
#[tokio::test]
async fn the_process_is_not_killed_for_what_clients_do() {
    let Some(container) = Container::new(256 * MIB) else {
        return println!("skipped: no control group can be made here");
    };
    let shop = App::bookshop().within(&container).start().await;
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(begin_body(&shop, 8 * MIB, 100_000).await);
        held.push(begin(&shop, "GET /misbehave/huge?16000000 HTTP/1.1\r\nHost: x\r\n\r\n").await);
        held.push(begin(&shop, format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}", "y".repeat(60_000))).await);
    }
    let more = (0..64).map(|_| {
        let shop = shop.replica(0).clone();
        async move {
            _ = shop.get("/misbehave/grow?15").attempt().await;
            _ = shop.get("/misbehave/hoard?20").attempt().await;
            _ = shop.post("/shelf").body("text/plain", "x".repeat(8 << 20)).attempt().await;
        }
    });
    at_once(more).await;
    let filling = held.into_iter().map(|mut stream| async move {
        _ = tokio::time::timeout(Duration::from_secs(5), stream.write_all(&vec![b'x'; 4 << 20])).await;
        stream
    });
    let _held = at_once(filling).await;
    assert_eq!(container.killed(), 0);
    eventually("everybody is served", || async {
        matches!(shop.get("/health").attempt().await, Ok(answer) if answer.status() == 200)
    })
    .await;
    println!("peak: {:?} MiB", container.peak().map(|peak| peak / MIB));
    drop(shop);
}

/// hyper keeps a connection's buffer as large as it was once.
#[tokio::test]
async fn connections_keep_nothing_of_large_bodies() {
    const CONNECTIONS: u64 = 500;
    let shop = App::bookshop().start().await;
    let before = shop.runner().peak_memory();
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = begin_body(&shop, 200_000, 200_000).await;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        idle.push(stream);
    }
    let grown = (shop.runner().peak_memory() - before) / CONNECTIONS;
    println!("{} KiB for each connection", grown >> 10);
    assert!(grown < 48 << 10, "{} KiB for each connection", grown >> 10);
}

#[tokio::test]
async fn large_pages_and_previews_keep_nobody_waiting() {
    // Long enough for a slow machine: whoever keeps another waiting for ever is still found out.
    let wiki = App::wiki().env("RUNNER_GUEST_MEMORY", "128MiB").env("RUNNER_QUEUE_TIMEOUT", "20s").start().await;
    let large = "*a* _b_ [c](/d)\n\n".repeat(980_000 / 17);
    let page = wiki.create_post(&wiki.create_user("ada").await, &large).await;
    let page = format!("/wiki/{}", page["slug"].as_str().unwrap());
    let preview: [(&str, &str); 1] = [("content", &large)];
    for kind in ["pages", "previews"] {
        let requests = (0..32).map(|_| match kind {
            "pages" => wiki.get(&page).into_future(),
            _ => wiki.post("/wiki/-/preview").form(&preview).into_future(),
        });
        let done = std::sync::atomic::AtomicBool::new(false);
        let began = Instant::now();
        let (answers, healthy) = tokio::join!(
            async {
                let answers = at_once(requests).await;
                done.store(true, std::sync::atomic::Ordering::Relaxed);
                answers
            },
            async {
                let mut healthy = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    wiki.get("/health").await.expect(200);
                    healthy += 1;
                }
                healthy
            }
        );
        let served = answers.iter().filter(|answer| answer.status() == 200).count();
        println!("{served} of {} {kind} in {:?}, {healthy} probes", answers.len(), began.elapsed());
        for refused in answers.iter().filter(|answer| answer.status() != 200) {
            assert!(refused.status() == 503 && refused.has_header("retry-after"), "{refused:?}");
        }
        assert!(served >= answers.len() / 2, "{served} {kind} were served");
    }
    assert!(value(&wiki, "wiki_runner_guest_memory_bytes").await <= 128 * MIB);
}
