//! Full-text search: ranked results with snippets, and suggestions of titles.

use serde_json::Value;
use wiki_types::search::SnippetPart;
use wiki_types::{SearchResult, Snippet, Suggestion};

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::pages::Filter;
use query::Query;

mod query;

/// The most pages that are ranked, of those whose title and of those whose text matches: a word that is on every page must
/// not read every page.
const MAX_RANKED: usize = 500;

/// Characters that PostgreSQL's parser must not see, and what stands for them in what is searched: as in the function
/// `searchable` of the migrations.
const STAND_INS: [(char, char); 6] =
    [('-', '\u{e000}'), ('_', '\u{e001}'), ('/', '\u{e002}'), ('<', '\u{e003}'), ('@', '\u{e004}'), ('~', '\u{e005}')];

/// What stands around a match in what PostgreSQL returns: no page can contain them.
const MATCH_BEGINS: char = '\u{1}';
const MATCH_ENDS: char = '\u{2}';

/// The character that `searched` stands for.
fn original(searched: char) -> char {
    STAND_INS.iter().find(|(_, stand_in)| *stand_in == searched).map_or(searched, |(original, _)| *original)
}

/// The snippet in a text that PostgreSQL made, with control characters around matches.
fn snippet(text: &str) -> Snippet {
    let mut parts = Vec::new();
    for piece in text.split_inclusive(MATCH_ENDS) {
        let (before, matched) = piece.split_once(MATCH_BEGINS).unwrap_or((piece, ""));
        for (part, matched) in [(before, false), (matched, true)] {
            let part = part.trim_end_matches(MATCH_ENDS);
            if !part.is_empty() {
                parts.push(SnippetPart { text: part.chars().map(original).collect(), matched });
            }
        }
    }
    Snippet(parts)
}

fn read_result(row: &mut Row) -> Result<SearchResult, Error> {
    Ok(SearchResult {
        post_id: row.column()?,
        user_id: row.column()?,
        title: row.column()?,
        slug: row.column()?,
        tags: row.column()?,
        updated_time: row.column()?,
        snippet: snippet(&row.column::<String>()?),
        rank: row.column()?,
    })
}

/// Those pages that pass `filter` and match `wanted`.
pub fn matching(mut filter: Filter, wanted: &str) -> Filter {
    filter.add("words @@ websearch_to_tsquery('wiki', ${})", Query::parse(wanted).websearch());
    filter
}

/// The sort keys of a result. They go through JSON, which is read to within a digit: [`after`] takes the rank back to the
/// precision that PostgreSQL ranks in.
pub fn keys(result: &SearchResult) -> Vec<Value> {
    vec![result.rank.into(), result.post_id.into()]
}

/// Whether `keys` can be those of a result.
pub fn fits(keys: &[Value]) -> bool {
    matches!(keys, [rank, id] if rank.is_f64() && id.is_i64())
}

/// The rank and the number of the result whose keys these are, to the last bit: a page whose rank is equal must be neither
/// shown again nor left out. `ts_rank` is a `real`, and no two of those are as close as a number and what JSON makes of it.
fn after(keys: &[Value]) -> Option<(f64, i64)> {
    let [rank, id] = keys else { return None };
    #[allow(clippy::cast_possible_truncation, reason = "rounding is what this is for")]
    let rank = rank.as_f64()? as f32;
    Some((f64::from(rank), id.as_i64()?))
}

/// The first `count` pages that pass `filter` and match `wanted`, best first; those after `keys` where they are given.
///
/// `wanted` is what people type into search engines: words, `"phrases"`, `OR`, and `-` before what must not occur
/// (`websearch_to_tsquery` in the PostgreSQL manual, 12.3.2).
pub fn search(
    db: &Db,
    filter: Filter,
    wanted: &str,
    keys: Option<&[Value]>,
    count: usize,
) -> Result<Vec<SearchResult>, Error> {
    let wanted = Query::parse(wanted);
    let conditions = filter.sql();
    let mut params = filter.params;
    params.push(wanted.websearch().into());
    params.push(wanted.any_word().into());
    let query = format!("websearch_to_tsquery('wiki', ${})", params.len() - 1);
    let any = format!("websearch_to_tsquery('wiki', ${})", params.len());
    let mut later = String::new();
    if let Some((rank, id)) = keys.and_then(after) {
        params.push(Param::Floating64(rank));
        params.push(id.into());
        later = format!("WHERE (rank, id) < (${}, ${})", params.len() - 1, params.len());
    }
    params.push(db::count(count));
    // Rank prefers matches in the title by their weight, and short pages to long ones (normalisation 1). Only what is
    // shown is searched for a snippet. Both look for words one by one: PostgreSQL compares every place of every word with
    // every other to see how near they are, which for common words takes seconds. Made of literals of this file only;
    // everything a client sends is a parameter.
    let sql = format!(
        "WITH ranked AS (
           (SELECT id, ts_rank(words, {any}, 1)::float8 AS rank FROM searched_posts
            WHERE {conditions} AND title_words @@ {query} AND words @@ {query} LIMIT {MAX_RANKED})
           UNION
           (SELECT id, ts_rank(words, {any}, 1)::float8 FROM searched_posts
            WHERE {conditions} AND words @@ {query} AND is_read LIMIT {MAX_RANKED})
         ), shown AS (
           SELECT id, rank FROM ranked {later} ORDER BY rank DESC, id DESC LIMIT ${}
         )
         SELECT id, user_id, title, slug, tags, updated_time AT TIME ZONE 'UTC',
           ts_headline('wiki', beginning, {any},
             'StartSel={MATCH_BEGINS}, StopSel={MATCH_ENDS}, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=\" … \"'),
           rank
         FROM shown JOIN searched_posts USING (id) ORDER BY rank DESC, id DESC",
        params.len()
    );
    db.query_all(&sql, &params, read_result)
}

fn read_suggestion(row: &mut Row) -> Result<Suggestion, Error> {
    Ok(Suggestion { title: row.column()?, slug: row.column()? })
}

/// The first `count` pages whose titles begin with what was `typed`, in any case.
pub fn suggestions(db: &Db, typed: &str, count: usize) -> Result<Vec<Suggestion>, Error> {
    // Every title that begins with the text sorts between the text and the text followed by the last character of Unicode.
    db.query_all(
        "SELECT title, slug FROM posts
         WHERE deleted_time IS NULL AND lower(title) COLLATE \"C\" >= lower($1) AND lower(title) COLLATE \"C\" < lower($1) || $2
         ORDER BY lower(title) COLLATE \"C\", id LIMIT $3",
        &[typed.to_owned().into(), "\u{10ffff}".to_owned().into(), db::count(count)],
        read_suggestion,
    )
}

/// The pages that share a word of their title with `title`, best first, at most five.
pub fn similar(db: &Db, title: &str) -> Result<Vec<Suggestion>, Error> {
    db.query_all(
        "WITH related AS (
           SELECT id, title, slug, title_words, websearch_to_tsquery('wiki', $1) AS query FROM searched_posts
           WHERE deleted_time IS NULL AND title_words @@ websearch_to_tsquery('wiki', $1)
           LIMIT 200
         )
         SELECT title, slug FROM related ORDER BY ts_rank(title_words, query, 1) DESC, id LIMIT 5",
        &[Query::parse(title).any_word().into()],
        read_suggestion,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_of_results_begins_exactly_after_the_last(bits in 1..0x7f80_0000_u32, id in any::<i64>()) {
            let rank = f64::from(f32::from_bits(bits));
            let cursor = Value::from(vec![Value::from(rank), Value::from(id)]).to_string();
            let keys: Vec<Value> = serde_json::from_str(&cursor).unwrap();
            prop_assert!(fits(&keys));
            prop_assert_eq!(after(&keys), Some((rank, id)));
        }
    }

    fn parts(text: &str) -> Vec<(String, bool)> {
        snippet(text).0.into_iter().map(|part| (part.text, part.matched)).collect()
    }

    #[test]
    fn characters_that_join_words_are_shown_as_they_were() {
        assert_eq!(parts("a\u{e001}b \u{1}c\u{2}"), [("a_b ".to_owned(), false), ("c".to_owned(), true)]);
    }

    #[test]
    fn a_snippet_is_cut_at_its_matches() {
        let part = |text: &str, matched| (text.to_owned(), matched);
        assert_eq!(
            parts("a <b>\u{1}wiki\u{2} and \u{1}wikis\u{2} … \u{1}x\u{2}"),
            [
                part("a <b>", false),
                part("wiki", true),
                part(" and ", false),
                part("wikis", true),
                part(" … ", false),
                part("x", true)
            ]
        );
        assert_eq!(parts(""), []);
    }
}
