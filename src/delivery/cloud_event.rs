//! CloudEvents, as consumers receive them: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

use base64ct::{Base64, Encoding};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most characters of an id. Ours are UUIDs.
const MAX_ID: usize = 200;

/// An event for a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is known by. The same event may come more than once, with the same id.
    pub id: String,
    /// What happened, such as `wasiki.page.edited`.
    pub kind: String,
    /// What it happened to, as an address in the API.
    pub subject: String,
    /// When it happened (RFC 3339).
    pub time: String,
    /// What it says. `crates/wiki-types/src/events.rs` has the types.
    pub data: Value,
}

#[derive(Deserialize)]
struct Structured {
    specversion: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    data: Value,
    data_base64: Option<String>,
}

impl Event {
    /// The event in `text`, in the JSON format. Fails with what is wrong with it.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let event: Structured =
            serde_json::from_slice(text).map_err(|error| format!("it is not a CloudEvent in JSON: {error}"))?;
        let data = match event.data_base64 {
            Some(encoded) => {
                let text =
                    Base64::decode_vec(&encoded).map_err(|error| format!("data_base64 is not base64: {error}"))?;
                serde_json::from_slice(&text).map_err(|error| format!("data_base64 is not JSON: {error}"))?
            }
            None => event.data,
        };
        Self { id: event.id, kind: event.kind, subject: event.subject, time: event.time, data }
            .checked(&event.specversion)
    }

    /// The event in a request: in the JSON format, or in binary mode, with its attributes in headers and its data as the
    /// body. Fails with what is wrong with it.
    ///
    /// Headers count in binary mode only. Dapr passes headers of Kafka on, and anyone who may write there chooses them.
    pub fn from_request(headers: &HeaderMap, body: &[u8]) -> Result<Self, String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = text(CONTENT_TYPE.as_str()).split(';').next().unwrap_or_default().trim();
        let is_structured = media_type.eq_ignore_ascii_case("application/cloudevents+json");
        if is_structured || !headers.contains_key("ce-specversion") {
            return Self::from_json(body);
        }
        let data = serde_json::from_slice(body).map_err(|error| format!("its data is not JSON: {error}"))?;
        let [id, kind, subject, time] = ["ce-id", "ce-type", "ce-subject", "ce-time"].map(|name| text(name).to_owned());
        Self { id, kind, subject, time, data }.checked(text("ce-specversion"))
    }

    fn checked(self, version: &str) -> Result<Self, String> {
        if version != "1.0" {
            return Err(format!("its version of CloudEvents is {version:?}, not 1.0"));
        }
        if self.id.is_empty() || self.id.chars().count() > MAX_ID || self.kind.is_empty() {
            return Err(format!("its id or type is empty, or its id is longer than {MAX_ID} characters"));
        }
        // PostgreSQL stores no U+0000.
        let has_nul = [&self.id, &self.kind, &self.subject, &self.time].iter().any(|text| text.contains('\0'));
        if has_nul || self.data.to_string().contains("\\u0000") {
            return Err("it contains U+0000".to_owned());
        }
        Ok(self)
    }

    /// The event in the JSON format, with the attributes it has here alone: always the same, however it came.
    pub fn canonical(&self) -> String {
        json!({
            "specversion": "1.0", "id": self.id, "source": "wasiki", "type": self.kind, "subject": self.subject,
            "time": self.time, "data": self.data,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENT: &str = r#"{"specversion": "1.0", "id": "a", "source": "wasiki", "type": "wasiki.page.edited",
        "subject": "/posts/1", "time": "2026-11-22T10:00:00Z", "data": {"post_id": 1}}"#;

    fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
        entries.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn both_modes_are_the_same_event() {
        let structured = Event::from_json(EVENT.as_bytes()).unwrap();
        let binary = headers(&[
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "a"),
            ("ce-type", "wasiki.page.edited"),
            ("ce-subject", "/posts/1"),
            ("ce-time", "2026-11-22T10:00:00Z"),
        ]);
        assert_eq!(Event::from_request(&binary, br#"{"post_id": 1}"#).unwrap(), structured);
        let encoded = EVENT.replace(r#""data": {"post_id": 1}"#, r#""data_base64": "eyJwb3N0X2lkIjogMX0=""#);
        let encoded = Event::from_json(encoded.as_bytes()).unwrap();
        assert_eq!(encoded, structured);
        assert_eq!(encoded.canonical(), structured.canonical());
    }

    #[test]
    fn headers_do_not_change_an_event_in_json() {
        let forged = headers(&[
            ("content-type", "application/cloudevents+json; charset=utf-8"),
            ("ce-specversion", "1.0"),
            ("ce-id", "other"),
            ("ce-type", "wasiki.page.deleted"),
        ]);
        assert_eq!(Event::from_request(&forged, EVENT.as_bytes()).unwrap().id, "a");
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "it is not a CloudEvent in JSON"),
            ("[]", "it is not a CloudEvent in JSON"),
            (r#"{"specversion": "1.0", "id": "a"}"#, "missing field `type`"),
            (r#"{"specversion": "0.3", "id": "a", "type": "t"}"#, "is \"0.3\", not 1.0"),
            (r#"{"specversion": "1.0", "id": "", "type": "t"}"#, "its id or type is empty"),
            (r#"{"specversion": "1.0", "id": "a", "type": "t", "data": {"a": "\u0000"}}"#, "U+0000"),
            (r#"{"specversion": "1.0", "id": "a", "type": "t", "data_base64": "="}"#, "not base64"),
            (r#"{"specversion": "1.0", "id": "a", "type": "t", "data_base64": "YQ=="}"#, "not JSON"),
        ] {
            let error = Event::from_json(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            _ = Event::from_json(&body);
            _ = Event::from_request(&headers(&[("ce-specversion", "1.0"), ("ce-id", "a"), ("ce-type", "t")]), &body);
        }
    }
}
