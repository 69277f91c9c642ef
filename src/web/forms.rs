//! Forms, as browsers submit them.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;

use crate::web::problem::Problem;
use crate::web::request::Request;

/// The most fields of a form that are read. The longest has one for each of the 500 users and groups that a space may name.
const MAX_FIELDS: usize = 600;

/// How a form without files is sent.
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The fields of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The form in the body of `request`; 415 if there is something else in it, 400 if it is not UTF-8 or has too many fields.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        if !is_form(request) {
            return Err(Problem::new(
                http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This address takes a form: send it as application/x-www-form-urlencoded. Programs use the API.",
            ));
        }
        let parts = request.body().split(|byte| *byte == b'&').filter(|part| !part.is_empty());
        let mut fields = Vec::new();
        for part in parts {
            if fields.len() == MAX_FIELDS {
                return Err(Problem::bad_request(format!("A form may have at most {MAX_FIELDS} fields.")));
            }
            let (name, value) = match part.iter().position(|byte| *byte == b'=') {
                Some(at) => (&part[..at], &part[at + 1..]),
                None => (part, &part[part.len()..]),
            };
            fields.push((decoded(name)?, decoded(value)?));
        }
        Ok(Self(fields))
    }

    /// `fields` as the body of `request`, as if it had come that way.
    pub fn write(request: &mut Request, fields: &[(String, String)]) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        *request.body_mut() = form.finish().into_bytes();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
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

/// Whether there is a form in the body of `request`, as its head says.
pub fn is_form(request: &Request) -> bool {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(MEDIA_TYPE)
}

/// A name or value as it was typed. What is not UTF-8 is refused: replacing it by U+FFFD would change what was sent.
fn decoded(text: &[u8]) -> Result<String, Problem> {
    // Once, with the memory it takes: a page may be a mebibyte, which is up to three as it is sent.
    let escapes = text.iter().filter(|byte| **byte == b'%').count();
    let mut bytes = Vec::with_capacity(text.len().saturating_sub(2 * escapes));
    for (index, part) in text.split(|byte| *byte == b'+').enumerate() {
        if index > 0 {
            bytes.push(b' ');
        }
        bytes.extend(percent_decode(part));
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("The form is not valid UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

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
    fn a_form_has_a_limited_number_of_fields() {
        let read = |count: usize| {
            let mut request = Request::new("a=b&".repeat(count).into_bytes());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            Form::read(&request).map(|form| form.fields().count())
        };
        assert_eq!(read(MAX_FIELDS).ok(), Some(MAX_FIELDS));
        assert_eq!(read(MAX_FIELDS + 1).err().map(|problem| problem.status), Some(StatusCode::BAD_REQUEST));
    }

    proptest::proptest! {
        #[test]
        fn a_form_is_read_as_the_standard_says(body in "[a-c=&+%0-9A-F\u{e9} ]{0,60}") {
            let mut request = Request::new(body.clone().into_bytes());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            if let Ok(form) = Form::read(&request) {
                let expected: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                proptest::prop_assert_eq!(form.0, expected);
            }
        }
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
