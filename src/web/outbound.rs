//! Requests to other servers, as the wiki sends them: POST with a body.

use http::StatusCode;

/// A POST request with an absolute address.
pub type Outgoing = http::Request<Vec<u8>>;

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The beginning of the body, for logs.
    pub beginning: String,
    /// Seconds after which the server wants to be asked again, if it says so (`Retry-After`; a date counts as none).
    pub retry_after: Option<u32>,
}

/// Sends requests at once. The answers are in the order of the requests; a reason in words where there is none.
///
/// Each takes 5 seconds to connect and 10 to be answered at most.
pub type Send = fn(Vec<Outgoing>) -> Vec<Result<Answer, String>>;
