//! The statement of a search.

use std::fmt::Write as _;

use wiki_types::SearchResult;

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::pages::Filter;
use crate::words::{Query, excerpt};

/// The most pages that are ranked, of those whose title and of those whose text matches: a word that is on every page must
/// not read every page.
pub const MAX_RANKED: usize = 500;

/// With fewer matches than this, pages that have other words which may have been meant follow them.
const FEW: usize = 10;

/// SQL for the words that are written almost as the word `wanted`, at most five. There are none for an empty one.
pub const ALMOST: &str = "SELECT word FROM vocabulary WHERE near && one_letter_less(wanted) AND wanted <> ''
    ORDER BY left(word, 1) <> left(wanted, 1), abs(length(word) - length(wanted)), word LIMIT 5";

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// A part of the pages, best first.
    pub results: Vec<SearchResult>,
    /// How many pages there are in all parts.
    pub total: i64,
    /// Whether no more pages than that match.
    pub is_exact: bool,
}

/// A search as SQL.
///
/// Made of literals of this program only; everything a client sends is a parameter.
pub struct Statement {
    sql: String,
    params: Vec<Param>,
}

impl Statement {
    /// The first `count` pages that pass `filter` and match `query`, of those after a rank and a number.
    pub fn new(filter: Filter, query: &Query, after: Option<(f64, i64)>, count: usize) -> Self {
        let filtered = filter.sql();
        let readable = is_readable!("posts");
        let mut params = filter.params;
        let mut param = |value: Param| {
            params.push(value);
            format!("${}", params.len())
        };
        let exactly = format!("{}::text::tsquery", param(query.exactly().into()));
        let any_word = format!("{}::text::tsquery", param(query.any_word().into()));
        let pairs = query.pairs();
        let has_pairs = match pairs.is_empty() {
            true => String::new(),
            false => {
                let pairs = pairs.into_iter().map(Some).collect();
                format!("AND searched.pairs @> {}::int[]", param(Param::ArrayInt32(pairs)))
            }
        };
        // Titles are looked for by their index: without OFFSET 0, PostgreSQL expects the first pages it looks at to have the words
        // of a text in their titles, and looks at all of them where none has.
        //
        // Rank prefers matches in the title by their weight, and short pages to long ones (normalisation 1). It looks for
        // words one by one: PostgreSQL compares every place of every word with every other to see how near they are, which
        // for common words takes seconds.
        let mut sql = format!(
            "WITH exact AS MATERIALIZED (
               (SELECT id, ts_rank(titled.words, {any_word}, 1) AS rank
                FROM (SELECT * FROM searched WHERE title_words @@ {exactly} AND words @@ {exactly} OFFSET 0) AS titled
                JOIN posts ON id = post_id WHERE {filtered} LIMIT {MAX_RANKED})
               UNION
               (SELECT id, ts_rank(searched.words, {any_word}, 1) FROM searched JOIN posts ON id = post_id
                WHERE {filtered} AND searched.words @@ {exactly} {has_pairs} AND reads_words(searched.words)
                LIMIT {MAX_RANKED})
             )"
        );
        // A page that has all words comes before one that has others like them, and that before one that has some.
        let (mut others, mut meant) = ("", "NULL::text[]");
        if let Some(loose) = query.loose() {
            let [words, forms, all, any, rank] =
                [loose.words, loose.forms, loose.all, loose.any, loose.rank].map(|texts| param(db::texts(Some(texts))));
            _ = write!(
                sql,
                ", few AS MATERIALIZED (
                   SELECT count(*) < {FEW} AS few FROM exact
                 ), corrections AS MATERIALIZED (
                   SELECT place, word FROM unnest({words}::text[], {forms}::text[]) WITH ORDINALITY AS given (wanted, forms, place)
                   CROSS JOIN LATERAL ({ALMOST}) AS found
                   WHERE (SELECT few FROM few)
                     AND NOT EXISTS (
                       SELECT FROM searched JOIN posts ON id = post_id
                       WHERE searched.words @@ forms::tsquery AND reads_words(searched.words) AND {readable})
                 ), loose AS MATERIALIZED (
                   SELECT string_agg(every || alternatives, '' ORDER BY place)::tsquery AS every,
                     string_agg(part || alternatives, '' ORDER BY place)::tsquery AS part,
                     string_agg(ranked || alternatives, '' ORDER BY place)::tsquery AS ranked
                   FROM unnest({all}::text[], {any}::text[], {rank}::text[]) WITH ORDINALITY AS given (every, part, ranked, place)
                   CROSS JOIN LATERAL (
                     SELECT coalesce(string_agg(' | ''' || word || '''', ''), '') AS alternatives
                     FROM corrections WHERE corrections.place = given.place
                   ) AS alternative
                 ), near AS MATERIALIZED (
                   SELECT id, ts_rank(searched.words, (SELECT ranked FROM loose), 1) AS rank
                   FROM searched JOIN posts ON id = post_id
                   WHERE (SELECT few FROM few) AND {filtered} AND searched.words @@ (SELECT every FROM loose)
                     AND reads_words(searched.words) AND id NOT IN (SELECT id FROM exact)
                   LIMIT {MAX_RANKED}
                 ), partly AS MATERIALIZED (
                   SELECT id, ts_rank(searched.words, (SELECT ranked FROM loose), 1) AS rank
                   FROM searched JOIN posts ON id = post_id
                   WHERE (SELECT count(*) FROM exact) = 0 AND (SELECT count(*) FROM near) = 0
                     AND {filtered} AND searched.words @@ (SELECT part FROM loose) AND reads_words(searched.words)
                   LIMIT {MAX_RANKED}
                 )"
            );
            others = "UNION ALL SELECT id, 1 + rank, 'near' FROM near UNION ALL SELECT id, rank, 'partly' FROM partly";
            meant = "CASE WHEN (SELECT few FROM few) THEN ARRAY(SELECT word FROM corrections) END";
        }
        let later = after.map_or(String::new(), |(rank, id)| {
            let rank = param(Param::Floating64(rank));
            format!("WHERE (rank, id) < ({rank}, {})", param(id.into()))
        });
        let count = param(db::count(count));
        _ = write!(
            sql,
            ", ranked AS MATERIALIZED (
               SELECT id, rank::real::float8 AS rank, kind FROM (
                 SELECT id, 2 + rank AS rank, 'exact' AS kind FROM exact {others}) AS levels
             ), shown AS (
               SELECT id, rank FROM ranked {later} ORDER BY rank DESC, id DESC LIMIT {count}
             )
             SELECT (SELECT count(*) FROM ranked),
               coalesce((SELECT max(pages) < {MAX_RANKED} FROM (SELECT count(*) AS pages FROM ranked GROUP BY kind) AS counts), true),
               (SELECT post_id FROM searched WHERE words IS NULL ORDER BY post_id LIMIT 1) IS NOT NULL, {meant},
               result.*
             FROM (SELECT) AS always LEFT JOIN (
               SELECT id, user_id, title, slug, tags, updated_time AT TIME ZONE 'UTC', rank, language, plain
               FROM shown JOIN posts USING (id) JOIN searched ON post_id = id
             ) AS result ON true
             ORDER BY rank DESC, id DESC"
        );
        Self { sql, params }
    }

    /// What the search found, and whether pages wait for their words.
    pub fn run(&self, db: &Db, query: &Query) -> Result<(Found, bool), Error> {
        read_results(db, &self.sql, &self.params, query)
    }
}

/// What a statement found, and whether pages wait for their words: in each row the number of pages, whether it is
/// exact, and whether pages wait, and then what [`read_result`] reads.
pub fn read_results(db: &Db, sql: &str, params: &[Param], query: &Query) -> Result<(Found, bool), Error> {
    let rows = db.query_all(sql, params, |row| {
        let facts: (i64, bool, bool) = (row.column()?, row.column()?, row.column()?);
        Ok((facts, read_result(row, query)?))
    })?;
    let (total, is_exact, is_behind) = rows.first().map_or((0, true, false), |row| row.0);
    let results = rows.into_iter().filter_map(|row| row.1).collect();
    Ok((Found { results, total, is_exact }, is_behind))
}

/// A result; none in a row that only has the facts of all.
fn read_result(row: &mut Row, query: &Query) -> Result<Option<SearchResult>, Error> {
    let meant: Option<Vec<String>> = row.column()?;
    let Some(post_id) = row.column()? else { return Ok(None) };
    let mut result = SearchResult {
        post_id,
        user_id: row.column()?,
        title: row.column()?,
        slug: row.column()?,
        tags: row.column()?,
        updated_time: row.column()?,
        snippet: wiki_types::Snippet(Vec::new()),
        rank: row.column()?,
    };
    let language: Option<String> = row.column()?;
    let plain: String = row.column()?;
    result.snippet = excerpt(&plain, language.as_deref(), query, meant.as_deref());
    Ok(Some(result))
}
