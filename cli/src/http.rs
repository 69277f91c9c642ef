//! One request to the wiki, with retries while they can help and do no harm.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH, LOCATION, RETRY_AFTER};
use ureq::http::{self, HeaderMap, HeaderValue, Method, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use crate::connection::Attempt;
use crate::error::{Error, Refusal};
use crate::retry::Retry;

/// The largest response, in bytes: a page of a mebibyte with every byte escaped, and room for long lists.
const MAX_RESPONSE: u64 = 64 << 20;

#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the wiki, without a slash at its end.
    pub url: String,
    pub token: Option<Token>,
    /// The limit for one attempt, response included.
    pub timeout: Duration,
    pub retry: Retry,
    /// Concurrent requests, which is also the number of connections that are kept open.
    pub jobs: usize,
}

/// A bearer token. Its secret is never printed.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Fails if `secret` cannot be sent in a header. The error does not contain it.
    pub fn new(secret: &str) -> Result<Self, &'static str> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.trim()))
            .map_err(|_| "it contains a character that cannot be sent in a header")?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The media type of most bodies.
const JSON: &str = "application/json";

#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    /// Path and query.
    target: String,
    body: Option<Vec<u8>>,
    media_type: &'static str,
    version: Option<i64>,
    /// Whether a second attempt has no second effect: reading, an edit of a given version, a creation with a unique name.
    idempotent: bool,
}

impl Request {
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), body: None, media_type: JSON, version: None, idempotent: true }
    }

    /// With a JSON body.
    pub fn json(self, body: Vec<u8>) -> Self {
        Self { body: Some(body), ..self }
    }

    /// With a body of this media type.
    pub fn bytes(self, media_type: &'static str, body: Vec<u8>) -> Self {
        Self { body: Some(body), media_type, ..self }
    }

    /// Only if the page has this version (`If-Match`).
    pub fn if_version(self, version: Option<i64>) -> Self {
        Self { version, ..self }
    }

    /// Sent again only when it is certain that the wiki did nothing.
    pub fn not_idempotent(self) -> Self {
        Self { idempotent: false, ..self }
    }
}

/// A client of one wiki, shared by all threads.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    settings: Settings,
    /// Held by a request that was rate-limited, until it is done: the others wait behind it.
    rate_limited: Mutex<()>,
}

struct Response {
    status: http::StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Http {
    pub fn new(settings: Settings) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .user_agent(concat!("wasiki/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(settings.timeout))
            .max_idle_connections(settings.jobs)
            .max_idle_connections_per_host(settings.jobs)
            .tls_config(tls)
            .http_status_as_error(false)
            // A redirect would turn writes into reads and send the token elsewhere: it is an error instead.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .into();
        Self { agent, settings, rate_limited: Mutex::default() }
    }

    pub fn url(&self) -> &str {
        &self.settings.url
    }

    pub fn has_token(&self) -> bool {
        self.settings.token.is_some()
    }

    /// Sends `request`, several times if need be; returns the body of the response if it is a success.
    pub fn send(&self, request: &Request) -> Result<Vec<u8>, Error> {
        let mut attempt = 0;
        let mut turn = None;
        loop {
            attempt += 1;
            let (error, had_no_effect, after) = match self.attempt(request) {
                Ok(response) if response.status.is_success() => return Ok(response.body),
                Ok(response) => {
                    let status = response.status.as_u16();
                    if !matches!(status, 429 | 502 | 503 | 504) {
                        return Err(self.refusal(&response));
                    }
                    // 429 comes before anything is done; the others may come from a proxy that lost the response.
                    (self.refusal(&response), status == 429, retry_after(&response.headers))
                }
                Err(error) => (self.unreachable(&error), is_unsent(&error), None),
            };
            let may_repeat = had_no_effect || request.idempotent;
            let Some(pause) = self.settings.retry.pause(attempt, after).filter(|_| may_repeat) else {
                return Err(error);
            };
            if error.status() == Some(429) && turn.is_none() {
                // One after the other: several would compete for the same few requests until one of them ran out of
                // attempts.
                turn = Some(self.rate_limited.lock().unwrap_or_else(PoisonError::into_inner));
            }
            std::thread::sleep(pause);
        }
    }

    fn attempt(&self, request: &Request) -> Result<Response, ureq::Error> {
        let uri = format!("{}{}", self.settings.url, request.target);
        let mut builder = http::Request::builder().method(&request.method).uri(uri).header(ACCEPT, "application/json");
        if let Some(Token(token)) = &self.settings.token {
            builder = builder.header(AUTHORIZATION, token);
        }
        if let Some(version) = request.version {
            builder = builder.header(IF_MATCH, format!("\"{version}\""));
        }
        let response = match &request.body {
            Some(body) => self.agent.run(builder.header(CONTENT_TYPE, request.media_type).body(body.as_slice())?)?,
            None if request.method == Method::POST => self.agent.run(builder.body([].as_slice())?)?,
            None => self.agent.run(builder.body(())?)?,
        };
        let (head, mut body) = response.into_parts();
        let body = body.with_config().limit(MAX_RESPONSE).read_to_vec()?;
        Ok(Response { status: head.status, headers: head.headers, body })
    }

    fn refusal(&self, response: &Response) -> Error {
        let url = &self.settings.url;
        let location = response.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        match location.filter(|_| response.status.is_redirection()) {
            Some(to) => {
                Error::Unexpected(format!("{url} redirects to {to}. Set --url to the address of the wiki itself."))
            }
            None if response.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                self.unreachable(&ureq::Error::ConnectProxyFailed(response.status.to_string()))
            }
            None => {
                let refusal = Refusal::read(response.status, &response.headers, &response.body);
                Error::Refused(Box::new(refusal.advise(url, self.has_token())))
            }
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        let Settings { url, timeout, .. } = &self.settings;
        let is_used = |proxy: &&Proxy| url.parse().is_ok_and(|uri| !proxy.is_no_proxy(&uri));
        let proxy = self.agent.config().proxy().filter(is_used);
        let reason = Attempt { url, timeout: *timeout, proxy }.reason(error);
        Error::Unreachable { url: url.clone(), reason }
    }
}

/// Whether the wiki cannot have received a request that failed with `error`.
fn is_unsent(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            true
        }
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        ureq::Error::Timeout(when) => matches!(when, ureq::Timeout::Resolve | ureq::Timeout::Connect),
        _ => false,
    }
}

/// `Retry-After` in seconds. Its other form, a date, is ignored, since clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
impl Settings {
    /// For a fake server; with short pauses.
    pub fn for_test(fake: &crate::fake::Fake) -> Self {
        let retry = Retry { more: 4, first: Duration::from_millis(1) };
        Self { url: fake.url.clone(), token: None, timeout: Duration::from_secs(10), retry, jobs: 2 }
    }
}

#[cfg(test)]
impl Http {
    pub fn for_test(fake: &crate::fake::Fake) -> Self {
        Self::new(Settings::for_test(fake))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};
    use std::time::Instant;

    fn get(fake: &Fake) -> Result<Vec<u8>, Error> {
        Http::for_test(fake).send(&Request::new(Method::GET, "/x"))
    }

    fn post(fake: &Fake, idempotent: bool) -> Result<Vec<u8>, Error> {
        let request = Request::new(Method::POST, "/x").json(b"{}".to_vec());
        Http::for_test(fake).send(&Request { idempotent, ..request })
    }

    const BUSY: Reply = Reply::Status(503, "{\"detail\": \"Wait a moment.\"}");

    #[test]
    fn a_busy_wiki_is_retried() {
        let fake = Fake::start([BUSY, Reply::Status(429, ""), BUSY, Reply::Status(200, "done")]);
        assert_eq!(get(&fake).unwrap(), b"done");
        assert_eq!(fake.requests().len(), 4);
    }

    #[test]
    fn a_lost_connection_is_retried() {
        let fake = Fake::start([Reply::HangUp, Reply::Half, Reply::Status(200, "done")]);
        assert_eq!(get(&fake).unwrap(), b"done");
    }

    #[test]
    fn attempts_are_limited() {
        let fake = Fake::start([BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY]);
        assert_eq!(get(&fake).unwrap_err().to_string(), "Wait a moment.");
        assert_eq!(fake.requests().len(), 5, "one and four more");
    }

    #[test]
    fn a_refusal_is_not_retried() {
        for status in [400, 404, 409, 412, 422, 500] {
            let fake = Fake::start([Reply::Status(status, "{\"detail\": \"No.\"}"), Reply::Status(200, "")]);
            let error = get(&fake).unwrap_err();
            assert_eq!(error.status(), Some(status));
            assert_eq!(fake.requests().len(), 1);
        }
    }

    #[test]
    fn a_request_with_an_effect_is_retried_only_if_it_had_none() {
        for reply in [Reply::HangUp, Reply::Half, BUSY] {
            let fake = Fake::start([reply, Reply::Status(201, "done")]);
            assert!(post(&fake, false).is_err(), "{reply:?}");
            assert_eq!(fake.requests().len(), 1);
        }
        let fake = Fake::start([Reply::Status(429, ""), Reply::Status(201, "done")]);
        assert_eq!(post(&fake, false).unwrap(), b"done");
        let fake = Fake::start([Reply::HangUp, Reply::Status(201, "done")]);
        assert_eq!(post(&fake, true).unwrap(), b"done");
    }

    #[test]
    fn an_unreachable_wiki_is_named() {
        let error = Http::for_test(&Fake::nowhere()).send(&Request::new(Method::GET, "/")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cannot reach the wiki at http://127.0.0.1:"), "{text}");
        assert!(error.is_outage());
    }

    #[test]
    fn rate_limited_requests_wait_for_retry_after_one_after_the_other() {
        let slow = Reply::With(429, "retry-after: 1\r\n", "");
        let fake = Fake::start([slow, slow, Reply::Status(200, ""), Reply::Status(201, "")]);
        let (http, start) = (Http::for_test(&fake), Instant::now());
        std::thread::scope(|scope| {
            scope.spawn(|| http.send(&Request::new(Method::GET, "/x")).unwrap());
            scope.spawn(|| http.send(&Request::new(Method::POST, "/x").not_idempotent()).unwrap());
        });
        assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(fake.requests().len(), 4);
    }

    #[test]
    fn a_long_retry_after_is_an_error() {
        let hour = Reply::With(429, "retry-after: 3600\r\n", r#"{"detail": "Try again in 3600 seconds."}"#);
        let fake = Fake::start([hour, Reply::Status(200, "")]);
        assert_eq!(get(&fake).unwrap_err().to_string(), "Try again in 3600 seconds.");
        assert_eq!(fake.requests().len(), 1);
    }

    #[test]
    fn redirects_are_reported_and_not_followed() {
        let fake = Fake::start([Reply::Redirect("http://elsewhere.example/")]);
        let text = get(&fake).unwrap_err().to_string();
        assert!(text.contains("http://elsewhere.example/") && text.contains("--url"), "{text}");
    }

    #[test]
    fn the_token_is_sent_but_not_printed() {
        let fake = Fake::start([Reply::Status(200, "")]);
        let token = Token::new("s3cret\n").unwrap();
        let settings = Settings { token: Some(token), ..Settings::for_test(&fake) };
        assert!(!format!("{settings:?}").contains("s3cret"));
        Http::new(settings).send(&Request::new(Method::GET, "/")).unwrap();
        assert!(fake.requests()[0].to_lowercase().contains("authorization: bearer s3cret"), "{:?}", fake.requests());
        assert!(!Token::new("s3cret\u{1}").unwrap_err().contains("s3cret"));
    }

    #[test]
    fn no_error_contains_the_token() {
        let challenge = "www-authenticate: Bearer realm=\"wasiki\", error=\"invalid_token\"\r\n";
        for reply in [
            Reply::With(401, challenge, r#"{"detail": "The token is not valid."}"#),
            Reply::Status(401, "<html>"),
            Reply::Status(403, ""),
            Reply::Status(429, ""),
            Reply::Status(500, ""),
            Reply::Redirect("/elsewhere"),
            Reply::HangUp,
            Reply::Half,
        ] {
            let fake = Fake::start([reply]);
            let token = Some(Token::new("wasiki_1_s3cret").unwrap());
            let retry = Retry { more: 0, first: Duration::ZERO };
            let http = Http::new(Settings { token, retry, ..Settings::for_test(&fake) });
            let error = http.send(&Request::new(Method::PUT, "/x").json(b"{}".to_vec())).unwrap_err();
            let shown = format!("{error} {error:?} {http:?}");
            assert!(!shown.contains("s3cret"), "{reply:?}: {shown}");
            assert!(fake.requests()[0].contains("s3cret"), "{reply:?}");
        }
    }
}
