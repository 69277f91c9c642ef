//! The language of a text, where its script or its most frequent words tell. Browsers choose fonts and hyphens by it, and
//! screen readers a voice.

use std::sync::LazyLock;

use super::direction::prose;

/// Bytes that are looked at.
const SAMPLE: usize = 8 << 10;

/// Short words that are looked at: those of a long paragraph tell as much as those of a chapter.
const ENOUGH: usize = 150;

/// The fewest frequent words that tell a language.
const FEWEST: usize = 4;

/// Languages in Latin letters, and words that are frequent in them.
const FREQUENT: &[(&str, &str)] = &[
    ("cs", "a se je na že to v pro není jsou jako nebo"),
    ("da", "og det er som ikke på til af en den med for"),
    ("de", "der die und das ist nicht mit ein eine auf für den von zu"),
    ("en", "the and of to is that with for this are it as on be"),
    ("es", "el los las es una para con por que del se de la en"),
    ("fi", "ja on ei se että oli tai kun mutta ovat myös"),
    ("fr", "le les des est une dans pour pas vous avec et de la un"),
    ("it", "il di che una per con sono della gli nel la un è e"),
    ("nl", "de het een van en niet met zijn voor op is dat te in"),
    ("no", "og det er som ikke på til av en den med jeg"),
    ("pl", "i w nie na się jest że do to z oraz dla"),
    ("pt", "o os uma para com não são mais dos em de que um e"),
    ("sv", "och att det är som för inte på en av med den"),
    ("tr", "ve bir bu için ile de da çok olarak daha gibi"),
];

/// The frequent words, by their first bytes, each with the index of its language.
static WORDS: LazyLock<[Vec<(&str, usize)>; 256]> = LazyLock::new(|| {
    let mut words = [const { Vec::new() }; 256];
    for (index, (_, frequent)) in FREQUENT.iter().enumerate() {
        for word in frequent.split(' ') {
            words[usize::from(word.as_bytes()[0])].push((word, index));
        }
    }
    words
});

/// The most bytes of a frequent word.
const LONGEST: usize = 6;

/// No script begins before it, and Latin letters are below it.
const FIRST_OF_SCRIPTS: char = '\u{370}';

/// The language of `markdown` as BCP 47 names it. None if it cannot be told.
pub fn of_page(markdown: &str) -> Option<&'static str> {
    let sample = &markdown[..markdown.floor_char_boundary(SAMPLE)];
    if sample.is_ascii() {
        return by_words(sample);
    }
    let mut scripts = [0usize; SCRIPTS.len()];
    let mut latin = 0usize;
    for c in prose(sample).flat_map(str::chars).filter(|c| c.is_alphabetic()) {
        if c < FIRST_OF_SCRIPTS {
            latin += 1;
            continue;
        }
        match SCRIPTS.iter().position(|(_, ranges)| ranges.iter().any(|range| range.contains(&c))) {
            Some(script) => scripts[script] += 1,
            None => latin += 1,
        }
    }
    let (script, count) = scripts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    // As for the direction: other languages have words in Latin letters.
    if *count > 0 && count * 2 >= latin { in_script(script, sample, &scripts) } else { by_words(sample) }
}

/// Languages with a script of their own, or the most likely of their script.
const SCRIPTS: [(&str, &[std::ops::RangeInclusive<char>]); 12] = [
    ("ja", &['\u{3040}'..='\u{30ff}']),
    ("zh", &['\u{3400}'..='\u{9fff}']),
    ("ko", &['\u{1100}'..='\u{11ff}', '\u{ac00}'..='\u{d7af}']),
    ("he", &['\u{590}'..='\u{5ff}', '\u{fb1d}'..='\u{fb4f}']),
    ("ar", &['\u{600}'..='\u{6ff}', '\u{750}'..='\u{77f}', '\u{fb50}'..='\u{fdff}', '\u{fe70}'..='\u{fefc}']),
    ("ru", &['\u{400}'..='\u{52f}']),
    ("el", &['\u{370}'..='\u{3ff}', '\u{1f00}'..='\u{1fff}']),
    ("th", &['\u{e00}'..='\u{e7f}']),
    ("hi", &['\u{900}'..='\u{97f}']),
    ("bn", &['\u{980}'..='\u{9ff}']),
    ("hy", &['\u{530}'..='\u{58f}']),
    ("ka", &['\u{10a0}'..='\u{10ff}']),
];

fn in_script(script: usize, sample: &str, scripts: &[usize]) -> Option<&'static str> {
    let has = |letters: &[char]| sample.contains(letters);
    Some(match SCRIPTS[script].0 {
        "zh" if scripts[0] * 10 >= scripts[1] => "ja",
        "ar" if has(&['ٹ', 'ڈ', 'ڑ', 'ں', 'ے']) => "ur",
        "ar" if has(&['پ', 'چ', 'ژ', 'گ']) => "fa",
        "ru" if has(&['і', 'ї', 'є', 'ґ']) => {
            if has(&['ў']) {
                "be"
            } else {
                "uk"
            }
        }
        "ru" if has(&['ј', 'љ', 'њ', 'ђ', 'ћ']) => "sr",
        "ru" if has(&['ы', 'э']) => "ru",
        "ru" if has(&['ъ']) => "bg",
        other => other,
    })
}

fn by_words(sample: &str) -> Option<&'static str> {
    let mut hits = [0usize; FREQUENT.len()];
    let words = prose(sample).flat_map(|line| line.split(|c: char| !c.is_alphabetic()));
    let mut lower = String::with_capacity(2 * LONGEST);
    for word in words.filter(|word| (1..=LONGEST).contains(&word.len())).take(ENOUGH) {
        lower.clear();
        lower.extend(word.chars().flat_map(char::to_lowercase));
        for (_, language) in WORDS[usize::from(lower.as_bytes()[0])].iter().filter(|(known, _)| *known == lower) {
            hits[*language] += 1;
        }
    }
    let (language, most) = hits.iter().enumerate().max_by_key(|(_, hits)| **hits)?;
    let second = hits.iter().enumerate().filter(|(index, _)| *index != language).map(|(_, hits)| *hits).max()?;
    (*most >= FEWEST && most * 3 > second * 4).then_some(FREQUENT[language].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_is_as_long_as_words_are() {
        let words = FREQUENT.iter().flat_map(|(_, words)| words.split(' '));
        assert_eq!(words.map(str::len).max(), Some(LONGEST));
    }

    #[test]
    fn languages_are_told_by_script_and_words() {
        for (text, language) in [
            ("The quick brown fox jumps over the lazy dog, and it is said that this is for the best.", Some("en")),
            ("Der Fuchs springt über den Hund, und das ist nicht für die Katze, mit der er spielt.", Some("de")),
            ("Le renard saute par-dessus le chien, et c'est une bonne idée pour les enfants dans la cour.", Some("fr")),
            ("El zorro salta por encima del perro, y es una buena idea para los niños que juegan con él.", Some("es")),
            ("De vos springt over de hond, en het is niet voor een kat die met de muis speelt.", Some("nl")),
            ("Räven hoppar över hunden, och det är inte för katten som är på väg att äta.", Some("sv")),
            ("הארנב קופץ מעל הכלב", Some("he")),
            ("مرحبا بالعالم", Some("ar")),
            ("سلام، چطور هستید؟ این پرونده است", Some("fa")),
            ("Быстрая лиса прыгает, и мы её видим", Some("ru")),
            ("Швидка лисиця стрибає, і її видно", Some("uk")),
            ("速い狐がのろまな犬を飛び越える", Some("ja")),
            ("敏捷的狐狸跳过懒狗", Some("zh")),
            ("빠른 갈색 여우", Some("ko")),
            ("Deployment checklist", None),
            ("", None),
            ("```\nthe and of to is that with\n```\n", None),
        ] {
            assert_eq!(of_page(text), language, "{text}");
        }
    }
}
