//! The few requests an operator sends.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use ureq::Agent;

/// Time for one answer: above every timeout of the runner.
const ANSWER_LIMIT: Duration = Duration::from_secs(40);

/// A client of one address, which keeps its connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    cookie: String,
}

impl Client {
    /// A client of `address`, a host and a port.
    pub fn new(address: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Where an answer leads to is for the one who asked.
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(ANSWER_LIMIT))
            .build();
        Self { agent: config.into(), base: format!("http://{address}"), cookie: String::new() }
    }

    /// The same for somebody who has signed in; fails when the wiki does not let them.
    pub fn signed_in(self, username: &str, password: &str) -> anyhow::Result<Self> {
        const PATH: &str = "/wiki/-/sign-in";
        let request = self.agent.post(format!("{}{PATH}", self.base)).header("origin", &self.base);
        let answer = request.send_form([("username", username), ("password", password)]);
        let answer = answer.with_context(|| format!("POST {PATH}: no answer"))?;
        ensure!(answer.status() == 303, "POST {PATH}: {} instead of 303", answer.status());
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).context("whoever signs in gets no cookie")?;
        Ok(Self { cookie: cookie.to_owned(), ..self })
    }

    /// `GET path`; fails when there is no complete answer.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let what = format!("GET {path}");
        let answer = self.agent.get(format!("{}{path}", self.base)).header("cookie", &self.cookie).call();
        Answer::read(what, answer)
    }

    /// `POST path` with JSON; fails when there is no complete answer.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let what = format!("POST {path}");
        let request = self.agent.post(format!("{}{path}", self.base)).header("cookie", &self.cookie);
        let request = request.content_type("application/json");
        Answer::read(what, request.send(body.to_string()))
    }
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    what: String,
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

impl Answer {
    fn read(what: String, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Self> {
        let mut answer = answer.with_context(|| format!("{what}: no answer"))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string().with_context(|| format!("{what}: the answer broke off"))?;
        Ok(Self { what, status, body })
    }

    /// This answer, if its status is `status`; fails with what it says instead.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(self.status == status, "{}: {} instead of {status}: {}", self.what, self.status, self.body);
        Ok(self)
    }

    /// Its body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("{}: not JSON: {}", self.what, self.body))
    }
}
