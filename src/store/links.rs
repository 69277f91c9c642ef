//! Links between pages: which pages link to a page, and which slugs lead to one.

use crate::store::db::{self, Db};
use crate::store::error::Error;
use crate::store::pages::Filter;

/// The pages that link to page `id`: by its slug, and by the slugs it used to have as long as no other page has them.
pub fn linking_to(id: i64) -> Filter {
    let mut filter = Filter::living();
    filter.add(
        "id <> ${} AND links && ARRAY(
           SELECT slug FROM posts page WHERE page.id = ${}
           UNION ALL
           SELECT slug FROM former_slugs former WHERE former.post_id = ${}
             AND NOT EXISTS (SELECT FROM posts other WHERE other.slug = former.slug AND other.deleted_time IS NULL))",
        id,
    );
    filter
}

/// How many pages link to page `id`.
pub fn count(db: &Db, id: i64) -> Result<i64, Error> {
    let filter = linking_to(id);
    db.query_row(&format!("SELECT count(*) FROM posts WHERE {}", filter.sql()), &filter.params)?.column()
}

/// Those of `slugs` that lead to a page.
pub fn existing(db: &Db, slugs: Vec<String>) -> Result<Vec<String>, Error> {
    if slugs.is_empty() {
        return Ok(slugs);
    }
    db.query_row(&format!("SELECT {}", existing_sql("$1::text[]")), &[db::texts(Some(slugs))])?.column()
}

/// SQL for those of the slugs in the array `slugs` that lead to a page, as an array.
pub(super) fn existing_sql(slugs: &str) -> String {
    format!(
        "ARRAY(SELECT slug FROM unnest({slugs}) AS slug
           WHERE EXISTS (SELECT FROM posts page WHERE page.slug = slug.slug AND page.deleted_time IS NULL)
              OR EXISTS (SELECT FROM former_slugs former JOIN posts page ON page.id = former.post_id
                         WHERE former.slug = slug.slug AND page.deleted_time IS NULL))"
    )
}
