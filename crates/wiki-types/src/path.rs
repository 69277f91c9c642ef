//! Paths of the wiki's things.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is percent-encoded in a part of a URL: all but what means nothing in any (RFC 3986's unreserved characters).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The page with that slug.
pub fn page(slug: &str) -> String {
    format!("/wiki/{}", escaped(slug))
}

/// `text` for one segment of a path or one value of a query.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}
