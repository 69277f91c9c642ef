//! Text for elements and quoted attributes.

/// Appends `text`, with the characters that could end it or begin something else as references, and the control characters
/// that HTML does not allow as U+FFFD.
pub fn push(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || forbidden(c)) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        out.push_str(match characters.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            Some('\'') => "&#39;",
            _ => "\u{fffd}",
        });
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// `text` as [`push`] writes it.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push(&mut escaped, text);
    escaped
}

fn forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_that_means_something_in_html() {
        assert_eq!(escape("<b a='\"&\">ß"), "&lt;b a=&#39;&quot;&amp;&quot;&gt;ß");
        assert_eq!(escape("\0\u{1}\t\n\r\u{7f}\u{9f} "), "\u{fffd}\u{fffd}\t\n\u{fffd}\u{fffd}\u{fffd} ");
    }
}
