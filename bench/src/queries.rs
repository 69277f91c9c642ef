//! What people might search for.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::text::{Pages, Random};

/// A kind of search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// A word.
    Word,
    /// Two words, in any place.
    TwoWords,
    /// Two words that stand beside each other on some page.
    Phrase,
    /// One of two words, and not a third.
    OrMinus,
}

impl Query {
    /// All.
    pub const ALL: [Self; 4] = [Self::Word, Self::TwoWords, Self::Phrase, Self::OrMinus];

    /// As it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "one word",
            Self::TwoWords => "two words",
            Self::Phrase => "a phrase of the text",
            Self::OrMinus => "one OR another -third",
        }
    }

    /// A search, its words drawn by frequency.
    pub fn draw(self, pages: &Pages, rows: u64, random: &mut Random) -> String {
        let mut word = || pages.vocabulary().draw(random).to_owned();
        match self {
            Self::Word => word(),
            Self::TwoWords => format!("{} {}", word(), word()),
            Self::OrMinus => format!("{} OR {} -{}", word(), word(), word()),
            Self::Phrase => {
                let content = pages.page(1 + random.below(rows.max(1))).content;
                format!("\"{}\"", phrase(&content, random))
            }
        }
    }
}

/// Two neighbouring words without markup or capitals.
fn phrase(content: &str, random: &mut Random) -> String {
    let words: Vec<&str> = content.split([' ', '\n']).collect();
    let is_plain = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let pairs: Vec<&[&str]> = words.windows(2).filter(|pair| pair.iter().all(|word| is_plain(word))).collect();
    let chosen = random.below(pairs.len().max(1) as u64) as usize;
    pairs.get(chosen).map(|pair| pair.join(" ")).unwrap_or_default()
}

/// As it is written in an address.
pub fn encoded(query: &str) -> String {
    utf8_percent_encode(query, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn phrases_are_found_on_a_page() {
        let pages = Pages::new(Kind::Own, 1);
        let content = pages.page(1).content;
        for seed in 0..20 {
            let query = Query::Phrase.draw(&pages, 1, &mut Random(seed));
            let words = query.trim_matches('"');
            assert!(words.contains(' ') && content.contains(words), "{query}");
        }
    }

    #[test]
    fn searches_are_written_as_people_write_them() {
        let pages = Pages::new(Kind::Shared, 1);
        let query = Query::OrMinus.draw(&pages, 1, &mut Random(1));
        let words: Vec<&str> = query.split(' ').collect();
        assert!(words.len() == 4 && words[1] == "OR" && words[3].starts_with('-'), "{query}");
        assert_eq!(encoded("\"a b\""), "%22a%20b%22");
    }
}
