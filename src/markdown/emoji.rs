//! Emoji by the names they have on GitHub, as in `:tada:`.

use std::borrow::Cow;
use std::sync::LazyLock;

/// Names and emoji, by name. The list of the crate `emojis`, of which the component would hold ten times as much; a test
/// compares the two.
const LIST: &str = include_str!("emoji.txt");

/// The longest name.
const MAX_NAME: usize = 40;

static NAMES: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| LIST.lines().filter_map(|line| line.split_once(' ')).collect());

/// The emoji of that name.
fn named(name: &str) -> Option<&'static str> {
    let at = NAMES.binary_search_by(|(known, _)| known.cmp(&name)).ok()?;
    Some(NAMES[at].1)
}

/// `text` with emoji in place of their names. A name that touches a letter or digit, as in `1:100:1`, is text.
pub fn replaced(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find(':') {
        let colon = at + found;
        at = colon + 1;
        let is_name = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'+' | b'-');
        let length = text.as_bytes()[at..].iter().take(MAX_NAME + 1).take_while(|b| is_name(b)).count();
        let end = at + length;
        if length == 0 || text.as_bytes().get(end) != Some(&b':') {
            continue;
        }
        let touches =
            text[done..colon].ends_with(char::is_alphanumeric) || text[end + 1..].starts_with(char::is_alphanumeric);
        if let Some(emoji) = named(&text[at..end]).filter(|_| !touches) {
            out.push_str(&text[done..colon]);
            out.push_str(emoji);
            done = end + 1;
            at = done;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_emoji() {
        for (text, shown) in [
            (":tada: Release", "🎉 Release"),
            ("a:tada:", "a:tada:"),
            (":+1::-1:", "👍👎"),
            ("(:warning:)", "(⚠️)"),
            (":no_such_name:", ":no_such_name:"),
            ("10:100:10", "10:100:10"),
            ("::tada::", ":🎉:"),
            (":tada", ":tada"),
            (":", ":"),
            ("", ""),
        ] {
            assert_eq!(replaced(text), shown, "{text:?}");
        }
    }

    #[test]
    fn the_list_is_that_of_the_crate() {
        let mut names: Vec<_> = emojis::iter()
            .flat_map(|emoji| emoji.shortcodes().map(move |name| format!("{name} {}\n", emoji.as_str())))
            .collect();
        names.sort();
        assert!(names.concat() == LIST, "src/markdown/emoji.txt differs from the crate emojis");
        assert!(NAMES.is_sorted() && NAMES.iter().all(|(name, _)| name.len() <= MAX_NAME));
    }
}
