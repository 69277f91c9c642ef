//! Redirects: the slugs that lead to a page beside its own. Most are slugs that it had before it was renamed.

use wiki_types::Redirect;

use crate::store::db::{self, Db};
use crate::store::error::Error;
use crate::store::pages::Refusal;

record! {
    redirect_columns, read_redirect -> Redirect { slug: "former.slug", post_id: "former.post_id" }
}

/// The first `count` redirects after `slug`, by slug. A slug that a page has is no redirect as long as it has it.
pub fn after(db: &Db, slug: &str, count: usize) -> Result<Vec<Redirect>, Error> {
    let sql = concat!(
        "SELECT ",
        redirect_columns!(),
        " FROM former_slugs former JOIN posts page ON page.id = former.post_id AND page.deleted_time IS NULL
         WHERE ",
        is_readable!("page"),
        " AND former.slug > $1
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
    /// The sender may not change the page.
    Refused(Refusal),
    /// There is no such page, or it is deleted.
    Gone,
}

/// Makes `slug` lead to page `id`. `may_override` is whether the sender may change a protected page.
pub fn set(db: &Db, slug: &str, id: i64, may_override: bool) -> Result<Set, Error> {
    let mut row = db.query_row(
        concat!(
            "WITH page AS (
           SELECT id, CASE
             WHEN NOT ", is_writable!("posts"), " THEN 'read only'
             WHEN protected AND NOT $3::boolean THEN 'protected'
             WHEN EXISTS (SELECT FROM posts other WHERE other.slug = $1::text AND other.deleted_time IS NULL) THEN 'taken'
             ELSE 'set' END AS outcome
           FROM posts WHERE id = $2 AND deleted_time IS NULL AND ", is_readable!("posts"), " FOR SHARE
         ), redirect AS (
           INSERT INTO former_slugs (slug, post_id) SELECT $1, id FROM page WHERE outcome = 'set'
           ON CONFLICT (slug) DO UPDATE SET post_id = excluded.post_id
           WHERE former_slugs.post_id = excluded.post_id OR NOT EXISTS (
             SELECT FROM posts holder WHERE holder.id = former_slugs.post_id AND holder.deleted_time IS NULL)
           RETURNING slug
         )
         SELECT (
           SELECT CASE WHEN outcome = 'set' AND NOT EXISTS (SELECT FROM redirect) THEN 'taken' ELSE outcome END FROM page
         )"),
        &[slug.to_owned().into(), id.into(), may_override.into()],
    )?;
    Ok(match row.column::<Option<String>>()?.as_deref() {
        Some("set") => Set::Set,
        Some("taken") => Set::Taken,
        Some("protected") => Set::Refused(Refusal::Protected),
        Some("read only") => Set::Refused(Refusal::ReadOnly),
        None => Set::Gone,
        Some(other) => return Err(Error::Internal(format!("a statement returned the unknown outcome {other:?}"))),
    })
}

/// What [`delete`] did.
#[derive(Debug)]
pub enum Deleted {
    /// The slug leads nowhere.
    Deleted,
    /// The sender may not change the page it leads to.
    Refused(Refusal),
    /// There is no such redirect.
    Gone,
}

/// Deletes the redirect `slug`.
pub fn delete(db: &Db, slug: &str, may_override: bool) -> Result<Deleted, Error> {
    let mut row = db.query_row(
        concat!(
            "WITH found AS (
           SELECT former.slug, CASE
             WHEN NOT ",
            is_writable!("page"),
            " THEN 'read only'
             WHEN page.protected AND NOT $2::boolean THEN 'protected'
             ELSE 'deleted' END AS outcome
           FROM former_slugs former JOIN posts page ON page.id = former.post_id AND page.deleted_time IS NULL
           WHERE former.slug = $1 AND ",
            is_readable!("page"),
            "
         ), deleted AS (
           DELETE FROM former_slugs USING found WHERE former_slugs.slug = found.slug AND found.outcome = 'deleted'
         )
         SELECT (SELECT outcome FROM found)"
        ),
        &[slug.to_owned().into(), may_override.into()],
    )?;
    Ok(match row.column::<Option<String>>()?.as_deref() {
        Some("read only") => Deleted::Refused(Refusal::ReadOnly),
        Some("protected") => Deleted::Refused(Refusal::Protected),
        Some(_) => Deleted::Deleted,
        None => Deleted::Gone,
    })
}
