//! Stop words: the most frequent words of a language, which say little of what is looked for.

use std::sync::LazyLock;

/// Languages and their stop words, folded, in order: those of Snowball, which PostgreSQL has, too.
const LISTS: &str = include_str!("stop_words.txt");

static LANGUAGES: LazyLock<Vec<Vec<&str>>> =
    LazyLock::new(|| LISTS.lines().map(|line| line.split(' ').skip(1).collect()).collect());

/// Which of the folded `words` are stop words, in the language that has most of them. None are if all would be.
pub fn among(words: &[&str]) -> Vec<bool> {
    let known = |list: &Vec<&str>| words.iter().map(|word| list.binary_search(word).is_ok()).collect::<Vec<_>>();
    let count = |known: &Vec<bool>| known.iter().filter(|is_known| **is_known).count();
    let most = LANGUAGES.iter().map(known).max_by_key(count).unwrap_or_default();
    if count(&most) == words.len() { vec![false; words.len()] } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(LANGUAGES.len() == 9 && LANGUAGES.iter().all(|list| list.is_sorted()));
    }

    #[test]
    fn stop_words_are_those_of_one_language() {
        let of = |text: &'static str| {
            let words: Vec<&str> = text.split(' ').collect();
            let stops = among(&words);
            words.into_iter().zip(stops).filter(|(_, is_stop)| !is_stop).map(|(word, _)| word).collect::<Vec<_>>()
        };
        assert_eq!(of("how do i reset my password"), ["reset", "password"]);
        assert_eq!(of("wie kann ich mein passwort wechseln"), ["passwort", "wechseln"]);
        assert_eq!(of("the who"), ["the", "who"]);
        assert_eq!(of("engine"), ["engine"]);
    }
}
