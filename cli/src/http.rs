//! One request to the wiki and its answer, tried again while that can help and cannot do harm.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH, LOCATION, RETRY_AFTER};
use ureq::http::{self, HeaderMap, HeaderValue, Method};
use ureq::tls::{RootCerts, TlsConfig};

use crate::problem::{Error, Problem};
use crate::retry::Retry;

/// The most bytes of an answer that are read: a page's mebibyte with every byte escaped, and room for long lists.
const MAX_ANSWER: u64 = 64 << 20;

/// How the wiki is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API is, `http://host:port`, without a slash at its end.
    pub url: String,
    /// What the wiki knows the caller by, if anything: sent as `Authorization: Bearer`.
    pub token: Option<Token>,
    /// Time for one request and its whole answer.
    pub timeout: Duration,
    /// How often and after which pauses a request is sent again.
    pub retry: Retry,
    /// Requests in flight at once, which is also how many connections are kept open.
    pub jobs: usize,
}

/// A secret that is sent and never shown.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Fails, without repeating it, when HTTP cannot send `secret`.
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

/// Whether sending a request a second time could do something a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The second does nothing new, or is refused: reading, an edit of a given version, a creation under a unique name.
    Harmless,
    /// It could: it is sent again only when it is certain that the wiki has not carried out the first.
    CouldAct,
}

/// What to ask of the wiki.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    target: String,
    body: Option<Vec<u8>>,
    version: Option<i64>,
    repeat: Repeat,
}

impl Request {
    /// A request for `target`, a path with its query.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), body: None, version: None, repeat: Repeat::Harmless }
    }

    /// With a JSON body.
    pub fn json(self, body: Vec<u8>) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Only if the page is at this version (`If-Match`).
    pub fn if_version(self, version: Option<i64>) -> Self {
        Self { version, ..self }
    }

    /// What a second one would do.
    pub fn repeat(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }
}

/// A connection to one wiki, shared by all threads.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    settings: Settings,
    /// Held by the one request that waits because the wiki was asked too often.
    turn: Mutex<()>,
}

/// What one attempt brought.
struct Answer {
    status: http::StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Http {
    /// Connects to nothing yet.
    pub fn new(settings: Settings) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .user_agent(concat!("wasiki/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(settings.timeout))
            .max_idle_connections(settings.jobs)
            .max_idle_connections_per_host(settings.jobs)
            .tls_config(tls)
            .http_status_as_error(false)
            // A redirected write would arrive as a read, and a redirected token elsewhere: whoever calls must know.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .into();
        Self { agent, settings, turn: Mutex::default() }
    }

    /// Where the wiki is.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Whether requests are sent with a token.
    pub fn has_token(&self) -> bool {
        self.settings.token.is_some()
    }

    /// The body of the answer to `request`, if it is a success.
    pub fn send(&self, request: &Request) -> Result<Vec<u8>, Error> {
        let mut attempt = 0;
        // Until this request is done, once it was told to slow down.
        let mut turn = None;
        loop {
            attempt += 1;
            let (failure, not_done, after) = match self.attempt(request) {
                Ok(answer) if answer.status.is_success() => return Ok(answer.body),
                Ok(answer) => {
                    let status = answer.status.as_u16();
                    if !matches!(status, 429 | 502 | 503 | 504) {
                        return Err(self.refusal(&answer));
                    }
                    // 429 is said before anything is done; the others may come from a proxy that lost the answer.
                    (self.refusal(&answer), status == 429, retry_after(&answer.headers))
                }
                Err(error) => (self.unreachable(&error), is_unsent(&error), None),
            };
            let allowed = not_done || request.repeat == Repeat::Harmless;
            let Some(pause) = self.settings.retry.pause(attempt, after).filter(|_| allowed) else {
                return Err(failure);
            };
            if failure.status() == Some(429) && turn.is_none() {
                // One after the other: what one may send when the time is over, several would take from each other until
                // one of them had tried often enough.
                turn = Some(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
            }
            std::thread::sleep(pause);
        }
    }

    fn attempt(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let uri = format!("{}{}", self.settings.url, request.target);
        let mut builder = http::Request::builder().method(&request.method).uri(uri).header(ACCEPT, "application/json");
        if let Some(Token(token)) = &self.settings.token {
            builder = builder.header(AUTHORIZATION, token);
        }
        if let Some(version) = request.version {
            builder = builder.header(IF_MATCH, format!("\"{version}\""));
        }
        let response = match &request.body {
            Some(body) => self.agent.run(builder.header(CONTENT_TYPE, "application/json").body(body.as_slice())?)?,
            None if request.method == Method::POST => self.agent.run(builder.body([].as_slice())?)?,
            None => self.agent.run(builder.body(())?)?,
        };
        let (head, mut body) = response.into_parts();
        let body = body.with_config().limit(MAX_ANSWER).read_to_vec()?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    fn refusal(&self, answer: &Answer) -> Error {
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        match location.filter(|_| answer.status.is_redirection()) {
            Some(location) => Error::Unexpected(format!(
                "{} sends elsewhere, to {location}. Give the wiki's own address with --url.",
                self.settings.url
            )),
            None => {
                let problem = Problem::read(answer.status, &answer.headers, &answer.body);
                Error::Refused(Box::new(problem.advise(&self.settings.url, self.has_token())))
            }
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        let reason = match error {
            ureq::Error::Timeout(_) => format!("it did not answer within {:?}", self.settings.timeout),
            ureq::Error::HostNotFound => "there is no host of that name".to_owned(),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        Error::Unreachable { url: self.settings.url.clone(), reason }
    }
}

/// Whether the wiki cannot have seen a request that failed so.
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

/// `Retry-After` in seconds. Its other form, a date, is left to our own pauses: clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};
    use std::time::Instant;

    fn get(fake: &Fake) -> Result<Vec<u8>, Error> {
        fake.http().send(&Request::new(Method::GET, "/x"))
    }

    fn create(fake: &Fake, repeat: Repeat) -> Result<Vec<u8>, Error> {
        fake.http().send(&Request::new(Method::POST, "/x").json(b"{}".to_vec()).repeat(repeat))
    }

    const BUSY: Reply = Reply::Status(503, "{\"detail\": \"Wait a moment.\"}");

    #[test]
    fn a_busy_wiki_is_asked_again() {
        let fake = Fake::start([BUSY, Reply::Status(429, ""), BUSY, Reply::Status(200, "done")]);
        assert_eq!(get(&fake).unwrap(), b"done");
        assert_eq!(fake.requests().len(), 4);
    }

    #[test]
    fn a_lost_connection_is_made_again() {
        let fake = Fake::start([Reply::HangUp, Reply::Half, Reply::Status(200, "done")]);
        assert_eq!(get(&fake).unwrap(), b"done");
    }

    #[test]
    fn tries_are_bounded() {
        let fake = Fake::start([BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY]);
        assert_eq!(get(&fake).unwrap_err().to_string(), "Wait a moment.");
        assert_eq!(fake.requests().len(), 5, "one and four more");
    }

    #[test]
    fn a_refusal_is_not_argued_with() {
        for status in [400, 404, 409, 412, 422, 500] {
            let fake = Fake::start([Reply::Status(status, "{\"detail\": \"No.\"}"), Reply::Status(200, "")]);
            let error = get(&fake).unwrap_err();
            assert_eq!(error.status(), Some(status));
            assert_eq!(fake.requests().len(), 1);
        }
    }

    #[test]
    fn what_could_act_twice_is_sent_again_only_if_it_was_not_carried_out() {
        for reply in [Reply::HangUp, Reply::Half, BUSY] {
            let fake = Fake::start([reply, Reply::Status(201, "done")]);
            assert!(create(&fake, Repeat::CouldAct).is_err(), "{reply:?}");
            assert_eq!(fake.requests().len(), 1);
        }
        let fake = Fake::start([Reply::Status(429, ""), Reply::Status(201, "done")]);
        assert_eq!(create(&fake, Repeat::CouldAct).unwrap(), b"done");
        let fake = Fake::start([Reply::HangUp, Reply::Status(201, "done")]);
        assert_eq!(create(&fake, Repeat::Harmless).unwrap(), b"done");
    }

    #[test]
    fn a_wiki_that_is_not_there_is_named() {
        let error = Fake::nowhere().send(&Request::new(Method::GET, "/")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cannot reach the wiki at http://127.0.0.1:"), "{text}");
        assert!(error.is_outage());
    }

    #[test]
    fn who_asks_too_often_waits_as_long_as_they_are_told_and_one_after_the_other() {
        let slow = Reply::With(429, "retry-after: 1\r\n", "");
        let fake = Fake::start([slow, slow, Reply::Status(200, ""), Reply::Status(201, "")]);
        let (http, start) = (fake.http(), Instant::now());
        std::thread::scope(|scope| {
            scope.spawn(|| http.send(&Request::new(Method::GET, "/x")).unwrap());
            scope.spawn(|| http.send(&Request::new(Method::POST, "/x").repeat(Repeat::CouldAct)).unwrap());
        });
        assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(fake.requests().len(), 4);
    }

    #[test]
    fn who_would_wait_too_long_is_told_so() {
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
    fn the_token_is_sent_and_not_shown() {
        let fake = Fake::start([Reply::Status(200, "")]);
        let token = Token::new("s3cret\n").unwrap();
        let settings = Settings { token: Some(token), ..fake.settings() };
        assert!(!format!("{settings:?}").contains("s3cret"));
        Http::new(settings).send(&Request::new(Method::GET, "/")).unwrap();
        assert!(fake.requests()[0].to_lowercase().contains("authorization: bearer s3cret"), "{:?}", fake.requests());
        assert!(!Token::new("s3cret\u{1}").unwrap_err().contains("s3cret"));
    }

    #[test]
    fn no_failure_shows_the_token() {
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
            let http = Http::new(Settings { token, retry, ..fake.settings() });
            let error = http.send(&Request::new(Method::PUT, "/x").json(b"{}".to_vec())).unwrap_err();
            let shown = format!("{error} {error:?} {http:?}");
            assert!(!shown.contains("s3cret"), "{reply:?}: {shown}");
            assert!(fake.requests()[0].contains("s3cret"), "{reply:?}");
        }
    }
}
