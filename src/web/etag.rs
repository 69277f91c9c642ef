//! Entity tags: which version a client has, and on which condition it asks (RFC 9110, 13.1).

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use xxhash_rust::xxh3::xxh3_64;

use crate::web::problem::Problem;

/// The entity tag of a version, in a form of its own: the JSON and the Markdown at one URL are different texts.
pub fn etag(version: i64, form: &str) -> String {
    if form.is_empty() { format!("\"{version}\"") } else { format!("\"{version}.{form}\"") }
}

/// The entity tag of what has no version, such as a list. It is the same from every replica, and guards nothing.
pub fn of_content(content: &[u8]) -> String {
    format!("\"{:016x}\"", xxh3_64(content))
}

/// An entity tag of If-Match or If-None-Match (RFC 9110, 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// `*`
    Any,
    /// `"…"` or `W/"…"`, without its quotes.
    Tag {
        /// Whether it began with `W/`.
        weak: bool,
        /// What stands between the quotes.
        value: String,
    },
}

/// The tags of If-Match, or none when the header is absent. 400 when it cannot be read: a precondition that is
/// overlooked could lose an edit.
pub fn if_match(headers: &HeaderMap) -> Result<Option<Vec<Tag>>, Problem> {
    tags(headers, &IF_MATCH)
}

/// The versions a client saw, as If-Match names them; none where any will do.
pub fn seen(headers: &HeaderMap) -> Result<Option<Vec<i64>>, Problem> {
    Ok(if_match(headers)?.and_then(|tags| versions(&tags)))
}

/// The versions those tags name, or none when any will do: the number before the tag's first point.
///
/// If-Match compares strongly (RFC 9110, 13.1.1), so a weak tag names nothing, and neither does one the wiki never made.
pub fn versions(tags: &[Tag]) -> Option<Vec<i64>> {
    let number = |tag: &Tag| match tag {
        Tag::Tag { weak: false, value } => value.split('.').next()?.parse().ok(),
        _ => None,
    };
    if tags.contains(&Tag::Any) { None } else { Some(tags.iter().filter_map(number).collect()) }
}

/// Whether If-None-Match names `etag`, an entity tag with its quotes, by weak comparison.
///
/// A header that cannot be read matches nothing: the answer is then merely sent in full.
pub fn none_match_names(headers: &HeaderMap, etag: &str) -> bool {
    let wanted = etag.trim_start_matches("W/").trim_matches('"');
    let tags = tags(headers, &IF_NONE_MATCH).ok().flatten().unwrap_or_default();
    tags.iter().any(|tag| match tag {
        Tag::Any => true,
        Tag::Tag { value, .. } => value == wanted,
    })
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Vec<Tag>>, Problem> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let unreadable =
        || Problem::bad_request(format!("The {name} header must be * or a list of entity tags, as in {name}: \"3\"."));
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        // Elements of a list may be empty (RFC 9110, 5.6.1.2).
        let next = |text: &str| text.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace()).len();
        let value = value.to_str().map_err(|_| unreadable())?.trim_end();
        let mut rest = &value[value.len() - next(value)..];
        while !rest.is_empty() {
            let (tag, after) = tag(rest).ok_or_else(unreadable)?;
            tags.push(tag);
            if !after.is_empty() && !after.trim_start().starts_with(',') {
                return Err(unreadable());
            }
            rest = &after[after.len() - next(after)..];
        }
    }
    Ok(Some(tags))
}

fn tag(text: &str) -> Option<(Tag, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((Tag::Any, rest));
    }
    let (weak, text) = text.strip_prefix("W/").map_or((false, text), |text| (true, text));
    let (value, rest) = text.strip_prefix('"')?.split_once('"')?;
    Some((Tag::Tag { weak, value: value.to_owned() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn entity_tags_are_read() {
        let strong = |value: &str| Tag::Tag { weak: false, value: value.into() };
        let read = |value| if_match(&headers(IF_MATCH, value)).unwrap().unwrap();
        assert_eq!(read("*"), [Tag::Any]);
        assert_eq!(read(r#""3""#), [strong("3")]);
        assert_eq!(
            read(r#" "3" ,"a,b" , W/"4""#),
            [strong("3"), strong("a,b"), Tag::Tag { weak: true, value: "4".into() }]
        );
        for value in [r#""3",,"4""#, r#", "3" , ,"4","#, r#",,"3","4", ,"#] {
            assert_eq!(read(value), [strong("3"), strong("4")], "{value}");
        }
        assert_eq!(read(", ,"), []);
        assert!(if_match(&HeaderMap::new()).unwrap().is_none());
    }

    #[test]
    fn strong_tags_name_versions() {
        let read = |value| versions(&if_match(&headers(IF_MATCH, value)).unwrap().unwrap());
        assert_eq!(read("*"), None);
        assert_eq!(read(r#""3", "4.md", W/"5", "x""#), Some(vec![3, 4]));
    }

    #[test]
    fn unreadable_tags_are_refused() {
        for value in ["3", r#""3"#, r#""3" "4""#, "w/\"3\""] {
            assert_eq!(
                if_match(&headers(IF_MATCH, value)).unwrap_err().status,
                http::StatusCode::BAD_REQUEST,
                "{value}"
            );
        }
    }

    #[test]
    fn weak_and_strong_tags_match_when_a_copy_is_asked_for() {
        for value in [r#""3""#, r#"W/"3""#, r#""2", "3""#, "*"] {
            assert!(none_match_names(&headers(IF_NONE_MATCH, value), r#""3""#), "{value}");
        }
        assert!(!none_match_names(&headers(IF_NONE_MATCH, r#""4""#), r#""3""#));
        assert!(!none_match_names(&HeaderMap::new(), r#""3""#));
    }

    proptest! {
        #[test]
        fn reading_tags_never_panics(value in "[ -~]{0,40}") {
            _ = if_match(&headers(IF_MATCH, &value));
        }
    }
}
