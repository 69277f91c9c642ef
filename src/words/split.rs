//! Splitting: the words of a text, and the parts of a word.

use wiki_types::invisible::is_ignorable;
use wiki_types::slug::is_in_word;

/// What joins parts of one word: `Node.js`, `snake_case`, `well-known`, `don't`.
const JOINTS: [char; 6] = ['.', '_', '-', '\'', '’', '·'];

/// A word of a text, or an uninterrupted piece of a text in a script without spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written.
    pub text: &'a str,
    /// The byte where it begins.
    pub start: usize,
    /// Whether it is read in pieces of two characters.
    pub paired: bool,
    /// Whether one sign joins it to the word before.
    pub joined: bool,
}

impl Word<'_> {
    /// The byte where it ends.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Whether it is a character of Chinese, Japanese or Korean.
pub fn is_paired(c: char) -> bool {
    matches!(
        c,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{318f}'
            | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}'
            | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}'
    )
}

/// The words of `text`, in order.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    let mut before: Option<Word<'_>> = None;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_in_word)?;
        let rest = &text[start..];
        let paired = rest.starts_with(is_paired);
        let is_outside = |c: char| {
            let is_inside = is_in_word(c) && (is_paired(c) == paired || !c.is_alphanumeric());
            !is_inside && !is_ignorable(c)
        };
        let length = rest.find(is_outside).unwrap_or(rest.len());
        let joined = before.is_some_and(|before| {
            let mut between = text[before.end()..start].chars();
            !paired && !before.paired && between.next().is_some_and(|c| JOINTS.contains(&c)) && between.next().is_none()
        });
        let word = Word { text: &rest[..length], start, paired, joined };
        at = word.end();
        before = Some(word);
        Some(word)
    })
}

/// The parts of a word that capitals divide: `camelCase`, `HTTPServer`. None if there is one only.
pub fn parts(word: &str) -> Vec<&str> {
    let mut cuts = vec![0];
    let mut chars = word.char_indices().peekable();
    let (mut before_was_lower, mut before_was_upper) = (false, false);
    while let Some((at, c)) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        if c.is_uppercase() && (before_was_lower || before_was_upper && next_is_lower) {
            cuts.push(at);
        }
        (before_was_lower, before_was_upper) = (c.is_lowercase(), c.is_uppercase());
    }
    if cuts.len() == 1 {
        return Vec::new();
    }
    let ends = cuts.iter().skip(1).copied().chain([word.len()]);
    cuts.iter().zip(ends).map(|(start, end)| &word[*start..end]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signs_and_scripts_divide_words() {
        let split = |text| words(text).map(|w| (w.text, w.paired, w.joined)).collect::<Vec<_>>();
        assert_eq!(
            split("See Node.js, 東京tower."),
            [
                ("See", false, false),
                ("Node", false, false),
                ("js", false, true),
                ("東京", true, false),
                ("tower", false, false)
            ]
        );
        assert_eq!(split("a -- b_c"), [("a", false, false), ("b", false, false), ("c", false, true)]);
        assert_eq!(split(" ... "), []);
    }

    #[test]
    fn capitals_divide_a_word() {
        for (word, expected) in [
            ("camelCase", &["camel", "Case"][..]),
            ("HTTPServer", &["HTTP", "Server"]),
            ("PostgreSQL", &["Postgre", "SQL"]),
            ("Word", &[]),
            ("WORD", &[]),
            ("", &[]),
        ] {
            assert_eq!(parts(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn words_are_pieces_of_the_text(text in "\\PC{0,40}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(word.start >= end && !word.text.is_empty());
                prop_assert_eq!(&text[word.start..word.end()], word.text);
                end = word.end();
                parts(word.text);
            }
        }
    }
}
