//! Requests to other servers, as the wiki sends them: POST with a body.

use http::{HeaderValue, StatusCode};

/// A POST request with an absolute address.
pub type Outgoing = http::Request<Vec<u8>>;

/// A header that is kept out of logs, made of the value of `variable`.
pub fn secret(variable: &str, value: &str) -> Result<HeaderValue, String> {
    let unfit = |_| format!("variable {variable}: must be a text that a header can have");
    let mut header = HeaderValue::from_str(value).map_err(unfit)?;
    header.set_sensitive(true);
    Ok(header)
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The beginning of the body, for logs.
    pub beginning: String,
    /// Seconds after which the server wants to be asked again, if it says so ([`retry_after`]).
    pub retry_after: Option<u32>,
}

/// The seconds that a value of `Retry-After` stands for (RFC 9110, 10.2.3): a number, or a date, of which one that is over is 0.
/// `now` is in seconds since 1970.
pub fn retry_after(value: &str, now: i64) -> Option<u32> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let seconds = chrono::DateTime::parse_from_rfc2822(value).ok()?.timestamp().saturating_sub(now);
    Some(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX))
}

/// Sends requests at once. The answers are in the order of the requests; a reason in words where there is none.
///
/// Each takes 5 seconds to connect and 10 to be answered at most.
pub type Send = fn(Vec<Outgoing>) -> Vec<Result<Answer, String>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_when_to_come_back_by_seconds_or_a_date() {
        let now = 1_448_958_540;
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Tue, 01 Dec 2015 08:30:00 GMT", Some(60)),
            ("Tue, 01 Dec 2015 08:28:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(u32::MAX)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), seconds, "{value}");
        }
    }
}
