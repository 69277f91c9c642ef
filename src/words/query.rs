//! What somebody searches for: words, `"phrases"`, `OR`, and `-` before what must not occur.

use super::index::{pair, paired_terms};
use super::split::{Word, words};
use super::{folded, stem, stop_words};

/// The most different words of a query; those beyond it are left out. What a search costs grows with their number.
const MAX_WORDS: usize = 16;

/// The fewest letters of the beginning of a word that it is found by.
const MIN_PREFIX: usize = 3;

/// The fewest letters of a word that is corrected.
const MIN_CORRECTED: usize = 4;

/// A query: a page matches if it has all that one of the alternatives asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    alternatives: Vec<Vec<Term>>,
}

/// Words that follow one another. If excluded, they must not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    excluded: bool,
    quoted: bool,
    steps: Vec<Step>,
}

/// A word of a query, folded, or a piece of two characters or the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    term: String,
    /// Whether it is of a script that is read in pieces.
    paired: bool,
    /// Places from the step before.
    distance: usize,
}

/// A query that asks for less: beginnings of words, without stop words. PostgreSQL adds words that may have been meant.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Loose {
    /// Pieces of the text of a `tsquery` for all words, each up to where alternatives of a word can be added.
    pub all: Vec<String>,
    /// The same for any of the words.
    pub any: Vec<String>,
    /// The same for any of the words of any alternative, whatever else the page has: what pages are ranked by.
    pub rank: Vec<String>,
    /// The word at the end of each piece; empty where there is none that may be corrected.
    pub words: Vec<String>,
    /// Their forms, each as a `tsquery`.
    pub forms: Vec<String>,
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
            for term in piece.terms(&mut known) {
                if !term.steps.is_empty() && !alternative.contains(&term) {
                    alternative.push(term);
                }
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

    /// Whether nothing is searched for.
    pub fn is_empty(&self) -> bool {
        self.alternatives.is_empty()
    }

    /// The terms that pages shall have.
    fn wanted(&self) -> impl Iterator<Item = &Term> {
        self.alternatives.iter().flatten().filter(|term| !term.excluded)
    }

    /// The words that pages shall have, folded, each once; pieces of two characters for scripts that are read so.
    pub fn words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        for step in self.wanted().flat_map(|term| &term.steps) {
            if !words.contains(&&*step.term) {
                words.push(&*step.term);
            }
        }
        words
    }

    /// The query as the text of a `tsquery`.
    pub fn exactly(&self) -> String {
        let alternative = |terms: &Vec<Term>| joined(terms.iter().map(Term::exactly), " & ");
        joined(self.alternatives.iter().map(alternative), " | ")
    }

    /// A query for any form of any of the words, as the text of a `tsquery`.
    pub fn any_word(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for step in self.wanted().flat_map(|term| &term.steps) {
            let forms = step.forms();
            if !words.contains(&forms) {
                words.push(forms);
            }
        }
        joined(words.into_iter(), " | ")
    }

    /// Numbers of the pairs of short words that every matching page has.
    pub fn pairs(&self) -> Vec<i32> {
        let [terms] = &*self.alternatives else { return Vec::new() };
        let wanted = terms.iter().filter(|term| !term.excluded && !term.has_joined_form());
        let pairs = wanted.flat_map(|term| term.steps.windows(2)).filter_map(|steps| match steps {
            [first, second] if second.distance == 1 && !first.is_beginning() && !second.is_beginning() => {
                pair(&first.term, &second.term)
            }
            _ => None,
        });
        pairs.collect()
    }

    /// The query that asks for less. None if that is the same: phrases stay as they are.
    pub fn loose(&self) -> Option<Loose> {
        if self.wanted().all(|term| term.quoted) {
            return None;
        }
        let mut loose = Loose::default();
        let mut all = Pieces::default();
        let mut any = Pieces::default();
        let mut rank = Pieces::default();
        for (number, terms) in self.alternatives.iter().enumerate() {
            let wanted: Vec<&Term> = terms.iter().filter(|term| !term.excluded).collect();
            let simple: Vec<&str> = wanted.iter().flat_map(|term| &term.steps).map(|step| &*step.term).collect();
            let is_stop = stop_words::among(&simple);
            let mut stops = is_stop.into_iter();
            let has_wanted = !wanted.is_empty();
            for pieces in [&mut all, &mut any] {
                pieces.push(if number == 0 { "(" } else { " | (" });
                pieces.push(if has_wanted { "(" } else { "" });
            }
            let mut first = true;
            for term in wanted {
                let stops: Vec<bool> = stops.by_ref().take(term.steps.len()).collect();
                if term.quoted {
                    let ranked_first = rank.is_empty();
                    for (pieces, sign, first) in
                        [(&mut all, " & ", first), (&mut any, " | ", first), (&mut rank, " | ", ranked_first)]
                    {
                        pieces.push(if first { "" } else { sign });
                        pieces.push(&term.exactly());
                    }
                    first = false;
                    continue;
                }
                for (step, is_stop) in term.steps.iter().zip(stops) {
                    if is_stop {
                        continue;
                    }
                    let forms = step.forms();
                    let beginning = if step.has_beginning() { format!(" | '{}':*", step.term) } else { String::new() };
                    let ranked_first = rank.is_empty();
                    for (pieces, sign, first) in
                        [(&mut all, " & (", first), (&mut any, " | (", first), (&mut rank, " | (", ranked_first)]
                    {
                        pieces.push(if first { "(" } else { sign });
                        pieces.push(&forms);
                        pieces.push(&beginning);
                        pieces.cut();
                        pieces.push(")");
                    }
                    loose.words.push(step.corrected());
                    loose.forms.push(forms);
                    first = false;
                }
            }
            for pieces in [&mut all, &mut any] {
                pieces.push(if has_wanted { ")" } else { "" });
                for (number, term) in terms.iter().filter(|term| term.excluded).enumerate() {
                    pieces.push(if !has_wanted && number == 0 { "" } else { " & " });
                    pieces.push(&term.exactly());
                }
                pieces.push(")");
            }
        }
        loose.words.push(String::new());
        loose.forms.push(String::new());
        (loose.all, loose.any, loose.rank) = (all.finish(), any.finish(), rank.finish());
        Some(loose)
    }
}

/// A text in pieces.
#[derive(Default)]
struct Pieces {
    done: Vec<String>,
    last: String,
}

impl Pieces {
    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.last.is_empty()
    }

    fn push(&mut self, text: &str) {
        self.last.push_str(text);
    }

    fn cut(&mut self) {
        self.done.push(std::mem::take(&mut self.last));
    }

    fn finish(mut self) -> Vec<String> {
        self.cut();
        self.done
    }
}

fn joined(parts: impl Iterator<Item = String>, sign: &str) -> String {
    let parts: Vec<String> = parts.map(|part| format!("({part})")).collect();
    parts.join(sign)
}

/// What titles are suggested by, for what was typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suggested {
    /// The text of a `tsquery` for titles that have words which begin as each of the words typed. Empty without words.
    pub all: String,
    /// The parts of that, one for each word.
    pub beginnings: Vec<String>,
    /// The words, in the same order; empty where one may not be corrected.
    pub words: Vec<String>,
}

/// What titles are suggested by, for what was `typed`.
pub fn suggested(typed: &str) -> Suggested {
    let steps = steps(typed, &mut Vec::new());
    let beginnings: Vec<String> = steps.iter().map(|step| format!("'{}':*", step.term)).collect();
    Suggested { all: beginnings.join(" & "), beginnings, words: steps.iter().map(Step::corrected).collect() }
}

impl Step {
    /// Whether a term that begins so is enough: the last character of a piece, after which a page may have more.
    fn is_beginning(&self) -> bool {
        self.paired && self.term.chars().count() == 1
    }

    fn has_beginning(&self) -> bool {
        !self.paired && self.term.chars().count() >= MIN_PREFIX
    }

    /// The word that others like it may be meant by; empty if it is not corrected.
    fn corrected(&self) -> String {
        let is_corrected =
            !self.paired && self.term.chars().count() >= MIN_CORRECTED && self.term.chars().all(char::is_alphabetic);
        if is_corrected { self.term.clone() } else { String::new() }
    }

    fn exactly(&self) -> String {
        format!("'{}'{}", self.term, if self.is_beginning() { ":*" } else { "" })
    }

    /// The word in all its forms.
    fn forms(&self) -> String {
        let mut forms = self.exactly();
        if !self.paired {
            let (whole, beginnings) = stem::of_query(&self.term);
            forms.extend(whole.iter().map(|term| format!(" | '{term}'")));
            forms.extend(beginnings.iter().map(|term| format!(" | '{term}':*")));
        }
        forms
    }
}

impl Term {
    /// Whether it is a joined word, which pages may have in one.
    fn has_joined_form(&self) -> bool {
        !self.quoted && self.steps.len() > 1 && self.steps.iter().all(|step| !step.paired)
    }

    fn exactly(&self) -> String {
        let sign = if self.excluded { "!" } else { "" };
        if let [step] = &*self.steps
            && !self.quoted
        {
            return format!("{sign}({})", step.forms());
        }
        let mut text = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                text.push_str(&format!(" <{}> ", step.distance));
            }
            text.push_str(&step.exactly());
        }
        if self.has_joined_form() {
            let whole: String = self.steps.iter().map(|step| &*step.term).collect();
            text = format!("({text}) | '{}'", super::index::beginning(&whole, super::MAX_WORD));
        }
        format!("{sign}({text})")
    }
}

/// The words of a text that follow one another.
fn steps(text: &str, known: &mut Vec<String>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut distance = 1;
    for word in words(text) {
        let plain = folded(word.text);
        if plain.is_empty() || steps.len() >= MAX_WORDS {
            continue;
        }
        let terms = match word {
            Word { paired: true, .. } => paired_terms(&plain),
            _ => vec![plain],
        };
        // The last character alone is asked for if there is no pair.
        let asked = if word.paired && terms.len() > 1 { terms.len() - 1 } else { terms.len() };
        for (number, term) in terms.into_iter().enumerate() {
            if number < asked && steps.len() < MAX_WORDS && is_kept(known, &term) {
                steps.push(Step { term, paired: word.paired, distance });
                distance = 1;
            } else {
                distance += 1;
            }
        }
    }
    steps
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

    /// What it asks for: what is quoted or excluded as a whole, else each word of `東京tower` or `a/b` by itself.
    fn terms(&self, known: &mut Vec<String>) -> Vec<Term> {
        let term = |steps| Term { excluded: self.excluded, quoted: self.quoted, steps };
        if self.quoted || self.excluded {
            return vec![term(steps(self.text, known))];
        }
        // Words that one sign joins stay together.
        let mut ends: Vec<(usize, usize)> = Vec::new();
        for word in words(self.text) {
            match ends.last_mut().filter(|_| word.joined) {
                Some((_, end)) => *end = word.end(),
                None => ends.push((word.start, word.end())),
            }
        }
        ends.into_iter().map(|(start, end)| term(steps(&self.text[start..end], known))).collect()
    }
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

    /// The query without the forms of its words, and without the parentheses around them.
    fn plain(query: &str) -> String {
        let mut text = String::new();
        let mut rest = query;
        while let Some((before, after)) = rest.split_once('\'') {
            let (word, after) = after.split_once('\'').unwrap();
            text.push_str(before);
            text.push_str(word);
            rest = after;
            // Forms follow the word.
            while let Some(form) = rest.strip_prefix(" | '") {
                let (form, after) = form.split_once('\'').unwrap();
                if !form.contains(['~', '<', '>']) && !word.starts_with(form.get(..2).unwrap_or(form)) {
                    break;
                }
                rest = after.strip_prefix(":*").unwrap_or(after);
            }
        }
        (text + rest).replace(['(', ')'], "")
    }

    #[test]
    fn queries_are_read_as_search_engines_read_them() {
        for (typed, expected) in [
            ("weaving looms", "weaving & looms"),
            (r#""algebraic patterns" -loom"#, "algebraic <1> patterns & !loom"),
            ("flowers or london OR x", "flowers | london | x"),
            (r#"say "or" -or"#, "say & or & !or"),
            (r#"a"b c"d"#, "a & b <1> c & d"),
            (r#""open"#, "open"),
            ("--x - y", "!x & y"),
            ("OR or a or", "a"),
            ("a A á a OR a -a", "a | a & !a"),
            ("src/main", "src & main"),
            ("全文検索", "全文 <1> 文検 <1> 検索"),
            ("\"茶 tea\"", "茶:* <1> tea"),
            ("\"全文 tea\"", "全文 <2> tea"),
            (r#"" -"" '); --"#, ""),
        ] {
            assert_eq!(plain(&Query::parse(typed).exactly()), expected, "{typed}");
        }
        assert_eq!(Query::parse("a -b \"c a\" OR d").words(), ["a", "c", "d"]);
        assert_eq!(Query::parse("node.js").exactly().trim_matches(['(', ')']), "'node' <1> 'js') | 'nodejs'");
    }

    #[test]
    fn the_words_of_a_query_are_bounded() {
        let words = |typed: &str| Query::parse(typed).words().len();
        let numbers: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        assert_eq!(words(&numbers.join(" ")), MAX_WORDS);
        assert_eq!(words(&format!("\"{}\"", numbers.join(" "))), MAX_WORDS);
        assert_eq!(words(&"a ".repeat(150)), 1);
        let phrase = Query::parse(&format!("\"{}\"", "a ".repeat(150)));
        assert_eq!(phrase.exactly().matches("'a'").count(), MAX_WORDS);
        let characters: String = (0..100).filter_map(|n| char::from_u32(0x4e00 + n)).collect();
        assert_eq!(words(&characters), MAX_WORDS);
    }

    #[test]
    fn phrases_of_short_words_are_looked_up_in_pairs() {
        assert_eq!(
            Query::parse("\"of the realm\"").pairs(),
            [pair("of", "the").unwrap(), pair("the", "realm").unwrap()]
        );
        for typed in ["of the", "\"of the\" OR x", "-\"of the\"", "of.the", "\"全文 a\""] {
            assert_eq!(Query::parse(typed).pairs(), [0; 0], "{typed}");
        }
    }

    #[test]
    fn a_loose_query_asks_for_beginnings_and_without_stop_words() {
        let loose = Query::parse("how do I reset my passw -\"old one\"").loose().unwrap();
        assert_eq!(loose.words, ["reset", "passw", ""]);
        assert_eq!((loose.all.len(), loose.any.len(), loose.forms.len()), (3, 3, 3));
        let all = loose.all.concat();
        assert!(all.contains("'passw':*") && all.ends_with(")) & !('old' <1> 'one'))"), "{all}");
        assert!(!all.contains("'how'"), "{all}");
        assert_eq!(Query::parse("\"one two\" -x").loose(), None);
    }

    proptest! {
        #[test]
        fn anything_typed_is_a_query(typed in "\\PC{0,40}|[-\"oOrR a]{0,30}") {
            let query = Query::parse(&typed);
            let loose = query.loose().unwrap_or_default();
            for text in [query.exactly(), query.any_word(), loose.all.concat(), loose.any.concat(), loose.rank.concat()] {
                prop_assert_eq!(text.matches('(').count(), text.matches(')').count());
                prop_assert!(!text.contains("()"), "{}", text);
                let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
                prop_assert!(quoted.iter().all(|term| !term.is_empty() && term.chars().all(
                    |c| wiki_types::slug::is_in_word(c) || "~<>".contains(c))), "{}", text);
            }
        }
    }
}
