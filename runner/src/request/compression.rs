//! Compression of texts with gzip, for clients that take it (RFC 9110, 8.4.1 and 12.5.3).
//!
//! A compressed response is another representation than the guest's, and has another entity tag (RFC 9110, 8.8.3.3): the guest's
//! with [`MARK`] at its end. Clients send it back as they got it, and the guest sees its own.

use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_MATCH, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

/// At the end of the entity tag of what is compressed here, as Jetty has it.
const MARK: &str = "--gzip";

/// The fewest bytes that are compressed: smaller responses fit into one packet in any case.
const FEWEST: u64 = 1024;

/// Texts in a few steps: more would make them a tenth smaller and take twice the time.
const LEVEL: Level = Level::new(3);

/// The most compressed bytes that wait for more to come before they are sent.
const MOST_HELD: usize = 16 << 10;

/// What a request says about compression.
#[derive(Debug, Clone, Copy)]
pub struct Compression {
    /// Whether the response may be compressed.
    is_taken: bool,
    /// Whether the client has something that was compressed, and asks whether it is still current.
    is_known: bool,
}

impl Compression {
    /// What `headers` of a request by `method` say. The guest gets the entity tags that it gave; nothing is compressed if not
    /// `is_on`.
    pub fn of(method: &Method, headers: &mut HeaderMap, is_on: bool) -> Self {
        unmark(headers, &IF_MATCH);
        let is_known = unmark(headers, &IF_NONE_MATCH);
        Self { is_taken: is_on && method != Method::HEAD && takes_gzip(headers), is_known }
    }

    /// `response` with its body compressed, if that is worth it and allowed.
    pub fn apply<B: Body>(self, mut response: Response<B>) -> Response<MaybeCompressed<B>> {
        let status = response.status();
        let headers = response.headers_mut();
        if status == StatusCode::NOT_MODIFIED && self.is_known {
            mark(headers);
        }
        let is_worth_it = is_compressible(status, headers);
        if is_worth_it {
            vary(headers);
        }
        let encoder = (is_worth_it && self.is_taken).then(|| {
            headers.remove(CONTENT_LENGTH);
            // Ranges are those of what the guest has.
            headers.remove(ACCEPT_RANGES);
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            mark(headers);
            GzEncoder::new(Vec::new(), LEVEL)
        });
        response.map(|body| MaybeCompressed { body, encoder, is_held: false })
    }
}

/// Whether a client says that it takes gzip. One that says nothing could be sent anything, but most of those decompress nothing.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let (mut gzip, mut any) = (None, None);
    for coding in codings.flat_map(|value| value.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0));
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => gzip = Some(quality > 0.0),
            "*" => any = Some(quality > 0.0),
            _ => {}
        }
    }
    gzip.or(any).unwrap_or(false)
}

/// Whether a response is a whole text of some length that nobody forbids to change on its way.
fn is_compressible(status: StatusCode, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let has_content = status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED;
    let is_whole = status != StatusCode::PARTIAL_CONTENT && !headers.contains_key(CONTENT_RANGE);
    // RFC 9111, 5.2.2.6: a guest says so of what shows a secret next to what others may have written (BREACH).
    let is_fixed = headers.get_all(CACHE_CONTROL).iter().any(|value| {
        let mut parts = value.to_str().unwrap_or_default().split(',');
        parts.any(|part| part.trim().eq_ignore_ascii_case("no-transform"))
    });
    let length = text(CONTENT_LENGTH);
    let is_long = length.is_empty() || length.parse::<u64>().is_ok_and(|length| length >= FEWEST);
    has_content
        && is_whole
        && !is_fixed
        && is_long
        && !headers.contains_key(CONTENT_ENCODING)
        && is_text(text(CONTENT_TYPE))
}

/// Whether a media type is that of a text. Events are sent one by one, and each would be kept back.
fn is_text(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_structured = media_type.ends_with("+json") || media_type.ends_with("+xml");
    match &*media_type {
        "text/event-stream" => false,
        "application/json" | "application/javascript" | "application/xml" | "application/yaml" => true,
        _ => media_type.starts_with("text/") || is_structured,
    }
}

/// Tells caches that the response depends on what the client takes (RFC 9110, 12.5.5).
fn vary(headers: &mut HeaderMap) {
    let mut names: Vec<_> = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok()).collect();
    let is_named = |names: &str| {
        names.split(',').any(|name| name.trim().eq_ignore_ascii_case(ACCEPT_ENCODING.as_str()) || name.trim() == "*")
    };
    if names.iter().any(|names| is_named(names)) {
        return;
    }
    names.push(ACCEPT_ENCODING.as_str());
    if let Ok(all) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(VARY, all);
    }
}

/// Adds [`MARK`] to the entity tag, if there is one.
fn mark(headers: &mut HeaderMap) {
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()?.strip_suffix('"'));
    let marked = tag.and_then(|tag| HeaderValue::try_from(format!("{tag}{MARK}\"")).ok());
    if let Some(marked) = marked {
        headers.insert(ETAG, marked);
    }
}

/// Takes [`MARK`] away from the entity tags of a header. Returns whether it was there.
fn unmark(headers: &mut HeaderMap, name: &HeaderName) -> bool {
    let marked = format!("{MARK}\"");
    let Some(tags) = headers.get(name).and_then(|tags| tags.to_str().ok()).filter(|tags| tags.contains(&marked)) else {
        return false;
    };
    if let Ok(unmarked) = HeaderValue::try_from(tags.replace(&marked, "\"")) {
        headers.insert(name, unmarked);
    }
    true
}

/// A body that is compressed while it is sent, or passed on as it is.
pub struct MaybeCompressed<B> {
    body: B,
    /// What compresses it, until its end.
    encoder: Option<GzEncoder<Vec<u8>>>,
    /// Whether it holds some of what has come.
    is_held: bool,
}

impl<B> Body for MaybeCompressed<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: From<std::io::Error>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Self { body, encoder, is_held } = &mut *self;
        let Some(gzip) = encoder else { return Pin::new(body).poll_frame(cx) };
        loop {
            let is_at_end = match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers, which WASI HTTP guests may send and nobody reads, are not passed on.
                    if let Ok(data) = frame.into_data() {
                        gzip.write_all(&data)?;
                        *is_held = true;
                    }
                    body.is_end_stream()
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => true,
                Poll::Pending if *is_held => {
                    // It is of use to the client now, whenever more comes.
                    gzip.flush()?;
                    *is_held = false;
                    return Poll::Ready(Some(Ok(Frame::data(std::mem::take(gzip.get_mut()).into()))));
                }
                Poll::Pending => return Poll::Pending,
            };
            if is_at_end {
                let compressed = encoder.take().map(GzEncoder::finish).transpose()?.unwrap_or_default();
                return Poll::Ready(Some(Ok(Frame::data(compressed.into()))));
            }
            if gzip.get_ref().len() >= MOST_HELD {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(gzip.get_mut()).into()))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.encoder.is_some() { SizeHint::default() } else { self.body.size_hint() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;

    use super::*;

    /// A body that comes in parts; `None` is a pause.
    struct Parts(VecDeque<Option<Bytes>>);

    impl Body for Parts {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
            match self.0.pop_front() {
                Some(Some(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
                Some(None) => Poll::Pending,
                None => Poll::Ready(None),
            }
        }

        fn is_end_stream(&self) -> bool {
            self.0.is_empty()
        }
    }

    fn request(headers: &[(HeaderName, &'static str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn response(headers: &[(HeaderName, &'static str)], parts: &[Option<&'static [u8]>]) -> Response<Parts> {
        let mut response = Response::new(Parts(parts.iter().map(|part| part.map(Bytes::from_static)).collect()));
        *response.headers_mut() = request(headers);
        response
    }

    fn taken() -> Compression {
        Compression::of(&Method::GET, &mut request(&[(ACCEPT_ENCODING, "gzip, br")]), true)
    }

    fn decompressed(compressed: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(compressed).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_text_is_compressed_and_gets_another_tag() {
        static TEXT: [u8; 5000] = [b'a'; 5000];
        let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_LENGTH, "10000"), (ETAG, "\"7\"")];
        let response = taken().apply(response(&headers, &[Some(&TEXT), Some(&TEXT)]));
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[ETAG], "\"7--gzip\"");
        assert_eq!(response.headers()[VARY], "accept-encoding");
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        let body = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        assert!(body.len() < 100, "{}", body.len());
        assert_eq!(decompressed(&body), "a".repeat(10_000));
    }

    #[test]
    fn a_pause_keeps_nothing_back() {
        let headers = [(CONTENT_TYPE, "text/plain")];
        let mut body = taken().apply(response(&headers, &[Some(b"one"), None, None, Some(b"two")])).into_body();
        let first = body.frame().now_or_never().unwrap().unwrap().unwrap().into_data().unwrap();
        let mut text = [0; 3];
        GzDecoder::new(&*first).read_exact(&mut text).unwrap();
        assert_eq!(&text, b"one");
        assert!(body.frame().now_or_never().is_none(), "nothing is sent while nothing comes");
        let rest = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        assert_eq!(decompressed(&[first, rest].concat()), "onetwo");
    }

    #[test]
    fn only_whole_texts_of_some_length_are_compressed() {
        let html = (CONTENT_TYPE, "text/html");
        let long = (CONTENT_LENGTH, "1024");
        for (headers, is_compressed) in [
            (vec![html.clone(), long.clone()], true),
            (vec![html.clone()], true),
            (vec![(CONTENT_TYPE, "application/problem+json"), long.clone()], true),
            (vec![(CONTENT_TYPE, "Image/SVG+xml"), long.clone()], true),
            (vec![html.clone(), (CONTENT_LENGTH, "1023")], false),
            (vec![long.clone()], false),
            (vec![(CONTENT_TYPE, "image/png"), long.clone()], false),
            (vec![(CONTENT_TYPE, "text/event-stream")], false),
            (vec![html.clone(), (CONTENT_ENCODING, "gzip"), long.clone()], false),
            (vec![html.clone(), (CONTENT_RANGE, "bytes 0-1023/4096"), long.clone()], false),
            (vec![html.clone(), (CACHE_CONTROL, "no-store, No-Transform"), long.clone()], false),
            (vec![html, (CACHE_CONTROL, "no-store"), long], true),
        ] {
            let response = taken().apply(response(&headers, &[]));
            let sent = response.headers();
            assert_eq!(
                sent.get(CONTENT_ENCODING).is_some_and(|_| sent.contains_key(VARY)),
                is_compressed,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn clients_choose() {
        for (accepted, is_on, takes) in [
            ("gzip, deflate, br, zstd", true, true),
            ("GZIP;q=0.5", true, true),
            ("*", true, true),
            ("*, gzip;q=0", true, false),
            ("br", true, false),
            ("", true, false),
            ("gzip", false, false),
        ] {
            let mut headers = request(&[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(Compression::of(&Method::GET, &mut headers, is_on).is_taken, takes, "{accepted}");
            assert!(!Compression::of(&Method::HEAD, &mut headers, is_on).is_taken);
        }
        assert!(!Compression::of(&Method::GET, &mut HeaderMap::new(), true).is_taken);
    }

    #[test]
    fn the_guest_sees_its_own_tags() {
        let mut headers = request(&[(IF_MATCH, "\"7--gzip\""), (IF_NONE_MATCH, "W/\"8--gzip\", \"9\"")]);
        let compression = Compression::of(&Method::GET, &mut headers, true);
        assert_eq!(headers[IF_MATCH], "\"7\"");
        assert_eq!(headers[IF_NONE_MATCH], "W/\"8\", \"9\"");
        let mut unchanged = response(&[(ETAG, "\"9\"")], &[]);
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        assert_eq!(compression.apply(unchanged).headers()[ETAG], "\"9--gzip\"");
    }
}
