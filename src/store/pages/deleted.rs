//! Pages that were deleted: who deleted them, when and why.

use serde_json::Value;
use wiki_types::{DeletedPost, Time};

use crate::store::db::{self, Db, Param};
use crate::store::error::Error;

record! {
    deleted_columns, read_deleted -> DeletedPost {
        post_id: "posts.id",
        title: "posts.title",
        slug: "posts.slug",
        version: "posts.version",
        deleted_time: "posts.deleted_time AT TIME ZONE 'UTC'",
        deleted_by: "r.user_id",
        deleted_by_name: "users.name",
        comment: "coalesce(r.comment, '')",
        protected: "posts.protected",
    }
}

/// Deleted pages with their deletions.
macro_rules! deletions {
    () => {
        concat!(
            " FROM posts
              LEFT JOIN revisions r ON r.post_id = posts.id AND r.version = posts.version AND r.kind = 'deleted'
              LEFT JOIN users ON users.id = r.user_id
              WHERE posts.deleted_time IS NOT NULL AND ",
            is_readable!("posts"),
            " "
        )
    };
}

/// Page `id`, if it is deleted.
pub fn find_deleted(db: &Db, id: i64) -> Result<Option<DeletedPost>, Error> {
    let sql = concat!("SELECT ", deleted_columns!(), deletions!(), "AND posts.id = $1");
    db.query_one(sql, &[id.into()])?.as_mut().map(read_deleted).transpose()
}

/// The page with this slug that was deleted last.
pub fn last_deleted(db: &Db, slug: &str) -> Result<Option<DeletedPost>, Error> {
    let sql = concat!(
        "SELECT ",
        deleted_columns!(),
        deletions!(),
        "AND posts.slug = $1 ORDER BY posts.deleted_time DESC LIMIT 1"
    );
    db.query_one(sql, &[slug.to_owned().into()])?.as_mut().map(read_deleted).transpose()
}

/// The sort keys of a page among those that were deleted.
pub fn deleted_keys(page: &DeletedPost) -> Vec<Value> {
    vec![page.deleted_time.micros().into(), page.post_id.into()]
}

/// Whether `keys` can be those of a deleted page.
pub fn deleted_fits(keys: &[Value]) -> bool {
    matches!(keys, [micros, id] if micros.as_i64().is_some_and(Time::is_storable) && id.is_i64())
}

/// The first `count` deleted pages, latest deletion first; those after `keys` where they are given.
pub fn deleted(db: &Db, keys: Option<&[Value]>, count: usize) -> Result<Vec<DeletedPost>, Error> {
    let mut params: Vec<Param> = vec![db::count(count)];
    let mut later = String::new();
    if let Some(keys) = keys {
        params.extend(keys.iter().map(|key| Param::from(key.as_i64().unwrap_or_default())));
        later = format!("AND (posts.deleted_time, posts.id) < ({}, $3)", db::instant(2));
    }
    let sql = format!(
        concat!(
            "SELECT ",
            deleted_columns!(),
            deletions!(),
            "{} ORDER BY posts.deleted_time DESC, posts.id DESC LIMIT $1"
        ),
        later
    );
    db.query_all(&sql, &params, read_deleted)
}
