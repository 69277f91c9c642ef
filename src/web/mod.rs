//! HTTP, and nothing of the wiki: requests, responses, problems, forms, JSON, pagination.

pub mod body;
pub mod csrf;
pub mod disposition;
pub mod etag;
pub mod forms;
pub mod headers;
pub mod icalendar;
pub mod json;
pub mod multipart;
pub mod negotiation;
pub mod outbound;
pub mod pagination;
pub mod problem;
pub mod range;
pub mod read_after;
pub mod request;
pub mod response;
pub mod signature;

pub use problem::Problem;
pub use request::Request;
pub use response::Response;
