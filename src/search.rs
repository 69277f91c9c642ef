//! Full-text search, ranked and with snippets, and suggestions while somebody types.

use serde::Serialize;
use serde_json::{Value, json};
use wiki_types::rules;

use crate::db::{self, Db, Row};
use crate::json::{self, rules};
use crate::list::{self, Cursor, Page};
use crate::pages::html::escaped;
use crate::pages::parts::Name;
use crate::posts::MAX_QUERY;
use crate::posts::select::Filter;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, query};
use crate::time::Time;

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

/// The most suggestions.
pub const MAX_SUGGESTIONS: usize = 10;

/// A page that was found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Found {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was last edited.
    pub updated_time: Time,
    /// Where the words occur.
    pub snippet: Snippet,
    /// How well it fits: more is better, and only comparable within one search.
    pub rank: f64,
}

/// Some words of a page, in parts that match and parts that do not.
///
/// As JSON it is HTML: escaped text with `<mark>` around matches.
#[derive(Debug, PartialEq)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Snippet(pub Vec<(String, bool)>);

impl Snippet {
    fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        for piece in text.split_inclusive(MATCH_ENDS) {
            let (before, matched) = piece.split_once(MATCH_BEGINS).unwrap_or((piece, ""));
            for (part, is_match) in [(before, false), (matched, true)] {
                let part = part.trim_end_matches(MATCH_ENDS);
                if !part.is_empty() {
                    parts.push((part.chars().map(original).collect(), is_match));
                }
            }
        }
        Self(parts)
    }
}

/// The character that `searched` stands for.
fn original(searched: char) -> char {
    STAND_INS.iter().find(|(_, stand_in)| *stand_in == searched).map_or(searched, |(original, _)| *original)
}

/// A query in the words pages are searched by: what joins words in it separates them, but for the `-` before a word.
fn searchable(wanted: &str) -> String {
    let mut before = ' ';
    wanted
        .chars()
        .map(|char| {
            let joins = STAND_INS.iter().any(|(original, _)| *original == char);
            let excludes = char == '-' && before.is_whitespace();
            before = char;
            if joins && !excludes { ' ' } else { char }
        })
        .collect()
}

impl Serialize for Snippet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut html = String::new();
        for (text, matched) in &self.0 {
            let text = escaped(text);
            html.push_str(&if *matched { format!("<mark>{text}</mark>") } else { text });
        }
        serializer.serialize_str(&html)
    }
}

impl Found {
    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Ok(Self {
            post_id: row.column()?,
            user_id: row.column()?,
            title: row.column()?,
            slug: row.column()?,
            tags: row.column()?,
            updated_time: row.column()?,
            snippet: Snippet::parse(&row.column::<String>()?),
            rank: row.column()?,
        })
    }
}

/// `GET /search?q=`, best first; with a `?tag=`, of one `?user_id=`
///
/// The query is what people type into search engines: words, `"phrases"`, `OR`, and `-` before what must not occur
/// (`websearch_to_tsquery` in the PostgreSQL manual, 12.3.2).
pub fn search(request: &Request, db: &Db) -> Result<Response, Problem> {
    let wanted = query(request, "q").ok_or_else(|| Problem::invalid_field("q", "is required: what to search for"))?;
    Ok(find(request, db, &wanted)?.reply(request, "results"))
}

/// The part of the pages matching `wanted` that `request` asks for.
pub fn find(request: &Request, db: &Db, wanted: &str) -> Result<Page<Found>, Problem> {
    json::checked("q", wanted, rules::line::<MAX_QUERY>)?;
    let limit = list::limit(request)?;
    let cursor = Cursor::read(request, |keys| matches!(keys, [rank, id] if rank.is_f64() && id.is_i64()))?;
    let filter = Filter::read(request)?;
    let conditions = filter.sql();
    let mut params = filter.params;
    params.push(searchable(wanted).into());
    let query = format!("websearch_to_tsquery('wiki', ${})", params.len());
    let mut after = String::new();
    if let Some(Cursor(keys)) = cursor {
        params.push(db::Param::Floating64(keys[0].as_f64().unwrap_or_default()));
        params.push(keys[1].as_i64().unwrap_or_default().into());
        after = format!("WHERE (rank, id) < (${}, ${})", params.len() - 1, params.len());
    }
    params.push(db::count(limit + 1));
    // Rank prefers matches in the title by their weight, and short pages to long ones (normalisation 1). Only what is
    // shown is searched for a snippet. Made of this file's own words only; everything a client said is a parameter.
    let sql = format!(
        "WITH ranked AS (
           (SELECT id, ts_rank(words, {query}, 1)::float8 AS rank FROM searched_posts
            WHERE {conditions} AND title_words @@ {query} AND words @@ {query} LIMIT {MAX_RANKED})
           UNION
           (SELECT id, ts_rank(words, {query}, 1)::float8 FROM searched_posts
            WHERE {conditions} AND words @@ {query} AND is_read LIMIT {MAX_RANKED})
         ), shown AS (
           SELECT id, rank FROM ranked {after} ORDER BY rank DESC, id DESC LIMIT ${}
         )
         SELECT id, user_id, title, slug, tags, updated_time AT TIME ZONE 'UTC',
           ts_headline('wiki', beginning, {query},
             'StartSel={MATCH_BEGINS}, StopSel={MATCH_ENDS}, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=\" … \"'),
           rank
         FROM shown JOIN searched_posts USING (id) ORDER BY rank DESC, id DESC",
        params.len()
    );
    let found = db.query(&sql, &params)?.into_iter().map(Found::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::new(request, found, limit, |last| Cursor(vec![last.rank.into(), last.post_id.into()])))
}

/// A page whose title begins with what was typed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Suggestion {
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
}

/// `GET /search/suggestions?q=`: titles that begin so, in whatever case
pub fn suggestions(request: &Request, db: &Db) -> Result<Response, Problem> {
    let typed = query(request, "q").unwrap_or_default();
    let typed = typed.trim_start();
    if typed.is_empty() {
        return Ok(reply::json(&json!({ "suggestions": Value::Array(Vec::new()) })));
    }
    json::checked("q", typed, rules::line::<MAX_QUERY>)?;
    // Every title that begins with the text stands between it and the text with the last character of Unicode behind it.
    let rows = db.query(
        "SELECT title, slug FROM posts
         WHERE deleted_time IS NULL AND lower(title) COLLATE \"C\" >= lower($1) AND lower(title) COLLATE \"C\" < lower($1) || $2
         ORDER BY lower(title) COLLATE \"C\", id LIMIT $3",
        &[typed.to_owned().into(), "\u{10ffff}".to_owned().into(), db::count(MAX_SUGGESTIONS)],
    )?;
    let suggestions: Result<Vec<Suggestion>, Problem> =
        rows.into_iter().map(|mut row| Ok(Suggestion { title: row.column()?, slug: row.column()? })).collect();
    Ok(reply::tagged_by_content(request, reply::json(&json!({ "suggestions": suggestions? }))))
}

/// The pages that share a word of their title with `title`, best first, at most five.
pub fn similar(db: &Db, title: &str) -> Result<Vec<Name>, Problem> {
    let rows = db.query(
        "WITH related AS (
           SELECT id, title, slug, title_words, replace(plainto_tsquery('wiki', $1)::text, '&', '|')::tsquery AS query
           FROM searched_posts
           WHERE deleted_time IS NULL AND title_words @@ replace(plainto_tsquery('wiki', $1)::text, '&', '|')::tsquery
           LIMIT 200
         )
         SELECT title, slug FROM related ORDER BY ts_rank(title_words, query, 1) DESC, id LIMIT 5",
        &[searchable(title).into()],
    )?;
    rows.into_iter().map(|mut row| Ok(Name { title: row.column()?, slug: row.column()? })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_joins_words_separates_them() {
        for (wanted, searched) in [
            ("snake_case -and/or well-known", "snake case -and or well known"),
            ("\"a <b>\" -\"x-y\" me@example", "\"a  b>\" -\"x y\" me example"),
            ("--x - y", "- x - y"),
        ] {
            assert_eq!(searchable(wanted), searched);
        }
        assert_eq!(Snippet::parse("a\u{e001}b \u{1}c\u{2}").0, [("a_b ".to_owned(), false), ("c".to_owned(), true)]);
    }

    #[test]
    fn a_snippet_is_cut_at_its_matches() {
        let snippet = Snippet::parse("a <b>\u{1}wiki\u{2} and \u{1}wikis\u{2} … \u{1}x\u{2}");
        let part = |text: &str, matched| (text.to_owned(), matched);
        assert_eq!(
            snippet.0,
            [
                part("a <b>", false),
                part("wiki", true),
                part(" and ", false),
                part("wikis", true),
                part(" … ", false),
                part("x", true)
            ]
        );
        assert_eq!(
            serde_json::to_value(&snippet).unwrap(),
            "a &lt;b&gt;<mark>wiki</mark> and <mark>wikis</mark> … <mark>x</mark>"
        );
        assert_eq!(Snippet::parse("").0, []);
    }
}
