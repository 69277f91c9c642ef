//! Tasks of all pages: what the text of each page says, with who ticked it and when.

mod entry;
mod filter;
mod later;

use serde_json::Value;
use wiki_types::{Due, Priority, Task, Time};

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
pub use entry::Entry;
pub use filter::Filter;
pub use later::catch_up;

/// Tasks that are in living pages, with what lists show of them.
macro_rules! tasks {
    () => {
        concat!(
            " FROM tasks JOIN posts ON posts.id = tasks.post_id AND posts.deleted_time IS NULL AND ",
            is_readable!("posts"),
            "
          LEFT JOIN users assigned ON lower(assigned.username COLLATE \"C\") = tasks.assignee
            AND assigned.deleted_time IS NULL
          LEFT JOIN users doer ON doer.id = tasks.done_by
          WHERE tasks.removed_time IS NULL"
        )
    };
}

const COLUMNS: &str = "tasks.id, tasks.post_id, posts.title, posts.slug, tasks.line::bigint, tasks.text, tasks.done,
  tasks.due_time AT TIME ZONE 'UTC', tasks.due_is_day, tasks.scheduled, tasks.assignee::text, assigned.id, tasks.priority,
  tasks.repeat, tasks.remind, tasks.done_time AT TIME ZONE 'UTC', tasks.done_by, doer.name, tasks.version,
  tasks.created_time AT TIME ZONE 'UTC'";

fn read(row: &mut Row) -> Result<Task, Error> {
    Ok(Task {
        id: row.column()?,
        post_id: row.column()?,
        page_title: row.column()?,
        page_slug: row.column()?,
        line: row.column()?,
        text: row.column()?,
        done: row.column()?,
        due: read_due(row)?,
        scheduled: row.column::<Option<String>>()?.as_deref().and_then(Due::written),
        assignee: row.column()?,
        assignee_id: row.column()?,
        priority: row.column::<Option<String>>()?.and_then(|word| word.parse::<Priority>().ok()),
        repeat: row.column()?,
        remind: row.column()?,
        done_time: row.column()?,
        done_by: row.column()?,
        done_by_name: row.column()?,
        version: row.column()?,
        created_time: row.column()?,
    })
}

fn read_due(row: &mut Row) -> Result<Option<Due>, Error> {
    let begins: Option<Time> = row.column()?;
    let is_day: bool = row.column()?;
    Ok(begins.map(|begins| begins.due(is_day)))
}

/// Task `id`, unless it is gone, or its page is deleted.
pub fn find(db: &Db, id: i64) -> Result<Option<Task>, Error> {
    later::catch_up_once(db);
    one(db, "tasks.id = $1", &[id.into()])
}

/// The task for which `condition` holds; the first, in the order that it gives, if there are several.
fn one(db: &Db, condition: &str, params: &[Param]) -> Result<Option<Task>, Error> {
    let sql = format!(concat!("SELECT {}", tasks!(), " AND {} LIMIT 1"), COLUMNS, condition);
    db.query_one(&sql, params)?.as_mut().map(read).transpose()
}

/// A task with the text of its page.
#[derive(Debug)]
pub struct Located {
    /// The version of the task.
    pub version: i64,
    /// Which of the page's tasks it is, from 0.
    pub place: usize,
    /// What it says, with dates and names: [`PageTask::full_key`](crate::tasks::PageTask::full_key).
    pub full_key: String,
    /// The page.
    pub post_id: i64,
    /// The version of the page.
    pub page_version: i64,
    /// Its text.
    pub content: String,
}

/// Task `id` with the text of its page.
pub fn locate(db: &Db, id: i64) -> Result<Option<Located>, Error> {
    later::catch_up_once(db);
    let read = |row: &mut Row| {
        Ok(Located {
            version: row.column()?,
            place: usize::try_from(row.column::<i64>()?).unwrap_or(usize::MAX),
            full_key: row.column()?,
            post_id: row.column()?,
            page_version: row.column()?,
            content: row.column()?,
        })
    };
    let sql = concat!(
        "SELECT tasks.version, tasks.place::bigint, tasks.full_key, posts.id, posts.version AS page_version, posts.content
          FROM tasks JOIN posts ON posts.id = tasks.post_id AND posts.deleted_time IS NULL
          WHERE tasks.id = $1 AND tasks.removed_time IS NULL AND ",
        is_readable!("posts")
    );
    db.query_one(sql, &[id.into()])?.as_mut().map(read).transpose()
}

/// The task of page `post_id` that says `full_key`: the one in `place` if there are several.
pub fn find_in_page(db: &Db, post_id: i64, full_key: &str, place: usize) -> Result<Option<Task>, Error> {
    let condition = "tasks.post_id = $1 AND tasks.full_key = $2 ORDER BY tasks.place = $3::bigint DESC, tasks.id DESC";
    one(db, condition, &[post_id.into(), full_key.to_owned().into(), db::count(place)])
}

/// The task that version `version` of page `post_id` has added last.
pub fn find_added(db: &Db, post_id: i64, version: i64) -> Result<Option<Task>, Error> {
    let condition = "tasks.post_id = $1 AND tasks.added_version = $2 ORDER BY tasks.id DESC";
    one(db, condition, &[post_id.into(), version.into()])
}

/// A task that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticked {
    /// Which of the page's tasks it is, from 0.
    pub place: usize,
    /// Who ticked it; none if they were deleted, or are not known.
    pub name: Option<String>,
    /// When.
    pub time: Time,
}

/// The tasks of page `id` that are done, if that is at `version`.
pub fn ticked(db: &Db, id: i64, version: i64) -> Result<Vec<Ticked>, Error> {
    let sql = concat!(
        "SELECT tasks.place::bigint, users.name, tasks.done_time AT TIME ZONE 'UTC'
          FROM tasks JOIN posts ON posts.id = tasks.post_id AND posts.version = $2
          LEFT JOIN users ON users.id = tasks.done_by
          WHERE tasks.post_id = $1 AND tasks.removed_time IS NULL AND tasks.done_time IS NOT NULL AND ",
        is_readable!("posts")
    );
    db.query_all(sql, &[id.into(), version.into()], |row| {
        let place = usize::try_from(row.column::<i64>()?).unwrap_or(usize::MAX);
        Ok(Ticked { place, name: row.column()?, time: row.column()? })
    })
}

/// The first `count` tasks that pass `filter`, by due date; those without one come last.
pub fn list(db: &Db, mut filter: Filter, count: usize) -> Result<Vec<Task>, Error> {
    later::catch_up_once(db);
    filter.params.push(db::count(count));
    let sql = format!(
        concat!(
            "SELECT {}",
            tasks!(),
            "{} ORDER BY coalesce(tasks.due_time, 'infinity'::timestamptz), tasks.id LIMIT ${}"
        ),
        COLUMNS,
        filter.sql(),
        filter.params.len()
    );
    db.query_all(&sql, &filter.params, read)
}

/// The sort keys of a task in a list: when it is due, in microseconds, and its number.
pub fn keys(task: &Task) -> Vec<Value> {
    vec![task.due.map(|due| due.begins().timestamp_micros()).into(), task.id.into()]
}

/// Whether `keys` can be those of a task.
pub fn fits(keys: &[Value]) -> bool {
    let is_due = |due: &Value| due.is_null() || due.as_i64().is_some_and(Time::is_storable);
    matches!(keys, [due, id] if is_due(due) && id.is_i64())
}
