//! Why a request was refused, for people.

use askama::Template;
use wiki_types::FieldError;

use crate::auth::Identity;
use crate::site::parts::Viewer;
use crate::site::{self, address};
use crate::web::{Problem, Response, response};

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
        match self.status {
            400 => "The request is not valid",
            403 => "Not allowed",
            404 => "Page not found",
            405 => "That is not possible here",
            409 => "Edit conflict",
            413 => "Too large",
            422 => "Please check your input",
            429 => "Too many requests",
            503 => "The wiki is temporarily unavailable",
            500.. => "Something went wrong",
            _ => "That did not work",
        }
    }

    fn may_pass(&self) -> bool {
        may_pass(self.status)
    }
}

/// Whether a request that was refused with `status` may succeed later as it is.
pub fn may_pass(status: u16) -> bool {
    matches!(status, 429 | 500..)
}

/// A page that says what went wrong. Problem details if even that cannot be rendered.
pub fn show(identity: &Identity, problem: &Problem) -> Response {
    let view = ProblemView { status: problem.status.as_u16(), detail: &problem.detail, errors: &problem.errors };
    match site::render(&view, &Viewer::of(identity)) {
        Ok(body) => response::with_hints(problem, response::html_with(problem.status, body)),
        Err(_) => response::problem(problem),
    }
}
