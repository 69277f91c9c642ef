//! What a page is found by, in the forms PostgreSQL keeps.

use std::collections::{BTreeSet, HashMap};

use super::folded;
use super::split::{Word, parts, words};
use super::stem;

/// The most characters of a text that are searched.
pub const MAX_INDEXED: usize = 130_000;

/// The most characters of a text that are kept to show excerpts of.
pub const MAX_TEXT: usize = 20_000;

/// The largest place and the most places of a word that a `tsvector` keeps, and the bytes of one that are filled of the
/// mebibyte it may have (PostgreSQL manual, 12.11).
const MAX_PLACE: usize = 16_383;
const MAX_PLACES: usize = 255;
const MAX_BYTES: usize = 900_000;

/// What an entry takes beside its word, with its alignment, and what each place takes.
const ENTRY_BYTES: usize = 8;
const PLACE_BYTES: usize = 2;

/// The most characters of a word whose place beside another such word is indexed. Frequent words are short: a phrase of
/// others is found by its rarest word.
const MAX_SHORT: usize = 5;

/// The most parts of a word that is also found by all of them in one.
const MAX_PARTS: usize = 4;

/// Lengths of the words that others are corrected to.
const LEARNT: std::ops::RangeInclusive<usize> = 4..=24;

/// Weights of PostgreSQL, each of which counts twice or more of the next: words of a title as they are, and in other forms;
/// those of a text.
const TITLE: [char; 2] = ['A', 'B'];
const TEXT: [char; 2] = ['C', 'D'];

/// What a page is found by.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    /// The words of its title, as a `tsvector`; none if the title was not given.
    pub title: Option<String>,
    /// The words of its text, as a `tsvector`.
    pub text: String,
    /// Numbers of the pairs of short words that follow one another in its title.
    pub title_pairs: Vec<i32>,
    /// The same of its text.
    pub pairs: Vec<i32>,
    /// Words that others are corrected to, in order.
    pub learnt: Vec<String>,
}

/// What a page with this `title` and `text` in `language` is found by. `aside` is what it has, but does not show.
pub fn index(title: Option<&str>, text: &str, aside: &str, language: Option<&str>) -> Index {
    let mut notes = Notes::default();
    let title = title.map(|title| {
        let mut vector = Vector::default();
        vector.read(title, TITLE, language, &mut notes);
        vector.into_text()
    });
    let title_pairs = std::mem::take(&mut notes.pairs).into_iter().collect();
    let mut vector = Vector::default();
    vector.read(beginning(text, MAX_INDEXED), TEXT, language, &mut notes);
    let Notes { mut pairs, learnt } = notes;
    let mut notes = Notes::default();
    vector.read(beginning(aside, MAX_INDEXED), [TEXT[1]; 2], language, &mut notes);
    pairs.append(&mut notes.pairs);
    let (pairs, learnt) = (pairs.into_iter().collect(), learnt.into_iter().collect());
    Index { title, text: vector.into_text(), title_pairs, pairs, learnt }
}

/// The first `length` characters.
pub fn beginning(text: &str, length: usize) -> &str {
    let end = text.char_indices().nth(length).map_or(text.len(), |(end, _)| end);
    &text[..end]
}

/// The terms of a piece of a script without spaces: its pairs of characters, and its last character, so that each
/// character begins a term.
pub fn paired_terms(piece: &str) -> Vec<String> {
    let chars: Vec<char> = piece.chars().collect();
    (0..chars.len()).map(|at| chars[at..(at + 2).min(chars.len())].iter().collect()).collect()
}

/// The number of two short words that follow one another: FNV-1a. None if one of them is long.
pub fn pair(first: &str, second: &str) -> Option<i32> {
    let is_short = |word: &str| word.chars().count() <= MAX_SHORT;
    let bytes = first.bytes().chain([b' ']).chain(second.bytes());
    let hash = || bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (is_short(first) && is_short(second)).then(|| hash().cast_signed())
}

/// What is noted of words beside their places.
#[derive(Default)]
struct Notes {
    pairs: BTreeSet<i32>,
    learnt: BTreeSet<String>,
}

/// Terms, and where each is in a text, with its weight.
#[derive(Default)]
struct Vector {
    terms: HashMap<String, Vec<(usize, char)>>,
    bytes: usize,
    /// Places taken so far.
    length: usize,
}

impl Vector {
    /// Adds the words of `text`: with the first weight as they are written, with the second in other forms.
    fn read(&mut self, text: &str, weights: [char; 2], language: Option<&str>, notes: &mut Notes) {
        let mut before = (0, String::new());
        // The parts of a joined word, and the place of the first.
        let mut joined: (usize, Vec<String>) = (0, Vec::new());
        for word in words(text) {
            let plain = folded(word.text);
            if plain.is_empty() {
                continue;
            }
            if !word.joined {
                self.join(std::mem::take(&mut joined), weights[1]);
            }
            if word.paired {
                for term in paired_terms(&plain) {
                    self.note_pair(&mut before, &term, notes);
                    self.add(term, weights[0]);
                    self.length += 1;
                }
                continue;
            }
            self.note_pair(&mut before, &plain, notes);
            if LEARNT.contains(&plain.chars().count()) && plain.chars().all(char::is_alphabetic) {
                notes.learnt.insert(plain.clone());
            }
            if joined.1.is_empty() {
                joined.0 = self.length;
            }
            joined.1.push(plain.clone());
            self.add_forms(word, &plain, weights[1], language);
            self.add(plain, weights[0]);
            self.length += 1;
        }
        self.join(joined, weights[1]);
    }

    fn add_forms(&mut self, word: Word<'_>, plain: &str, weight: char, language: Option<&str>) {
        for term in stem::of_page(plain, language) {
            self.add(term, weight);
        }
        for part in parts(word.text).into_iter().map(folded).filter(|part| !part.is_empty()) {
            for term in stem::of_page(&part, language) {
                self.add(term, weight);
            }
            self.add(part, weight);
        }
    }

    /// Adds a joined word in one: `Node.js` is also found as `nodejs`.
    fn join(&mut self, (place, parts): (usize, Vec<String>), weight: char) {
        if (2..=MAX_PARTS).contains(&parts.len()) {
            self.add_at(beginning(&parts.concat(), super::MAX_WORD).to_owned(), place, weight);
        }
    }

    fn note_pair(&self, before: &mut (usize, String), term: &str, notes: &mut Notes) {
        if !before.1.is_empty() && before.0 + 1 == self.length {
            notes.pairs.extend(pair(&before.1, term));
        }
        *before = (self.length, term.to_owned());
    }

    fn add(&mut self, term: String, weight: char) {
        self.add_at(term, self.length, weight);
    }

    /// Adds a term at a place from 0, unless it is there or there is no room left.
    fn add_at(&mut self, term: String, place: usize, weight: char) {
        let place = (place + 1).min(MAX_PLACE);
        let room = MAX_BYTES.saturating_sub(self.bytes);
        if let Some(places) = self.terms.get_mut(&term) {
            if places.len() < MAX_PLACES && room > PLACE_BYTES && !places.iter().rev().take(4).any(|it| it.0 == place) {
                places.push((place, weight));
                self.bytes += PLACE_BYTES;
            }
        } else if room > term.len() + ENTRY_BYTES {
            self.bytes += term.len() + ENTRY_BYTES + PLACE_BYTES;
            self.terms.insert(term, vec![(place, weight)]);
        }
    }

    /// The text of a `tsvector`. Terms are letters, marks, digits and the signs of stems, none of which it escapes.
    fn into_text(self) -> String {
        let mut text = String::with_capacity(2 * self.bytes);
        for (term, places) in &self.terms {
            text.push_str(if text.is_empty() { "'" } else { " '" });
            text.push_str(term);
            text.push('\'');
            for (number, (place, weight)) in places.iter().enumerate() {
                text.push(if number == 0 { ':' } else { ',' });
                text.push_str(&place.to_string());
                text.push(*weight);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(vector: &str) -> Vec<&str> {
        let mut terms: Vec<&str> = vector.split(' ').collect();
        terms.sort_unstable();
        terms
    }

    #[test]
    fn words_are_at_their_places_in_all_their_forms() {
        let index = index(Some("Engines"), "Node.js weaves, camelCase", "src", None);
        assert_eq!(terms(&index.title.unwrap()), ["'engin':1B", "'engines':1A"]);
        assert_eq!(
            terms(&index.text),
            [
                "'<<saclemac':4D",
                "'camel':4D",
                "'camelcas':4D",
                "'camelcase':4C",
                "'case':4D",
                "'js':2C",
                "'node':1C",
                "'nodejs':1D",
                "'src':5D",
                "'weav':3D",
                "'weaves':3C"
            ]
        );
        assert_eq!(index.pairs, [pair("node", "js").unwrap()]);
        assert_eq!(index.learnt, ["camelcase", "engines", "node", "weaves"]);
    }

    #[test]
    fn scripts_without_spaces_are_indexed_in_pairs() {
        let index = index(None, "全文検索 a", "", Some("ja"));
        assert_eq!(terms(&index.text), ["'a':5C", "'全文':1C", "'文検':2C", "'検索':3C", "'索':4C"]);
        assert_eq!(index.title, None);
    }

    proptest! {
        #[test]
        fn any_text_makes_a_vector(text in "\\PC{0,60}", language in prop_oneof![Just(None), Just(Some("de"))]) {
            let index = index(Some(&text), &text, &text, language);
            let quoted = |vector: &str| vector.split('\'').skip(1).step_by(2).all(|term| {
                term.chars().all(|c| wiki_types::slug::is_in_word(c) || "~<>".contains(c)) && !term.is_empty()
            });
            prop_assert!(quoted(&index.text) && quoted(&index.title.unwrap()), "{}", index.text);
        }
    }
}
