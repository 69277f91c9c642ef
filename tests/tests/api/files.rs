//! Files of pages: what is sent comes back, to who may read the page, and nothing is left of what was refused or broke off.

use std::time::Duration;

use blackbox::{
    ADMIN_PASSWORD, App, Client, PASSWORD, Request, Response, Value, at_once, connect, eventually, json,
    percent_encoded,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The bytes of a chunk in the database.
const CHUNK: usize = 256 << 10;
/// The limit of the wikis here, a few chunks.
const LIMIT: usize = 1_000_000;

const PNG: &str = "image/png";

/// An open wiki with a small limit, and a page in it.
async fn wiki() -> App {
    let wiki = App::wiki().env("SPIN_VARIABLE_MAX_FILE_SIZE", "1MB").start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "# Racks").await;
    wiki
}

/// A request that sends a file to page 1.
fn upload(wiki: &Client, name: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> Request {
    wiki.post(&format!("/posts/1/files?name={}", percent_encoded(name))).body(media_type, bytes.into())
}

/// So many bytes that do not repeat.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A PNG of this size, without its pixels, followed by `more`.
fn png(width: u32, height: u32, more: &[u8]) -> Vec<u8> {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    [&head[..], &width.to_be_bytes(), &height.to_be_bytes(), b"\x08\x06\0\0\0\0\0\0\0", more].concat()
}

/// A form as a browser sends it, with a field before the file.
fn form(name: &str, media_type: &str, bytes: &[u8]) -> (&'static str, Vec<u8>) {
    let head = format!(
        "--xyz\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nhello\r\n--xyz\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
    );
    ("multipart/form-data; boundary=xyz", [head.as_bytes(), bytes, b"\r\n--xyz--\r\n"].concat())
}

async fn count(wiki: &App, table: &str) -> i64 {
    wiki.database().column(&format!("SELECT count(*)::text FROM {table}")).await[0].parse().unwrap()
}

async fn listed(wiki: &Client) -> Vec<Value> {
    wiki.walk("/posts/1/files?limit=2", "files").await
}

#[tokio::test]
async fn what_is_sent_comes_back() {
    let wiki = wiki().await;
    let mut sent = Vec::new();
    for length in [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, LIMIT] {
        let bytes = noise(length);
        let name = format!("{length}.bin");
        let file = upload(&wiki, &name, "application/octet-stream", bytes.clone()).await.expect(201);
        let url = format!("/files/{}/{name}", file.json()["id"]);
        assert_eq!(file.header("location"), url);
        let read = wiki.get(&url).await.expect(200);
        assert!(read.bytes() == bytes, "{length} bytes");
        assert_eq!(read.header("content-length"), length.to_string());
        sent.push(file.json());
    }
    sent.reverse();
    assert_eq!(listed(&wiki).await, sent, "the latest first");
    let file = sent[0].as_object().unwrap();
    assert_eq!(file["size"], LIMIT);
    assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
    assert_eq!((&file["post_id"], &file["user_id"], &file["width"]), (&json!(1), &Value::Null, &Value::Null));
    blackbox::assert_time(&file["created_time"]);
    for path in ["/posts/2/files", "/posts/0/files", "/files/99/a", "/files/x/a"] {
        wiki.get(path).await.problem(404);
    }
}

#[tokio::test]
async fn a_file_is_sent_as_a_body_or_in_a_form() {
    let wiki = wiki().await;
    let picture = png(800, 600, b"pixels");
    let expected =
        json!({"name": "räcks \"1\".png", "content_type": PNG, "width": 800, "height": 600, "size": picture.len()});
    let (media_type, body) = form("räcks %221%22.png", PNG, &picture);
    let by_header = wiki.post("/posts/1/files").body(PNG, picture.clone());
    let requests = [
        upload(&wiki, "räcks \"1\".png", PNG, picture.clone()),
        wiki.post("/posts/1/files").body(media_type, body),
        by_header.header("content-disposition", "attachment; filename*=UTF-8''r%C3%A4cks%20%221%22.png"),
        // What it is can be told by how it begins.
        upload(&wiki, "räcks \"1\".png", "", picture.clone()),
        upload(&wiki, "ra\u{308}cks \"1\".png", "IMAGE/PNG; q=1", picture.clone()),
    ];
    for (number, request) in requests.into_iter().enumerate() {
        // The first adds it. After that it is there.
        let file = request.await.expect(if number == 0 { 201 } else { 200 }).json();
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(&file[member], value, "request {number}");
        }
        assert_eq!(file["id"], 1);
    }
    assert_eq!(listed(&wiki).await.len(), 1);
    let read = wiki.get("/files/1/r%C3%A4cks%20%221%22.png").await.expect(200);
    assert_eq!((read.header("content-type"), read.bytes()), (PNG, &picture[..]));
    let disposition = "inline; filename=\"r_cks _1_.png\"; filename*=UTF-8''r%C3%A4cks%20%221%22.png";
    assert_eq!(read.header("content-disposition"), disposition);
    // Another name leads to its own.
    let other = wiki.get("/files/1/other.png").await.expect(302);
    assert_eq!(other.header("location"), "/files/1/r%C3%A4cks%20%221%22.png");
    // Named as whoever it is.
    let file = wiki.post("/posts/1/files?name=a.txt&user_id=1").body("text/plain", "a").await.expect(201).json();
    assert_eq!(file["user_id"], 1);
    wiki.post("/posts/1/files?name=a.txt&user_id=99").body("text/plain", "b").await.problem(404);
}

#[tokio::test]
async fn what_is_no_file_is_refused_and_leaves_nothing() {
    let wiki = wiki().await;
    let long = "a".repeat(300);
    for name in ["", " ", "a/b.png", "C:\\a.png", "a\nb.png", "a\0b", "photo\u{202e}gpj.exe", "..", &long] {
        upload(&wiki, name, "text/plain", "x").await.invalid("name");
        if !name.contains(['\0', '\n', '\\']) && !name.is_empty() {
            let (media_type, body) = form(name, "text/plain", b"x");
            wiki.post("/posts/1/files").body(media_type, body).await.invalid("name");
        }
    }
    wiki.post("/posts/1/files").body("text/plain", "x").await.invalid("name");
    for (media_type, bytes) in [
        ("text/plain", Vec::new()),
        (PNG, b"not a picture".to_vec()),
        (PNG, b"GIF89a\x01\0\x02\0\0\0\0;".to_vec()),
        ("image/svg+xml", png(1, 1, b"")),
        ("text/html", png(1, 1, b"")),
        ("application/pdf", b"hello".to_vec()),
        // Broken off, of no size, and one that would take four gigabytes of memory to be shown.
        (PNG, png(1, 1, b"")[..18].to_vec()),
        (PNG, png(0, 1, b"")),
        (PNG, png(65_535, 65_535, b"")),
    ] {
        upload(&wiki, "a", media_type, bytes.clone()).await.invalid("file");
        let (form_type, body) = form("a", media_type, &bytes);
        wiki.post("/posts/1/files").body(form_type, body).await.invalid("file");
    }
    upload(&wiki, "a", "png", "x").await.invalid("content_type");
    upload(&wiki, "a", "application/x-www-form-urlencoded", "x").await.problem(415);
    let (media_type, body) = form("", "application/octet-stream", b"");
    wiki.post("/posts/1/files").body(media_type, body).await.invalid("file");
    let (media_type, body) = form("a.txt", "text/plain", b"some text");
    for length in [0, 3, 20, 90, body.len() - 20, body.len() - 4] {
        wiki.post("/posts/1/files").body(media_type, body[..length].to_vec()).await.problem(400);
    }
    let (media_type, body) = form("a.txt", "text/plain", &noise(LIMIT + 1));
    for request in [
        upload(&wiki, "a", "text/plain", noise(LIMIT + 1)),
        wiki.post("/posts/1/files").body(media_type, body),
        upload(&wiki, "a", "text/plain", noise(30 << 20)),
    ] {
        let problem = request.await.problem(413);
        assert_eq!(problem.detail, "The file is too large: it may have at most 1 MB.");
    }
    wiki.post("/posts/9/files?name=a").body("text/plain", "x").await.problem(404);
    for table in ["files", "blobs", "blob_chunks"] {
        assert_eq!(count(&wiki, table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_not_seen_and_swept() {
    let wiki = wiki().await;
    let head = format!(
        "POST /posts/1/files?name=a HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: {LIMIT}\r\n\r\n"
    );
    let mut stream = connect(wiki.url()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&noise(2 * CHUNK)).await.unwrap();
    drop(stream);
    // A form that announces more than there is room for, and says nothing then.
    let head = "POST /posts/1/files HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n\
        Transfer-Encoding: chunked\r\n\r\n5\r\n--x\r\n\r\n0\r\n\r\n";
    let mut stream = connect(wiki.url()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    assert!(listed(&wiki).await.is_empty());

    // What a process left that ended in between.
    let client = wiki.database().client().await;
    let left = "WITH left_over AS (
          INSERT INTO blobs (unused_since) VALUES (now() - interval '23 hours'), (now() - interval '25 hours') RETURNING id)
        INSERT INTO blob_chunks SELECT id, 0, 'x' FROM left_over";
    client.batch_execute(left).await.unwrap();
    upload(&wiki, "b", "text/plain", "b").await.expect(201);
    eventually("old bytes are gone", || async { count(&wiki, "blob_chunks").await == 2 }).await;
}

#[tokio::test]
async fn the_same_content_is_stored_once() {
    let wiki = App::wiki().replicas(2).start().await;
    let ada = wiki.create_user("ada").await;
    for _ in 0..2 {
        wiki.create_post(&ada, "x").await;
    }
    let bytes = noise(CHUNK + 1);
    let uploads = (0..8).map(|number| {
        // Twice under each name, on two pages, by two replicas, at once.
        let path = format!("/posts/{}/files?name={}.txt", number % 2 + 1, number / 4);
        let request = wiki.replica(number / 2 % 2).post(&path).body("text/plain", bytes.clone());
        async move { request.await }
    });
    let answers: Vec<Response> = at_once(uploads).await;
    assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 201)), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status() == 201).count(), 4);
    assert_eq!(
        (count(&wiki, "files").await, count(&wiki, "blobs").await, count(&wiki, "blob_chunks").await),
        (4, 1, 2)
    );
    for answer in answers {
        let read = wiki.get(answer.json()["url"].as_str().unwrap()).await.expect(200);
        assert!(read.bytes() == bytes);
    }

    // The bytes stay for as long as one file has them, and a day.
    let files = wiki.walk("/posts/1/files", "files").await;
    let client = wiki.database().client().await;
    let unused =
        async || client.query_one("SELECT unused_since IS NOT NULL FROM blobs", &[]).await.unwrap().get::<_, bool>(0);
    for page in [1, 2] {
        assert!(!unused().await);
        let files = wiki.walk(&format!("/posts/{page}/files"), "files").await;
        at_once(files.into_iter().map(|file| {
            let delete = wiki.delete(&format!("/files/{}", file["id"]));
            async move { delete.await.expect(204) }
        }))
        .await;
    }
    assert!(unused().await);
    wiki.get(files[0]["url"].as_str().unwrap()).await.problem(404);
    wiki.delete(&format!("/files/{}", files[0]["id"])).await.problem(404);
    // Within the day, they can become a file's again.
    let path = "/posts/1/files?name=again.txt";
    wiki.post(path).body("text/plain", bytes.clone()).await.expect(201);
    assert_eq!((unused().await, count(&wiki, "blobs").await), (false, 1));
}

#[tokio::test]
async fn a_part_of_a_file_is_read() {
    let wiki = wiki().await;
    let bytes = noise(2 * CHUNK + 10);
    let url = upload(&wiki, "a.bin", "video/mp4", bytes.clone()).await.expect(201).json()["url"].clone();
    let url = url.as_str().unwrap();
    let whole = wiki.get(url).await.expect(200);
    let etag = whole.header("etag").to_owned();
    assert!(etag.starts_with('"') && whole.header("accept-ranges") == "bytes");
    let size = bytes.len();
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, size),
        ("bytes=-5", size - 5, size),
        (&*format!("bytes={}-{}", CHUNK - 1, CHUNK), CHUNK - 1, CHUNK + 1),
        (&format!("bytes={CHUNK}-{}", 2 * CHUNK - 1), CHUNK, 2 * CHUNK),
        (&format!("bytes=10-{}", size + 10), 10, size),
    ] {
        let part = wiki.get(url).header("range", range).await.expect(206);
        assert!(part.bytes() == &bytes[from..to], "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
        assert_eq!(part.header("content-length"), (to - from).to_string());
        assert_eq!(part.header("etag"), etag);
        let head = wiki.head(url).header("range", range).await.expect(206);
        assert_eq!((head.header("content-length"), head.bytes().len()), (&*(to - from).to_string(), 0));
    }
    for range in ["bytes=0-1,3-4", "bytes=9-3", "lines=1-2"] {
        assert!(wiki.get(url).header("range", range).await.expect(200).bytes() == bytes, "{range}");
    }
    for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
        let none = wiki.get(url).header("range", &range).await;
        none.problem(416);
        assert_eq!(none.header("content-range"), format!("bytes */{size}"), "{range}");
    }
    // The rest of a file that has become another one is no use.
    wiki.get(url).header("range", "bytes=5-").header("if-range", &etag).await.expect(206);
    wiki.get(url).header("range", "bytes=5-").header("if-range", "\"other\"").await.expect(200);
    let known = wiki.get(url).header("if-none-match", &etag).await.expect(304);
    assert_eq!((known.header("etag"), known.bytes().len()), (&*etag, 0));
    assert_eq!(known.header("cache-control"), "public, max-age=31536000, immutable");
    let head = wiki.head(url).await.expect(200);
    assert_eq!((head.header("content-length"), head.bytes().len()), (&*size.to_string(), 0));
}

#[tokio::test]
async fn a_browser_runs_nothing_of_a_file() {
    let wiki = wiki().await;
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    for (name, media_type, bytes, kind, sandboxed) in [
        ("a.png", PNG, png(1, 1, b""), "inline", true),
        ("a.txt", "text/plain", b"<script>".to_vec(), "inline", true),
        ("a.pdf", "application/pdf", b"%PDF-1.7\n".to_vec(), "inline", false),
        ("a.svg", "image/svg+xml", svg.into(), "attachment", true),
        ("a.html", "text/html", b"<script>alert(1)</script>".to_vec(), "attachment", true),
        ("a.xhtml", "application/xhtml+xml", svg.into(), "attachment", true),
        ("a.js", "text/javascript", b"alert(1)".to_vec(), "attachment", true),
        ("a", "", b"<script>alert(1)</script>".to_vec(), "attachment", true),
    ] {
        let file = upload(&wiki, name, media_type, bytes).await.expect(201).json();
        let read = wiki.get(file["url"].as_str().unwrap()).await.expect(200);
        assert_eq!(read.header("content-disposition"), format!("{kind}; filename=\"{name}\""));
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        let policy = read.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(policy.ends_with("; sandbox"), sandboxed, "{name}: {policy}");
        assert!(!policy.contains("script-src"), "{policy}");
    }
    let text = upload(&wiki, "b.txt", "text/plain; charset=latin1", "ü").await.expect(201).json();
    let read = wiki.get(text["url"].as_str().unwrap()).await.expect(200);
    assert_eq!(read.header("content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn who_may_read_the_page_may_read_its_files() {
    for (mode, anonymous, cached) in
        [("public-read", 200, "public, max-age=31536000, immutable"), ("private", 401, "no-store")]
    {
        let wiki = App::wiki().access(mode).start().await;
        let administrator = wiki.administrator().await;
        wiki.post("/posts").cookie(&administrator).json(json!({"content": "x"})).await.expect(201);
        for (username, role) in [("eve", "editor"), ("rita", "reader")] {
            wiki.create_account(&administrator, username, role).await;
        }
        let eve = wiki.sign_in("eve", blackbox::PASSWORD).await;
        let rita = wiki.sign_in("rita", blackbox::PASSWORD).await;
        let send = || upload(&wiki, "a.txt", "text/plain", "secret").header("origin", wiki.url());
        send().await.problem(401);
        send().cookie(&rita).await.problem(403);
        let file = send().cookie(&eve).await.expect(201).json();
        assert_ne!(file["user_id"], 1, "it is eve's");
        wiki.post("/posts/1/files?name=b.txt&user_id=1").cookie(&eve).body("application/json", "{}").await.problem(403);
        let url = file["url"].as_str().unwrap();
        let etag = format!("\"{}\"", file["sha256"].as_str().unwrap());
        for target in [url, "/posts/1/files"] {
            let read = wiki.get(target).header("if-none-match", &etag).await;
            assert_eq!(read.status(), if target == url && anonymous == 200 { 304 } else { anonymous }, "{read:?}");
        }
        assert_eq!(wiki.get(url).await.header("cache-control"), cached);
        let read = wiki.get(url).cookie(&rita).await.expect(200);
        assert_eq!(read.text(), "secret");
        let expected = if mode == "private" { "private, no-cache" } else { "private, max-age=31536000, immutable" };
        assert_eq!(read.header("cache-control"), expected);
        wiki.delete("/files/1").await.problem(401);
        wiki.delete("/files/1").cookie(&rita).await.problem(403);

        // A protected page keeps what it has; a deleted one takes its files along, and brings them back.
        wiki.put("/posts/1/protection").cookie(&administrator).await.expect(200);
        send().cookie(&eve).await.problem(403);
        wiki.delete("/files/1").cookie(&eve).await.problem(403);
        wiki.delete("/posts/1/protection").cookie(&administrator).await.expect(200);
        wiki.delete("/posts/1").cookie(&eve).await.expect(204);
        for target in [url, "/posts/1/files"] {
            wiki.get(target).cookie(&eve).await.problem(404);
        }
        send().cookie(&eve).await.problem(404);
        wiki.delete("/files/1").cookie(&eve).await.problem(404);
        wiki.post("/posts/1/restore").cookie(&eve).json(json!({})).await.expect(200);
        assert_eq!(wiki.get(url).cookie(&eve).await.expect(200).text(), "secret");
        wiki.delete("/files/1").cookie(&eve).await.expect(204);
        wiki.get(url).cookie(&eve).await.problem(404);
    }
}

#[tokio::test]
async fn files_of_pages_that_were_deleted_long_ago_are_removed() {
    let wiki = wiki().await;
    let ada = json!({"id": 1});
    for number in 1..=2 {
        upload(&wiki, "a.txt", "text/plain", format!("{number}")).await.expect(201);
        wiki.create_post(&ada, "other").await;
    }
    wiki.delete("/posts/1").await.expect(204);
    let client = wiki.database().client().await;
    let age = async |days: i32| {
        let sql = "UPDATE posts SET deleted_time = now() - $1::integer * interval '1 day' WHERE id = 1";
        client.execute(sql, &[&days]).await.unwrap();
        wiki.post("/posts/2/files?name=b.txt").body("text/plain", format!("{days}")).await.expect(201);
        count(&wiki, "files WHERE post_id = 1").await
    };
    assert_eq!(age(29).await, 2);
    assert_eq!(age(31).await, 0);
    assert_eq!(count(&wiki, "blobs WHERE unused_since IS NOT NULL").await, 2, "for a day");
}

#[tokio::test]
async fn all_files_together_have_a_limit() {
    let wiki = App::wiki().env("SPIN_VARIABLE_FILE_QUOTA", "1kB").start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "x").await;
    upload(&wiki, "a", "text/plain", noise(600)).await.expect(201);
    let problem = upload(&wiki, "b", "text/plain", noise(401)).await.problem(413);
    assert!(problem.detail.contains("all files together may have 1 kB"), "{problem:?}");
    upload(&wiki, "b", "text/plain", noise(400)).await.expect(201);
    // What is there takes no more room.
    upload(&wiki, "c", "text/plain", noise(600)).await.expect(201);
    assert_eq!(count(&wiki, "blobs").await, 2);
}

#[tokio::test]
async fn the_files_of_a_space_have_a_limit() {
    let wiki = App::wiki().access("open").env("SPIN_VARIABLE_SPACE_FILE_QUOTA", "1kB").start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "x").await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let admin = wiki.create_token(&cookie, "admin").await;
    let space = wiki.post("/spaces").token(&admin).json(json!({"name": "Elsewhere"})).await.expect(201).json();
    let page = json!({"user_id": ada["id"], "title": "There", "content": "y", "space_id": space["space_id"]});
    wiki.post("/posts").json(page).await.expect(201);
    upload(&wiki, "a", "text/plain", noise(600)).await.expect(201);
    let problem = upload(&wiki, "b", "text/plain", noise(401)).await.problem(413);
    assert!(problem.detail.contains("The space has no room for this file: its files may have 1 kB"), "{problem:?}");
    // A page shows its own files, so the same content counts for each of them.
    upload(&wiki, "c", "text/plain", noise(600)).await.problem(413);
    upload(&wiki, "a", "text/plain", noise(600)).await.expect(200);
    upload(&wiki, "b", "text/plain", noise(400)).await.expect(201);
    // Another space has a limit of its own.
    let there = wiki.post("/posts/2/files?name=d").body("text/plain", noise(900));
    there.await.expect(201);
}

#[tokio::test]
async fn a_large_file_takes_little_memory() {
    // A file of 25 MB through an instance that may have 16 MiB.
    let wiki = App::wiki().env("RUNNER_MAX_MEMORY", "16MiB").start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "x").await;
    let bytes = noise(25_000_000);
    let url = upload(&wiki, "a.bin", "", bytes.clone()).await.expect(201).json()["url"].clone();
    let url = url.as_str().unwrap();
    assert!(wiki.get(url).await.expect(200).bytes() == bytes);
    let (media_type, body) = form("b.bin", "application/octet-stream", &bytes);
    wiki.post("/posts/1/files").body(media_type, body).await.expect(201);
    assert_eq!(count(&wiki, "blobs").await, 1);

    // Who reads slowly keeps no connection to the database: there are four.
    let slow = (0..6).map(|_| wiki.get(url).stream());
    let slow = futures(slow).await;
    tokio::time::timeout(Duration::from_secs(10), async { wiki.get("/posts/1").await.expect(200) }).await.unwrap();
    drop(slow);
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = Result<T, impl std::fmt::Debug>>>) -> Vec<T> {
    let mut done = Vec::new();
    for one in all {
        done.push(one.await.unwrap());
    }
    done
}

#[tokio::test]
async fn a_database_that_goes_away_leaves_no_half_of_a_file() {
    let wiki = wiki().await;
    let bytes = noise(LIMIT);
    let head = format!(
        "POST /posts/1/files?name=a HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: {LIMIT}\r\n\r\n"
    );
    let mut stream = connect(wiki.url()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..CHUNK + 1]).await.unwrap();
    // Everything that was begun is gone, as in a database that was restored in between.
    let client = wiki.database().client().await;
    client.batch_execute("DELETE FROM blobs").await.unwrap();
    stream.write_all(&bytes[CHUNK + 1..]).await.unwrap();
    assert!(listed(&wiki).await.is_empty());
}

/// A wiki that everybody reads, with the cookies of an administrator and of two editors.
async fn team() -> (App, String, String, String) {
    let wiki = App::wiki().access("public-read").env("SPIN_VARIABLE_MAX_FILE_SIZE", "1MB").start().await;
    let admin = wiki.administrator().await;
    wiki.choose_password(&admin, ADMIN_PASSWORD).await;
    let admin = wiki.sign_in("admin", PASSWORD).await;
    let token = async |cookie: &str| wiki.create_token(cookie, "write").await;
    let mut editors = Vec::new();
    for name in ["ada", "ben"] {
        wiki.create_account(&admin, name, "editor").await;
        editors.push(token(&wiki.sign_in(name, PASSWORD).await).await);
    }
    let admin = token(&admin).await;
    let [ada, ben] = editors.try_into().unwrap();
    (wiki, admin, ada, ben)
}

#[tokio::test]
async fn a_file_waits_for_the_page_that_shows_it() {
    let (wiki, admin, ada, ben) = team().await;
    let send = |token: &str, name: &str| {
        wiki.post(&format!("/files?name={name}")).token(token).body(PNG, png(30, 20, b"more"))
    };
    let page = |token: &str, url: &str| {
        wiki.post("/posts").token(token).json(json!({"content": format!("# Racks\n\n![racks]({url})")}))
    };
    wiki.post("/files?name=a.png").body(PNG, png(30, 20, b"")).await.problem(401);
    let file = send(&ada, "racks.png").await.expect(201).json();
    assert_eq!((&file["post_id"], &file["width"]), (&Value::Null, &json!(30)));
    assert_eq!(send(&ada, "racks.png").await.expect(200).json(), file, "the same is no second one");
    let others = send(&ben, "racks.png").await.expect(201).json();
    assert_ne!(others["id"], file["id"], "everybody has their own");

    // It is hers alone.
    let url = file["url"].as_str().unwrap();
    wiki.get(url).token(&ada).await.expect(200);
    wiki.get(url).token(&admin).await.expect(200);
    wiki.get(url).token(&ben).await.problem(404);
    wiki.get(url).await.problem(404);
    wiki.delete(&format!("/files/{}", file["id"])).token(&ben).await.problem(404);
    let stranger = page(&ben, url).await.expect(201).json();
    assert_eq!(wiki.get(&format!("/posts/{}/files", stranger["post_id"])).await.json()["files"], json!([]));
    wiki.get(url).await.problem(404);

    // Whoever reads her page reads it.
    let own = page(&ada, url).await.expect(201).json();
    let files = wiki.get(&format!("/posts/{}/files", own["post_id"])).await.expect(200).json();
    assert_eq!(files["files"][0]["id"], file["id"]);
    assert_eq!(files["files"][0]["post_id"], own["post_id"]);
    wiki.get(url).await.expect(200);
    wiki.get(url).token(&ben).await.expect(200);
    let events = wiki.get("/events?type=wasiki.file.added").token(&admin).await.expect(200).json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
    assert_eq!(events["events"][0]["data"]["post_id"], own["post_id"]);

    // So it is when a page is saved again. What the page has already stays with whoever sent it.
    let path = format!("/posts/{}", own["post_id"]);
    let save = async |url: &Value, version: i64| {
        let content = format!("# Racks\n\n![racks]({})", url.as_str().unwrap());
        wiki.put(&path).token(&ada).json(json!({"content": content, "version": version})).await.expect(200);
    };
    let another = send(&ada, "another.png").await.expect(201).json();
    save(&another["url"], 1).await;
    wiki.get(another["url"].as_str().unwrap()).await.expect(200);
    let twin = send(&ada, "racks.png").await.expect(201).json();
    assert_ne!(twin["id"], file["id"]);
    save(&twin["url"], 2).await;
    assert_eq!(wiki.get(&format!("{path}/files")).await.json()["files"].as_array().unwrap().len(), 2);
    wiki.get(twin["url"].as_str().unwrap()).token(&ada).await.expect(200);
    wiki.delete(&format!("/files/{}", twin["id"])).token(&ada).await.expect(204);
    wiki.get(twin["url"].as_str().unwrap()).token(&ada).await.problem(404);

    // It does not wait for ever.
    let old = "WITH old AS (UPDATE files SET created_time = now() - interval '31 days' RETURNING 1) SELECT count(*)::text FROM old";
    assert_eq!(wiki.database().column(old).await, ["3"]);
    wiki.database().column("SELECT sweep_files()::text").await;
    wiki.get(others["url"].as_str().unwrap()).token(&ben).await.problem(404);
    wiki.get(url).await.expect(200);
}
