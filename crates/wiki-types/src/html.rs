//! Text in HTML.

/// The characters with a meaning in HTML, and the references that stand for them.
const REFERENCES: [(char, &str); 5] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];

/// `text` for elements and quoted attributes. Everything but `& < > " '` stays as it is: a form must give back what was
/// typed.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    _ = write_escaped(&mut escaped, text);
    escaped
}

/// Writes `text` as [`escaped`] returns it.
pub fn write_escaped(out: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.write_str(&rest[..at])?;
        let found = REFERENCES.iter().find(|(character, _)| rest[at..].starts_with(*character));
        out.write_str(found.map_or("", |(_, reference)| reference))?;
        rest = &rest[at + 1..];
    }
    out.write_str(rest)
}

/// The text that [`escaped`] made `html` of.
pub fn unescaped(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = REFERENCES.iter().find(|(_, reference)| rest.starts_with(reference));
        let (character, length) = found.map_or(('&', 1), |(character, reference)| (*character, reference.len()));
        text.push(character);
        rest = &rest[length..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_is_escaped_and_all_else_stays() {
        assert_eq!(escaped("<b a='\"&\">ß"), "&lt;b a=&#39;&quot;&amp;&quot;&gt;ß");
        assert_eq!(escaped("\r\n\t\u{85}\u{fffe}"), "\r\n\t\u{85}\u{fffe}");
        assert_eq!(escaped(""), "");
    }

    proptest! {
        #[test]
        fn escaping_can_be_undone(text in any::<String>()) {
            prop_assert_eq!(unescaped(&escaped(&text)), text);
        }
    }
}
