//! Problems: why a request was refused.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Post;

/// The members of a problem (RFC 9457) that say what to change.
///
/// All of them are optional: a client can read the problems of proxies and of other versions of the wiki as well.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ProblemDetails {
    /// What is wrong, as a sentence.
    pub detail: Option<String>,
    /// What is wrong with each member of the request.
    pub errors: Vec<FieldError>,
}

/// The member of a 412 problem that says what the page is now.
#[derive(Debug, Clone, Deserialize)]
pub struct EditConflict {
    /// The current version of the page.
    pub current: Post,
}

/// What is wrong with one member of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The member of the body, or the query parameter.
    pub field: Cow<'static, str>,
    /// What to change.
    pub message: Cow<'static, str>,
}

impl FieldError {
    /// `message` says what to change about `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}
