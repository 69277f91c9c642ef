//! Which URLs an author's links and images may have, and how they are written.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What is percent-encoded in an author's URL: all but what may stand in one. A `%` stays, as the author may have encoded already.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A URL that may be in a page.
#[derive(Debug, PartialEq, Eq)]
pub struct Url {
    /// The URL, percent-encoded, still to be escaped for HTML.
    pub href: String,
    /// Whether it leads to another site.
    pub external: bool,
}

/// The URL of a link, if it is relative or its scheme is http, https or mailto.
pub fn link(url: &str) -> Option<Url> {
    allowed(url, &["http", "https", "mailto"])
}

/// The URL of an image, if it is relative or its scheme is http or https.
pub fn image(url: &str) -> Option<Url> {
    allowed(url, &["http", "https"])
}

/// `url` is what the parser made of the source: entities and backslash escapes are decoded.
///
/// A browser removes control characters and spaces at the ends and tabs and line breaks anywhere before it looks for the
/// scheme. Control characters are refused here, and spaces at the ends removed, so that both see the same scheme; a
/// backslash, which a browser takes for a slash, is percent-encoded.
fn allowed(url: &str, schemes: &[&str]) -> Option<Url> {
    let url = url.trim();
    if url.chars().any(char::is_control) {
        return None;
    }
    let scheme = url.find([':', '/', '?', '#']).filter(|at| url[*at..].starts_with(':')).map(|at| &url[..at]);
    if scheme.is_some_and(|scheme| !schemes.iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed))) {
        return None;
    }
    let external = match scheme {
        Some(scheme) => !scheme.eq_ignore_ascii_case("mailto"),
        None => url.starts_with("//"),
    };
    Some(Url { href: utf8_percent_encode(url, UNSAFE).to_string(), external })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_mail_and_relative_urls_are_allowed() {
        for (url, href, external) in [
            ("https://example.org/a?b=c&d#e", "https://example.org/a?b=c&d#e", true),
            ("HTTP://example.org", "HTTP://example.org", true),
            ("//example.org/x", "//example.org/x", true),
            ("mailto:a@example.org", "mailto:a@example.org", false),
            ("page", "page", false),
            ("/wiki/ä b", "/wiki/%C3%A4%20b", false),
            ("/a:b", "/a:b", false),
            ("?a:b", "?a:b", false),
            ("#a:b", "#a:b", false),
            ("", "", false),
            ("  page ", "page", false),
            ("a%20b", "a%20b", false),
            ("/\\example.org", "/%5Cexample.org", false),
            ("\\\\example.org", "%5C%5Cexample.org", false),
        ] {
            assert_eq!(link(url), Some(Url { href: href.to_owned(), external }), "{url:?}");
        }
    }

    #[test]
    fn other_schemes_are_refused_however_they_are_written() {
        for url in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "\u{1}javascript:alert(1)",
            "java\tscript:alert(1)",
            "java\nscript:alert(1)",
            "javascript\u{0}:alert(1)",
            "java\u{ad}script:alert(1)",
            "javascript :alert(1)",
            "javascript\\:alert(1)",
            "\u{a0}javascript:alert(1)",
            "\u{feff}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://example.org/x",
            "view-source:https://example.org",
            "ftp://example.org",
            "x:y",
            ":x",
            "https://example.org/\u{7}",
        ] {
            assert_eq!(link(url), None, "{url:?}");
            assert_eq!(image(url), None, "{url:?}");
        }
        assert_eq!(image("mailto:a@example.org"), None);
    }
}
