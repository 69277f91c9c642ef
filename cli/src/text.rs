//! Texts of the wiki as a terminal may show them.

use std::io::IsTerminal;

/// `text` on one line, with runs of white space as one space and no character that could drive a terminal.
pub fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let words: String = text.chars().map(visible).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether what is printed may be coloured: it goes to a terminal, and nobody objects (<https://no-color.org>).
pub fn may_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A snippet of a search, which is HTML with the matches in `<mark>`, as text; with `colour` the matches are bold.
pub fn snippet(html: &str, colour: bool) -> String {
    let (on, off) = if colour { ("\u{1b}[1;33m", "\u{1b}[0m") } else { ("", "") };
    let mut text = String::with_capacity(html.len());
    for (index, part) in html.split("<mark>").enumerate() {
        match part.split_once("</mark>").filter(|_| index > 0) {
            Some((matched, rest)) => {
                text.extend([on, &plain(matched), off, &plain(rest)]);
            }
            None => text.push_str(&plain(part)),
        }
    }
    text.trim().to_owned()
}

/// Escaped HTML as text, on one line; spaces at its ends are kept.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';');
        match end.and_then(|end| character(&rest[1..end])).zip(end) {
            Some((c, end)) => {
                text.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    let edge = |space: bool| if space { " " } else { "" };
    let line = one_line(&text);
    if line.is_empty() {
        return edge(!text.is_empty()).to_owned();
    }
    let blank = |c: char| c.is_whitespace() || c.is_control();
    format!("{}{line}{}", edge(text.starts_with(blank)), edge(text.ends_with(blank)))
}

/// The character that `&name;` stands for.
fn character(name: &str) -> Option<char> {
    let number = |digits, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
            Some(digits) => number(digits, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn snippets_become_text() {
        let html = "a &lt;b&gt; &amp;amp; &#39;c&#x27;\n<mark>found</mark> it, <mark>twice</mark>";
        assert_eq!(snippet(html, false), "a <b> &amp; 'c' found it, twice");
        assert_eq!(snippet("x <mark>y</mark>", true), "x \u{1b}[1;33my\u{1b}[0m");
        for odd in ["", "&", "&;", "&nonsense;", "<mark>", "</mark>", "&#99999999;", "&#xd800;"] {
            assert_eq!(snippet(odd, false), odd.replace("<mark>", ""), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn nothing_drives_the_terminal(text in any::<String>()) {
            prop_assert!(!one_line(&text).chars().any(char::is_control));
            prop_assert!(!snippet(&text, false).chars().any(char::is_control));
        }
    }
}
