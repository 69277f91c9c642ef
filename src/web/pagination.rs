//! Pagination by keyset: every page of a list costs the same, and none skips or repeats an item while others write.

use std::fmt::Write as _;

use form_urlencoded::Serializer;
use serde::Serialize;
use serde_json::{Value, json};
use wiki_types::rules::MAX_LIMIT;

use crate::web::problem::Problem;
use crate::web::request::{Request, query};
use crate::web::response::{self, Response};

/// Items of a page when the client does not say.
pub const DEFAULT_LIMIT: usize = 50;

/// The items a page may have: `?limit=`, from 1 to [`MAX_LIMIT`].
fn limit(request: &Request) -> Result<usize, Problem> {
    match query(request, "limit") {
        None => Ok(DEFAULT_LIMIT),
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Problem::invalid_field("limit", format!("must be a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// Where a page begins: the sort keys of the last item of the page before, as JSON values.
///
/// Opaque to clients, so that an order can change without breaking them: the hexadecimal digits of a JSON array.
#[derive(Debug, Clone, PartialEq)]
struct Cursor(Vec<Value>);

impl Cursor {
    /// The cursor of `?cursor=`, which must hold what `fits` recognises; none for the first page.
    fn read(request: &Request, fits: impl Fn(&[Value]) -> bool) -> Result<Option<Self>, Problem> {
        let Some(text) = query(request, "cursor") else { return Ok(None) };
        Self::parse(&text).filter(|cursor| fits(&cursor.0)).map(Some).ok_or_else(|| {
            Problem::invalid_field(
                "cursor",
                "is not one this list gave out; start again without it, or follow \"next\"",
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
            .collect();
        serde_json::from_slice(&bytes?).ok().map(Self)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = Value::from(self.0.clone()).to_string();
        json.bytes().try_for_each(|byte| f.write_fmt(format_args!("{byte:02x}")))
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// The address of the next page, if there is one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page `request` asks for, of a list that is sorted by `keys`.
    ///
    /// `select` returns the first items after some keys, at most so many. It is asked for one more than the page shows,
    /// which says whether there is a next page. `fits` is whether a client's keys are of this list.
    pub fn select<E: Into<Problem>>(
        request: &Request,
        fits: impl Fn(&[Value]) -> bool,
        keys: impl Fn(&T) -> Vec<Value>,
        select: impl FnOnce(Option<Vec<Value>>, usize) -> Result<Vec<T>, E>,
    ) -> Result<Self, Problem> {
        let limit = limit(request)?;
        let after = Cursor::read(request, fits)?.map(|cursor| cursor.0);
        let items = select(after, limit + 1).map_err(Into::into)?;
        Ok(Self::new(request, items, limit, |last| Cursor(keys(last))))
    }

    fn new(request: &Request, mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| next_url(request, &cursor(last)));
        Self { items, next }
    }
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

impl<T: Serialize> Page<T> {
    /// `{"<name>": […], "next": …}`
    pub fn response(&self, request: &Request, name: &str) -> Response {
        response::tagged_by_content(request, response::json(&json!({ name: self.items, "next": self.next })))
    }
}

/// The address of the page after the one that ends at `cursor`: the request's own, with its other parameters kept.
fn next_url(request: &Request, cursor: &Cursor) -> String {
    let mut parameters = Serializer::new(String::new());
    if let Some(query) = request.uri().query() {
        parameters.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor"));
    }
    parameters.append_pair("cursor", &cursor.to_string());
    let mut url = request.uri().path().to_owned();
    _ = write!(url, "?{}", parameters.finish());
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(uri: &str) -> Request {
        http::Request::get(uri).body(Vec::new()).unwrap()
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        assert_eq!(limit(&request("/users")).unwrap(), 50);
        assert_eq!(limit(&request("/users?limit=200")).unwrap(), 200);
        for text in ["0", "201", "-1", "abc", "", "99999999999999999999"] {
            let problem = limit(&request(&format!("/users?limit={text}"))).unwrap_err();
            assert_eq!((problem.status.as_u16(), &*problem.errors[0].field), (422, "limit"), "{text}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        let url = next_url(&request("/posts/?tag=a%26b&cursor=00&limit=2"), &Cursor(vec![json!("ä"), json!(7)]));
        let (path, query) = url.split_once('?').unwrap();
        assert_eq!(path, "/posts/");
        assert!(query.starts_with("tag=a%26b&limit=2&cursor="), "{query}");
        let read = Cursor::read(&request(&url), |keys| keys.len() == 2).unwrap().unwrap();
        assert_eq!(read.0, [json!("ä"), json!(7)]);
    }

    #[test]
    fn foreign_cursors_are_refused() {
        for text in ["0", "zz", "7b7d", "é", "+1+1"] {
            let url = format!("/posts?cursor={}", text.replace('é', "%C3%A9"));
            assert_eq!(Cursor::read(&request(&url), |_| true).unwrap_err().status.as_u16(), 422, "{text}");
        }
        let number = Cursor(vec![json!(1)]).to_string();
        assert!(Cursor::read(&request(&format!("/posts?cursor={number}")), |keys| keys[0].is_string()).is_err());
    }

    proptest! {
        #[test]
        fn a_cursor_survives_its_url(title in any::<String>(), id in any::<i64>()) {
            let cursor = Cursor(vec![json!(title), json!(id)]);
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
    }
}
