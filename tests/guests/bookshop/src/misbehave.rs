//! Everything a guest can do wrong, on request.

use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::json;
use spin_sdk::http::{Headers, ResponseOutparam};

use crate::Answer;

const CHUNK: usize = 64 * 1024;

/// What tells this instance from all others.
static INSTANCE: LazyLock<String> = LazyLock::new(|| format!("{:016x}", RandomState::new().hash_one(0)));

/// `GET /misbehave/<how>[?number]`, for what ends with an answer or with the guest.
pub fn misbehave(how: &str, query: &str) -> Answer {
    let number = begin(how, query);
    let behaved = || (200, json!({"instance": *INSTANCE}));
    match how {
        "behave" => behaved(),
        "keep" => {
            std::mem::forget(Headers::new());
            behaved()
        }
        "grow" => {
            black_box(vec![1; number << 20]);
            behaved()
        }
        "hoard" => {
            let hoard = black_box(vec![1_u8; number << 20]);
            // The tests wait for this line, too.
            eprintln!("has its hoard");
            std::thread::sleep(Duration::from_secs(1));
            black_box(hoard);
            behaved()
        }
        "trap" => std::process::abort(),
        "panic" => panic!("out of books"),
        "loop" => loop {
            black_box(number);
        },
        "recurse" => {
            black_box(recurse(number as u64));
            behaved()
        }
        "allocate" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; CHUNK]);
                black_box(&hoard);
            }
        }
        "sleep" => {
            std::thread::sleep(Duration::from_millis(number as u64));
            (200, json!({"slept_ms": number}))
        }
        "flood" => {
            for line in 0..number {
                eprintln!("line {line} of a guest that talks too much");
            }
            (200, json!({"lines": number}))
        }
        "mutter" => {
            eprint!("half a line of number {number}");
            (200, json!({}))
        }
        _ => (404, json!({"error": "too well-behaved"})),
    }
}

/// Whether what `how` does takes a response that is sent part by part, or never.
pub fn is_streamed(how: &str) -> bool {
    ["silence", "huge", "stream", "half"].contains(&how)
}

/// `GET /misbehave/<how>[?number]`, for those.
pub async fn stream(how: &str, query: &str, out: ResponseOutparam) {
    let number = begin(how, query);
    match how {
        "huge" => write_chunks(out, number, || {}).await,
        "stream" => write_chunks(out, number * CHUNK, || std::thread::sleep(Duration::from_millis(400))).await,
        "half" => write_chunks(out, usize::MAX, || panic!("in the middle of an answer")).await,
        _ => drop(out),
    }
}

/// The headers of a response in one piece that is none; nothing for other ways to misbehave.
pub fn garbled(how: &str) -> Option<&'static str> {
    match how {
        "smuggle" => Some("transfer-encoding: chunked\n"),
        "miscount" => Some("content-length: 2\n"),
        "garble" => Some("a header without an end"),
        _ => None,
    }
}

fn begin(how: &str, query: &str) -> usize {
    // The tests wait for this line before they do what must meet the guest at work.
    eprintln!("about to {how} in {}", *INSTANCE);
    query.parse().unwrap_or(1)
}

/// Sends `total` bytes in chunks, and does `between` after each.
async fn write_chunks(out: ResponseOutparam, total: usize, between: impl Fn()) {
    let response = crate::response(200, "application/octet-stream");
    let Ok(body) = response.body() else { return };
    out.set(response);
    let Ok(stream) = body.write() else { return };
    let chunk = [b'b'; 4096];
    let mut sent = 0;
    while sent < total {
        let size = chunk.len().min(total - sent);
        if stream.blocking_write_and_flush(&chunk[..size]).is_err() {
            eprintln!("the client went away");
            return;
        }
        sent += size;
        if sent % CHUNK == 0 {
            between();
        }
    }
    drop(stream);
    if spin_sdk::http::OutgoingBody::finish(body, None).is_err() {
        eprintln!("the client went away");
    }
}

fn recurse(depth: u64) -> u64 {
    let room = black_box([depth; 256]);
    if depth == u64::MAX { 0 } else { recurse(depth + 1) + room[1] }
}
