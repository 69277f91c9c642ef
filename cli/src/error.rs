//! Errors of requests, in words for the person at the terminal.

use std::fmt;

use ureq::http::header::WWW_AUTHENTICATE;
use ureq::http::{HeaderMap, StatusCode};
use wiki_types::{EditConflict, FieldError, Post, ProblemDetails};

use crate::text::one_line;

/// Why the wiki did not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("cannot reach the wiki at {url}: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("there is no page {0:?}")]
    NoPage(String),
    /// Another edit came first, in this program's words.
    #[error("{0}")]
    Conflict(String),
    /// A response that this program does not understand.
    #[error("{0}")]
    Unexpected(String),
    #[error("this system has no username for you: set the author with --author or WASIKI_AUTHOR")]
    NoAuthor,
}

impl Error {
    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status.as_u16()),
            _ => None,
        }
    }

    /// The error for a request about `page`: of a 404 the wiki cannot say which page was meant.
    pub fn or_no_page(self, page: &str) -> Self {
        if self.status() == Some(404) { Self::NoPage(page.to_owned()) } else { self }
    }

    /// Whether another edit, or another page with the same slug, came first.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_)) || matches!(self.status(), Some(409 | 412))
    }

    /// Whether every further request would fail as well: the wiki is away, or does not accept this caller.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoAuthor => true,
            Self::Refused(refusal) => matches!(refusal.status.as_u16(), 401 | 403 | 429 | 502 | 503 | 504),
            Self::NoPage(_) | Self::Conflict(_) | Self::Unexpected(_) => false,
        }
    }
}

/// A response that is not a success.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    /// The current version of a page that was edited in the meantime.
    pub current: Option<Post>,
    details: ProblemDetails,
    token_error: Option<TokenError>,
    advice: Option<String>,
}

const TOKEN_LOST: &str = "WASIKI_TOKEN was sent, but did not arrive at the wiki. Does a proxy in front of it use the \
                          header Authorization for itself?";
const TOKEN_LIMITS: &str = "A token may do what the account of its owner may. What only administrators may do needs \
                            the scope admin as well.";

/// What is wrong with a token, as the header `WWW-Authenticate` says (RFC 6750, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenError {
    Invalid,
    Scope,
}

impl TokenError {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let challenges = headers.get_all(WWW_AUTHENTICATE);
        let has = |error: &str| challenges.iter().any(|it| it.to_str().is_ok_and(|it| it.contains(error)));
        let errors = [("error=\"invalid_token\"", Self::Invalid), ("error=\"insufficient_scope\"", Self::Scope)];
        errors.into_iter().find(|(text, _)| has(text)).map(|(_, error)| error)
    }
}

impl Refusal {
    /// Reads a response. If its body is not a problem of the wiki, as with a proxy's error page, only the status is kept.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        Self {
            status,
            current: serde_json::from_slice(body).ok().map(|EditConflict { current }| current),
            details: serde_json::from_slice(body).unwrap_or_default(),
            token_error: TokenError::read(headers),
            advice: None,
        }
    }

    /// Adds what the caller can do about it, for the wiki at `url` and a request with or without a token.
    pub fn advise(self, url: &str, with_token: bool) -> Self {
        let page = format!("your account page, {url}/wiki/-/account, and set WASIKI_TOKEN to it.");
        let advice = match (self.status.as_u16(), self.token_error, with_token) {
            (401, Some(TokenError::Invalid), _) | (401, _, false) => format!("Make a token on {page}"),
            // The wiki says what is wrong with a token that it receives.
            (401, _, true) => TOKEN_LOST.to_owned(),
            (403, Some(TokenError::Scope), _) => format!("Make such a token on {page}"),
            (403, _, false) => format!("If your account may do this, make a token on {page}"),
            (403, _, true) => TOKEN_LIMITS.to_owned(),
            _ => return self,
        };
        Self { advice: Some(advice), ..self }
    }

    /// Whether the wiki received no token, as far as its response shows.
    pub fn is_without_token(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.token_error.is_none()
    }

    /// Whether this is about one page alone, as far as the response shows: a 403 with the wiki's own reason, which is not
    /// the scope of the token.
    pub fn is_protection(&self) -> bool {
        self.status == StatusCode::FORBIDDEN && self.token_error.is_none() && self.details.detail.is_some()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.details.detail {
            Some(detail) => write!(f, "{}", one_line(detail))?,
            None => write!(f, "the wiki answered {}", self.status)?,
        }
        for FieldError { field, message } in &self.details.errors {
            // The detail repeats the message of a single error.
            if !self.details.detail.as_ref().is_some_and(|detail| detail.contains(message.as_ref())) {
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
        refusal(status, "", body).to_string()
    }

    fn refusal(status: u16, challenge: &str, body: &str) -> Refusal {
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, challenge.parse().unwrap())]);
        Refusal::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
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
    fn other_bodies_show_only_the_status() {
        assert_eq!(read(502, "<html>Bad gateway</html>"), "the wiki answered 502 Bad Gateway");
        assert_eq!(read(404, "[]"), "the wiki answered 404 Not Found");
    }

    #[test]
    fn a_refusal_comes_with_advice() {
        let advice = |status, challenge, with_token| {
            let body = r#"{"detail": "No."}"#;
            let text = refusal(status, challenge, body).advise("http://wiki.example", with_token).to_string();
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
    fn control_characters_are_not_printed() {
        assert!(!read(400, "{\"detail\": \"a\\u001b[2Jb\"}").contains('\u{1b}'));
    }
}
