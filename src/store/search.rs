//! Full-text search: ranked results with excerpts, and suggestions of titles.

use serde_json::Value;
use wiki_types::{PlacedSuggestion, SearchResult, Suggestion};

use crate::store::db::{self, Db, Row};
use crate::store::error::Error;
use crate::store::pages::{Filter, NAMES};
use crate::words::{self, Query, Suggested};
pub use entry::Entry;
pub use filtered::{filtered, filtered_keys};
pub use later::{Batch, KEEP, catch_up};
pub use statement::Found;
use statement::{ALMOST, Statement};

mod entry;
mod filtered;
mod later;
mod statement;

/// Those pages that pass `filter` and match `wanted`, with the words as they are written or in other forms.
pub fn matching(mut filter: Filter, wanted: &str) -> Filter {
    filter.add(
        "EXISTS (SELECT FROM searched WHERE post_id = posts.id AND searched.words @@ ${}::text::tsquery
           AND reads_words(searched.words))",
        Query::parse(wanted).exactly(),
    );
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
/// `wanted` is what people type into search engines: words, `"phrases"`, `OR`, and `-` before what must not occur.
pub fn search(db: &Db, filter: Filter, wanted: &str, keys: Option<&[Value]>, count: usize) -> Result<Found, Error> {
    let query = Query::parse(wanted);
    if query.is_empty() {
        return Ok(Found { is_exact: true, ..Found::default() });
    }
    let statement = Statement::new(filter, &query, keys.and_then(after), count);
    let (found, is_behind) = statement.run(db, &query)?;
    // After an upgrade, pages wait for their words: make those of some, and look again.
    if is_behind && catch_up(db, 1) { Ok(statement.run(db, &query)?.0) } else { Ok(found) }
}

fn read_suggestion(row: &mut Row) -> Result<Suggestion, Error> {
    Ok(Suggestion { title: row.column()?, slug: row.column()? })
}

/// The first `count` pages whose titles begin with what was `typed`, in any case; then those that have words which begin
/// as each of the words typed. If there are none, those that have words which are written almost so.
pub fn suggestions(db: &Db, typed: &str, count: usize) -> Result<Vec<PlacedSuggestion>, Error> {
    let Suggested { all, beginnings, words } = words::suggested(typed);
    // Every title that begins with the text sorts between the text and the text followed by the last character of Unicode.
    // The index returns titles by their beginnings in order. Those found by words are not all looked at: any page may have
    // a word that begins with one letter.
    let readable = is_readable!("posts");
    let sql = format!(
        "WITH starting AS MATERIALIZED (
           SELECT title, slug, id, row_number() OVER () AS place FROM (
             SELECT title, slug, id FROM posts
             WHERE deleted_time IS NULL AND {readable} AND lower(title) COLLATE \"C\" >= lower($1) AND lower(title) COLLATE \"C\" < lower($1) || $2
             ORDER BY lower(title) COLLATE \"C\", id LIMIT $3) AS sorted
         ), containing AS MATERIALIZED (
           SELECT title, slug, id FROM searched JOIN posts ON id = post_id
           WHERE (SELECT count(*) FROM starting) < $3 AND deleted_time IS NULL AND {readable} AND title_words @@ $4::text::tsquery
             AND id NOT IN (SELECT id FROM starting)
           LIMIT 200
         ), corrected AS MATERIALIZED (
           SELECT string_agg('(' || beginning || alternatives || ')', ' & ' ORDER BY place)::tsquery AS query
           FROM unnest($5::text[], $6::text[]) WITH ORDINALITY AS given (beginning, wanted, place)
           CROSS JOIN LATERAL (
             SELECT coalesce(string_agg(' | ''' || word || '''', ''), '') AS alternatives FROM ({ALMOST}) AS found
           ) AS alternative
           WHERE NOT EXISTS (SELECT FROM starting) AND NOT EXISTS (SELECT FROM containing)
         ), meant AS (
           SELECT title, slug, id FROM searched JOIN posts ON id = post_id
           WHERE deleted_time IS NULL AND {readable} AND title_words @@ (SELECT query FROM corrected)
           LIMIT 200
         )
         SELECT posts.title, posts.slug, {NAMES} FROM (
           SELECT * FROM (
             SELECT place, 0 AS length, id FROM starting
             UNION ALL SELECT $3 + 1, char_length(title), id FROM containing
             UNION ALL SELECT $3 + 1, char_length(title), id FROM meant
           ) AS suggested ORDER BY place, length, id LIMIT $3
         ) AS best JOIN posts USING (id) ORDER BY place, length, id",
    );
    let params = [
        typed.to_owned().into(),
        "\u{10ffff}".to_owned().into(),
        db::count(count),
        all.into(),
        db::texts(Some(beginnings)),
        db::texts(Some(words)),
    ];
    db.query_all(&sql, &params, |row: &mut Row| {
        let Suggestion { title, slug } = read_suggestion(row)?;
        Ok(PlacedSuggestion { title, slug, place: row.json()?.unwrap_or_default() })
    })
}

/// The pages that share a word of their title with `title`, best first, at most five.
pub fn similar(db: &Db, title: &str) -> Result<Vec<Suggestion>, Error> {
    db.query_all(
        concat!(
            "WITH related AS (
           SELECT id, title, slug, title_words FROM searched JOIN posts ON id = post_id
           WHERE deleted_time IS NULL AND ",
            is_readable!("posts"),
            " AND title_words @@ $1::text::tsquery
           LIMIT 200
         )
         SELECT title, slug FROM related ORDER BY ts_rank(title_words, $1::text::tsquery, 1) DESC, id LIMIT 5"
        ),
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
}
