//! Groups of users, who get roles together.

use wiki_types::{Group, GroupChange, Member};

use crate::store::audit::Actor;
use crate::store::db::{Db, Row};
use crate::store::error::Error;

/// The unique index over the names of groups.
const NAME_INDEX: &str = "groups_name_key";

record! {
    group_columns, read_group -> Group {
        group_id: "groups.id",
        name: "groups.name",
        description: "groups.description",
        members: "(SELECT count(*) FROM group_members WHERE group_id = groups.id)",
        created_time: "groups.created_time AT TIME ZONE 'UTC'",
    }
}

/// All groups, by name.
pub fn all(db: &Db) -> Result<Vec<Group>, Error> {
    db.query_all(concat!("SELECT ", group_columns!(), " FROM groups ORDER BY lower(name), id"), &[], read_group)
}

/// Group `id`.
pub fn find(db: &Db, id: i64) -> Result<Option<Group>, Error> {
    let sql = concat!("SELECT ", group_columns!(), " FROM groups WHERE id = $1");
    db.query_one(sql, &[id.into()])?.as_mut().map(read_group).transpose()
}

/// The users in group `id`, by name.
pub fn members(db: &Db, id: i64) -> Result<Vec<Member>, Error> {
    let sql = "SELECT users.id, coalesce(users.name, users.username, '') AS shown
         FROM group_members JOIN users ON users.id = user_id AND users.deleted_time IS NULL
         WHERE group_id = $1 ORDER BY lower(coalesce(users.name, users.username, '')), users.id";
    db.query_all(sql, &[id.into()], |row: &mut Row| Ok(Member { user_id: row.column()?, name: row.column()? }))
}

/// What [`create`] and [`change`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// The group with this number is as was asked for.
    Saved(i64),
    /// Another group has the name.
    NameTaken,
    /// There is no such group.
    Gone,
}

/// Creates a group.
pub fn create(db: &Db, name: &str, description: &str, actor: &Actor) -> Result<Saved, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        "WITH made AS (
           INSERT INTO groups (name, description) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id, name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'group_created', $3::bigint, $4::text, name FROM made
         )
         SELECT (SELECT id FROM made)",
        &[name.to_owned().into(), description.to_owned().into(), actor_id, address],
    )?;
    Ok(row.column::<Option<i64>>()?.map_or(Saved::NameTaken, Saved::Saved))
}

/// Changes group `id`.
pub fn change(db: &Db, id: i64, change: &GroupChange, actor: &Actor) -> Result<Saved, Error> {
    let [actor_id, address] = actor.params();
    let result = db.query_row(
        "WITH taken AS (
           SELECT FROM groups WHERE lower(name COLLATE \"C\") = lower($2::text COLLATE \"C\") AND id <> $1
         ), changed AS (
           UPDATE groups SET name = coalesce($2, name), description = coalesce($3::text, description)
           WHERE id = $1 AND NOT EXISTS (SELECT FROM taken) RETURNING name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'group_changed', $4::bigint, $5::text, name FROM changed
         )
         SELECT EXISTS (SELECT FROM groups WHERE id = $1), EXISTS (SELECT FROM changed)",
        &[id.into(), change.name.clone().into(), change.description.clone().into(), actor_id, address],
    );
    let mut row = match result {
        Ok(row) => row,
        Err(Error::Duplicate(index)) if index == NAME_INDEX => return Ok(Saved::NameTaken),
        Err(error) => return Err(error),
    };
    Ok(match (row.column()?, row.column()?) {
        (true, true) => Saved::Saved(id),
        (true, false) => Saved::NameTaken,
        (false, _) => Saved::Gone,
    })
}

/// Deletes group `id`, with the roles it has. Returns whether there was such a group.
pub fn delete(db: &Db, id: i64, actor: &Actor) -> Result<bool, Error> {
    let [actor_id, address] = actor.params();
    db.query_row(
        "WITH gone AS (
           DELETE FROM groups WHERE id = $1 RETURNING name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'group_deleted', $2::bigint, $3::text, name FROM gone
         )
         SELECT EXISTS (SELECT FROM gone)",
        &[id.into(), actor_id, address],
    )?
    .column()
}

/// What [`set_member`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// The user is in the group, or is not, as was asked for.
    Set,
    /// There is no such group.
    NoSuchGroup,
    /// There is no such user.
    NoSuchUser,
}

/// Puts user `user_id` into group `id`, or takes them out of it.
pub fn set_member(db: &Db, id: i64, user_id: i64, is_member: bool, actor: &Actor) -> Result<Membership, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        "WITH found AS (
           SELECT groups.id, groups.name FROM groups WHERE groups.id = $1 FOR KEY SHARE
         ), person AS (
           SELECT id FROM users WHERE id = $2 AND deleted_time IS NULL
         ), added AS (
           INSERT INTO group_members (group_id, user_id) SELECT found.id, person.id FROM found CROSS JOIN person WHERE $3
           ON CONFLICT DO NOTHING RETURNING user_id
         ), removed AS (
           DELETE FROM group_members WHERE group_id = $1 AND user_id = $2 AND NOT $3 RETURNING user_id
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id, details)
           SELECT CASE WHEN $3 THEN 'group_joined' ELSE 'group_left' END, $4::bigint, $5::text, changed.user_id, found.name
           FROM found CROSS JOIN (SELECT user_id FROM added UNION ALL SELECT user_id FROM removed) AS changed
         )
         SELECT EXISTS (SELECT FROM found), EXISTS (SELECT FROM person)",
        &[id.into(), user_id.into(), is_member.into(), actor_id, address],
    )?;
    Ok(match (row.column()?, row.column()?) {
        (false, _) => Membership::NoSuchGroup,
        (true, false) => Membership::NoSuchUser,
        (true, true) => Membership::Set,
    })
}
