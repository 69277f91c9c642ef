//! Problems: why a request was refused, as RFC 9457 describes it.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use http::StatusCode;
use serde_json::{Map, Value};
use wiki_types::FieldError;

/// An error a client is told about. [`response::problem`](crate::web::response::problem) writes it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// A sentence that a client can act on.
    pub detail: Cow<'static, str>,
    /// The same for a person who sees a page, where that says something else.
    pub page: Option<Cow<'static, str>>,
    /// What is wrong with which member of the request, for 422.
    pub errors: Vec<FieldError>,
    /// Seconds after which it makes sense to try again, for 429 and 503.
    pub retry_after: Option<u32>,
    /// The methods the resource has, for 405.
    pub allow: Option<String>,
    /// How a client may show who it is, for 401 and 403 (RFC 6750, 3).
    pub challenge: Option<&'static str>,
    /// Further members, such as the current version of a page that was edited meanwhile.
    pub extra: Map<String, Value>,
}

impl Problem {
    /// A problem with `status` and a sentence that says what to do about it.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            page: None,
            errors: Vec::new(),
            retry_after: None,
            allow: None,
            challenge: None,
            extra: Map::new(),
        }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 403: not with these permissions.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 429: too often, until `seconds` have passed.
    pub fn too_many(seconds: u32) -> Self {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let detail = format!("Too many requests. Try again in {seconds} {unit}.");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 405: the resource exists but has only the methods in `allow`, a list as the Allow header takes it.
    pub fn method_not_allowed(method: &http::Method, allow: String) -> Self {
        let detail = format!("{method} is not possible here. Use one of: {allow}.");
        let problem = Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) };
        problem.on_page("This address is only for forms. Go back and try again.")
    }

    /// 409: `value` of `field` is in use.
    pub fn taken(field: &'static str, value: &str) -> Self {
        let mut problem =
            Self::new(StatusCode::CONFLICT, format!("The {field} {value:?} is already taken. Choose another."));
        problem.errors.push(FieldError::new(field, "is already taken"));
        problem
    }

    /// 413: the body is longer than `limit` bytes, a whole number of kibibytes.
    pub fn body_too_large(limit: usize) -> Self {
        let limit = if limit >= 1 << 20 { format!("{} MiB", limit >> 20) } else { format!("{} KiB", limit >> 10) };
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body of this request may have at most {limit}."))
            .on_page(format!("What you sent is too long: it may have at most {limit}."))
    }

    /// 415: the body is in a form the resource does not take.
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON: send it with the header \"Content-Type: application/json\".",
        )
    }

    /// 422: the request can be read, but some of its members are wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}.", one.field, one.message),
            many => {
                let fields: Vec<&str> = many.iter().map(|error| &*error.field).collect();
                format!("{} members of the request are invalid: {}.", many.len(), fields.join(", "))
            }
        };
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// 422 for one member.
    pub fn invalid_field(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// 500: our fault. `cause` goes to the log only; the client gets a number by which it is found there.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let id = format!("{:016x}", RandomState::new().hash_one(0));
        eprintln!("internal error {id}: {cause}");
        let detail = format!("An internal error occurred. If it happens again, report the error number {id}.");
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail);
        problem.extra.insert("error_id".into(), id.into());
        problem
    }

    /// The same, with another sentence for a person who sees a page.
    pub fn on_page(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.page = Some(detail.into());
        self
    }

    /// The sentence for a person who sees a page.
    pub fn for_people(&self) -> &str {
        self.page.as_ref().unwrap_or(&self.detail)
    }

    /// Adds a member to the answer.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }
}
