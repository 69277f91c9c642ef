//! Text as HTML writes it.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// Escapes text for elements and quoted attributes, and changes nothing else: a form must give back what was typed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let mut rest = string;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            dest.write_str(&rest[..at])?;
            dest.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        dest.write_str(rest)
    }
}

/// `text`, escaped.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    _ = Html.write_escaped_str(&mut escaped, text);
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_html_is_escaped_and_all_else_stays() {
        assert_eq!(escaped("<b a='\"&\">ß"), "&lt;b a=&#39;&quot;&amp;&quot;&gt;ß");
        assert_eq!(escaped("\r\n\t\u{85}\u{fffe}"), "\r\n\t\u{85}\u{fffe}");
        assert_eq!(escaped(""), "");
    }
}
