//! Text from the wiki, made safe for a terminal.

use std::io::IsTerminal;

use wiki_types::Snippet;

/// `text` on one line: white space is collapsed, and control characters, which could drive a terminal, become spaces.
pub fn one_line(text: &str) -> String {
    collapsed(&without_controls(text))
}

/// Whether standard output is a terminal, and colours are not turned off (<https://no-color.org>).
pub fn may_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A snippet on one line; with `colour`, matches are bold.
pub fn snippet(snippet: &Snippet, colour: bool) -> String {
    let parts = snippet.0.iter().map(|part| match without_controls(&part.text) {
        text if part.matched && colour => format!("\u{1b}[1;33m{text}\u{1b}[0m"),
        text => text,
    });
    collapsed(&parts.collect::<String>())
}

fn without_controls(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The 32 bytes that `text` has in hexadecimal.
pub fn bytes(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text of a snippet that the API gives as `html`.
    fn text(html: &str, colour: bool) -> String {
        snippet(&serde_json::from_value(html.into()).unwrap(), colour)
    }

    #[test]
    fn snippets_become_text() {
        let html = "a &lt;b&gt; &amp;amp; &#39;c&#39;\n<mark>found</mark> it, <mark>twice</mark>";
        assert_eq!(text(html, false), "a <b> &amp; 'c' found it, twice");
        assert_eq!(text("x <mark>y</mark>", true), "x \u{1b}[1;33my\u{1b}[0m");
        for odd in ["", "&", "&;", "&nonsense;", "<mark>", "</mark>", "&#99999999;", "&#xd800;"] {
            assert_eq!(text(odd, false), odd.replace("<mark>", ""), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn control_characters_never_reach_the_terminal(it in any::<String>()) {
            prop_assert!(!one_line(&it).chars().any(char::is_control));
            prop_assert!(!text(&it, false).chars().any(char::is_control));
        }
    }
}
