//! Users: who wrote what, and whose accounts there are.

use wiki_types::{Account, Role, Scope, User, UserSuggestion, rules};

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Row};
use crate::store::error::Error;
use crate::store::submissions::{self, swept};

/// A user, with what is not for everyone.
#[derive(Debug)]
pub struct UserRecord {
    /// The user in full.
    pub user: User,
    /// Whether the user has a password, and with it an account.
    pub has_account: bool,
    /// The version of the user, from 1.
    pub version: i64,
}

record! {
    user_columns, read_user -> User {
        id: "id",
        username: "username",
        name: "name",
        email: "email",
        created_time: "created_time AT TIME ZONE 'UTC'",
        role: "role",
        time_zone: "time_zone",
    }
}

macro_rules! record_columns {
    () => {
        concat!(user_columns!(), ", password IS NOT NULL, version")
    };
}

fn read_record(row: &mut Row) -> Result<UserRecord, Error> {
    Ok(UserRecord { user: read_user(row)?, has_account: row.column()?, version: row.column()? })
}

/// The columns that [`read_account`] reads, of the table `users`.
macro_rules! account_columns {
    () => {
        "users.id, users.username, users.name, users.role, users.password_is_given, users.time_zone"
    };
}
pub(super) use account_columns;

/// An account, as a session (without `scope`) or a token opens it.
pub(super) fn read_account(row: &mut Row, scope: Option<Scope>) -> Result<Account, Error> {
    Ok(Account {
        user_id: row.column()?,
        username: row.column()?,
        name: row.column()?,
        role: row.column()?,
        scope,
        password_is_given: row.column()?,
        time_zone: row.column()?,
    })
}

/// User `id`, unless they are deleted.
pub fn find(db: &Db, id: i64) -> Result<Option<UserRecord>, Error> {
    let sql = concat!("SELECT ", record_columns!(), " FROM users WHERE id = $1 AND deleted_time IS NULL");
    db.query_one(sql, &[id.into()])?.as_mut().map(read_record).transpose()
}

/// The first `count` users after number `after`, oldest first; only the one with this username if one is given.
pub fn after(db: &Db, after: i64, username: Option<String>, count: usize) -> Result<Vec<UserRecord>, Error> {
    let mut params = vec![after.into(), db::count(count)];
    let mut condition = "";
    if let Some(username) = username {
        params.push(username.into());
        condition = "AND lower(username COLLATE \"C\") = lower($3 COLLATE \"C\")";
    }
    let sql = format!(
        concat!(
            "SELECT ",
            record_columns!(),
            " FROM users WHERE id > $1 AND deleted_time IS NULL {} ORDER BY id LIMIT $2"
        ),
        condition
    );
    db.query_all(&sql, &params, read_record)
}

/// The first `count` users who have a username, and whose username or name begins with what was `typed`, or a word of the name
/// does.
pub fn suggestions(db: &Db, typed: &str, count: usize) -> Result<Vec<UserSuggestion>, Error> {
    // As with titles, what begins with a text sorts between the text and the text followed by the last character.
    db.query_all(
        "WITH starting AS MATERIALIZED (
           SELECT id, 0 AS place FROM users
           WHERE lower(username COLLATE \"C\") >= lower($1 COLLATE \"C\") AND lower(username COLLATE \"C\") < lower($1 COLLATE \"C\") || $2
             AND deleted_time IS NULL
           UNION ALL
           SELECT id, 1 FROM users
           WHERE lower(name COLLATE \"C\") >= lower($1 COLLATE \"C\") AND lower(name COLLATE \"C\") < lower($1 COLLATE \"C\") || $2
             AND deleted_time IS NULL AND username IS NOT NULL
         ), containing AS (
           SELECT id, 2 FROM users
           WHERE (SELECT count(DISTINCT id) FROM starting) < $3 AND deleted_time IS NULL AND username IS NOT NULL
             AND strpos(lower(name), ' ' || lower($1)) > 0
         )
         SELECT username, name FROM (
           SELECT id, min(place) AS place FROM (SELECT * FROM starting UNION ALL SELECT * FROM containing) AS found (id, place)
           GROUP BY id
         ) AS suggested JOIN users USING (id) ORDER BY place, lower(username), id LIMIT $3",
        &[typed.to_owned().into(), "\u{10ffff}".to_owned().into(), db::count(count)],
        |row: &mut Row| {
            let (username, name): (String, Option<String>) = (row.column()?, row.column()?);
            Ok(UserSuggestion { name: name.unwrap_or_else(|| username.clone()), username })
        },
    )
}

/// The number of the user with this username, else of the first with this name, else of a new one.
pub fn find_or_create(db: &Db, name: &str) -> Result<i64, Error> {
    let username = rules::username(name).is_ok().then(|| name.to_owned());
    let find = || {
        db.query_one(
            "SELECT id FROM users WHERE deleted_time IS NULL
               AND (lower(username COLLATE \"C\") = lower($1 COLLATE \"C\") OR lower(name COLLATE \"C\") = lower($1 COLLATE \"C\"))
             ORDER BY lower(username COLLATE \"C\") = lower($1 COLLATE \"C\") DESC NULLS LAST, id LIMIT 1",
            &[name.to_owned().into()],
        )
    };
    if let Some(mut row) = find()? {
        return row.column();
    }
    let insert = "WITH made AS (
         INSERT INTO users (username, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id
       )
       SELECT (SELECT id FROM made)";
    if let Some(id) = db.query_row(insert, &[username.into(), name.to_owned().into()])?.column()? {
        return Ok(id);
    }
    // Another request created that username in between.
    find()?.ok_or_else(|| Error::Internal("a user was neither found nor created".to_owned()))?.column()
}

/// A user to be created.
#[derive(Debug, Default)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name shown to readers; the username if it is absent.
    pub name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The role of the account; editor if it is absent.
    pub role: Option<Role>,
    /// The hash of a password, for a user with an account.
    pub password: Option<String>,
    /// The key of the form or request: one that comes again makes nothing.
    pub key: Option<String>,
}

/// What [`create`] did.
#[derive(Debug)]
pub enum Created {
    /// There is a new user.
    Created(UserRecord),
    /// The same request made the user with this number before.
    Repeated(i64),
    /// Another user has that username.
    UsernameTaken,
    /// Another user has that email address.
    EmailTaken,
}

/// Creates a user, with an account if there is a password.
pub fn create(db: &Db, user: &NewUser, actor: &Actor) -> Result<Created, Error> {
    let [actor_id, address] = actor.params();
    let params = [
        user.username.clone().into(),
        user.name.clone().into(),
        user.email.clone().into(),
        user.role.unwrap_or(Role::Editor).to_string().into(),
        user.password.clone().into(),
        actor_id,
        address,
        user.key.clone().into(),
    ];
    let made_before = || user.key.as_deref().map_or(Ok(None), |key| submissions::user(db, key));
    let repeated_or = |refusal| Ok(made_before()?.map_or(refusal, Created::Repeated));
    // A second time for a name that was taken after the first statement began: that one met it, but could not see it.
    for _ in 0..2 {
        let mut row = match db.query_row(CREATE, &params) {
            Err(Error::Duplicate(index)) if index == submissions::INDEX => {
                return made_before()?.map(Created::Repeated).ok_or(Error::Duplicate(index));
            }
            row => row?,
        };
        match row.column::<Option<String>>()?.as_deref() {
            Some("created") => return read_record(&mut row).map(Created::Created),
            Some("username taken") => return repeated_or(Created::UsernameTaken),
            Some("email taken") => return repeated_or(Created::EmailTaken),
            _ => {}
        }
    }
    Err(Error::Unavailable("a user's name was taken and released at the same moment".to_owned()))
}

const CREATE: &str = concat!(
    "WITH made AS (
       INSERT INTO users (username, name, email, role, password, password_is_given)
       VALUES ($1, coalesce($2, $1), $3, $4, $5::text, $5 IS NOT NULL)
       ON CONFLICT DO NOTHING
       RETURNING *
     ), noted AS (
       INSERT INTO audit (event, actor_id, address, user_id, details)
       SELECT 'account_created', $6, $7, id, role FROM made WHERE password IS NOT NULL
     ), submitted AS (
       INSERT INTO submissions (key, user_id) SELECT $8::text, id FROM made WHERE $8 IS NOT NULL
     ), ",
    swept!("$8"),
    "
     SELECT CASE
         WHEN id IS NOT NULL THEN 'created'
         WHEN EXISTS (SELECT FROM users other WHERE lower(other.username COLLATE \"C\") = lower($1 COLLATE \"C\"))
           THEN 'username taken'
         WHEN EXISTS (SELECT FROM users other WHERE lower(other.email COLLATE \"C\") = lower($3 COLLATE \"C\"))
           THEN 'email taken'
       END, ",
    record_columns!(),
    " FROM (SELECT) AS always LEFT JOIN made ON true"
);

/// What shall change of a user. Whatever is absent stays; `Some(None)` clears.
#[derive(Debug, Default)]
pub struct UserChange {
    /// The name to sign in with.
    pub username: Option<Option<String>>,
    /// The name shown to readers.
    pub name: Option<String>,
    /// The email address.
    pub email: Option<Option<String>>,
    /// The role of the account.
    pub role: Option<Role>,
    /// The hash of a new password.
    pub password: Option<String>,
    /// The name of the time zone of the account.
    pub time_zone: Option<Option<String>>,
}

/// What [`change`] did.
#[derive(Debug)]
pub enum Changed {
    /// The user is changed.
    Changed(UserRecord),
    /// The user already is as the change says.
    Unchanged(UserRecord),
    /// The user, as they are now, is at none of the versions that were seen.
    Stale(UserRecord),
    /// The user has an account, which only its owner and administrators may change.
    NotAllowed,
    /// There is no such user.
    Gone,
    /// An account needs a username to sign in with.
    UsernameRequired,
    /// A role needs an account, and an account a password.
    PasswordRequired,
    /// Without this administrator, there would be none.
    LastAdministrator,
    /// Another user has that username.
    UsernameTaken,
    /// Another user has that email address.
    EmailTaken,
}

/// Changes user `id` if they are at one of the versions `seen`, or at any without them.
///
/// A new password ends the user's sessions and revokes their tokens. `may_manage` is whether the actor may change the
/// user even if they have an account.
pub fn change(
    db: &Db,
    id: i64,
    seen: Option<Vec<i64>>,
    change: &UserChange,
    may_manage: bool,
    actor: &Actor,
) -> Result<Changed, Error> {
    let UserChange { username, name, email, role, password, time_zone } = change;
    let [actor_id, address] = actor.params();
    let params = [
        id.into(),
        username.is_some().into(),
        username.clone().flatten().into(),
        name.clone().into(),
        email.is_some().into(),
        email.clone().flatten().into(),
        db::numbers(seen),
        role.map(|role| role.to_string()).into(),
        password.clone().into(),
        may_manage.into(),
        actor_id,
        address,
        time_zone.is_some().into(),
        time_zone.clone().flatten().into(),
    ];
    let mut row = match db.query_row(CHANGE, &params) {
        Ok(row) => row,
        // Another user took the name after this statement began.
        Err(Error::Duplicate(index)) if index == "users_username_key" => return Ok(Changed::UsernameTaken),
        Err(Error::Duplicate(index)) if index == "users_email_key" => return Ok(Changed::EmailTaken),
        Err(error) => return Err(error),
    };
    let Some(outcome) = row.column::<Option<String>>()? else { return Ok(Changed::Gone) };
    Ok(match &*outcome {
        "changed" => Changed::Changed(read_record(&mut row)?),
        "unchanged" => Changed::Unchanged(read_record(&mut row)?),
        "stale" => Changed::Stale(read_record(&mut row)?),
        "not allowed" => Changed::NotAllowed,
        "password required" => Changed::PasswordRequired,
        "last administrator" => Changed::LastAdministrator,
        "username required" => Changed::UsernameRequired,
        "username taken" => Changed::UsernameTaken,
        "email taken" => Changed::EmailTaken,
        other => return Err(Error::Internal(format!("a statement returned the unknown outcome {other:?}"))),
    })
}

/// Locks the user first: the outcome is decided on the row that is changed, whatever others do meanwhile.
///
/// A change that takes the role from an administrator locks all of them first, in the order of their numbers, so that two
/// that take it from one another cannot both succeed. The locks are no stronger than those of an update: whoever writes tasks may
/// refer to the user, and a time zone that changes waits for them.
const CHANGE: &str = concat!(
    "WITH administrators AS (
       SELECT id FROM users
       WHERE role = 'administrator' AND password IS NOT NULL AND $8 <> 'administrator' ORDER BY id FOR NO KEY UPDATE
     ), before AS (
       SELECT users.*, new_username, new_name, new_email, new_role, new_password, new_zone, CASE
         WHEN password IS NOT NULL AND NOT $10::boolean THEN 'not allowed'
         WHEN version <> ALL ($7::bigint[]) THEN 'stale'
         WHEN $8 IS NOT NULL AND new_password IS NULL THEN 'password required'
         WHEN new_password IS NOT NULL AND new_username IS NULL THEN 'username required'
         WHEN (username, name, email, role, password, time_zone)
           IS NOT DISTINCT FROM (new_username, new_name, new_email, new_role, new_password, new_zone) THEN 'unchanged'
         WHEN $2 AND EXISTS (SELECT FROM users other
           WHERE other.id <> users.id AND lower(other.username COLLATE \"C\") = lower($3 COLLATE \"C\")) THEN 'username taken'
         WHEN $5 AND EXISTS (SELECT FROM users other
           WHERE other.id <> users.id AND lower(other.email COLLATE \"C\") = lower($6 COLLATE \"C\")) THEN 'email taken'
         WHEN role = 'administrator' AND password IS NOT NULL AND new_role <> role AND others = 0 THEN 'last administrator'
         ELSE 'changed' END AS outcome
       FROM users CROSS JOIN LATERAL (SELECT
         CASE WHEN $2::boolean THEN $3::text ELSE username END AS new_username,
         coalesce($4::text, name) AS new_name,
         CASE WHEN $5::boolean THEN $6::text ELSE email END AS new_email,
         coalesce($8::text, role) AS new_role,
         coalesce($9::text, password) AS new_password,
         CASE WHEN $13::boolean THEN $14::text ELSE time_zone END AS new_zone
       ) AS wanted CROSS JOIN (SELECT count(*) AS others FROM administrators WHERE id <> $1) AS left_over
       WHERE id = $1 AND deleted_time IS NULL FOR NO KEY UPDATE OF users
     ), after AS (
       UPDATE users SET username = new_username, name = new_name, email = new_email, role = new_role,
         password = new_password, time_zone = new_zone, password_is_given = before.password_is_given OR $9 IS NOT NULL,
         version = before.version + 1
       FROM before WHERE users.id = before.id AND outcome = 'changed'
       RETURNING users.*
     ), ended AS (
       DELETE FROM sessions WHERE user_id IN (SELECT id FROM after) AND $9 IS NOT NULL
     ), revoked AS (
       DELETE FROM tokens WHERE user_id IN (SELECT id FROM after) AND $9 IS NOT NULL
     ), forgotten AS (
       DELETE FROM sign_in_origins WHERE user_id IN (SELECT id FROM after) AND $9 IS NOT NULL
     ), noted AS (
       INSERT INTO audit (event, actor_id, address, user_id, details)
       SELECT event, $11, $12, after.id, details
       FROM after JOIN before ON before.id = after.id CROSS JOIN LATERAL (VALUES
         ('account_created', after.role, before.password IS NULL AND after.password IS NOT NULL),
         ('password_changed', '', before.password <> after.password),
         ('role_changed', before.role || ' → ' || after.role, before.role <> after.role),
         ('username_changed', coalesce(before.username, 'none') || ' → ' || coalesce(after.username, 'none'),
           before.username IS DISTINCT FROM after.username),
         ('name_changed', before.name || ' → ' || after.name, before.name <> after.name),
         ('email_changed', coalesce(before.email, 'none') || ' → ' || coalesce(after.email, 'none'),
           before.email IS DISTINCT FROM after.email),
         ('time_zone_changed', coalesce(before.time_zone, 'none') || ' → ' || coalesce(after.time_zone, 'none'),
           before.time_zone IS DISTINCT FROM after.time_zone)
       ) AS happened (event, details, is_true)
       WHERE is_true
     )
     ",
    row_or_nulls!(
        "SELECT 'changed', ",
        record_columns!(),
        " FROM after UNION ALL SELECT outcome, ",
        record_columns!(),
        " FROM before WHERE outcome <> 'changed'"
    )
);

/// What [`delete`] did.
#[derive(Debug)]
pub enum Deleted {
    /// The user is deleted.
    Deleted,
    /// The user, as they are now, is at none of the versions that were seen.
    Stale(UserRecord),
    /// The user has an account, which only its owner and administrators may delete.
    NotAllowed,
    /// Without this administrator, there would be none.
    LastAdministrator,
    /// There is no such user.
    Gone,
}

/// Deletes user `id`, if they are at one of the versions `seen`: what they wrote stays, without their name.
pub fn delete(db: &Db, id: i64, seen: Option<Vec<i64>>, may_manage: bool, actor: &Actor) -> Result<Deleted, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        concat!(
            // As in CHANGE.
            "WITH administrators AS (
               SELECT id FROM users
               WHERE role = 'administrator' AND password IS NOT NULL
                 AND EXISTS (SELECT FROM users WHERE id = $1 AND role = 'administrator' AND password IS NOT NULL)
               ORDER BY id FOR NO KEY UPDATE
             ), before AS (
               SELECT users.*, CASE
                 WHEN password IS NOT NULL AND NOT $3::boolean THEN 'not allowed'
                 WHEN version <> ALL ($2::bigint[]) THEN 'stale'
                 WHEN role = 'administrator' AND password IS NOT NULL AND others = 0 THEN 'last administrator'
                 ELSE 'deleted' END AS outcome
               FROM users CROSS JOIN (SELECT count(*) AS others FROM administrators WHERE id <> $1) AS left_over
               WHERE id = $1 AND deleted_time IS NULL FOR NO KEY UPDATE OF users
             ), deleted AS (
               UPDATE users SET username = NULL, name = NULL, email = NULL, password = NULL, time_zone = NULL,
                 version = before.version + 1,
                 deleted_time = now()
               FROM before WHERE users.id = before.id AND outcome = 'deleted'
               RETURNING users.id
             ), ended AS (
               DELETE FROM sessions WHERE user_id IN (SELECT id FROM deleted)
             ), revoked AS (
               DELETE FROM tokens WHERE user_id IN (SELECT id FROM deleted)
             ), forgotten AS (
               DELETE FROM sign_in_origins WHERE user_id IN (SELECT id FROM deleted)
             ), emptied AS (
               DELETE FROM inbox WHERE user_id IN (SELECT id FROM deleted)
             ), unwatched AS (
               DELETE FROM watches WHERE user_id IN (SELECT id FROM deleted)
             ), unmailed AS (
               DELETE FROM digests WHERE user_id IN (SELECT id FROM deleted)
             ), noted AS (
               INSERT INTO audit (event, actor_id, address, user_id) SELECT 'user_deleted', $4, $5, id FROM deleted
             )
             ",
            row_or_nulls!("SELECT outcome, ", record_columns!(), " FROM before")
        ),
        &[id.into(), db::numbers(seen), may_manage.into(), actor_id, address],
    )?;
    let Some(outcome) = row.column::<Option<String>>()? else { return Ok(Deleted::Gone) };
    Ok(match &*outcome {
        "deleted" => Deleted::Deleted,
        "stale" => Deleted::Stale(read_record(&mut row)?),
        "last administrator" => Deleted::LastAdministrator,
        _ => Deleted::NotAllowed,
    })
}
