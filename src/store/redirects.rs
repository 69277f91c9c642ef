//! Redirects: the slugs that lead to a page beside its own. Most are slugs that it had before it was renamed.

use wiki_types::Redirect;

use crate::store::db::{self, Db};
use crate::store::error::Error;

record! {
    redirect_columns, read_redirect -> Redirect { slug: "former.slug", post_id: "former.post_id" }
}

/// The first `count` redirects after `slug`, by slug. A slug that a page has is no redirect as long as it has it.
pub fn after(db: &Db, slug: &str, count: usize) -> Result<Vec<Redirect>, Error> {
    let sql = concat!(
        "SELECT ",
        redirect_columns!(),
        " FROM former_slugs former JOIN posts page ON page.id = former.post_id AND page.deleted_time IS NULL
         WHERE former.slug > $1
           AND NOT EXISTS (SELECT FROM posts other WHERE other.slug = former.slug AND other.deleted_time IS NULL)
         ORDER BY former.slug LIMIT $2"
    );
    db.query_all(sql, &[slug.to_owned().into(), db::count(count)], read_redirect)
}

/// What [`set`] did.
#[derive(Debug)]
pub enum Set {
    /// The slug leads to the page.
    Set,
    /// A page has the slug, or it leads to another one.
    Taken,
    /// Only administrators may change the page.
    Protected,
    /// There is no such page, or it is deleted.
    Gone,
}

/// Makes `slug` lead to page `id`. `may_override` is whether the sender may change a protected page.
pub fn set(db: &Db, slug: &str, id: i64, may_override: bool) -> Result<Set, Error> {
    let mut row = db.query_row(
        "WITH page AS (
           SELECT id, CASE
             WHEN protected AND NOT $3::boolean THEN 'protected'
             WHEN EXISTS (SELECT FROM posts other WHERE other.slug = $1::text AND other.deleted_time IS NULL) THEN 'taken'
             ELSE 'set' END AS outcome
           FROM posts WHERE id = $2 AND deleted_time IS NULL FOR SHARE
         ), redirect AS (
           INSERT INTO former_slugs (slug, post_id) SELECT $1, id FROM page WHERE outcome = 'set'
           ON CONFLICT (slug) DO UPDATE SET post_id = excluded.post_id
           WHERE former_slugs.post_id = excluded.post_id OR NOT EXISTS (
             SELECT FROM posts holder WHERE holder.id = former_slugs.post_id AND holder.deleted_time IS NULL)
           RETURNING slug
         )
         SELECT (
           SELECT CASE WHEN outcome = 'set' AND NOT EXISTS (SELECT FROM redirect) THEN 'taken' ELSE outcome END FROM page
         )",
        &[slug.to_owned().into(), id.into(), may_override.into()],
    )?;
    Ok(match row.column::<Option<String>>()?.as_deref() {
        Some("set") => Set::Set,
        Some("taken") => Set::Taken,
        Some("protected") => Set::Protected,
        None => Set::Gone,
        Some(other) => return Err(Error::Internal(format!("a statement returned the unknown outcome {other:?}"))),
    })
}

/// What [`delete`] did.
#[derive(Debug)]
pub enum Deleted {
    /// The slug leads nowhere.
    Deleted,
    /// Only administrators may change the page it leads to.
    Protected,
    /// There is no such redirect.
    Gone,
}

/// Deletes the redirect `slug`.
pub fn delete(db: &Db, slug: &str, may_override: bool) -> Result<Deleted, Error> {
    let mut row = db.query_row(
        "WITH found AS (
           SELECT former.slug, page.protected AND NOT $2::boolean AS is_kept
           FROM former_slugs former JOIN posts page ON page.id = former.post_id AND page.deleted_time IS NULL
           WHERE former.slug = $1
         ), deleted AS (
           DELETE FROM former_slugs USING found WHERE former_slugs.slug = found.slug AND NOT found.is_kept
         )
         SELECT (SELECT is_kept FROM found)",
        &[slug.to_owned().into(), may_override.into()],
    )?;
    Ok(match row.column::<Option<bool>>()? {
        Some(false) => Deleted::Deleted,
        Some(true) => Deleted::Protected,
        None => Deleted::Gone,
    })
}
