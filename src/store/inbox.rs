//! The inbox: what each person is told. The consumer of events writes it, by a function in the database.

use serde::Serialize;
use wiki_types::{InboxEntry, Time};

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::tasks::{self, due_columns, read_due};
use crate::store::zones::zone;

/// An event that people are told of, as the function `tell_people` takes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Telling {
    /// What the event is known by.
    pub id: String,
    /// `changed` for a page, `assigned` for a task that is somebody's, or `reminder`, `due` or `overdue`.
    pub kind: &'static str,
    /// When it happened.
    pub time: Option<Time>,
    /// The page.
    pub post_id: Option<i64>,
    /// The version of the page or the task.
    pub version: i64,
    /// Who did it.
    pub user_id: Option<i64>,
    /// Whether whoever did it watches the page from now on.
    pub watches: bool,
    /// Usernames that the version mentions, in lower case, and the one before did not.
    pub mentions: Vec<String>,
    /// The task.
    pub task_id: Option<i64>,
    /// Whose it is: a username in lower case.
    pub assignee: Option<String>,
    /// Whether the task is to be done.
    pub is_open: bool,
}

/// Tells people of the events, in this order, unless they were told before.
pub fn tell(db: &Db, events: &[Telling]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let given = serde_json::to_string(events).map_err(|error| Error::Internal(error.to_string()))?;
    db.query_row("SELECT tell_people($1::text::jsonb)", &[given.into()]).map(drop)
}

/// Writes the events of tasks whose reminder, date or hour of grace has come: of at most `most` at once.
pub fn sound_alarms(db: &Db, most: usize) -> Result<(), Error> {
    db.query_row("SELECT sound_alarms($1)", &[db::count(most)]).map(drop)
}

/// Those of the `versions`, each of a page, whose text may mention somebody whom the version before did not: it has an `@`, is
/// another, and was written when its event happened. What was written elsewhere and earlier, such as an imported page, tells
/// nobody.
pub fn may_mention(db: &Db, versions: &[(i64, i64, Time)]) -> Result<Vec<(i64, i64)>, Error> {
    if versions.is_empty() {
        return Ok(Vec::new());
    }
    let column = |of: fn(&(i64, i64, Time)) -> i64| db::numbers(Some(versions.iter().map(of).collect()));
    let sql = "SELECT r.post_id, r.version
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (post_id, version, micros)
         JOIN revisions r ON r.post_id = given.post_id AND r.version = given.version
           AND r.created_time = 'epoch'::timestamptz + given.micros * interval '1 microsecond'
         LEFT JOIN revisions before ON before.post_id = r.post_id AND before.version = r.version - 1
         WHERE r.content LIKE '%@%' AND r.content IS DISTINCT FROM before.content";
    let params = [column(|(id, ..)| *id), column(|(_, version, _)| *version), column(|(.., time)| time.micros())];
    db.query_all(sql, &params, |row| Ok((row.column()?, row.column()?)))
}

/// The text of a version of a page, and of the version before; none of the first.
pub fn texts(db: &Db, post_id: i64, version: i64) -> Result<Option<(String, Option<String>)>, Error> {
    let sql = "SELECT r.content, before.content AS content_before FROM revisions r
         LEFT JOIN revisions before ON before.post_id = r.post_id AND before.version = r.version - 1
         WHERE r.post_id = $1 AND r.version = $2";
    let read = |row: &mut Row| Ok((row.column()?, row.column()?));
    db.query_one(sql, &[post_id.into(), version.into()])?.as_mut().map(read).transpose()
}

/// The columns of an entry. A page that is deleted does not show its tasks.
const COLUMNS: &str = concat!(
    "inbox.id, inbox.kind, inbox.time AT TIME ZONE 'UTC' AS time, inbox.read_time AT TIME ZONE 'UTC' AS read_time,
  posts.id AS post_id, posts.title, posts.slug, posts.deleted_time IS NOT NULL, inbox.actor_id, users.name, inbox.version,
  inbox.first_version, inbox.changes, r.comment, inbox.task_id, tasks.text, ",
    due_columns!(),
    ", CASE WHEN r.version = 1 THEN 'created' ELSE r.kind END AS change, coalesce(tasks.done, false) AS is_done"
);

fn read(row: &mut Row) -> Result<InboxEntry, Error> {
    let mut entry = InboxEntry {
        id: row.column()?,
        kind: row.column()?,
        time: row.column()?,
        read_time: row.column()?,
        post_id: row.column()?,
        page_title: row.column()?,
        page_slug: row.column()?,
        page_deleted: row.column()?,
        user_id: row.column()?,
        user_name: row.column()?,
        version: row.column()?,
        first_version: row.column()?,
        changes: row.column()?,
        comment: row.column()?,
        task_id: row.column()?,
        task_text: row.column()?,
        due: None,
        seen: read_due(row)?,
        change: row.column()?,
        is_done: row.column()?,
    };
    entry.due = entry.seen.as_ref().map(tasks::due);
    Ok(entry)
}

/// The tables that the columns are of.
const TABLES: &str = "inbox
  JOIN posts ON posts.id = inbox.post_id
  LEFT JOIN users ON users.id = inbox.actor_id
  LEFT JOIN revisions r ON r.post_id = inbox.post_id AND r.version = inbox.version
  LEFT JOIN tasks ON tasks.id = inbox.task_id AND tasks.removed_time IS NULL AND posts.deleted_time IS NULL";

/// The first `count` entries of user `user_id` before number `before`, latest first; those that are unread, or read, if
/// `unread` says so.
pub fn of_user(
    db: &Db,
    user_id: i64,
    unread: Option<bool>,
    before: i64,
    count: usize,
) -> Result<Vec<InboxEntry>, Error> {
    let condition = match unread {
        Some(true) => "AND inbox.read_time IS NULL",
        Some(false) => "AND inbox.read_time IS NOT NULL",
        None => "",
    };
    let readable = is_readable!("posts");
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES}
         WHERE inbox.user_id = $1 AND inbox.id < $2 AND {readable} {condition} ORDER BY inbox.id DESC LIMIT $3"
    );
    db.query_all(&sql, &[user_id.into(), before.into(), db::count(count)], read)
}

/// The latest `count` unread entries of user `user_id` after number `after` and up to number `last`, latest first; and how many
/// there are in all.
pub fn unread_between(
    db: &Db,
    user_id: i64,
    after: i64,
    last: i64,
    count: usize,
) -> Result<(Vec<InboxEntry>, usize), Error> {
    let readable = is_readable!("posts");
    let sql = format!(
        "SELECT count(*) OVER () AS in_all, {COLUMNS} FROM {TABLES}
         WHERE inbox.user_id = $1 AND inbox.id > $2 AND inbox.id <= $3 AND read_time IS NULL AND {readable}
         ORDER BY inbox.id DESC LIMIT $4"
    );
    let params = [user_id.into(), after.into(), last.into(), db::count(count)];
    let rows = db.query_all(&sql, &params, |row| Ok((row.column::<i64>()?, read(row)?)))?;
    let in_all = rows.first().map_or(0, |(in_all, _)| usize::try_from(*in_all).unwrap_or_default());
    Ok((rows.into_iter().map(|(_, entry)| entry).collect(), in_all))
}

/// How many entries of user `user_id` are unread.
pub fn count_unread(db: &Db, user_id: i64) -> Result<i64, Error> {
    let sql = concat!(
        "SELECT count(*) FROM inbox JOIN posts ON posts.id = inbox.post_id
         WHERE inbox.user_id = $1 AND read_time IS NULL AND ",
        is_readable!("posts")
    );
    db.read_row(sql, &[user_id.into()])?.column()
}

/// The most unread entries that are counted on pages.
pub const MAX_COUNTED: i64 = 100;

/// SQL for how many entries of the user in the table `users` are unread, up to [`MAX_COUNTED`].
macro_rules! unread {
    () => {
        "(SELECT count(*) FROM (
           SELECT FROM inbox JOIN posts ON posts.id = inbox.post_id
           WHERE inbox.user_id = users.id AND read_time IS NULL AND (posts.acl_id = 0 OR posts.acl_id = ANY (
             acls_with(CASE users.role WHEN 'administrator' THEN -1 ELSE users.id END, 1)))
           LIMIT 100) AS unread)"
    };
}
pub(super) use unread;

/// Marks entries of user `user_id` as read: those with these numbers, and all up to one. Returns how many are unread then.
pub fn mark_read(db: &Db, user_id: i64, ids: Option<Vec<i64>>, up_to: Option<i64>) -> Result<i64, Error> {
    let params: [Param; 3] = [user_id.into(), db::numbers(ids), up_to.into()];
    // The last SELECT sees the entries as they were before.
    let sql = concat!(
        "WITH marked AS (
           UPDATE inbox SET read_time = now() WHERE user_id = $1 AND read_time IS NULL AND (id = ANY ($2) OR id <= $3)
           RETURNING id
         )
         SELECT count(*) FROM inbox JOIN posts ON posts.id = inbox.post_id
         WHERE inbox.user_id = $1 AND read_time IS NULL AND inbox.id NOT IN (SELECT id FROM marked) AND ",
        is_readable!("posts")
    );
    db.query_row(sql, &params)?.column()
}
