//! Spaces: pages that belong together, with rights of their own.

use wiki_types::{Access, NewSpace, Space, SpaceChange, SpaceRole};

use crate::store::access::{self, Set, access_columns, read_access};
use crate::store::audit::Actor;
use crate::store::db::{Db, Row};
use crate::store::error::Error;

/// The number of the space that every wiki has.
pub const FIRST: i64 = 1;

/// The unique index over the slugs of spaces.
const SLUG_INDEX: &str = "spaces_slug_key";

/// Spaces that the reader may see, with what they may do in them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT spaces.id, spaces.slug, spaces.name, spaces.description, spaces.icon, (
               SELECT count(*) FROM posts WHERE posts.space_id = spaces.id AND posts.deleted_time IS NULL AND ",
            is_readable!("posts"),
            "), CASE spaces.acl_id WHEN 0 THEN CASE $reader WHEN -1 THEN 3 ELSE 2 END ELSE held.role END::bigint, spaces.version,
               spaces.created_time AT TIME ZONE 'UTC'
             FROM spaces LEFT JOIN acl_roles($reader) AS held ON held.acl_id = spaces.acl_id
             WHERE spaces.deleted_time IS NULL AND (spaces.acl_id = 0 OR held.role IS NOT NULL) ",
            $rest
        )
    };
}

fn read(row: &mut Row) -> Result<Space, Error> {
    Ok(Space {
        space_id: row.column()?,
        slug: row.column()?,
        name: row.column()?,
        description: row.column()?,
        icon: row.column()?,
        pages: row.column()?,
        role: SpaceRole::numbered(row.column()?),
        version: row.column()?,
        created_time: row.column()?,
    })
}

/// All spaces that the reader may see: the first one, then the others by name.
pub fn all(db: &Db) -> Result<Vec<Space>, Error> {
    db.query_all(select!("ORDER BY spaces.id <> 1, lower(spaces.name), spaces.id"), &[], read)
}

/// Space `id`.
pub fn find(db: &Db, id: i64) -> Result<Option<Space>, Error> {
    db.query_one(select!("AND spaces.id = $1"), &[id.into()])?.as_mut().map(read).transpose()
}

/// The space with this slug.
pub fn find_by_slug(db: &Db, slug: &str) -> Result<Option<Space>, Error> {
    db.query_one(select!("AND spaces.slug = $1"), &[slug.to_owned().into()])?.as_mut().map(read).transpose()
}

/// What [`create`] and [`change`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// The space with this number is as was asked for.
    Saved(i64),
    /// Another space has the slug.
    SlugTaken,
    /// There is no such space, or the reader may not see it.
    Gone,
    /// The reader does not administer it.
    Forbidden,
    /// The space is at another version.
    Stale,
}

/// Creates a space, with a slug.
pub fn create(db: &Db, space: &NewSpace, slug: &str, actor: &Actor) -> Result<Saved, Error> {
    let [actor_id, address] = actor.params();
    let everybody = space.everybody.unwrap_or(SpaceRole::Write).number();
    let params = [
        slug.to_owned().into(),
        space.name.clone().into(),
        space.description.clone().into(),
        space.icon.clone().into(),
        everybody.into(),
        actor_id,
        address,
    ];
    let result = db.query_row(
        "WITH list AS (
           INSERT INTO acls (everybody) SELECT $5::bigint
           WHERE NOT EXISTS (SELECT FROM spaces WHERE slug = $1::text AND deleted_time IS NULL)
           RETURNING id
         ), space AS (
           INSERT INTO spaces (slug, name, description, icon, acl_id)
           SELECT $1, $2::text, coalesce($3::text, ''), coalesce($4::text, ''), list.id FROM list RETURNING id, name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'space_created', $6::bigint, $7::text, name FROM space
         )
         SELECT (SELECT id FROM space)",
        &params,
    );
    match result {
        Ok(mut row) => Ok(row.column::<Option<i64>>()?.map_or(Saved::SlugTaken, Saved::Saved)),
        Err(Error::Duplicate(index)) if index == SLUG_INDEX => Ok(Saved::SlugTaken),
        Err(error) => Err(error),
    }
}

/// Changes space `id`, if it is at one of the versions `seen`.
pub fn change(db: &Db, id: i64, seen: Option<Vec<i64>>, change: &SpaceChange, actor: &Actor) -> Result<Saved, Error> {
    let [actor_id, address] = actor.params();
    let params = [
        id.into(),
        change.slug.clone().into(),
        change.name.clone().into(),
        change.description.clone().into(),
        change.icon.clone().into(),
        crate::store::db::numbers(seen),
        actor_id,
        address,
    ];
    let result = db.query_row(
        "WITH before AS (
           SELECT spaces.*, CASE
             WHEN spaces.acl_id <> 0 AND held.role IS NULL THEN 'gone'
             WHEN $reader <> -1 AND coalesce(held.role, 0) < 3 THEN 'forbidden'
             WHEN version <> ALL ($6::bigint[]) THEN 'stale'
             WHEN EXISTS (SELECT FROM spaces other WHERE other.slug = $2::text AND other.id <> $1 AND other.deleted_time IS NULL)
               THEN 'slug taken'
             ELSE 'saved' END AS outcome
           FROM spaces LEFT JOIN acl_roles($reader) AS held ON held.acl_id = spaces.acl_id
           WHERE spaces.id = $1 AND deleted_time IS NULL FOR UPDATE OF spaces
         ), after AS (
           UPDATE spaces SET slug = coalesce($2, before.slug), name = coalesce($3::text, before.name),
             description = coalesce($4::text, before.description), icon = coalesce($5::text, before.icon),
             version = before.version + 1
           FROM before WHERE spaces.id = before.id AND before.outcome = 'saved' RETURNING spaces.*
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'space_changed', $7::bigint, $8::text, name FROM after
         )
         SELECT coalesce((SELECT outcome FROM before), 'gone')",
        &params,
    );
    let mut row = match result {
        Ok(row) => row,
        Err(Error::Duplicate(index)) if index == SLUG_INDEX => return Ok(Saved::SlugTaken),
        Err(error) => return Err(error),
    };
    let outcome: String = row.column()?;
    Ok(match &*outcome {
        "saved" => Saved::Saved(id),
        "slug taken" => Saved::SlugTaken,
        "forbidden" => Saved::Forbidden,
        "stale" => Saved::Stale,
        _ => Saved::Gone,
    })
}

/// What [`delete`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// The space is deleted. If a page that was in it is restored, it comes back.
    Deleted,
    /// There is no such space.
    Gone,
    /// There are still pages in it.
    InUse,
    /// The first space stays.
    First,
}

/// Deletes space `id`, which has no pages any more.
pub fn delete(db: &Db, id: i64, actor: &Actor) -> Result<Deleted, Error> {
    if id == FIRST {
        return Ok(Deleted::First);
    }
    let [actor_id, address] = actor.params();
    let outcome: String = db.query_row("SELECT delete_space($1, $2, $3)", &[id.into(), actor_id, address])?.column()?;
    Ok(match &*outcome {
        "deleted" => Deleted::Deleted,
        "in use" => Deleted::InUse,
        _ => Deleted::Gone,
    })
}

/// Who may read and write in space `id`, for those who administer it.
pub fn access(db: &Db, id: i64) -> Result<Option<Access>, Error> {
    let sql = concat!(
        "SELECT ",
        access_columns!(),
        " FROM spaces JOIN acls list ON list.id = spaces.acl_id
         WHERE spaces.id = $1 AND spaces.deleted_time IS NULL"
    );
    db.query_one(sql, &[id.into()])?.as_mut().map(read_access).transpose()
}

/// Sets who may read and write in space `id`.
pub fn set_access(db: &Db, id: i64, access: &Access, actor: &Actor) -> Result<Set, Error> {
    let [actor_id, address] = actor.params();
    let [users, user_roles, groups, group_roles] = access::entries(Some(access));
    access::outcome(db.query_row(
        "SELECT set_space_access($1, $2, $3, $4, $5, $6, $reader, $7, $8)",
        &[id.into(), access.everybody.number().into(), users, user_roles, groups, group_roles, actor_id, address],
    )?)
}
