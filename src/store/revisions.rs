//! Revisions: every state a page has had.

use serde_json::Value;
use wiki_types::{Revision, RevisionEntry, Time};

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;

record! {
    entry_columns, read_entry -> RevisionEntry {
        post_id: "r.post_id",
        version: "r.version",
        kind: "CASE r.version WHEN 1 THEN 'created' ELSE r.kind END",
        user_id: "r.user_id",
        author: "users.name",
        title: "r.title",
        former_title: "CASE r.kind WHEN 'renamed' THEN (
            SELECT nullif(before.title, r.title) FROM revisions before
            WHERE before.post_id = r.post_id AND before.version = r.version - 1) END",
        comment: "r.comment",
        size: "r.size",
        delta: "r.delta",
        created_time: "r.created_time AT TIME ZONE 'UTC'",
        page: "posts.slug",
        is_page_deleted: "posts.deleted_time IS NOT NULL",
    }
}

/// Revisions with their pages and authors.
macro_rules! tables {
    () => {
        " FROM revisions r JOIN posts ON posts.id = r.post_id LEFT JOIN users ON users.id = r.user_id "
    };
}

/// The first `count` revisions of page `id` before version `before`, newest first. None if there is no such page.
pub fn of_page(db: &Db, id: i64, before: i64, count: usize) -> Result<Vec<RevisionEntry>, Error> {
    let sql = concat!(
        "SELECT ",
        entry_columns!(),
        tables!(),
        "WHERE r.post_id = $1 AND r.version < $2 AND posts.deleted_time IS NULL AND ",
        is_readable!("posts"),
        " ORDER BY r.version DESC LIMIT $3"
    );
    db.query_all(sql, &[id.into(), before.into(), db::count(count)], read_entry)
}

/// The sort keys of a revision among those of all pages.
pub fn keys(entry: &RevisionEntry) -> Vec<Value> {
    vec![entry.created_time.micros().into(), entry.post_id.into(), entry.version.into()]
}

/// Whether `keys` can be those of a revision.
pub fn fits(keys: &[Value]) -> bool {
    match keys {
        [micros, id, version] => micros.as_i64().is_some_and(Time::is_storable) && id.is_i64() && version.is_i64(),
        _ => false,
    }
}

/// The first `count` revisions of all pages, or those by one user, newest first; those after `keys` where they are given.
///
/// Of a page that is deleted there is only its deletion: what was deleted on purpose is not spread any further.
pub fn latest(
    db: &Db,
    user_id: Option<i64>,
    keys: Option<&[Value]>,
    count: usize,
) -> Result<Vec<RevisionEntry>, Error> {
    let mut conditions = vec![
        concat!(
            "(posts.deleted_time IS NULL OR (r.version = posts.version AND r.kind = 'deleted')) AND ",
            is_readable!("posts")
        )
        .to_owned(),
    ];
    let mut params: Vec<Param> = Vec::new();
    if let Some(user_id) = user_id {
        params.push(user_id.into());
        conditions.push(format!("r.user_id = ${}", params.len()));
    }
    if let Some(keys) = keys {
        let first = params.len() + 1;
        params.extend(keys.iter().map(|key| Param::from(key.as_i64().unwrap_or_default())));
        conditions.push(format!(
            "(r.created_time, r.post_id, r.version) < ({}, ${}, ${})",
            db::instant(first),
            first + 1,
            first + 2
        ));
    }
    params.push(db::count(count));
    // Made of literals of this file only; everything a client sends is a parameter.
    let sql = format!(
        concat!(
            "SELECT ",
            entry_columns!(),
            tables!(),
            "WHERE {} ORDER BY r.created_time DESC, r.post_id DESC, r.version DESC LIMIT ${}"
        ),
        conditions.join(" AND "),
        params.len()
    );
    db.query_all(&sql, &params, read_entry)
}

/// Version `version` of page `id`. None if the page has no such version, or is deleted.
pub fn find(db: &Db, id: i64, version: i64) -> Result<Option<Revision>, Error> {
    let sql = concat!(
        "SELECT ",
        entry_columns!(),
        ", r.slug, r.content, r.tags",
        tables!(),
        "WHERE r.post_id = $1 AND r.version = $2 AND posts.deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    let read = |row: &mut Row| {
        Ok(Revision { entry: read_entry(row)?, slug: row.column()?, content: row.column()?, tags: row.column()? })
    };
    db.query_one(sql, &[id.into(), version.into()])?.as_mut().map(read).transpose()
}
