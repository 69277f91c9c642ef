//! Folding: a word without case and accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};
use wiki_types::invisible::is_ignorable;

use super::MAX_WORD;
use super::split::is_paired;

/// `word` as it is compared: in lower case, Latin and Greek letters without marks, `ß` as `ss`, full-width letters as the
/// usual ones, without characters that are not shown, at most [`MAX_WORD`] characters.
///
/// Marks of other scripts stay: in Russian, `й` is another letter than `и`.
pub fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().take(MAX_WORD).map(|c| c.to_ascii_lowercase()).collect();
    }
    let mut out = String::with_capacity(word.len());
    // Whether the marks that follow are dropped.
    let mut bare = false;
    for c in word.chars().filter(|c| !is_ignorable(*c)) {
        for lower in half_width(c).to_lowercase() {
            decompose_canonical(lower, |part| {
                if is_combining_mark(part) {
                    if !bare {
                        out.push(part);
                    }
                    return;
                }
                bare = !is_paired(part) && is_bare(part);
                match spelled_out(part) {
                    Some(letters) => out.push_str(letters),
                    None => out.extend(part.to_lowercase()),
                }
            });
        }
    }
    let composed: String = out.nfc().map(|c| if c == 'ё' { 'е' } else { c }).collect();
    composed.chars().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)).take(MAX_WORD).collect()
}

/// Whether it is a letter whose marks do not count: Latin or Greek.
fn is_bare(letter: char) -> bool {
    matches!(letter, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}')
}

/// The usual letter, digit or sign in place of a full-width one.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Letters that Unicode does not decompose, as people type them who have not got them.
fn spelled_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'þ' => "th",
        'ı' => "i",
        'ħ' => "h",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_do_not_count() {
        for (word, expected) in [
            ("Größe", "grosse"),
            ("CAFÉ", "cafe"),
            ("cafe\u{301}", "cafe"),
            ("Smørrebrød", "smorrebrod"),
            ("Łódź", "lodz"),
            ("İstanbul", "istanbul"),
            ("Ἀθῆναι", "αθηναι"),
            ("ΛΌΓΟΣ", "λογοσ"),
            ("ёлка", "елка"),
            ("Й", "й"),
            ("ｗｉｋｉ", "wiki"),
            ("が", "が"),
            ("한국어", "한국어"),
            ("Daten\u{ad}bank", "datenbank"),
        ] {
            assert_eq!(folded(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn a_folded_word_stays_as_it_is(word in "\\PC{0,20}") {
            let once = folded(&word);
            prop_assert!(once.chars().all(|c| c.is_alphanumeric() || is_combining_mark(c)) || word.is_ascii());
            prop_assert!(once.chars().count() <= MAX_WORD);
        }
    }
}
