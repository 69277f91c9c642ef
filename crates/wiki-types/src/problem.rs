//! Problems: why a request was refused.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

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
