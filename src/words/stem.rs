//! Stems: what the forms of a word have in common, in the languages that can be told apart.

use rust_stemmers::{Algorithm, Stemmer};

/// The fewest letters of a German word that is looked at as a compound, and of a part it is found by.
const MIN_COMPOUND: usize = 8;
const MIN_PART: usize = 4;

/// The fewest letters of a part that words of no known language are found by: fewer are the end of many a word.
const MIN_LAST_PART: usize = 6;

/// What is before the stem of a German compound, and before its stem read backwards, which begins with its last part.
const FORWARDS: char = '>';
const BACKWARDS: char = '<';

/// What is before the stem, read backwards, of a word that may be a German compound: that of a page too short to tell
/// its language. Its first part is the beginning of the word itself.
const PERHAPS_BACKWARDS: &str = "<<";

type Create = fn() -> Stemmer;

/// Languages in Latin letters other than English, by their codes of BCP 47. As functions, so that the component has the
/// algorithms of these languages only.
const LATIN: [(&str, Create); 7] = [
    ("de", || Stemmer::create(Algorithm::German)),
    ("es", || Stemmer::create(Algorithm::Spanish)),
    ("fr", || Stemmer::create(Algorithm::French)),
    ("it", || Stemmer::create(Algorithm::Italian)),
    ("nl", || Stemmer::create(Algorithm::Dutch)),
    ("pt", || Stemmer::create(Algorithm::Portuguese)),
    ("sv", || Stemmer::create(Algorithm::Swedish)),
];

fn english(word: &str) -> String {
    Stemmer::create(Algorithm::English).stem(word).into_owned()
}

fn german(word: &str) -> String {
    Stemmer::create(Algorithm::German).stem(word).into_owned()
}

fn russian(word: &str) -> String {
    tagged(&Stemmer::create(Algorithm::Russian).stem(word), "ru")
}

/// A stem of a language other than English: those of another language mean something else.
fn tagged(stem: &str, language: &str) -> String {
    format!("{stem}~{language}")
}

fn is_latin(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn is_russian(word: &str) -> bool {
    word.chars().all(|c| matches!(c, '\u{430}'..='\u{44f}'))
}

/// What a folded word on a page in `language` is found by, beside itself. Where the language is not known or has no stems
/// here, English is taken: most texts too short to tell are names and terms. A long word of those may be a German
/// compound.
pub fn of_page(word: &str, language: Option<&str>) -> Vec<String> {
    if is_russian(word) {
        return vec![russian(word)];
    }
    if !is_latin(word) {
        return Vec::new();
    }
    let Some((language, stemmer)) = LATIN.iter().find(|(known, _)| Some(*known) == language) else {
        let stem = english(word);
        let mut terms = if stem == word { Vec::new() } else { vec![stem] };
        if language.is_none() && word.len() >= MIN_COMPOUND {
            terms.push(format!("{PERHAPS_BACKWARDS}{}", reversed(&german(word))));
        }
        return terms;
    };
    let stem = stemmer().stem(word);
    let mut terms = vec![tagged(&stem, language)];
    if *language == "de" && word.len() >= MIN_COMPOUND {
        terms.push(format!("{FORWARDS}{stem}"));
        terms.push(format!("{BACKWARDS}{}", reversed(&stem)));
    }
    terms
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

/// Whether a word on a page in `language` may be a compound.
pub fn may_be_compound(word: &str, language: Option<&str>) -> bool {
    matches!(language, None | Some("de")) && word.len() >= MIN_COMPOUND
}

/// What other forms of a folded word are found by, in any language: whole terms, and beginnings of terms.
pub fn of_query(word: &str) -> (Vec<String>, Vec<String>) {
    if is_russian(word) {
        return (vec![russian(word)], Vec::new());
    }
    if !is_latin(word) {
        return (Vec::new(), Vec::new());
    }
    let english = english(word);
    let others = LATIN.iter().map(|(language, stemmer)| tagged(&stemmer().stem(word), language));
    let whole = [english].into_iter().filter(|stem| stem != word).chain(others).collect();
    let german = german(word);
    let mut parts = Vec::new();
    if german.len() >= MIN_PART {
        parts.extend([format!("{FORWARDS}{german}"), format!("{BACKWARDS}{}", reversed(&german))]);
    }
    if german.len() >= MIN_LAST_PART {
        parts.push(format!("{PERHAPS_BACKWARDS}{}", reversed(&german)));
    }
    (whole, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        for (language, on_page, asked) in [
            (None, "weaving", "weaves"),
            (Some("en"), "engines", "engine"),
            (Some("de"), "hausern", "haus"),
            (Some("de"), "datenbankverbindungen", "verbindung"),
            (Some("de"), "datenbankverbindungen", "datenbank"),
            (None, "datenbankverbindung", "verbindung"),
            (None, "datenbankverbindungen", "verbindung"),
            (Some("fr"), "chevaux", "chevaux"),
            (Some("es"), "canciones", "cancion"),
            (Some("ru"), "книгами", "книга"),
        ] {
            let terms = of_page(on_page, language);
            let (mut whole, beginnings) = of_query(asked);
            whole.push(asked.to_owned());
            let meets = |term: &String| whole.contains(term) || beginnings.iter().any(|start| term.starts_with(start));
            assert!(terms.iter().any(meets), "{on_page}: {terms:?}; {asked}: {whole:?} {beginnings:?}");
        }
    }

    #[test]
    fn stems_of_another_language_do_not_meet() {
        let (whole, _) = of_query("flower");
        assert!(!whole.contains(&"flow".to_owned()), "{whole:?}");
        for (language, on_page, asked) in [
            (None, "password", "word"),
            (None, "relationship", "ship"),
            (Some("en"), "datenbankverbindung", "verbindung"),
        ] {
            let (terms, (whole, beginnings)) = (of_page(on_page, language), of_query(asked));
            let meets = |term: &String| whole.contains(term) || beginnings.iter().any(|start| term.starts_with(start));
            assert!(!terms.iter().any(meets), "{on_page}: {terms:?}; {asked}: {whole:?} {beginnings:?}");
        }
    }
}
