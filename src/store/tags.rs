//! Tags: which are in use, and on how many pages that the reader may read.

use wiki_types::Tag;

use crate::store::db::{self, Db};
use crate::store::error::Error;

record! {
    tag_columns, read_tag -> Tag { name: "name", posts: "sum(posts)::bigint" }
}

/// The first `count` tags after `name`, by name.
pub fn after(db: &Db, name: &str, count: usize) -> Result<Vec<Tag>, Error> {
    // As `is_readable!`, but for many rows with many lists: PostgreSQL looks a list up in a hash table, not in an array.
    let sql = concat!(
        "SELECT ",
        tag_columns!(),
        " FROM tags WHERE name > $1 AND posts > 0 AND (acl_id = 0 OR acl_id IN (SELECT unnest(acls_with($reader, 1))))
         GROUP BY name ORDER BY name LIMIT $2"
    );
    db.query_all(sql, &[name.to_owned().into(), db::count(count)], read_tag)
}
