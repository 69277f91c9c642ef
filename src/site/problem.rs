//! Why a request was refused, for people.

use askama::Template;
use wiki_types::FieldError;

use crate::auth::Identity;
use crate::site::address;
use crate::site::frame::Frame;
use crate::store::Db;
use crate::web::{Problem, Request, Response, response};

#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct ProblemView<'a> {
    pub status: u16,
    /// A sentence a person can act on.
    pub detail: &'a str,
    /// What is wrong with which field.
    pub errors: &'a [FieldError],
}

impl ProblemView<'_> {
    fn title(&self) -> &'static str {
        title(self.status)
    }

    /// What the title and the errors do not say.
    fn rest(&self) -> &str {
        if self.errors.is_empty() { rest(self.title(), self.detail) } else { "" }
    }

    fn may_pass(&self) -> bool {
        may_pass(self.status)
    }
}

/// What happened, for a heading.
pub fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        401 => "Not signed in",
        403 => "Not allowed",
        404 => "Page not found",
        405 => "Not possible here",
        409 => "This page has changed",
        413 => "Too large",
        422 => "Check the form",
        429 => "Too many requests",
        503 => "The wiki is temporarily unavailable",
        500.. => "Something went wrong",
        _ => "That did not work",
    }
}

/// `detail` without its first sentence if that is the title above it.
pub fn rest<'a>(title: &str, detail: &'a str) -> &'a str {
    detail.strip_prefix(title).and_then(|rest| rest.strip_prefix('.')).map_or(detail, str::trim_start)
}

/// Whether a request that was refused with `status` may succeed later as it is.
pub fn may_pass(status: u16) -> bool {
    matches!(status, 429 | 500..)
}

/// A page that says what went wrong. Problem details if even that cannot be rendered.
pub fn show(db: &Db, request: &Request, identity: &Identity, problem: &Problem) -> Response {
    let view = ProblemView { status: problem.status.as_u16(), detail: problem.for_people(), errors: &problem.errors };
    match Frame::of_refused(db, request, identity, problem.status).render(&view) {
        Ok(body) => response::with_hints(problem, response::html_with(problem.status, body)),
        Err(_) => response::problem(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_not_said_again() {
        for (status, detail, left) in [
            (503, "The wiki is temporarily unavailable. Try again.", "Try again."),
            (429, "Too many requests.", ""),
            (403, "Only administrators may do this.", "Only administrators may do this."),
        ] {
            assert_eq!(rest(title(status), detail), left);
        }
    }
}
