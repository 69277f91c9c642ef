//! Requests as a test writes them, and answers as a test reads them.

use std::pin::Pin;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, redirect};
use serde_json::Value;

/// Time for one answer: above every timeout of the service itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(45);

/// A client of one service. It follows no redirects and knows no proxy.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of the service at `base` (`http://host:port`).
    ///
    /// # Panics
    /// When the system has no randomness or no resolver, so never.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(ANSWER_LIMIT).build();
        Self { base: base.to_owned(), http: http.expect("an HTTP client can be made") }
    }

    /// `http://host:port`.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// A request for `target`: a path of the service, or a URL it gave.
    ///
    /// # Panics
    /// When `method` is not one HTTP can write.
    pub fn request(&self, method: &str, target: &str) -> Request {
        let method = Method::from_bytes(method.as_bytes()).expect("a method is letters");
        let target = target.strip_prefix(&self.base).unwrap_or(target);
        let what = format!("{method} {target}");
        Request { what, inner: self.http.request(method, format!("{}{target}", self.base)) }
    }

    /// `GET target`.
    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target)
    }

    /// `HEAD target`.
    pub fn head(&self, target: &str) -> Request {
        self.request("HEAD", target)
    }

    /// `OPTIONS target`.
    pub fn options(&self, target: &str) -> Request {
        self.request("OPTIONS", target)
    }

    /// `POST target`.
    pub fn post(&self, target: &str) -> Request {
        self.request("POST", target)
    }

    /// `PUT target`.
    pub fn put(&self, target: &str) -> Request {
        self.request("PUT", target)
    }

    /// `PATCH target`.
    pub fn patch(&self, target: &str) -> Request {
        self.request("PATCH", target)
    }

    /// `DELETE target`.
    pub fn delete(&self, target: &str) -> Request {
        self.request("DELETE", target)
    }
}

/// A request that is sent when awaited.
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    what: String,
    inner: reqwest::RequestBuilder,
}

impl Request {
    /// With this header.
    ///
    /// # Panics
    /// When HTTP cannot write the name or the value.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("a header's name is a token");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's value has no control characters");
        self.inner = self.inner.header(name, value);
        self
    }

    /// With `value` as its body, as `application/json`.
    pub fn json(self, value: Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// With this body and its media type; an empty one sends no Content-Type.
    pub fn body(mut self, media_type: &str, body: impl Into<reqwest::Body>) -> Self {
        if !media_type.is_empty() {
            self = self.header("content-type", media_type);
        }
        self.inner = self.inner.body(body);
        self
    }

    /// The answer with its whole body, or why there is none: the service refused the connection, or broke it off.
    ///
    /// # Errors
    /// When the connection fails before the answer is complete.
    pub async fn attempt(self) -> Result<Response, reqwest::Error> {
        let response = self.inner.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Response { what: self.what, status, headers, body: response.bytes().await?.to_vec() })
    }

    /// The answer as soon as its head is there, to read the body in the pieces it comes in.
    ///
    /// # Errors
    /// When the connection fails before that.
    pub async fn stream(self) -> Result<reqwest::Response, reqwest::Error> {
        self.inner.send().await
    }
}

impl IntoFuture for Request {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    /// # Panics
    /// When there is no complete answer.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let what = self.what.clone();
            self.attempt().await.unwrap_or_else(|e| panic!("{what}: no answer: {e:?}"))
        })
    }
}

/// An answer with its whole body.
#[derive(Clone)]
pub struct Response {
    what: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    /// Its status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// This answer, if its status is `status`.
    ///
    /// # Panics
    /// When it is another one, showing the answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{self:?}");
        self
    }

    /// The value of a header that occurs once.
    ///
    /// # Panics
    /// When it is missing, occurs twice or is not ASCII.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        let [value] = values[..] else { panic!("expected {name} once in {self:?}") };
        value.to_str().unwrap_or_else(|_| panic!("{name} is not ASCII in {self:?}"))
    }

    /// The cookies that it sets, each as a browser sends it back: `name=value`.
    pub fn cookies(&self) -> Vec<String> {
        let values = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        values.filter_map(|value| Some(value.split(';').next()?.to_owned())).collect()
    }

    /// Whether it has this header.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The methods in `Allow`, sorted.
    ///
    /// # Panics
    /// When there is no such header.
    #[track_caller]
    pub fn allow(&self) -> Vec<&str> {
        let mut methods: Vec<_> = self.header("allow").split(',').map(str::trim).collect();
        methods.sort_unstable();
        methods
    }

    /// Its body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Its body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| panic!("not UTF-8: {self:?}"))
    }

    /// Its body, which is `application/json`.
    ///
    /// # Panics
    /// When its media type is another or the body is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.media_type(), "application/json", "{self:?}");
        self.parse()
    }

    /// Where the links, scripts, styles and pictures of its HTML lead.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[track_caller]
    pub fn links(&self) -> Vec<String> {
        let document = scraper::Html::parse_document(self.text());
        let linking = scraper::Selector::parse("[href], [src]").expect("a valid selector");
        document
            .select(&linking)
            .filter_map(|element| element.attr("href").or(element.attr("src")).map(str::to_owned))
            .collect()
    }

    /// Its media type without parameters.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn media_type(&self) -> &str {
        self.header("content-type").split(';').next().unwrap_or_default().trim()
    }

    /// The problem it reports (RFC 9457) under `status`.
    ///
    /// # Panics
    /// When the status is another, or the body lacks what a problem must have.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Problem {
        assert_eq!(self.status(), status, "{self:?}");
        assert_eq!(self.media_type(), "application/problem+json", "{self:?}");
        let problem: Value = self.parse();
        assert_eq!(problem["status"], status, "the body repeats the status: {self:?}");
        assert!(problem["type"].is_string(), "a problem has a type: {self:?}");
        let text = |member: &str| match problem[member].as_str() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => panic!("a problem has a {member}: {self:?}"),
        };
        let (title, detail) = (text("title"), text("detail"));
        assert!(detail.contains(' '), "the detail is a sentence: {self:?}");
        for internal in ["panicked", ".rs:", "postgres://", "INSERT INTO", "SELECT "] {
            assert!(!detail.contains(internal), "a problem shows no internals: {self:?}");
        }
        Problem { title, detail, body: problem }
    }

    /// The problem of a body that is well-formed but wrong in exactly `field`: 422 with a message for it.
    ///
    /// # Panics
    /// When the answer is another one, or names other fields.
    #[track_caller]
    pub fn invalid(&self, field: &str) -> Problem {
        let problem = self.problem(422);
        let errors = problem.body["errors"].as_array().unwrap_or_else(|| panic!("errors is an array: {self:?}"));
        let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap_or_default()).collect();
        assert_eq!(fields, [field], "{self:?}");
        assert!(errors[0]["message"].as_str().is_some_and(|message| !message.is_empty()), "{self:?}");
        problem
    }

    #[track_caller]
    fn parse(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {self:?}"))
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 2000;
        writeln!(f, "the answer to {}:\n{}", self.what, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        let shown = &self.body[..self.body.len().min(SHOWN)];
        writeln!(f, "\n{} ({} bytes)", String::from_utf8_lossy(shown), self.body.len())
    }
}

/// What an `application/problem+json` says.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The kind of problem, for a person.
    pub title: String,
    /// What happened this time, for a person.
    pub detail: String,
    /// Everything, for a program.
    pub body: Value,
}
