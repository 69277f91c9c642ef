//! Protected pages, which only administrators change.

use crate::access::{self, Who};
use crate::db::Db;
use crate::posts::{self, Post};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, path_id};

/// `PUT /posts/{id}/protection`: from now on, only administrators change the page
pub fn protect(request: &Request, db: &Db) -> Result<Response, Problem> {
    answer(request, db, true)
}

/// `DELETE /posts/{id}/protection`: whoever writes may change the page again
pub fn unprotect(request: &Request, db: &Db) -> Result<Response, Problem> {
    answer(request, db, false)
}

fn answer(request: &Request, db: &Db, protected: bool) -> Result<Response, Problem> {
    let post = set(db, access::who(request), path_id(request).ok_or_else(posts::not_found)?, protected)?;
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

/// Protects page `id`, or no longer, and returns it.
pub fn set(db: &Db, who: &Who, id: i64, protected: bool) -> Result<Post, Problem> {
    let [actor, address] = who.actor();
    let event = if protected { "page_protected" } else { "page_unprotected" };
    db.query(
        "WITH changed AS (
           UPDATE posts SET protected = $2 WHERE id = $1 AND deleted_time IS NULL AND protected <> $2 RETURNING id, title
         )
         INSERT INTO audit (event, actor_id, address, post_id, details) SELECT $3, $4, $5, id, title FROM changed",
        &[id.into(), protected.into(), event.to_owned().into(), actor, address],
    )?;
    posts::by_id(db, id)
}

/// 403 if `who` may not change `post`.
pub fn check(post: &Post, who: &Who) -> Result<(), Problem> {
    if post.protected && !who.administers() { Err(refusal()) } else { Ok(()) }
}

/// 403: the page is protected.
pub fn refusal() -> Problem {
    Problem::forbidden("The page is protected: only administrators may change it.")
}

/// Whether page `id` was protected when it was deleted.
pub fn is_deleted_and_protected(db: &Db, id: i64) -> Result<bool, Problem> {
    let sql = "SELECT id FROM posts WHERE id = $1 AND deleted_time IS NOT NULL AND protected";
    Ok(db.query_one(sql, &[id.into()])?.is_some())
}
