//! `Read-After`: what a client has changed, which it wants to see in what it reads next.
//!
//! A response to a change has a number in this header, and in a cookie of this name for browsers. A client sends it with its next
//! requests. What the number stands for is the store's business; a larger one is later.

use http::{HeaderName, HeaderValue};

use crate::web::{Problem, Request, Response, request, response};

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("read-after");

/// The cookie's name. Behind TLS its prefix makes browsers refuse it from any other host (RFC 6265bis, 4.1.3).
const COOKIE: &str = "read-after";
const SECURE_COOKIE: &str = "__Host-read-after";

/// Seconds for which a browser keeps the number: ten times the age that anything it is shown may have, for servers whose clocks differ.
const COOKIE_SECONDS: u32 = 300;

/// The most digits of a number.
pub const MAX_DIGITS: usize = 18;

/// 400 for a header that is not a number.
pub fn check(request: &Request) -> Result<(), Problem> {
    match request.headers().get(HEADER) {
        Some(value) if number(value.to_str().unwrap_or_default()).is_none() => Err(Problem::bad_request(format!(
            "The header Read-After must be a number of 1 to {MAX_DIGITS} digits, as a response had it."
        ))),
        _ => Ok(()),
    }
}

/// The number that the client wants to read after: the larger one of header and cookie. A cookie that is not a number counts as none.
pub fn wanted(request: &Request) -> Option<i64> {
    let header = request.headers().get(HEADER).and_then(|value| number(value.to_str().ok()?));
    let name = if request::is_secure(request) { SECURE_COOKIE } else { COOKIE };
    header.max(request::cookie(request, name).and_then(number))
}

/// `response` with the number, for the client's next requests; in a cookie, too, for a browser.
pub fn given(response: Response, request: &Request, number: i64, to_browser: bool) -> Response {
    let mut response = response;
    response.headers_mut().insert(HEADER, HeaderValue::from(number));
    if !to_browser {
        return response;
    }
    let (name, secure) = if request::is_secure(request) { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    let attributes = format!("Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    response::with_another_cookie(response, &format!("{name}={number}; {attributes}"))
}

fn number(text: &str) -> Option<i64> {
    let is_number = (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use http::header::SET_COOKIE;

    use super::*;
    use crate::web::request::tests::request;

    #[test]
    fn the_larger_number_counts() {
        for (headers, number) in [
            (&[][..], None),
            (&[("read-after", "7")], Some(7)),
            (&[("cookie", "session=1_x; read-after=9")], Some(9)),
            (&[("read-after", "7"), ("cookie", "read-after=9")], Some(9)),
            (&[("read-after", "11"), ("cookie", "read-after=9")], Some(11)),
            (&[("read-after", "7"), ("cookie", "read-after=often")], Some(7)),
            (&[("cookie", "read-after=-1")], None),
            // Behind TLS a cookie needs the prefix.
            (&[("x-forwarded-proto", "https"), ("cookie", "read-after=9")], None),
            (&[("x-forwarded-proto", "https"), ("cookie", "__Host-read-after=9")], Some(9)),
        ] {
            assert_eq!(wanted(&request(headers)), number, "{headers:?}");
        }
    }

    #[test]
    fn a_header_is_a_number() {
        for value in ["0", "7", "999999999999999999"] {
            assert!(check(&request(&[("read-after", value)])).is_ok(), "{value}");
        }
        for value in ["", "-1", "+1", "1.0", "0x1", "7, 8", "often", "1000000000000000000", "٣"] {
            let problem = check(&request(&[("read-after", value)])).unwrap_err();
            assert_eq!(problem.status, http::StatusCode::BAD_REQUEST, "{value}");
        }
        assert!(check(&request(&[("cookie", "read-after=often")])).is_ok());
    }

    #[test]
    fn a_browser_keeps_it_beside_other_cookies() {
        let response = response::with_cookie(response::no_content(), "session=1_x");
        let secure = request(&[("x-forwarded-proto", "https")]);
        let response = given(response, &secure, 7, true);
        assert_eq!(response.headers()[HEADER], "7");
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(
            cookies,
            ["session=1_x", "__Host-read-after=7; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure"]
        );
        assert!(given(response::no_content(), &request(&[]), 7, false).headers().get(SET_COOKIE).is_none());
    }
}
