//! Watches: who is told of the changes of which page.

use crate::store::db::{Db, Row};
use crate::store::error::Error;

/// Notes whether user `user_id` watches page `post_id`. Returns whether there is such a page.
///
/// Who watches a page is told of later versions. Who does not want to is not made to by editing it.
pub fn set(db: &Db, post_id: i64, user_id: i64, is_on: bool) -> Result<bool, Error> {
    let mut row = db.query_row(
        concat!(
            "WITH page AS (
           SELECT id, version FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
            is_readable!("posts"),
            "
         ), noted AS (
           INSERT INTO watches AS known (post_id, user_id, is_on, told_version) SELECT id, $2, $3, version FROM page
           ON CONFLICT (post_id, user_id) DO UPDATE
             SET is_on = excluded.is_on, told_version = excluded.told_version, created_time = now()
             WHERE known.is_on <> excluded.is_on
         )
         SELECT EXISTS (SELECT FROM page)"
        ),
        &[post_id.into(), user_id.into(), is_on.into()],
    )?;
    row.column()
}

/// Whether user `user_id` watches page `post_id`; none if there is no such page.
pub fn find(db: &Db, post_id: i64, user_id: i64) -> Result<Option<bool>, Error> {
    let sql = concat!(
        "SELECT EXISTS (SELECT FROM watches WHERE post_id = posts.id AND watches.user_id = $2 AND is_on)
          FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    db.query_one(sql, &[post_id.into(), user_id.into()])?.as_mut().map(Row::column).transpose()
}
