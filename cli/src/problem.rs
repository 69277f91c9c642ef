//! What went wrong between this program and the wiki, as a person wants to read it.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use ureq::http::StatusCode;

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
            Self::Unreachable { .. } => true,
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
    /// The problem in the body of an answer; of another kind of body, such as a proxy's page, only the status is told.
    pub fn read(status: StatusCode, body: &[u8]) -> Self {
        Self { status, details: serde_json::from_slice(body).unwrap_or_default() }
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
        if matches!(self.status.as_u16(), 401 | 403) {
            write!(f, "\n  The wiki wants to know who calls: set WASIKI_TOKEN.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> String {
        Problem::read(StatusCode::from_u16(status).unwrap(), body.as_bytes()).to_string()
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
        assert!(read(401, "").contains("WASIKI_TOKEN"));
    }

    #[test]
    fn an_answer_cannot_drive_the_terminal() {
        assert!(!read(400, "{\"detail\": \"a\\u001b[2Jb\"}").contains('\u{1b}'));
    }
}
