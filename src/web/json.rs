//! JSON bodies, read member by member, so that a client learns everything that is wrong at once.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use wiki_types::rules::Wrong;
use wiki_types::{FieldError, Time};

use crate::web::problem::Problem;
use crate::web::request::Request;

/// The members of a JSON body, and what was found wrong with them so far.
#[derive(Debug)]
pub struct Body {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

/// A rule for a text: what to change, if it does not hold.
pub type Rule = fn(&str) -> Result<(), Wrong>;

impl Body {
    /// The body of `request`. Fails with 415 for another media type, 400 for malformed JSON and 422 for JSON that is
    /// not an object.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !is_json(media_type) {
            return Err(Problem::unsupported_media_type());
        }
        // Who reads JSON may ignore a byte order mark (RFC 8259, 8.1), and some editors write one.
        let text = request.body().strip_prefix(b"\xef\xbb\xbf").unwrap_or(request.body());
        match serde_json::from_slice(text) {
            Ok(Value::Object(members)) => Ok(Self { members, errors: Vec::new() }),
            Ok(_) => Err(Problem::invalid_field("body", "must be a JSON object, as in {\"name\": \"value\"}")),
            Err(_) if text.is_empty() => Err(Problem::bad_request("The body is empty; it must be a JSON object.")),
            Err(error) => Err(Problem::bad_request(format!("The body is not valid JSON: {error}."))),
        }
    }

    /// A body with these members, such as the fields of a form.
    pub fn from_members(members: Map<String, Value>) -> Self {
        Self { members, errors: Vec::new() }
    }

    /// Whether `field` is there and not null.
    pub fn has(&self, field: &str) -> bool {
        !matches!(self.members.get(field), None | Some(Value::Null))
    }

    /// Puts what `to` makes of it in place of a text member, or of each text in a list.
    pub fn rewrite(&mut self, field: &str, to: fn(&str) -> Cow<'_, str>) {
        let texts = match self.members.get_mut(field) {
            Some(Value::Array(items)) => items,
            Some(item) => std::slice::from_mut(item),
            None => return,
        };
        for item in texts {
            if let Value::String(text) = item {
                *text = to(text).into_owned();
            }
        }
    }

    /// A text member that keeps to `rule`; nothing if it is absent, null or wrong.
    pub fn text(&mut self, field: &'static str, rule: Rule) -> Option<String> {
        self.nullable_text(field, rule).flatten()
    }

    /// A text member that must be there.
    pub fn required_text(&mut self, field: &'static str, rule: Rule) -> Option<String> {
        if !self.has(field) {
            self.reject::<()>(field, "is required");
        }
        self.text(field, rule)
    }

    /// A text member, `Some(None)` if it is null: in a change, that clears it.
    pub fn nullable_text(&mut self, field: &'static str, rule: Rule) -> Option<Option<String>> {
        match self.members.remove(field)? {
            Value::Null => Some(None),
            Value::String(text) => match rule(&text) {
                Ok(()) => Some(Some(text)),
                Err(message) => self.reject(field, message),
            },
            _ => self.reject(field, "must be a string"),
        }
    }

    /// A list of texts that each keep to `rule`, of at most `max` items.
    pub fn texts(&mut self, field: &'static str, max: usize, rule: Rule) -> Option<Vec<String>> {
        let items = match self.members.remove(field)? {
            Value::Null => return None,
            Value::Array(items) if items.len() <= max => items,
            Value::Array(_) => return self.reject(field, format!("may have at most {max} items")),
            _ => return self.reject(field, "must be a list of strings"),
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            let Value::String(text) = item else {
                return self.reject(field, "must be a list of strings");
            };
            if let Err(message) = rule(&text) {
                return self.reject(field, format!("{text:?} {message}"));
            }
            texts.push(text);
        }
        Some(texts)
    }

    /// A whole number. One too large for any id comes back as the largest, which names nothing.
    pub fn integer(&mut self, field: &'static str) -> Option<i64> {
        match self.members.remove(field)? {
            Value::Null => None,
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.as_i64().unwrap_or(i64::MAX)),
            // To JSON 1 and 1.0 are one number. The cast keeps to the range of ids, as above.
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
                number.as_f64().map(|number| number as i64)
            }
            _ => self.reject(field, "must be a whole number"),
        }
    }

    /// A list of at most `max` whole numbers.
    pub fn integers(&mut self, field: &'static str, max: usize) -> Option<Vec<i64>> {
        let items = match self.members.remove(field)? {
            Value::Null => return None,
            Value::Array(items) if items.len() <= max => items,
            Value::Array(_) => return self.reject(field, format!("may have at most {max} items")),
            _ => return self.reject(field, "must be a list of whole numbers"),
        };
        match items.iter().map(Value::as_i64).collect() {
            Some(numbers) => Some(numbers),
            None => self.reject(field, "must be a list of whole numbers"),
        }
    }

    /// True or false.
    pub fn flag(&mut self, field: &'static str) -> Option<bool> {
        match self.members.remove(field)? {
            Value::Null => None,
            Value::Bool(flag) => Some(flag),
            _ => self.reject(field, "must be true or false"),
        }
    }

    /// A whole number that must be there.
    pub fn required_integer(&mut self, field: &'static str) -> Option<i64> {
        if !self.has(field) { self.reject(field, "is required") } else { self.integer(field) }
    }

    /// An instant that is not in the future, from 1970 on.
    pub fn past(&mut self, field: &'static str) -> Option<Time> {
        self.time(field, Time::past)
    }

    /// An instant of the next `days` days.
    pub fn within_days(&mut self, field: &'static str, days: i64) -> Option<Time> {
        self.time(field, |text| Time::within_days(text, days))
    }

    fn time(&mut self, field: &'static str, read: impl Fn(&str) -> Result<Time, Wrong>) -> Option<Time> {
        let text = match self.members.remove(field)? {
            Value::Null => return None,
            Value::String(text) => text,
            _ => return self.reject(field, "must be a string"),
        };
        match read(&text) {
            Ok(time) => Some(time),
            Err(message) => self.reject(field, message),
        }
    }

    /// A member of any type, for who reads it themselves.
    pub fn value(&mut self, field: &str) -> Option<Value> {
        self.members.remove(field)
    }

    /// Notes what is wrong with `field`, and gives nothing in its place.
    pub fn reject<T>(&mut self, field: &'static str, message: impl Into<Cow<'static, str>>) -> Option<T> {
        self.errors.push(FieldError::new(field, message));
        None
    }

    /// Fails with 422, naming every member that was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

/// Whether a media type is `application/json` or one built on it (RFC 6839), whatever its parameters.
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// 422 unless `text`, the value of the query parameter `field`, keeps to `rule`.
pub fn check(field: &'static str, text: &str, rule: Rule) -> Result<(), Problem> {
    rule(text).map_err(|message| Problem::invalid_field(field, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use proptest::prelude::*;
    use wiki_types::rules;

    fn body(text: impl Into<Vec<u8>>) -> Result<Body, Problem> {
        let mut request = Request::new(text.into());
        request.headers_mut().insert(CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        Body::read(&request)
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let mut body = body(r#"{"a": 5, "b": "x\u0000", "c": "x", "n": 1.5, "tags": ["x", 1]}"#).unwrap();
        body.text("a", rules::text);
        body.text("b", rules::text);
        assert_eq!(body.text("c", rules::text).as_deref(), Some("x"));
        body.integer("n");
        body.texts("tags", 5, rules::text);
        body.required_text("missing", rules::text);
        let problem = body.finish().unwrap_err();
        assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY);
        let fields: Vec<_> = problem.errors.iter().map(|error| &*error.field).collect();
        assert_eq!(fields, ["a", "b", "n", "tags", "missing"]);
    }

    #[test]
    fn null_is_absent_or_clears() {
        let mut body = body(r#"{"a": null, "b": null}"#).unwrap();
        assert_eq!(body.text("a", rules::text), None);
        assert_eq!(body.nullable_text("b", rules::text), Some(None));
        assert_eq!(body.nullable_text("c", rules::text), None);
        assert!(body.finish().is_ok());
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        let mut body = body("\u{feff}{\"a\": \"x\"}").unwrap();
        assert_eq!(body.text("a", rules::text).as_deref(), Some("x"));
    }

    #[test]
    fn bodies_that_are_not_json_objects_are_refused() {
        for text in ["", "{", "{\"a\": \"\\ud800\"}", "nul", "{} {}"] {
            assert_eq!(body(text).unwrap_err().status, StatusCode::BAD_REQUEST, "{text}");
        }
        assert_eq!(body(b"{\"a\": \"\xff\"}".to_vec()).unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(body("[".repeat(100_000)).unwrap_err().status, StatusCode::BAD_REQUEST);
        for text in ["[]", "5", "null", "\"a\""] {
            assert_eq!(body(text).unwrap_err().status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        }
    }

    #[test]
    fn only_json_is_json() {
        for media_type in ["application/json", "Application/JSON ; charset=utf-8", "application/merge-patch+json"] {
            assert!(is_json(media_type), "{media_type}");
        }
        for media_type in ["", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp"] {
            assert!(!is_json(media_type), "{media_type}");
        }
    }

    #[test]
    fn a_time_is_a_past_one() {
        for (given, read) in
            [(r#""2026-01-31T23:59:59+02:00""#, true), (r#""9999-01-01T00:00:00Z""#, false), ("5", false)]
        {
            let mut body = body(format!("{{\"time\": {given}}}")).unwrap();
            assert_eq!((body.past("time").is_some(), body.finish().is_ok()), (read, read), "{given}");
        }
    }

    #[test]
    fn numbers_beyond_any_id_stay_numbers() {
        let mut body = body(r#"{"a": 18446744073709551615, "b": -5}"#).unwrap();
        assert_eq!(body.integer("a"), Some(i64::MAX));
        assert_eq!(body.integer("b"), Some(-5));
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction() {
        let mut body = body(r#"{"a": 3.0, "b": 1e300, "c": 3.5}"#).unwrap();
        assert_eq!((body.integer("a"), body.integer("b"), body.integer("c")), (Some(3), Some(i64::MAX), None));
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(mut body) = body(bytes) {
                body.text("a", rules::line::<10>);
            }
        }
    }
}
