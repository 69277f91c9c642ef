//! What went wrong between this program and the wiki, as a person wants to read it.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use ureq::http::header::WWW_AUTHENTICATE;
use ureq::http::{HeaderMap, StatusCode};

use crate::text::one_line;

/// Why the wiki did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It answered, and said no.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// It did not answer.
    #[error("cannot reach the wiki at {url}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What stood in the way.
        reason: String,
    },
    /// Somebody else's edit stood in the way, told in this program's words.
    #[error("{0}")]
    Conflict(String),
    /// It answered something else than what this program understands.
    #[error("{0}")]
    Unexpected(String),
    /// It was not asked: nobody is named as whom to write.
    #[error("who writes? The system does not tell: name somebody with --author or WASIKI_AUTHOR")]
    Nobody,
}

impl Error {
    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status.as_u16()),
            _ => None,
        }
    }

    /// Whether somebody else's edit, or page of that name, stood in the way.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_)) || matches!(self.status(), Some(409 | 412))
    }

    /// Whether the next request would fare no better: the wiki is away, or does not let this caller in.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Nobody => true,
            Self::Refused(problem) => matches!(problem.status.as_u16(), 401 | 403 | 429 | 502 | 503 | 504),
            Self::Conflict(_) | Self::Unexpected(_) => false,
        }
    }
}

/// A problem as the wiki tells it (RFC 9457).
#[derive(Debug)]
pub struct Problem {
    /// The answer's status.
    pub status: StatusCode,
    details: Details,
    fault: Option<Fault>,
    /// What to do, where the wiki cannot know.
    advice: Option<String>,
}

const UNSEEN: &str = "WASIKI_TOKEN was sent, but the wiki did not get it: does a proxy in front of it take the header \
                      Authorization for itself?";
const OF_ACCOUNT: &str = "WASIKI_TOKEN does what its owner's account may; what is for administrators, only with the \
                          scope admin.";

/// What is wrong with a token, as the header `WWW-Authenticate` has it (RFC 6750, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is none, or no longer.
    Invalid,
    /// It may do less than this.
    Scope,
}

impl Fault {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let challenges = headers.get_all(WWW_AUTHENTICATE);
        let says = |error: &str| challenges.iter().any(|it| it.to_str().is_ok_and(|it| it.contains(error)));
        let faults = [("error=\"invalid_token\"", Self::Invalid), ("error=\"insufficient_scope\"", Self::Scope)];
        faults.into_iter().find(|(error, _)| says(error)).map(|(_, fault)| fault)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    detail: Option<String>,
    errors: Vec<FieldError>,
    current: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    field: String,
    message: String,
}

impl Problem {
    /// The problem in an answer; of another kind of body than the wiki's, such as a proxy's page, only the status is told.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let details = serde_json::from_slice(body).unwrap_or_default();
        Self { status, details, fault: Fault::read(headers), advice: None }
    }

    /// With what somebody can do who is refused by the wiki at `url`, and has sent a token or none.
    pub fn advise(self, url: &str, with_token: bool) -> Self {
        let page = format!("your account page, {url}/wiki/-/account, and set WASIKI_TOKEN to it.");
        let advice = match (self.status.as_u16(), self.fault, with_token) {
            (401, Some(Fault::Invalid), _) | (401, _, false) => format!("Make a token on {page}"),
            // The wiki says what is wrong with a token it gets.
            (401, _, true) => UNSEEN.to_owned(),
            (403, Some(Fault::Scope), _) => format!("Make such a token on {page}"),
            (403, _, false) => format!("If your account may do this, make a token on {page}"),
            (403, _, true) => OF_ACCOUNT.to_owned(),
            _ => return self,
        };
        Self { advice: Some(advice), ..self }
    }

    /// Whether the wiki got no token, as far as it says.
    pub fn is_without_token(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.fault.is_none()
    }

    /// Whether this is about one page alone, as far as the answer shows: the wiki says in its own words why the change is
    /// not to be, and that it is not for the token's scope.
    pub fn is_protection(&self) -> bool {
        self.status == StatusCode::FORBIDDEN && self.fault.is_none() && self.details.detail.is_some()
    }

    /// The page as it is now, which comes with the news that it was edited meanwhile.
    pub fn current(&self) -> Option<&Value> {
        self.details.current.as_ref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.details.detail {
            Some(detail) => write!(f, "{}", one_line(detail))?,
            None => write!(f, "the wiki answered {}", self.status)?,
        }
        for FieldError { field, message } in &self.details.errors {
            // With one error the detail says it all.
            if !self.details.detail.as_ref().is_some_and(|detail| detail.contains(message.as_str())) {
                write!(f, "\n  {}: {}", one_line(field), one_line(message))?;
            }
        }
        match &self.advice {
            Some(advice) => write!(f, "\n  {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> String {
        problem(status, "", body).to_string()
    }

    fn problem(status: u16, challenge: &str, body: &str) -> Problem {
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, challenge.parse().unwrap())]);
        Problem::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn every_field_is_named_once() {
        let one = r#"{"detail": "title: must not be blank.", "errors": [{"field": "title", "message": "must not be blank"}]}"#;
        assert_eq!(read(422, one), "title: must not be blank.");
        let two = r#"{"detail": "2 members are invalid: title, slug.", "errors": [
            {"field": "title", "message": "must not be blank"}, {"field": "slug", "message": "is not a slug"}]}"#;
        assert_eq!(
            read(422, two),
            "2 members are invalid: title, slug.\n  title: must not be blank\n  slug: is not a slug"
        );
    }

    #[test]
    fn other_bodies_leave_the_status() {
        assert_eq!(read(502, "<html>Bad gateway</html>"), "the wiki answered 502 Bad Gateway");
        assert_eq!(read(404, "[]"), "the wiki answered 404 Not Found");
    }

    #[test]
    fn who_is_refused_is_told_what_to_do() {
        let advice = |status, challenge, with_token| {
            let body = r#"{"detail": "No."}"#;
            let text = problem(status, challenge, body).advise("http://wiki.example", with_token).to_string();
            text.strip_prefix("No.").unwrap().trim().to_owned()
        };
        let invalid = r#"Bearer realm="wasiki", error="invalid_token""#;
        let scope = r#"Bearer realm="wasiki", error="insufficient_scope", scope="write""#;
        let page = "your account page, http://wiki.example/wiki/-/account, and set WASIKI_TOKEN to it.";
        assert_eq!(advice(401, "Bearer realm=\"wasiki\"", false), format!("Make a token on {page}"));
        assert_eq!(advice(401, invalid, true), format!("Make a token on {page}"));
        assert!(advice(401, "Basic realm=\"proxy\"", true).contains("proxy"));
        assert_eq!(advice(403, scope, true), format!("Make such a token on {page}"));
        assert!(advice(403, "", true).contains("scope admin"));
        assert!(advice(403, "", false).contains("make a token"));
        for status in [404, 409, 429, 503] {
            assert_eq!(advice(status, "", true), "");
        }
    }

    #[test]
    fn an_answer_cannot_drive_the_terminal() {
        assert!(!read(400, "{\"detail\": \"a\\u001b[2Jb\"}").contains('\u{1b}'));
    }
}
