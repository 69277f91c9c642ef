//! Tasks of all pages: what the text of each page says, with who ticked it and when.

mod entry;
mod filter;
mod later;

use serde_json::Value;
use wiki_types::{Due, Priority, SeenDue, Task, Time};

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::zones::zone;
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

/// SQL for what [`read_due`] reads, of the table `tasks`.
macro_rules! due_columns {
    () => {
        concat!(
            "coalesce(tasks.due_is_day, true) AS due_is_day, tasks.begins_time AT TIME ZONE 'UTC' AS begins_time,
  tasks.due_time AT TIME ZONE 'UTC' AS due_time,
  CASE WHEN tasks.due_is_day THEN tasks.due_time AT TIME ZONE 'UTC' ELSE tasks.begins_time AT TIME ZONE ",
            zone!(),
            " END AS seen_time, tasks.ends_time <= now() AS is_past, now() AT TIME ZONE ",
            zone!(),
            " AS today, ",
            zone!(),
            " AS zone"
        )
    };
}
pub(super) use due_columns;

const COLUMNS: &str = concat!(
    "tasks.id, tasks.post_id, posts.title, posts.slug, tasks.line::bigint, tasks.text, tasks.done, ",
    due_columns!(),
    ", CASE WHEN tasks.scheduled LIKE '%T%' THEN to_char(
      (tasks.scheduled::timestamp AT TIME ZONE (SELECT time_zone FROM settings)) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI')
    ELSE tasks.scheduled END AS scheduled, tasks.assignee::text, assigned.id AS assignee_id, tasks.priority,
  tasks.repeat, tasks.remind, tasks.done_time AT TIME ZONE 'UTC' AS done_time, tasks.done_by, doer.name, tasks.version,
  tasks.created_time AT TIME ZONE 'UTC' AS created_time"
);

fn read(row: &mut Row) -> Result<Task, Error> {
    let mut task = Task {
        id: row.column()?,
        post_id: row.column()?,
        page_title: row.column()?,
        page_slug: row.column()?,
        line: row.column()?,
        text: row.column()?,
        done: row.column()?,
        due: None,
        seen: read_due(row)?,
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
    };
    task.due = task.seen.as_ref().map(due);
    Ok(task)
}

/// When a task is due, as the reader sees it.
pub(super) fn read_due(row: &mut Row) -> Result<Option<SeenDue>, Error> {
    let is_day: bool = row.column()?;
    let times: [Option<Time>; 3] = [row.column()?, row.column()?, row.column()?];
    let (is_past, today, zone): (Option<bool>, Time, String) = (row.column()?, row.column()?, row.column()?);
    let [Some(begins), Some(written), Some(seen)] = times else { return Ok(None) };
    Ok(Some(SeenDue {
        due: seen.due(is_day),
        written: written.due(is_day),
        begins,
        is_past: is_past.unwrap_or_default(),
        today: today.date(),
        zone,
    }))
}

/// When a task is due, as clients are told: a day, or an instant in UTC.
pub(super) fn due(seen: &SeenDue) -> Due {
    if seen.written.time().is_some() { seen.begins.due(false) } else { seen.written }
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

/// The tasks of page `id` that are open and due at a time of day which the reader's clocks show otherwise than the page, if that is at
/// `version`: which they are, from 0, and when they are due.
pub fn elsewhere(db: &Db, id: i64, version: i64) -> Result<Vec<(usize, SeenDue)>, Error> {
    let sql = concat!(
        "SELECT tasks.place::bigint, ",
        due_columns!(),
        " FROM tasks JOIN posts ON posts.id = tasks.post_id AND posts.version = $2
          WHERE tasks.post_id = $1 AND tasks.removed_time IS NULL AND NOT tasks.done AND NOT tasks.due_is_day
            AND tasks.due_time AT TIME ZONE 'UTC' <> tasks.begins_time AT TIME ZONE ",
        zone!(),
        " AND ",
        is_readable!("posts")
    );
    let read = |row: &mut Row| Ok((row.column::<i64>()?, read_due(row)?));
    let tasks = db.query_all(sql, &[id.into(), version.into()], read)?;
    Ok(tasks.into_iter().filter_map(|(place, due)| Some((usize::try_from(place).ok()?, due?))).collect())
}

/// The first `count` tasks that pass `filter`, by due date; those without one come last.
pub fn list(db: &Db, mut filter: Filter, count: usize) -> Result<Vec<Task>, Error> {
    later::catch_up_once(db);
    filter.params.push(db::count(count));
    let sql = format!(
        concat!(
            "SELECT {}",
            tasks!(),
            "{} ORDER BY coalesce(tasks.begins_time, 'infinity'::timestamptz), tasks.id LIMIT ${}"
        ),
        COLUMNS,
        filter.sql(),
        filter.params.len()
    );
    db.query_all(&sql, &filter.params, read)
}

/// The sort keys of a task in a list: when it is due, in microseconds, and its number.
pub fn keys(task: &Task) -> Vec<Value> {
    vec![task.seen.as_ref().map(|due| due.begins.micros()).into(), task.id.into()]
}

/// Whether `keys` can be those of a task.
pub fn fits(keys: &[Value]) -> bool {
    let is_due = |due: &Value| due.is_null() || due.as_i64().is_some_and(Time::is_storable);
    matches!(keys, [due, id] if is_due(due) && id.is_i64())
}
