//! What somebody searches for: words, `"phrases"`, `OR`, and `-` before what must not occur.

use wiki_types::slug::is_in_word;

/// The most different words of a query; those beyond it are left out. What a search costs grows with their number.
const MAX_WORDS: usize = 16;

/// A query: a page matches if it has all that one of the alternatives asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    alternatives: Vec<Vec<Term>>,
}

/// Words that follow one another. If excluded, they must not.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    excluded: bool,
    words: Vec<String>,
}

impl Query {
    /// Reads what was typed. What is typed more than once counts once.
    pub fn parse(typed: &str) -> Self {
        let mut query = Self::default();
        let mut known = Vec::new();
        let mut alternative = Vec::new();
        let mut rest = typed;
        while let Some(piece) = Piece::read(&mut rest) {
            if piece.is_or() {
                query.add(std::mem::take(&mut alternative));
                continue;
            }
            let words = split(piece.text).filter(|word| is_kept(&mut known, word)).take(MAX_WORDS).collect();
            let term = Term { excluded: piece.excluded, words };
            if !term.words.is_empty() && !alternative.contains(&term) {
                alternative.push(term);
            }
        }
        query.add(alternative);
        query
    }

    fn add(&mut self, alternative: Vec<Term>) {
        if !alternative.is_empty() && !self.alternatives.contains(&alternative) {
            self.alternatives.push(alternative);
        }
    }

    /// The query as `websearch_to_tsquery` reads it.
    pub fn websearch(&self) -> String {
        let alternatives: Vec<String> = self
            .alternatives
            .iter()
            .map(|terms| terms.iter().map(Term::websearch).collect::<Vec<_>>().join(" "))
            .collect();
        alternatives.join(" OR ")
    }

    /// A query for any of the words that are not excluded, as `websearch_to_tsquery` reads it.
    pub fn any_word(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for word in self.alternatives.iter().flatten().filter(|term| !term.excluded).flat_map(|term| &term.words) {
            let word = format!("\"{word}\"");
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.join(" OR ")
    }
}

impl Term {
    fn websearch(&self) -> String {
        format!("{}\"{}\"", if self.excluded { "-" } else { "" }, self.words.join(" "))
    }
}

/// What stands between white space or in quotation marks.
struct Piece<'a> {
    excluded: bool,
    quoted: bool,
    text: &'a str,
}

impl<'a> Piece<'a> {
    /// Takes the first piece of `text`.
    fn read(text: &mut &'a str) -> Option<Self> {
        let start = text.trim_start();
        let excluded = start.starts_with('-');
        let start = start.trim_start_matches('-');
        let (piece, rest) = match start.strip_prefix('"') {
            Some(phrase) => phrase.split_once('"').unwrap_or((phrase, "")),
            None => start.split_at(start.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(start.len())),
        };
        *text = rest;
        let quoted = start.starts_with('"');
        (quoted || excluded || !piece.is_empty()).then_some(Self { excluded, quoted, text: piece })
    }

    fn is_or(&self) -> bool {
        !self.excluded && !self.quoted && self.text.eq_ignore_ascii_case("or")
    }
}

/// The words of a text: whatever joins words separates them, but for the points in `main.rs`, which is one word in a page.
fn split(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c| !is_in_word(c) && c != '.').map(|word| word.trim_matches('.'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether `word` is one of the first [`MAX_WORDS`] different ones.
fn is_kept(known: &mut Vec<String>, word: &str) -> bool {
    let is_known = known.iter().any(|known| known == word);
    if !is_known && known.len() < MAX_WORDS {
        known.push(word.to_owned());
        return true;
    }
    is_known
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn queries_are_read_as_search_engines_read_them() {
        for (typed, websearch) in [
            ("weaving looms", r#""weaving" "looms""#),
            (r#""algebraic patterns" -loom"#, r#""algebraic patterns" -"loom""#),
            ("flowers or london OR x", r#""flowers" OR "london" OR "x""#),
            ("snake_case -and/or Well-known", r#""snake case" -"and or" "well known""#),
            (r#"say "or" -or"#, r#""say" "or" -"or""#),
            (r#"a"b c"d"#, r#""a" "b c" "d""#),
            (r#""open"#, r#""open""#),
            ("--x - y", r#"-"x" "y""#),
            ("OR or a or", r#""a""#),
            ("a A a OR a -a", r#""a" OR "a" -"a""#),
            (r#"" -"" '); --"#, ""),
        ] {
            assert_eq!(Query::parse(typed).websearch(), websearch, "{typed}");
        }
        assert_eq!(Query::parse("a -b \"c a\" OR d").any_word(), r#""a" OR "c" OR "d""#);
    }

    #[test]
    fn the_words_of_a_query_are_bounded() {
        let words = |typed: &str| Query::parse(typed).websearch().split(' ').count();
        let numbers: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        assert_eq!(words(&numbers.join(" ")), MAX_WORDS);
        assert_eq!(words(&format!("\"{}\"", numbers.join(" "))), MAX_WORDS);
        assert_eq!(words(&"a ".repeat(150)), 1);
        assert_eq!(words(&format!("\"{}\"", "a ".repeat(150))), MAX_WORDS);
    }

    proptest! {
        #[test]
        fn anything_typed_is_a_query(typed in any::<String>()) {
            let query = Query::parse(&typed);
            prop_assert_eq!(Query::parse(&query.websearch()), query);
        }

        #[test]
        fn so_are_signs(typed in "[-\"oOrR a]{0,30}") {
            let query = Query::parse(&typed);
            prop_assert_eq!(Query::parse(&query.websearch()), query);
        }
    }
}
