//! Watches: who is told of the changes of which page.

use wiki_types::Watch;

use crate::store::db::{self, Db, Row};
use crate::store::error::Error;

/// Notes whether user `user_id` watches page `post_id`, and whether also everything below it; without that, it stays as it is.
/// Returns whether there is such a page.
///
/// Who watches a page is told of later versions. Who does not want to is not made to by editing it, nor by watching a page above.
pub fn set(db: &Db, post_id: i64, user_id: i64, is_on: bool, below: Option<bool>) -> Result<bool, Error> {
    let mut row = db.query_row(
        concat!(
            "WITH page AS (
           SELECT id, version FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
            is_readable!("posts"),
            "
         ), noted AS (
           INSERT INTO watches AS known (post_id, user_id, is_on, below, told_version)
           SELECT id, $2, $3, $3 AND coalesce($4, false), version FROM page
           ON CONFLICT (post_id, user_id) DO UPDATE
             SET is_on = excluded.is_on, below = excluded.is_on AND coalesce($4, known.below), created_time = now(),
               told_version = CASE WHEN known.is_on THEN known.told_version ELSE excluded.told_version END
             WHERE (known.is_on, known.below) IS DISTINCT FROM (excluded.is_on, excluded.is_on AND coalesce($4, known.below))
         )
         SELECT EXISTS (SELECT FROM page)"
        ),
        &[post_id.into(), user_id.into(), is_on.into(), below.into()],
    )?;
    row.column()
}

/// SQL for whether user number 2 of the parameters watches the page in `posts`, and whether with everything below: what
/// [`read_watch`] reads. Who has said nothing of the page watches it if they watch one above with everything below; what is above
/// is looked up only for those who watch some page so.
macro_rules! watch_columns {
    () => {
        "coalesce(
           (SELECT is_on FROM watches WHERE watches.post_id = posts.id AND watches.user_id = $2),
           EXISTS (SELECT FROM watches
             WHERE watches.user_id = $2 AND watches.below
               AND watches.post_id = ANY ((SELECT ancestry(posts.parent_id))::bigint[]))),
         EXISTS (SELECT FROM watches WHERE watches.post_id = posts.id AND watches.user_id = $2 AND watches.below)"
    };
}
pub(super) use watch_columns;

pub(super) fn read_watch(row: &mut Row) -> Result<Watch, Error> {
    Ok(Watch { watching: row.column()?, below: row.column()? })
}

/// How user `user_id` watches page `post_id`; none if there is no such page.
pub fn find(db: &Db, post_id: i64, user_id: i64) -> Result<Option<Watch>, Error> {
    let sql = concat!(
        "SELECT ",
        watch_columns!(),
        " FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    db.query_one(sql, &[post_id.into(), user_id.into()])?.as_mut().map(read_watch).transpose()
}

/// Those of the pages that user `user_id` watches with everything below.
pub fn with_below(db: &Db, user_id: i64, post_ids: Vec<i64>) -> Result<Vec<i64>, Error> {
    let sql = "SELECT post_id FROM watches WHERE user_id = $1 AND below AND post_id = ANY ($2)";
    db.query_all(sql, &[user_id.into(), db::numbers(Some(post_ids))], Row::column)
}
