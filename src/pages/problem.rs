//! The view of what went wrong.

use askama::Template;

use crate::pages::address;
use crate::problem::{FieldError, Problem};

/// A problem, for a person.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct Failure<'a> {
    /// The status of the answer.
    pub status: u16,
    /// A sentence a person can act on.
    pub detail: &'a str,
    /// What is wrong with which field.
    pub errors: &'a [FieldError],
}

impl<'a> From<&'a Problem> for Failure<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self { status: problem.status.as_u16(), detail: &problem.detail, errors: &problem.errors }
    }
}

impl Failure<'_> {
    fn title(&self) -> &'static str {
        match self.status {
            400 => "That request makes no sense to us",
            403 => "That is not allowed",
            404 => "There is nothing here",
            405 => "That cannot be done here",
            409 => "Somebody was faster",
            413 => "That is too large",
            422 => "Something is not right yet",
            429 => "That was too fast",
            503 => "The wiki is out of reach just now",
            500.. => "Something went wrong on our side",
            _ => "That did not work",
        }
    }

    /// Whether the same request may succeed later.
    fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500..)
    }
}
