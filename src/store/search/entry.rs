//! What a page is found by, as the parameters of the statements that write a page.

use crate::markdown;
use crate::store::db::{self, Param};
use crate::words::{self, Index, MAX_TEXT, beginning};

/// What a page is found by.
#[derive(Debug)]
pub struct Entry {
    /// Its language; none if it cannot be told.
    pub language: Option<&'static str>,
    /// The beginning of its text without markup.
    pub plain: String,
    /// Its words.
    pub index: Index,
}

impl Entry {
    /// Of a page with this Markdown, and this title unless it is not known because it stays as it is.
    pub fn of(title: Option<&str>, content: &str) -> Self {
        let language = markdown::language_of(content);
        let plain = markdown::plain(content);
        let index = words::index(title, &plain.text, &plain.aside, language);
        Self { language, plain: beginning(&plain.text, MAX_TEXT).to_owned(), index }
    }

    /// The parameters of `indexed!`, in order.
    pub fn params(self) -> [Param; 7] {
        let numbers = |pairs: Vec<i32>| Param::ArrayInt32(pairs.into_iter().map(Some).collect());
        let Index { title, text, title_pairs, pairs, learnt } = self.index;
        let title_pairs = if title.is_some() { numbers(title_pairs) } else { Param::DbNull };
        [
            self.language.map(str::to_owned).into(),
            self.plain.into(),
            title.into(),
            title_pairs,
            text.into(),
            numbers(pairs),
            db::texts(Some(learnt)),
        ]
    }
}

/// The part of a statement that writes what the page in the table of this name is found by. The parameters are those of
/// [`Entry::params`]. A page whose title is not given, and whose words are not known, waits for its words.
///
/// Words are learnt in order and after the row is locked, so that no two statements wait for one another. The benchmark's
/// native server has the same in its statements.
#[macro_export]
macro_rules! indexed {
    ($page:literal, $language:literal, $plain:literal, $title:literal, $title_pairs:literal, $words:literal, $pairs:literal,
     $learnt:literal) => {
        concat!(
            "indexed AS (
               INSERT INTO searched (post_id, version, language, plain, title_words, words, title_pairs, pairs)
               SELECT page.id, page.version, ",
            $language,
            "::text, ",
            $plain,
            "::text, title.words, title.words || ",
            $words,
            "::text::tsvector, title.pairs, title.pairs || ",
            $pairs,
            "::int[]
               FROM ",
            $page,
            " AS page CROSS JOIN LATERAL (
                 SELECT coalesce(",
            $title,
            "::text::tsvector, known.title_words) AS words, coalesce(",
            $title_pairs,
            "::int[], known.title_pairs, '{}') AS pairs
                 FROM (SELECT) AS always LEFT JOIN searched AS known ON known.post_id = page.id
               ) AS title
               ON CONFLICT (post_id) DO UPDATE SET version = excluded.version, language = excluded.language,
                 plain = excluded.plain, title_words = excluded.title_words, words = excluded.words,
                 title_pairs = excluded.title_pairs, pairs = excluded.pairs
               RETURNING post_id
             ), learnt AS (
               INSERT INTO vocabulary (word)
               SELECT word FROM unnest(",
            $learnt,
            "::text[]) AS given (word)
               WHERE EXISTS (SELECT FROM indexed)
                 AND NOT EXISTS (SELECT FROM vocabulary WHERE vocabulary.word = given.word)
               ORDER BY word COLLATE \"C\" ON CONFLICT DO NOTHING
             )"
        )
    };
}
