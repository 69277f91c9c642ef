//! Forms, as browsers submit them.

use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;

use crate::web::problem::Problem;
use crate::web::request::Request;

/// The fields of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The form in the body of `request`; 415 if there is something else in it, 400 if it is not UTF-8.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        if !Self::is_in(request) {
            return Err(Problem::new(
                http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This address takes a form: send it as application/x-www-form-urlencoded. Programs use the API.",
            ));
        }
        // All fields at once: what separates them is ASCII, which is never part of a longer character. Parsing would replace
        // what was sent with U+FFFD.
        if percent_decode(request.body()).decode_utf8().is_err() {
            return Err(Problem::bad_request("The form is not valid UTF-8."));
        }
        Ok(Self(form_urlencoded::parse(request.body()).into_owned().collect()))
    }

    /// Whether the request says that its body is a form.
    pub fn is_in(request: &Request) -> bool {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// What was typed into a field; nothing if there is no such field.
    pub fn text(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value)
    }

    /// Names and values, in the form's order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number in a field.
    pub fn number(&self, field: &str) -> Option<i64> {
        self.text(field).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, StatusCode};

    #[test]
    fn a_form_is_read_whatever_was_typed_into_it() {
        let mut request = Request::new(b"title=a+b&content=x%0D%0A%26%3D&version=7&version=8&empty=".to_vec());
        assert_eq!(Form::read(&request).err().map(|problem| problem.status), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        let media_type = HeaderValue::from_static("Application/x-www-form-urlencoded; charset=UTF-8");
        request.headers_mut().insert(CONTENT_TYPE, media_type);
        let form = Form::read(&request).ok().unwrap();
        assert_eq!((form.text("title"), form.text("content"), form.text("none")), ("a b", "x\r\n&=", ""));
        assert_eq!((form.number("version"), form.number("title")), (Some(7), None));
    }

    #[test]
    fn a_form_that_is_not_utf_8_is_refused() {
        let read = |body: &[u8]| {
            let mut request = Request::new(body.to_vec());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            Form::read(&request).err().map(|problem| problem.status)
        };
        for body in [&b"content=a%ffb"[..], b"content=\xff", b"content=%c3&title=%a9", b"c%ff=x", b"content=%ed%a0%80"]
        {
            assert_eq!(read(body), Some(StatusCode::BAD_REQUEST), "{body:?}");
        }
        for body in [&b"content=%c3%a9+%"[..], "content=é".as_bytes(), b"content=%zz", b""] {
            assert_eq!(read(body), None, "{body:?}");
        }
    }
}
