//! Links between pages: where names lead, and which pages link to a page.
//!
//! A name is the slug of a title. It leads to the page that has this title, else to the page that has this slug, else to the
//! page that had one of them before.

use std::collections::HashMap;

use crate::store::db::{self, Db, Row};
use crate::store::error::Error;
use crate::store::pages::Filter;

/// The slugs of the pages that names lead to, by name; a name that leads nowhere is not there.
pub type Targets = HashMap<String, String>;

/// The pages that link to page `id` by a name that leads to it.
pub fn linking_to(id: i64) -> Filter {
    let mut filter = Filter::living();
    let condition = format!(
        "id <> ${{}} AND links && ARRAY(
           SELECT name FROM posts page CROSS JOIN LATERAL (
             SELECT page.slug UNION SELECT page.title_slug
             UNION SELECT former.slug FROM former_slugs former WHERE former.post_id = page.id
           ) AS names(name)
           WHERE page.id = ${{}} AND page.deleted_time IS NULL AND {} AND {} = page.slug)",
        is_readable!("page"),
        target_sql("names.name")
    );
    filter.add(&condition, id);
    filter
}

/// How many pages link to page `id`.
pub fn count(db: &Db, id: i64) -> Result<i64, Error> {
    let filter = linking_to(id);
    db.read_row(&format!("SELECT count(*) FROM posts WHERE {}", filter.sql()), &filter.params)?.column()
}

/// Where each of `names` leads.
pub fn targets(db: &Db, names: Vec<String>) -> Result<Targets, Error> {
    if names.is_empty() {
        return Ok(Targets::new());
    }
    let sql = format!("SELECT {}", targets_sql("$1::text[]"));
    let slugs = db.read_row(&sql, &[db::texts(Some(names.clone()))])?.column()?;
    Ok(pair(names, slugs))
}

/// Where `name` leads.
pub fn target(db: &Db, name: &str) -> Result<Option<String>, Error> {
    db.read_row(&format!("SELECT {}", target_sql("$1")), &[name.to_owned().into()])?.column()
}

/// The space of a page that links to `name`: of the one with the slug `from` if it does, else rather not the first space, which
/// most can read.
pub fn space_of(db: &Db, name: &str, from: &str) -> Result<Option<i64>, Error> {
    let sql = concat!(
        "SELECT space_id FROM posts WHERE links @> ARRAY[$1] AND deleted_time IS NULL AND ",
        is_readable!("posts"),
        " ORDER BY slug <> $2, space_id = 1, id LIMIT 1"
    );
    db.query_one(sql, &[name.to_owned().into(), from.to_owned().into()])?.as_mut().map(Row::column).transpose()
}

/// The pages, last edited first, whose links are looked at for names that lead nowhere. It bounds what the front page costs.
const LOOKED_AT: usize = 30;

/// The first `count` names that the pages edited last link to and that lead nowhere, with how many of these pages do: the most
/// linked first.
pub fn unwritten(db: &Db, count: usize) -> Result<Vec<(String, i64)>, Error> {
    let sql = format!(
        concat!(
            "SELECT link.name, count(*) FROM (
               SELECT links FROM posts WHERE deleted_time IS NULL AND ",
            is_readable!("posts"),
            " ORDER BY updated_time DESC, id DESC LIMIT $1
             ) AS page CROSS JOIN LATERAL (SELECT DISTINCT unnest(page.links) AS name) AS link
             WHERE {} IS NULL GROUP BY link.name ORDER BY count(*) DESC, link.name LIMIT $2"
        ),
        target_sql("link.name")
    );
    db.query_all(&sql, &[db::count(LOOKED_AT), db::count(count)], |row| Ok((row.column()?, row.column()?)))
}

/// The names that lead somewhere, with the slugs in the same places.
pub(super) fn pair(names: Vec<String>, slugs: Vec<Option<String>>) -> Targets {
    names.into_iter().zip(slugs).filter_map(|(name, slug)| Some((name, slug?))).collect()
}

/// SQL for the slugs of the pages that the names in the array `names` lead to, in the same places of an array.
pub(super) fn targets_sql(names: &str) -> String {
    format!(
        "ARRAY(SELECT {} FROM unnest({names}) WITH ORDINALITY AS link(name, place) ORDER BY place)",
        target_sql("link.name")
    )
}

/// SQL for the slug of the page that `name` leads to, or NULL. A page that the reader may not read is none. A page whose title and slug are one name comes first: most
/// are found at once.
fn target_sql(name: &str) -> String {
    let readable = is_readable!("posts");
    format!(
        "coalesce(
           (SELECT slug FROM posts WHERE slug = {name} AND title_slug IS NULL AND deleted_time IS NULL AND {readable}),
           (SELECT slug FROM posts WHERE title_slug = {name} AND deleted_time IS NULL AND {readable} ORDER BY id LIMIT 1),
           (SELECT slug FROM posts WHERE slug = {name} AND deleted_time IS NULL AND {readable}),
           (SELECT slug FROM posts WHERE deleted_time IS NULL AND {readable}
              AND id = (SELECT post_id FROM former_slugs WHERE former_slugs.slug = {name})))"
    )
}
