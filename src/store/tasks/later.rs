//! Tasks of pages that an older version of the wiki wrote: read later, some pages at a time.

use std::sync::atomic::{AtomicBool, Ordering};

use super::entry::Entry;
use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::tasks_hash;

/// The most pages whose tasks are read at once.
const PAGES: usize = 100;

/// Bytes of their texts, which are exceeded by one page at most.
const BYTES: usize = 1 << 20;

/// Whether this instance has seen that no page waits.
static NONE_WAIT: AtomicBool = AtomicBool::new(false);

/// Reads the tasks of pages that wait for it, so many times those of a few.
///
/// It may fail, as it is not what was asked for: the next request tries again.
pub fn catch_up(db: &Db, times: usize) {
    for _ in 0..times {
        match read_some(db) {
            Ok(0) => return NONE_WAIT.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) => return eprintln!("tasks of pages that wait for it were not read: {error:?}"),
        }
    }
}

/// The same once, unless this instance has seen that no page waits.
pub fn catch_up_once(db: &Db) {
    if !NONE_WAIT.load(Ordering::Relaxed) {
        catch_up(db, 1);
    }
}

fn read_some(db: &Db) -> Result<usize, Error> {
    let read = |row: &mut Row| Ok((row.column()?, row.column()?, row.column()?));
    let pages: Vec<(i64, i64, String)> = db.query_all(&next(), &[], read)?;
    if pages.is_empty() {
        return Ok(0);
    }
    let found = pages.len();
    let (mut ids, mut versions, mut tasks, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, version, content) in pages {
        let entry = Entry::of(&content);
        ids.push(id);
        versions.push(version);
        tasks.push(entry.tasks);
        hashes.push(entry.hash);
    }
    let [ids, versions, hashes] = [ids, versions, hashes].map(|numbers| db::numbers(Some(numbers)));
    db.query_row(KEEP, &[ids, versions, Param::ArrayStr(tasks), hashes])?;
    Ok(found)
}

/// SQL for the pages whose tasks are read next: number, version and content.
fn next() -> String {
    format!(
        "SELECT id, version, content FROM (
           SELECT id, version, content,
             sum(octet_length(content)) OVER (ORDER BY id) - octet_length(content) AS before
           FROM (SELECT post_id FROM tasks_waiting ORDER BY post_id LIMIT {PAGES}) AS waiting JOIN posts ON id = post_id
         ) AS next WHERE before < {BYTES} ORDER BY id"
    )
}

/// Numbers and versions of pages, their tasks, and hashes of these. A page that is written meanwhile is left for the next time.
const KEEP: &str = concat!(
    "WITH page AS MATERIALIZED (
       SELECT posts.id, posts.version, posts.updated_time,
         CASE WHEN 'template' = ANY (posts.tags) THEN '[]' ELSE given.tasks END AS tasks, ",
    tasks_hash!("posts.tags", "given.tasks_hash"),
    " AS tasks_hash
       FROM posts JOIN unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])
         AS given (id, version, tasks, tasks_hash) ON given.id = posts.id AND given.version = posts.version
       ORDER BY posts.id FOR UPDATE OF posts SKIP LOCKED
     ), kept AS MATERIALIZED (
       SELECT keep_tasks(page.id, page.version, revisions.user_id, page.updated_time, coalesce(page.tasks, '[]')::jsonb)
       FROM page LEFT JOIN revisions ON revisions.post_id = page.id AND revisions.version = page.version
     ), known AS (
       UPDATE posts SET tasks_version = page.version, tasks_hash = page.tasks_hash FROM page WHERE posts.id = page.id
     ), done AS (
       DELETE FROM tasks_waiting USING page WHERE post_id = page.id
     )
     SELECT count(*) FROM kept"
);
