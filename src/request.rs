//! What a request says: path parameters, query, preconditions.

use http::header::{COOKIE, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};

use crate::problem::Problem;

/// A request with its whole body. What the route's `{…}` segments matched is in its extensions, as [`PathParams`].
pub type Request = http::Request<Vec<u8>>;

/// The most bytes of a body that are read: a page of a mebibyte in which JSON escapes every character (`\u00e9`, six
/// bytes) fits, with room for the other members.
pub const MAX_BODY: usize = 8 << 20;

/// What the `{…}` segments of a route matched, in order, percent-decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathParams(pub Vec<String>);

/// The number in the route's first `{…}` segment, if it can be the id of anything: positive and at most 2⁶³−1.
///
/// Whatever else stands there names nothing, so the caller answers 404 as it does for an id that is not in use.
pub fn path_id(request: &Request) -> Option<i64> {
    path_number(request, 0)
}

/// The number in the route's segment of that `index` among its `{…}`, by the same rules.
pub fn path_number(request: &Request, index: usize) -> Option<i64> {
    positive(path_text(request, index))
}

/// The text in the route's segment of that `index` among its `{…}`; nothing if it has not so many.
pub fn path_text(request: &Request, index: usize) -> &str {
    request.extensions().get::<PathParams>().and_then(|params| params.0.get(index)).map_or("", String::as_str)
}

/// The number `text` is, if that can be an id or a version.
pub fn positive(text: &str) -> Option<i64> {
    // `parse` would take a sign, and one thing should have one URL.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

/// The value of a cookie; the first one if the browser has several of that name.
pub fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let cookies = request.headers().get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The value of a query parameter; the first one if it is given more than once.
pub fn query(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The value of a query parameter as a form shows it before anybody types: without control characters, which nobody can
/// type into a field and some of which HTML cannot hold.
pub fn prefilled(request: &Request, name: &str) -> Option<String> {
    query(request, name).map(|value| value.chars().filter(|c| !c.is_control()).collect())
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
/// overlooked would lose somebody's edit.
pub fn if_match(headers: &HeaderMap) -> Result<Option<Vec<Tag>>, Problem> {
    tags(headers, &IF_MATCH)
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
        let mut rest = value.to_str().map_err(|_| unreadable())?.trim();
        while !rest.is_empty() {
            let (tag, after) = tag(rest).ok_or_else(unreadable)?;
            tags.push(tag);
            rest = after.trim_start();
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None if rest.is_empty() => {}
                None => return Err(unreadable()),
            }
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

    fn request(id: &str) -> Request {
        let mut request = Request::default();
        request.extensions_mut().insert(PathParams(vec![id.to_owned()]));
        request
    }

    #[test]
    fn only_positive_numbers_are_ids() {
        assert_eq!(path_id(&request("1")), Some(1));
        assert_eq!(path_id(&request("9223372036854775807")), Some(i64::MAX));
        for id in ["0", "-1", "+1", "9223372036854775808", "abc", "", " 1", "1.0", "٣"] {
            assert_eq!(path_id(&request(id)), None, "{id:?}");
        }
    }

    #[test]
    fn what_a_query_prefills_has_no_control_characters() {
        let request = http::Request::get("/wiki/-/new?title=a%00%0A%C2%85%20%C3%A9").body(Vec::new()).unwrap();
        assert_eq!(prefilled(&request, "title").as_deref(), Some("a é"));
        assert_eq!(prefilled(&request, "content"), None);
    }

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
        for value in ["3", r#""3"#, r#""3" "4""#, "w/\"3\"", "\"3\",,\"4\""] {
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
