//! Stars: the pages that a person keeps at hand.

use wiki_types::Suggestion;

use crate::store::db::{Db, Row};
use crate::store::error::Error;

/// The most stars of one person. Who wants to find more pages than that again wants a page of links.
pub const MAX_STARS: i64 = 500;

/// What [`set`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// The page is as was asked for.
    Set,
    /// There is no such page.
    Gone,
    /// The person has [`MAX_STARS`] already.
    TooMany,
}

/// Gives page `post_id` a star of user `user_id`, or takes it away.
pub fn set(db: &Db, post_id: i64, user_id: i64, is_on: bool) -> Result<Set, Error> {
    let mut row = db.query_row(
        concat!(
            "WITH page AS (
           SELECT id FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
            is_readable!("posts"),
            "
         ), given AS (
           SELECT count(*) AS number, coalesce(bool_or(post_id = $1), false) AS has_it FROM stars WHERE user_id = $2
         ), added AS (
           INSERT INTO stars (user_id, post_id) SELECT $2, page.id FROM page, given WHERE $3::boolean AND given.number < $4
           ON CONFLICT DO NOTHING
         ), removed AS (
           DELETE FROM stars WHERE user_id = $2 AND post_id = $1 AND NOT $3
         )
         SELECT EXISTS (SELECT FROM page), $3 AND number >= $4 AND NOT has_it FROM given"
        ),
        &[post_id.into(), user_id.into(), is_on.into(), MAX_STARS.into()],
    )?;
    Ok(match (row.column()?, row.column()?) {
        (false, _) => Set::Gone,
        (true, true) => Set::TooMany,
        (true, false) => Set::Set,
    })
}

/// Whether page `post_id` has a star of user `user_id`; none if there is no such page.
pub fn find(db: &Db, post_id: i64, user_id: i64) -> Result<Option<bool>, Error> {
    let sql = concat!(
        "SELECT EXISTS (SELECT FROM stars WHERE stars.post_id = posts.id AND stars.user_id = $2)
          FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    db.query_one(sql, &[post_id.into(), user_id.into()])?.as_mut().map(Row::column).transpose()
}

/// All pages with a star of user `user_id`, by title.
pub fn of_user(db: &Db, user_id: i64) -> Result<Vec<Suggestion>, Error> {
    let sql = concat!(
        "SELECT posts.title, posts.slug FROM stars JOIN posts ON posts.id = stars.post_id
         WHERE stars.user_id = $1 AND posts.deleted_time IS NULL AND ",
        is_readable!("posts"),
        " ORDER BY lower(posts.title), posts.id"
    );
    db.query_all(sql, &[user_id.into()], |row| Ok(Suggestion { title: row.column()?, slug: row.column()? }))
}
