//! Parts of a file: the Range header (RFC 9110, 14.2).

use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// The bytes from one place up to another, which is not among them.
    Part(u64, u64),
    /// Nothing that is there.
    Nothing,
}

/// What `headers` ask for of `size` bytes that have this strong `etag`, with its quotes.
///
/// Several ranges at once are answered with the whole, as is what cannot be read (RFC 9110, 14.2).
pub fn wanted(headers: &HeaderMap, size: u64, etag: &str) -> Wanted {
    let text = |value: &http::HeaderValue| value.to_str().ok().map(|text| text.trim().to_owned());
    let mut ranges = headers.get_all(RANGE).iter();
    let (Some(range), None) = (ranges.next().and_then(text), ranges.next()) else { return Wanted::Whole };
    // A client that has the beginning of something else wants all of this one.
    if headers.get(IF_RANGE).is_some_and(|value| text(value).as_deref() != Some(etag)) {
        return Wanted::Whole;
    }
    parse(&range, size).unwrap_or(Wanted::Whole)
}

fn parse(range: &str, size: u64) -> Option<Wanted> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
    // Only digits: `parse` would take a sign. A number that is too large for 64 bits is larger than any size.
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (from, to) = match (first, last) {
        ("", last) => (size.saturating_sub(number(last)?), size),
        (first, "") => (number(first)?, size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            (first, last.saturating_add(1).min(size))
        }
    };
    Some(if from < to { Wanted::Part(from, to) } else { Wanted::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(range: &str, if_range: Option<&str>) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        if let Some(value) = if_range {
            headers.insert(IF_RANGE, value.parse().unwrap());
        }
        wanted(&headers, 10, "\"a\"")
    }

    #[test]
    fn one_range_is_read() {
        for (range, wanted) in [
            ("bytes=0-0", Wanted::Part(0, 1)),
            ("bytes=2-5", Wanted::Part(2, 6)),
            ("bytes=2-", Wanted::Part(2, 10)),
            ("bytes=-3", Wanted::Part(7, 10)),
            ("bytes=-30", Wanted::Part(0, 10)),
            ("Bytes=9-99999999999999999999999", Wanted::Part(9, 10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
        ] {
            assert_eq!(asked(range, None), wanted, "{range}");
        }
    }

    #[test]
    fn a_range_of_something_else_is_the_whole() {
        assert_eq!(asked("bytes=2-5", Some("\"a\"")), Wanted::Part(2, 6));
        for other in ["\"b\"", "W/\"a\"", "Mon, 30 Nov 2026 12:00:00 GMT"] {
            assert_eq!(asked("bytes=2-5", Some(other)), Wanted::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_range_is_within_the_file(range in "[bytes=0-9, -]{0,20}", size in 0_u64..20) {
            if let Some(Wanted::Part(from, to)) = parse(&range, size) {
                prop_assert!(from < to && to <= size);
            }
        }
    }
}
