//! Words of pages that were written by an older version of the wiki: made later, a few pages at a time.

use std::collections::BTreeSet;

use super::entry::Entry;
use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;

/// The most pages whose words are made at once.
const PAGES: usize = 100;

/// Bytes of their texts, which are exceeded by one page at most.
const BYTES: usize = 1 << 20;

/// Makes the words of pages that wait for them, so many times those of a few. Whether there were any.
///
/// It may fail, as it is not what was asked for: the next request tries again.
pub fn catch_up(db: &Db, times: usize) -> bool {
    for time in 0..times {
        match make_some(db) {
            Ok(0) => return time > 0,
            Ok(_) => {}
            Err(error) => {
                eprintln!("words of pages that wait for them were not made: {error:?}");
                return false;
            }
        }
    }
    true
}

fn make_some(db: &Db) -> Result<usize, Error> {
    let read = |row: &mut Row| Ok((row.column()?, row.column()?, row.column()?, row.column()?));
    let pages: Vec<(i64, i64, String, String)> = db.query_all(&next(), &[], read)?;
    if pages.is_empty() {
        return Ok(0);
    }
    let found = pages.len();
    db.query_row(KEEP, &Batch::of(pages).params())?;
    Ok(found)
}

/// SQL for the pages whose words are made next: number, version, title and content.
fn next() -> String {
    format!(
        "SELECT id, version, title, content FROM (
           SELECT id, waiting.version, title, content,
             sum(octet_length(content)) OVER (ORDER BY id) - octet_length(content) AS before
           FROM (SELECT post_id, version FROM searched WHERE words IS NULL ORDER BY post_id LIMIT {PAGES}) AS waiting
           JOIN posts ON id = post_id
         ) AS next WHERE before < {BYTES} ORDER BY id"
    )
}

/// SQL that keeps words, with arrays as parameters: number, version, language, text, words and pairs of the title, words and
/// pairs of the text, and an array of all words that are learnt. A page that was written meanwhile is left out.
pub const KEEP: &str = "
     WITH kept AS (
       UPDATE searched SET language = given.language, plain = given.plain, title_words = given.title_words::tsvector,
         words = given.title_words::tsvector || given.words::tsvector, title_pairs = given.title_pairs::int[],
         pairs = given.title_pairs::int[] || given.pairs::int[]
       FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
         AS given (post_id, version, language, plain, title_words, title_pairs, words, pairs)
       WHERE searched.post_id = given.post_id AND searched.version = given.version AND searched.words IS NULL
       RETURNING searched.post_id
     ), learnt AS (
       INSERT INTO vocabulary (word)
       SELECT word FROM unnest($9::text[]) AS given (word)
       WHERE EXISTS (SELECT FROM kept) AND NOT EXISTS (SELECT FROM vocabulary WHERE vocabulary.word = given.word)
       ORDER BY word COLLATE \"C\" ON CONFLICT DO NOTHING
     )
     SELECT count(*) FROM kept";

/// The words of some pages, as the parameters of [`KEEP`].
#[derive(Debug, Default)]
pub struct Batch {
    /// Numbers of the pages.
    pub ids: Vec<i64>,
    /// Their versions.
    pub versions: Vec<i64>,
    /// Languages, texts, and words and pairs of titles and texts.
    pub columns: [Vec<Option<String>>; 6],
    /// Words that are learnt, in order.
    pub learnt: BTreeSet<String>,
}

impl Batch {
    /// Of pages by number, version, title and content.
    pub fn of(pages: Vec<(i64, i64, String, String)>) -> Self {
        let list = |pairs: &[i32]| format!("{{{}}}", pairs.iter().map(i32::to_string).collect::<Vec<_>>().join(","));
        let mut batch = Self::default();
        for (id, version, title, content) in pages {
            let Entry { language, plain, index } = Entry::of(Some(&title), &content);
            let row = [
                language.map(str::to_owned),
                Some(plain),
                index.title,
                Some(list(&index.title_pairs)),
                Some(index.text),
                Some(list(&index.pairs)),
            ];
            batch.ids.push(id);
            batch.versions.push(version);
            for (column, value) in batch.columns.iter_mut().zip(row) {
                column.push(value);
            }
            batch.learnt.extend(index.learnt);
        }
        batch
    }

    fn params(self) -> [Param; 9] {
        let [ids, versions] = [self.ids, self.versions].map(|numbers| db::numbers(Some(numbers)));
        let [languages, texts, title_words, title_pairs, words, pairs] = self.columns.map(Param::ArrayStr);
        let learnt = db::texts(Some(self.learnt.into_iter().collect()));
        [ids, versions, languages, texts, title_words, title_pairs, words, pairs, learnt]
    }
}
