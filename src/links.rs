//! Links between pages: who links where, and what a link's slug means today.

use crate::db::Db;
use crate::list::Page;
use crate::posts::select::{self, Filter};
use crate::posts::{self, Order, Summary};
use crate::problem::Problem;
use crate::reply::Response;
use crate::request::{Request, path_id};

/// `GET /posts/{id}/backlinks`: the pages that link to this one, newest first unless `?sort=` says otherwise
pub fn backlinks(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    Ok(page(request, db, id)?.reply(request, "posts"))
}

/// The part of the pages linking to page `id` that `request` asks for.
///
/// By its slug, and by the slugs it used to have as long as no other page has taken them.
pub fn page(request: &Request, db: &Db, id: i64) -> Result<Page<Summary>, Problem> {
    let page = select::page(request, db, linking_to(id), Order::read(request)?)?;
    if page.items.is_empty() {
        posts::by_id(db, id)?;
    }
    Ok(page)
}

/// How many pages link to page `id`.
pub fn count(db: &Db, id: i64) -> Result<i64, Problem> {
    let filter = linking_to(id);
    let row = db.query_one(&format!("SELECT count(*) FROM posts WHERE {}", filter.sql()), &filter.params)?;
    row.map_or(Ok(0), |mut row| row.column())
}

fn linking_to(id: i64) -> Filter {
    let mut filter = Filter::living();
    filter.add_within(
        "id <> ${} AND links && ARRAY(
           SELECT slug FROM posts page WHERE page.id = ${}
           UNION ALL
           SELECT slug FROM former_slugs former WHERE former.post_id = ${}
             AND NOT EXISTS (SELECT FROM posts other WHERE other.slug = former.slug AND other.deleted_time IS NULL))",
        id,
    );
    filter
}

/// SQL for those of the slugs in the array `slugs` that lead to a page, as an array.
pub fn leading(slugs: &str) -> String {
    format!(
        "ARRAY(SELECT slug FROM unnest({slugs}) AS slug
           WHERE EXISTS (SELECT FROM posts page WHERE page.slug = slug.slug AND page.deleted_time IS NULL)
              OR EXISTS (SELECT FROM former_slugs former JOIN posts page ON page.id = former.post_id
                         WHERE former.slug = slug.slug AND page.deleted_time IS NULL))"
    )
}
