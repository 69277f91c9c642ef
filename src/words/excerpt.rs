//! Excerpts: where in a text the words of a query are.

use wiki_types::search::{Snippet, SnippetPart};

use super::split::{Word, is_paired, parts, words};
use super::{Query, folded, stem};

/// The most parts of a text that are shown, the characters of each, and those before its first match.
const FRAGMENTS: usize = 2;
const LENGTH: usize = 140;
const BEFORE: usize = 50;

/// The most matches that are looked at.
const MAX_MATCHES: usize = 200;

/// What stands between two parts.
const BETWEEN: &str = " … ";

/// A match: its first byte, the one after its last, and the number of the word.
type Match = (usize, usize, usize);

/// The parts of `text` that show the words of `query` best. Words that were `meant` instead match as well, and with them,
/// words that only begin as those of the query.
pub fn excerpt(text: &str, language: Option<&str>, query: &Query, meant: Option<&[String]>) -> Snippet {
    let sought = Sought::of(query, language, meant);
    let matches = sought.matches(text);
    let mut parts = Vec::new();
    let mut shown_to = 0;
    let mut known: Vec<usize> = Vec::new();
    for number in 0..FRAGMENTS {
        let later = || matches.iter().filter(|found| number == 0 || found.0 >= shown_to);
        let next = later().find(|found| !known.contains(&found.2)).or_else(|| later().next());
        if next.is_none() && number > 0 {
            break;
        }
        let (start, end) = fragment(text, next.map_or(0, |found| found.0), shown_to);
        if number > 0 {
            parts.push(SnippetPart { text: BETWEEN.to_owned(), matched: false });
        }
        let inside: Vec<&Match> = matches.iter().filter(|found| found.0 >= start && found.1 <= end).collect();
        known.extend(inside.iter().map(|found| found.2));
        mark(text, start, end, &inside, &mut parts);
        shown_to = end;
    }
    Snippet(parts)
}

/// The part of `text` around byte `at` and not before `earliest`: whole words.
fn fragment(text: &str, at: usize, earliest: usize) -> (usize, usize) {
    let wanted = text[..at].char_indices().rev().take(BEFORE).last().map_or(at, |(start, _)| start).max(earliest);
    // From the beginning of a word, if that is not the match itself.
    let start = match wanted {
        0 => 0,
        _ => wanted + text[wanted..at].find(char::is_whitespace).unwrap_or_default(),
    };
    let start = start + (text[start..].len() - text[start..].trim_start().len());
    let rest = &text[start..];
    let Some((limit, _)) = rest.char_indices().nth(LENGTH) else { return (start, start + word_end(rest)) };
    let cut = match rest[..limit].rfind(char::is_whitespace) {
        Some(space) if !rest[..limit].ends_with(is_paired) && start + space > at => space,
        _ => limit,
    };
    (start, start + word_end(&rest[..cut]))
}

/// Where the last word of `text` ends, without what follows it.
fn word_end(text: &str) -> usize {
    words(text).last().map_or(text.trim_end().len(), |word| word.end())
}

/// Adds the parts of a fragment, with white space as single spaces.
fn mark(text: &str, start: usize, end: usize, matches: &[&Match], parts: &mut Vec<SnippetPart>) {
    let mut push = |piece: &str, matched| {
        let mut spaced = String::with_capacity(piece.len());
        for c in piece.chars() {
            if !c.is_whitespace() {
                spaced.push(c);
            } else if !spaced.ends_with(' ') {
                spaced.push(' ');
            }
        }
        if !spaced.is_empty() {
            parts.push(SnippetPart { text: spaced, matched });
        }
    };
    let mut at = start;
    for (from, to, _) in matches.iter().copied().filter(|found| found.1 > start) {
        let from = (*from).max(at);
        if from >= *to {
            continue;
        }
        push(&text[at..from], false);
        push(&text[from..*to], true);
        at = *to;
    }
    push(&text[at..end.max(at)], false);
}

/// The words that are looked for.
struct Sought<'a> {
    words: Vec<SoughtWord<'a>>,
    language: Option<&'a str>,
    meant: Option<&'a [String]>,
}

struct SoughtWord<'a> {
    word: &'a str,
    whole: Vec<String>,
    beginnings: Vec<String>,
}

impl<'a> Sought<'a> {
    fn of(query: &'a Query, language: Option<&'a str>, meant: Option<&'a [String]>) -> Self {
        let words = query.words().into_iter().map(|word| {
            let (whole, beginnings) = stem::of_query(word);
            SoughtWord { word, whole, beginnings }
        });
        Self { words: words.collect(), language, meant }
    }

    fn matches(&self, text: &str) -> Vec<Match> {
        let mut matches = Vec::new();
        for word in words(text) {
            if word.paired {
                self.pairs(word, &mut matches);
            } else if let Some(number) = self.number(word) {
                matches.push((word.start, word.end(), number));
            }
            if matches.len() >= MAX_MATCHES {
                break;
            }
        }
        matches
    }

    /// Which of the words it is; any number above them if it is one that was meant.
    fn number(&self, word: Word<'_>) -> Option<usize> {
        if !self.may_be(word.text) {
            return None;
        }
        let plain = folded(word.text);
        let found = self.words.iter().position(|sought| self.is(sought, &plain));
        let found = found.or_else(|| {
            let parts: Vec<String> = parts(word.text).into_iter().map(folded).collect();
            self.words.iter().position(|sought| parts.iter().any(|part| self.is(sought, part)))
        });
        let meant = || self.meant.and_then(|meant| meant.iter().position(|word| *word == plain));
        found.or_else(|| meant().map(|number| self.words.len() + number))
    }

    /// Whether it is worth a closer look: most words begin with another letter than those that are looked for.
    fn may_be(&self, word: &str) -> bool {
        let first = |word: &str| word.bytes().next().map(|byte| byte.to_ascii_lowercase());
        let begins_so = |other: &str| first(other) == first(word);
        !word.is_ascii()
            || stem::may_be_compound(word, self.language)
            || word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
            || self.words.iter().any(|sought| begins_so(sought.word))
            || self.meant.is_some_and(|meant| meant.iter().any(|word| begins_so(word)))
    }

    fn is(&self, sought: &SoughtWord<'_>, plain: &str) -> bool {
        if plain == sought.word {
            return true;
        }
        if self.meant.is_some() && sought.word.chars().count() >= 3 && plain.starts_with(sought.word) {
            return true;
        }
        let is_close = plain.chars().next() == sought.word.chars().next();
        let may_be_compound = stem::may_be_compound(plain, self.language) && !sought.beginnings.is_empty();
        if !is_close && !may_be_compound {
            return false;
        }
        stem::of_page(plain, self.language).iter().any(|term| {
            term == sought.word
                || sought.whole.contains(term)
                || may_be_compound && sought.beginnings.iter().any(|start| term.starts_with(start))
        }) || sought.whole.iter().any(|stem| stem == plain)
    }

    /// Adds the pieces of two characters that are looked for, those that overlap as one.
    fn pairs(&self, word: Word<'_>, matches: &mut Vec<Match>) {
        let chars: Vec<(usize, char)> = word.text.char_indices().collect();
        for (at, (start, c)) in chars.iter().enumerate() {
            let rest = &word.text[*start..];
            let found = self.words.iter().position(|sought| {
                let mut wanted = sought.word.chars();
                wanted.next() == Some(*c) && rest.starts_with(sought.word) && is_paired(*c)
            });
            let Some(number) = found else { continue };
            let length = self.words[number].word.chars().count();
            let end = word.start + chars.get(at + length).map_or(word.text.len(), |(end, _)| *end);
            let start = word.start + start;
            match matches.last_mut().filter(|last| last.1 >= start && last.0 >= word.start) {
                Some(last) => last.1 = last.1.max(end),
                None => matches.push((start, end, number)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, language: Option<&str>, typed: &str) -> String {
        let parts = excerpt(text, language, &Query::parse(typed), None).0;
        parts.iter().map(|part| if part.matched { format!("[{}]", part.text) } else { part.text.clone() }).collect()
    }

    #[test]
    fn words_are_marked_in_all_their_forms() {
        for (text, language, typed, expected) in [
            ("A loom weaves flowers.", None, "weaving flower", "A loom [weaves] [flowers]"),
            ("Die Größe von Seiten, x.", Some("de"), "grosse", "Die [Größe] von Seiten, x"),
            ("Eine Datenbankverbindung.", Some("de"), "verbindung", "Eine [Datenbankverbindung]"),
            ("see config.json\nand camelCase", None, "json case", "see config.[json] and [camelCase]"),
            ("これは全文検索です", Some("ja"), "全文検索", "これは[全文検索]です"),
            ("nothing here", None, "x", "nothing here"),
            ("", None, "x", ""),
        ] {
            assert_eq!(shown(text, language, typed), expected, "{text}");
        }
    }

    #[test]
    fn two_parts_of_a_long_text_are_shown() {
        let text = format!("{} needle {} thread {}", "hay ".repeat(100), "hay ".repeat(100), "hay ".repeat(100));
        let shown = shown(&text, None, "needle thread");
        assert!(shown.contains("[needle]") && shown.contains(" … ") && shown.contains("[thread]"), "{shown}");
        assert!(shown.chars().count() < 2 * LENGTH + 20, "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_has_an_excerpt(text in "[a-c 全文\\n.\\PC]{0,300}", typed in "[a-c 全文\\PC]{0,10}") {
            let shown: String = excerpt(&text, Some("de"), &Query::parse(&typed), Some(&[])).0.into_iter()
                .map(|part| part.text).collect();
            prop_assert!(shown.chars().count() <= FRAGMENTS * (LENGTH + BEFORE) + BETWEEN.len());
        }
    }
}
