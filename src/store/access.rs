//! Who may read and write: in a space, and for a page and everything below it.

use wiki_types::{Access, AccessEntry, SpaceRole};

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;

/// What [`set_of_page`] and its like for spaces did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// It is as was asked for.
    Set,
    /// There is no such page or space.
    Gone,
    /// The reader does not administer it.
    Forbidden,
    /// A user or group does not exist, such as `user 7`.
    Missing(String),
    /// The first space has no rights of its own.
    First,
}

/// Users with their roles, and groups with theirs, each as two parameters.
pub(super) fn entries(access: Option<&Access>) -> [Param; 4] {
    let entries = access.map_or(&[][..], |access| &access.entries);
    let column = |of: fn(&AccessEntry) -> Option<i64>| {
        let (ids, roles) = entries.iter().filter_map(|entry| Some((of(entry)?, entry.role.number()))).unzip();
        [db::numbers(Some(ids)), db::numbers(Some(roles))]
    };
    let ([users, user_roles], [groups, group_roles]) = (column(|entry| entry.user_id), column(|entry| entry.group_id));
    [users, user_roles, groups, group_roles]
}

/// Reads what a function in the database says that it did.
pub(super) fn outcome(mut row: Row) -> Result<Set, Error> {
    let outcome: String = row.column()?;
    Ok(match &*outcome {
        "done" => Set::Set,
        "gone" => Set::Gone,
        "forbidden" => Set::Forbidden,
        "first" => Set::First,
        _ => Set::Missing(outcome),
    })
}

/// SQL for the members of [`Access`] of the list in the table `list`: roles of everybody, and of users and groups as JSON.
macro_rules! access_columns {
    () => {
        "list.everybody::bigint, (
           SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
             'user_id', entry.user_id, 'group_id', entry.group_id, 'role', entry.role,
             'name', coalesce(groups.name, users.name, users.username, ''))) ORDER BY entry.group_id, entry.user_id), '[]')::text
           FROM acl_entries entry LEFT JOIN users ON users.id = entry.user_id LEFT JOIN groups ON groups.id = entry.group_id
           WHERE entry.acl_id = list.id)"
    };
}
pub(super) use access_columns;

pub(super) fn read_access(row: &mut Row) -> Result<Access, Error> {
    #[derive(serde::Deserialize)]
    struct Entry {
        user_id: Option<i64>,
        group_id: Option<i64>,
        #[serde(default)]
        name: String,
        role: i64,
    }
    let everybody = SpaceRole::numbered(row.column()?);
    let entries: String = row.column()?;
    let entries: Vec<Entry> = serde_json::from_str(&entries).map_err(|error| Error::Internal(error.to_string()))?;
    let entries = entries.into_iter().map(|Entry { user_id, group_id, name, role }| AccessEntry {
        user_id,
        group_id,
        name,
        role: SpaceRole::numbered(role),
    });
    Ok(Access { everybody, entries: entries.collect() })
}

/// What page `id` narrows for itself and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAccess {
    /// Who may read and write it, within what its place allows; none where its place alone says that.
    pub own: Option<Access>,
    /// What the reader may do with it, as far as lists say.
    pub role: SpaceRole,
}

/// What page `id` narrows; none if there is no such page, or the reader may not read it.
pub fn of_page(db: &Db, id: i64) -> Result<Option<PageAccess>, Error> {
    let sql = concat!(
        "SELECT list.id IS NOT NULL, CASE posts.acl_id WHEN 0 THEN CASE $reader WHEN -1 THEN 3 ELSE 2 END
           ELSE coalesce((SELECT role FROM acl_roles($reader) AS held WHERE held.acl_id = posts.acl_id), 0) END::bigint, ",
        access_columns!(),
        " FROM posts LEFT JOIN acls list ON list.post_id = posts.id
         WHERE posts.id = $1 AND posts.deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    let read = |row: &mut Row| {
        let (narrows, role): (bool, i64) = (row.column()?, row.column()?);
        let own = if narrows { Some(read_access(row)?) } else { None };
        Ok(PageAccess { own, role: SpaceRole::numbered(role) })
    };
    db.query_one(sql, &[id.into()])?.as_mut().map(read).transpose()
}

/// Whether the reader may change page `id`, as far as lists say.
pub fn may_write(db: &Db, id: i64) -> Result<bool, Error> {
    let sql = concat!("SELECT EXISTS (SELECT FROM posts WHERE id = $1 AND ", is_writable!("posts"), ")");
    db.read_row(sql, &[id.into()])?.column()
}

/// Narrows who may read and write page `id` and everything below it to what `access` says; ends that without one.
pub fn set_of_page(db: &Db, id: i64, access: Option<&Access>, actor: &Actor) -> Result<Set, Error> {
    let [actor_id, address] = actor.params();
    let [users, user_roles, groups, group_roles] = entries(access);
    let everybody = access.map(|access| access.everybody.number());
    outcome(db.query_row(
        "SELECT set_page_access($1, $2, $3, $4, $5, $6, $reader, $7, $8)",
        &[id.into(), everybody.into(), users, user_roles, groups, group_roles, actor_id, address],
    )?)
}
