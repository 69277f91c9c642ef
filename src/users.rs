//! Users: who wrote what.

use serde::Serialize;
use serde_json::Value;
use wiki_types::rules;
use wiki_types::rules::Wrong;

use crate::access::{self, Mode, Role, Who};
use crate::accounts::{self, Terms};
use crate::db::{self, Db, Failure, Param, Row};
use crate::json::{self, Body};
use crate::list::{self, Cursor, Page};
use crate::password;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{self, Request, path_id, query};
use crate::time::Time;

/// The most bytes of an email address.
pub const MAX_EMAIL: usize = 254;

/// A user as clients see one.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct User {
    /// The user's number.
    pub id: i64,
    /// A short name for URLs and mentions.
    #[cfg_attr(test, schema(required = true))]
    pub username: Option<String>,
    /// What they are called.
    pub name: String,
    /// Where to write to them. Where not everybody may read and write, only they and administrators are told.
    #[cfg_attr(test, schema(required = true))]
    email: Option<String>,
    /// When they joined.
    pub created_time: Time,
    /// What their account may do: `reader`, `editor` or `administrator`. Only they and administrators are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<String>))]
    role: Option<Role>,
    /// Whether they have a password, and with it an account.
    #[serde(skip)]
    pub has_account: bool,
    #[serde(skip)]
    version: i64,
}

/// What [`User::from_row`] reads.
macro_rules! columns {
    () => {
        "id, username, name, email, created_time AT TIME ZONE 'UTC', role, password IS NOT NULL, version"
    };
}

impl User {
    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Ok(Self {
            id: row.column()?,
            username: row.column()?,
            name: row.column()?,
            email: row.column()?,
            created_time: row.column()?,
            role: row.column()?,
            has_account: row.column()?,
            version: row.column()?,
        })
    }

    /// As `who` may see them.
    fn shown_to(mut self, who: &Who) -> Self {
        let in_full = who.is(self.id) || who.administers();
        self.role = self.role.filter(|_| in_full && self.has_account);
        self.email = self.email.filter(|_| in_full || who.mode == Mode::Open);
        self
    }

    /// What the account may do, if there is one and whoever asks may know.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    fn etag(&self, who: &Who) -> String {
        // Not everybody is shown the same.
        let in_full = who.is(self.id) || who.administers();
        reply::etag(self.version, if in_full { "full" } else { "" })
    }
}

/// `POST /users`
pub fn create(request: &Request, db: &Db) -> Result<Response, Problem> {
    let mut body = Body::read(request)?;
    if !body.has("username") && !body.has("name") {
        body.reject::<()>("username", "is required, unless there is a name");
    }
    let username = body.text("username", rules::username);
    let name = body.text("name", rules::name);
    let email = body.text("email", email);
    let who = access::who(request);
    let terms = Terms::read(&mut body, who)?;
    if terms.password.is_some() && username.is_none() {
        body.reject::<()>("username", "is required for an account, to sign in with");
    }
    if terms.role.is_some() && terms.password.is_none() {
        body.reject::<()>("password", "is required for an account, and only an account has a role");
    }
    body.finish()?;
    let user = insert(db, who, username, name, email, &terms)?;
    let (location, etag) = (format!("/users/{}", user.id), user.etag(who));
    Ok(reply::tagged(reply::created(&location, &user.shown_to(who)), &etag))
}

/// Makes a user, with an account if the terms have a password.
pub fn insert(
    db: &Db,
    who: &Who,
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    terms: &Terms,
) -> Result<User, Problem> {
    let plain: [Param; 3] = [username.clone().into(), name.into(), email.clone().into()];
    let row = match &terms.password {
        // A name, as old clients make it: no account, so nothing for the audit trail.
        None => db.query_one(
            concat!(
                "INSERT INTO users (username, name, email) VALUES ($1, coalesce($2, $1), $3) RETURNING ",
                columns!()
            ),
            &plain,
        ),
        Some(password) => {
            password::check(password, username.as_deref().unwrap_or_default())
                .map_err(|message| Problem::invalid_field("password", message))?;
            let [actor, address] = who.actor();
            let role = terms.role.unwrap_or(Role::Editor).to_string();
            let more = [role.into(), terms.hash()?.into(), actor, address];
            db.query_one(
                concat!(
                    "WITH made AS (
                       INSERT INTO users (username, name, email, role, password, password_is_given)
                       VALUES ($1, coalesce($2, $1), $3, $4, $5, true) RETURNING *
                     ), noted AS (
                       INSERT INTO audit (event, actor_id, address, user_id, details)
                       SELECT 'account_created', $6, $7, id, role FROM made
                     )
                     SELECT ",
                    columns!(),
                    " FROM made"
                ),
                &plain.into_iter().chain(more).collect::<Vec<_>>(),
            )
        }
    };
    let row = row.map_err(|failure| taken(failure, username.as_deref(), email.as_deref()))?;
    User::from_row(row.ok_or_else(|| Problem::internal("INSERT returned no row"))?)
}

/// `GET /users`, oldest first; the one of a `?username=`
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let who = access::who(request);
    let Page { items, next } = page(request, db)?;
    let users = Page { items: items.into_iter().map(|user| user.shown_to(who)).collect(), next };
    Ok(users.reply(request, "users"))
}

/// The users `request` asks for.
pub fn page(request: &Request, db: &Db) -> Result<Page<User>, Problem> {
    let limit = list::limit(request)?;
    let cursor = Cursor::read(request, |keys| matches!(keys, [id] if id.is_i64()))?;
    let after = cursor.and_then(|cursor| cursor.0[0].as_i64()).unwrap_or(0);
    let mut conditions = "id > $1 AND deleted_time IS NULL".to_owned();
    let mut params = vec![after.into(), db::count(limit + 1)];
    if let Some(username) = query(request, "username") {
        json::checked("username", &username, rules::username)?;
        params.push(username.into());
        conditions.push_str(" AND lower(username COLLATE \"C\") = lower($3 COLLATE \"C\")");
    }
    let rows = db.query(
        &format!(concat!("SELECT ", columns!(), " FROM users WHERE {} ORDER BY id LIMIT $2"), conditions),
        &params,
    )?;
    let users = rows.into_iter().map(User::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::new(request, users, limit, |last| Cursor(vec![last.id.into()])))
}

/// `GET /users/{id}`
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let (user, who) = (find(request, db)?, access::who(request));
    let etag = user.etag(who);
    Ok(reply::unless_known(request, &etag, || reply::json(&user.shown_to(who))))
}

/// `PATCH /users/{id}`: members that are given change, `null` clears a username or an email
///
/// Users change themselves; administrators change anybody, and give roles and passwords. A change that changes nothing
/// makes no version.
pub fn update(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let versions = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    let mut body = Body::read(request)?;
    let username = body.nullable_text("username", rules::username);
    let name = body.nullable_text("name", rules::name);
    if name == Some(None) {
        body.reject::<()>("name", "cannot be cleared; give another name instead");
    }
    let email = body.nullable_text("email", email);
    let who = access::who(request);
    let terms = Terms::read(&mut body, who)?;
    body.finish()?;
    let user = change(db, who, id, versions, &Change { username, name: name.flatten(), email, terms })?;
    let etag = user.etag(who);
    Ok(reply::tagged(reply::json(&user.shown_to(who)), &etag))
}

/// What shall change of a user; what is not given stays, `Some(None)` clears.
#[derive(Debug, Default)]
pub struct Change {
    /// The name they sign in with.
    pub username: Option<Option<String>>,
    /// What they are called.
    pub name: Option<String>,
    /// Where to write to them.
    pub email: Option<Option<String>>,
    /// What their account may do, and its password.
    pub terms: Terms,
}

/// Changes user `id` if they are at one of `versions`, or at any, and returns them.
///
/// Another password ends their sessions and tokens, whoever may have them; what changed of an account is in the audit trail.
pub fn change(db: &Db, who: &Who, id: i64, versions: Option<Vec<i64>>, change: &Change) -> Result<User, Problem> {
    may_try(who, id)?;
    let Change { username, name, email, terms } = change;
    if let Some(Some(username)) = username
        && who.account.is_some()
    {
        accounts::check_name(db, who, username)?;
    }
    if terms.password.is_some() || terms.role.is_some() {
        let current = by_id(db, id)?;
        if terms.password.is_none() && !current.has_account {
            return Err(Problem::invalid_field(
                "password",
                "is required for an account, and only an account has a role",
            ));
        }
        let Some(username) = username.clone().unwrap_or(current.username) else {
            return Err(Problem::invalid_field("username", "is required for an account, to sign in with"));
        };
        if let Some(password) = &terms.password {
            password::check(password, &username).map_err(|message| Problem::invalid_field("password", message))?;
        }
    }
    let [actor, address] = who.actor();
    let row = db
        .query_one(
            concat!(
                "WITH before AS (
                   SELECT id, role, password FROM users WHERE id = $1
                 ), changed AS (
                   UPDATE users SET
                     username = CASE WHEN $2 THEN $3 ELSE username END,
                     name = coalesce($4, name),
                     email = CASE WHEN $5 THEN $6 ELSE email END,
                     role = coalesce($8, role),
                     password = coalesce($9, password),
                     password_is_given = password_is_given OR $9 IS NOT NULL,
                     version = version + 1
                   WHERE id = $1 AND deleted_time IS NULL AND ($7::bigint[] IS NULL OR version = ANY ($7))
                     AND ($10 OR password IS NULL)
                     AND NOT ($2 AND $3::text IS NULL AND password IS NOT NULL)
                     AND (username, name, email, role, password) IS DISTINCT FROM (
                       CASE WHEN $2 THEN $3 ELSE username END, coalesce($4, name), CASE WHEN $5 THEN $6 ELSE email END,
                       coalesce($8, role), coalesce($9, password))
                   RETURNING *
                 ), ended AS (
                   DELETE FROM sessions WHERE user_id IN (SELECT id FROM changed) AND $9 IS NOT NULL
                 ), revoked AS (
                   DELETE FROM tokens WHERE user_id IN (SELECT id FROM changed) AND $9 IS NOT NULL
                 ), noted AS (
                   INSERT INTO audit (event, actor_id, address, user_id, details)
                   SELECT event, $11, $12, changed.id, details
                   FROM changed JOIN before ON before.id = changed.id CROSS JOIN LATERAL (VALUES
                     ('account_created', changed.role, before.password IS NULL AND changed.password IS NOT NULL),
                     ('password_changed', '', before.password <> changed.password),
                     ('role_changed', before.role || ' → ' || changed.role, before.role <> changed.role)
                   ) AS happened (event, details, is_true)
                   WHERE is_true
                 )
                 SELECT ",
                columns!(),
                " FROM changed"
            ),
            &[
                id.into(),
                username.is_some().into(),
                username.clone().flatten().into(),
                name.clone().into(),
                email.is_some().into(),
                email.clone().flatten().into(),
                db::numbers(versions.clone()),
                terms.role.map(|role| role.to_string()).into(),
                terms.hash()?.into(),
                manages(who, id).into(),
                actor,
                address,
            ],
        )
        .map_err(|failure| taken(failure, username.clone().flatten().as_deref(), email.clone().flatten().as_deref()))?;
    if let Some(row) = row {
        return User::from_row(row);
    }
    // The user as they are if that is what the change would make of them, or what stood in the way.
    let user = by_id(db, id)?;
    may_change(who, &user)?;
    if versions.is_some_and(|versions| !versions.contains(&user.version)) {
        return Err(changed(user, who));
    }
    if *username == Some(None) && user.has_account {
        return Err(Problem::invalid_field("username", "cannot be cleared: the account signs in with it"));
    }
    Ok(user)
}

/// Whether user `id` is theirs to change even if it is an account: their own, or any for administrators.
fn manages(who: &Who, id: i64) -> bool {
    who.is(id) || who.administers()
}

/// 403 if `who` may not change user `id`, whatever that is. In open mode it depends on whether that is an account.
fn may_try(who: &Who, id: i64) -> Result<(), Problem> {
    if who.mode == Mode::Open || manages(who, id) { Ok(()) } else { Err(not_yours()) }
}

/// 403 unless `who` may change `user`: their own, any for administrators, and in open mode those without an account.
fn may_change(who: &Who, user: &User) -> Result<(), Problem> {
    if manages(who, user.id) || (who.mode == Mode::Open && !user.has_account) { Ok(()) } else { Err(not_yours()) }
}

fn not_yours() -> Problem {
    Problem::forbidden("Only they themselves and administrators may change this user.")
}

/// `DELETE /users/{id}`: what they wrote stays; their name, username and email go
pub fn delete(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let versions = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    let who = access::who(request);
    may_try(who, id)?;
    let [actor, address] = who.actor();
    let row = db.query_one(
        "WITH deleted AS (
           UPDATE users SET username = NULL, name = NULL, email = NULL, password = NULL, version = version + 1,
             deleted_time = now()
           WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
             AND ($3 OR password IS NULL)
           RETURNING id
         ), ended AS (
           DELETE FROM sessions WHERE user_id IN (SELECT id FROM deleted)
         ), revoked AS (
           DELETE FROM tokens WHERE user_id IN (SELECT id FROM deleted)
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id) SELECT 'user_deleted', $4, $5, id FROM deleted
         )
         SELECT id FROM deleted",
        &[id.into(), db::numbers(versions), manages(who, id).into(), actor, address],
    )?;
    match row {
        Some(_) => Ok(reply::no_content()),
        None => {
            let user = by_id(db, id)?;
            may_change(who, &user)?;
            Err(changed(user, who))
        }
    }
}

/// The user the path names, 404 if there is none.
pub fn find(request: &Request, db: &Db) -> Result<User, Problem> {
    by_id(db, path_id(request).ok_or_else(not_found)?)
}

/// User `id`, 404 if there is none.
pub fn by_id(db: &Db, id: i64) -> Result<User, Problem> {
    let row = db.query_one(
        concat!("SELECT ", columns!(), " FROM users WHERE id = $1 AND deleted_time IS NULL"),
        &[id.into()],
    )?;
    User::from_row(row.ok_or_else(not_found)?)
}

/// 404 unless `id`, where one is given, is a user's.
pub fn exists(db: &Db, id: Option<i64>) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let row = db.query_one("SELECT id FROM users WHERE id = $1 AND deleted_time IS NULL", &[id.into()])?;
    row.map(drop).ok_or_else(not_found)
}

/// The number of the user somebody means by `name`: the one with that username, else the first with that name, else a new
/// one.
pub fn named(db: &Db, name: &str) -> Result<i64, Problem> {
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
    let insert = "INSERT INTO users (username, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id";
    let row = match db.query_one(insert, &[username.into(), name.to_owned().into()])? {
        Some(row) => Some(row),
        // Somebody of that username came in between.
        None => find()?,
    };
    row.ok_or_else(|| Problem::internal("a user was neither found nor created"))?.column()
}

/// 404: nobody has that number.
pub fn not_found() -> Problem {
    Problem::not_found("User not found")
}

fn changed(user: User, who: &Who) -> Problem {
    let version = user.version;
    Problem::new(
        http::StatusCode::PRECONDITION_FAILED,
        "The user was changed meanwhile. Compare with \"current\" and send the change again with its ETag.",
    )
    .with("current", serde_json::to_value(user.shown_to(who)).unwrap_or(Value::Null))
    .with("version", version)
}

fn taken(failure: Failure, username: Option<&str>, email: Option<&str>) -> Problem {
    match failure {
        Failure::Taken(index) if index == "users_username_key" => {
            Problem::taken("username", username.unwrap_or_default())
        }
        Failure::Taken(index) if index == "users_email_key" => Problem::taken("email", email.unwrap_or_default()),
        other => other.into(),
    }
}

/// Only the form that any mail server could take (RFC 5321, 4.5.3.1.3): whether it is somebody's, only a letter shows.
fn email(text: &str) -> Result<(), Wrong> {
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    match text.rsplit_once('@') {
        Some((local, domain)) if plain && !local.is_empty() && !domain.is_empty() && text.len() <= MAX_EMAIL => Ok(()),
        _ => Err(format!("must be an email address of at most {MAX_EMAIL} bytes, as in name@example.org").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_have_two_sides() {
        for address in ["docker@test.com", "a@b", "\"odd@local\"@example.org", "ü@ü.example"] {
            assert!(email(address).is_ok(), "{address}");
        }
        for address in ["", "a", "@b", "a@", "a b@c", "a@b\n", "a@b\0", &format!("{}@b", "x".repeat(253))] {
            assert!(email(address).is_err(), "{address:?}");
        }
    }
}
