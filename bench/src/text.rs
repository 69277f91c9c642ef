//! Pages to fill a wiki with: always the same for the same number, in words as frequent as those of a language.

use std::fmt::Write as _;

/// Different words. The most frequent 1,000 make up about two thirds of a text, as in English.
const WORDS: usize = 30_000;

/// Added to a word's rank before its frequency is taken as one over it (Zipf's law as Mandelbrot corrected it).
const RANK_OFFSET: f64 = 2.7;

/// Bytes a paragraph has at least.
const PARAGRAPH: usize = 420;

/// Paragraphs that the pages of a large wiki share.
const SHARED_PARAGRAPHS: usize = 64;

/// Numbers that look random and are always the same: SplitMix64 (Steele, Lea, Flood, 2014).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of the numbers below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Words, and how often each occurs.
pub struct Vocabulary {
    words: Vec<String>,
    /// The share of a text that a word and all more frequent ones make up.
    shares: Vec<f64>,
}

impl Vocabulary {
    /// The one vocabulary there is.
    pub fn new() -> Self {
        let words = (0..WORDS).map(word).collect();
        let mut sum = 0.0;
        let sums: Vec<f64> = (0..WORDS)
            .map(|rank| {
                sum += 1.0 / (rank as f64 + RANK_OFFSET);
                sum
            })
            .collect();
        Self { words, shares: sums.into_iter().map(|part| part / sum).collect() }
    }

    /// A word, drawn by frequency.
    pub fn draw(&self, random: &mut Random) -> &str {
        let share = random.share();
        let rank = self.shares.partition_point(|part| *part < share);
        &self.words[rank.min(WORDS - 1)]
    }

    /// Sentences.
    fn paragraph(&self, random: &mut Random) -> String {
        let mut text = String::with_capacity(PARAGRAPH + 100);
        while text.len() < PARAGRAPH {
            if !text.is_empty() {
                text.push(' ');
            }
            for place in 0..8 + random.below(8) {
                let word = self.draw(random);
                match (place, random.below(30)) {
                    (0, _) => text.push_str(&capitalised(word)),
                    (_, 0) => _ = write!(text, " **{word}**"),
                    (_, 1) => _ = write!(text, " `{word}`"),
                    _ => _ = write!(text, " {word}"),
                }
            }
            text.push('.');
        }
        text
    }
}

/// A word of two to four syllables, none of which is a word that searches treat differently.
fn word(rank: usize) -> String {
    const CONSONANTS: &[u8; 14] = b"bdfgklmnprstvz";
    const VOWELS: &[u8; 5] = b"aeiou";
    const SYLLABLES: usize = CONSONANTS.len() * VOWELS.len();
    // Neighbours in frequency are no neighbours in the alphabet: the multiplier and 70³ have no common factor.
    let mut number = SYLLABLES + (rank * 104_729) % (SYLLABLES * SYLLABLES * SYLLABLES);
    let mut word = String::new();
    while number > 0 {
        let syllable = number % SYLLABLES;
        word.push(char::from(CONSONANTS[syllable / VOWELS.len()]));
        word.push(char::from(VOWELS[syllable % VOWELS.len()]));
        number /= SYLLABLES;
    }
    word
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Where the paragraphs of pages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A small set that all pages share. A million pages then have few different words, and their index is made in
    /// minutes; reading a page costs the same.
    Shared,
    /// Each page has its own, as searches need.
    Own,
}

impl Kind {
    /// As it is called in names of databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
        }
    }
}

/// The pages of a wiki.
pub struct Pages {
    vocabulary: Vocabulary,
    /// Empty when every page has its own.
    shared: Vec<String>,
    rows: u64,
}

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Its slug, which is the one the wiki makes of the title.
    pub slug: String,
    /// About 2 KB of Markdown.
    pub content: String,
    /// The slug of the one page it links to.
    pub link: String,
}

impl Pages {
    /// The pages of a wiki that has `rows` of them.
    pub fn new(kind: Kind, rows: u64) -> Self {
        let vocabulary = Vocabulary::new();
        let mut random = Random(0);
        let count = if kind == Kind::Shared { SHARED_PARAGRAPHS } else { 0 };
        let shared = (0..count).map(|_| vocabulary.paragraph(&mut random)).collect();
        Self { vocabulary, shared, rows }
    }

    /// The words they are made of.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Page `id`, from 1.
    pub fn page(&self, id: u64) -> Page {
        let mut random = Random(id);
        let linked = 1 + random.below(self.rows.max(1));
        let title = format!("Page {id}");
        let mut content = format!("# {title}\n\n{}\n\n## ", self.paragraph(&mut random));
        content.push_str(&capitalised(self.vocabulary.draw(&mut random)));
        _ = write!(content, "\n\n{} See [[Page {linked}]].\n\n", self.paragraph(&mut random));
        for _ in 0..3 {
            let [one, other] = [(); 2].map(|()| self.vocabulary.draw(&mut random));
            _ = writeln!(content, "- {one} {other}");
        }
        _ = write!(content, "\n{}\n\n", self.paragraph(&mut random));
        _ = writeln!(content, "{}", self.paragraph(&mut random));
        Page { title, slug: format!("page-{id}"), content, link: format!("page-{linked}") }
    }

    fn paragraph(&self, random: &mut Random) -> String {
        match self.shared.len() {
            0 => self.vocabulary.paragraph(random),
            count => self.shared[random.below(count as u64) as usize].clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_differ() {
        assert_eq!((0..WORDS).map(word).collect::<HashSet<_>>().len(), WORDS);
    }

    #[test]
    fn frequent_words_are_frequent() {
        let vocabulary = Vocabulary::new();
        let mut random = Random(1);
        let first = vocabulary.words[0].clone();
        let count = (0..100_000).filter(|_| vocabulary.draw(&mut random) == first).count();
        assert!((3_000..5_500).contains(&count), "{count}");
        let thousand: HashSet<String> = vocabulary.words[..1000].iter().cloned().collect();
        let count = (0..100_000).filter(|_| thousand.contains(vocabulary.draw(&mut random))).count();
        assert!((55_000..75_000).contains(&count), "{count}");
    }

    #[test]
    fn pages_are_two_kilobytes_and_always_the_same() {
        for kind in [Kind::Shared, Kind::Own] {
            let pages = Pages::new(kind, 1000);
            let sizes: Vec<usize> = (1..=100).map(|id| pages.page(id).content.len()).collect();
            assert!(sizes.iter().all(|size| (1_800..2_400).contains(size)), "{sizes:?}");
            assert_eq!(pages.page(7), Pages::new(kind, 1000).page(7));
            assert_ne!(pages.page(7).content, pages.page(8).content);
        }
    }

    #[test]
    fn the_wiki_makes_the_same_slugs_and_links() {
        let page = Pages::new(Kind::Shared, 1000).page(12);
        assert_eq!(wiki_types::slug::slugify(&page.title), page.slug);
        assert_eq!(wiki::posts::draft::title_of(&page.content), page.title);
        assert_eq!(wiki::markdown::links(&page.content), [page.link]);
    }
}
