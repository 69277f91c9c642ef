//! The other way in, for hosts that pass small requests in one piece: `wasiki:http/buffered-handler`.

use spin_sdk::wit_bindgen;

use self::exports::wasiki::http::buffered_handler::{Guest, Request, Response};
use crate::entry::answer;
use crate::misbehave;
use crate::visit::{Body, Visit};

wit_bindgen::generate!({
    inline: "package shop:buffered; world buffered { export wasiki:http/buffered-handler@0.1.0; }",
    path: "../../../wit/deps/wasiki-http-0.1.0",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

struct Shop;
export!(Shop);

impl Guest for Shop {
    fn handle(request: Request) -> Option<Response> {
        let visit = Visit {
            way: "buffered",
            method: request.method,
            scheme: Some(if request.secure { "https" } else { "http" }.to_owned()),
            authority: Some(request.authority),
            target: request.path_with_query,
            headers: headers(&request.headers),
        };
        if let ["misbehave", how] = visit.segments()[..] {
            if misbehave::is_streamed(how) {
                return None;
            }
            if let Some(headers) = misbehave::garbled(how) {
                return Some(Response { status: 200, headers: headers.into(), body: b"abc".to_vec() });
            }
        }
        let (status, value) = spin_sdk::http::run(answer(&visit, Body::Whole(request.body)));
        let headers = b"content-type: application/json\n".to_vec();
        Some(Response { status, headers, body: value.to_string().into_bytes() })
    }
}

fn headers(lines: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let colon = line.windows(2).position(|two| two == b": ").expect("a header has a value");
            (String::from_utf8_lossy(&line[..colon]).into_owned(), line[colon + 2..].to_vec())
        })
        .collect()
}
