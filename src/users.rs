//! Users: who wrote what.

use rules::Wrong;
use serde::Serialize;
use serde_json::Value;

use crate::db::{self, Db, Failure, Row};
use crate::json::{self, Body};
use crate::list::{self, Cursor, Page};
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
    /// Where to write to them.
    #[cfg_attr(test, schema(required = true))]
    email: Option<String>,
    /// When they joined.
    pub created_time: Time,
    #[serde(skip)]
    version: i64,
}

/// What [`User::from_row`] reads.
macro_rules! columns {
    () => {
        "id, username, name, email, created_time AT TIME ZONE 'UTC', version"
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
            version: row.column()?,
        })
    }

    fn etag(&self) -> String {
        reply::etag(self.version, "")
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
    body.finish()?;

    let row = db
        .query_one(
            concat!(
                "INSERT INTO users (username, name, email) VALUES ($1, coalesce($2, $1), $3) RETURNING ",
                columns!()
            ),
            &[username.clone().into(), name.into(), email.clone().into()],
        )
        .map_err(|failure| taken(failure, username.as_deref(), email.as_deref()))?;
    let user = User::from_row(row.ok_or_else(|| Problem::internal("INSERT returned no row"))?)?;
    let response = reply::created(&format!("/users/{}", user.id), &user);
    Ok(reply::tagged(response, &user.etag()))
}

/// `GET /users`, oldest first; the one of a `?username=`
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    Ok(page(request, db)?.reply(request, "users"))
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
    let user = find(request, db)?;
    Ok(reply::unless_known(request, &user.etag(), || reply::json(&user)))
}

/// `PATCH /users/{id}`: members that are given change, `null` clears a username or an email
///
/// A change that changes nothing makes no version.
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
    body.finish()?;

    let row = db
        .query_one(
            concat!(
                "UPDATE users SET
                   username = CASE WHEN $2 THEN $3 ELSE username END,
                   name = coalesce($4, name),
                   email = CASE WHEN $5 THEN $6 ELSE email END,
                   version = version + 1
                 WHERE id = $1 AND deleted_time IS NULL AND ($7::bigint[] IS NULL OR version = ANY ($7))
                   AND (username, name, email) IS DISTINCT FROM (
                     CASE WHEN $2 THEN $3 ELSE username END, coalesce($4, name), CASE WHEN $5 THEN $6 ELSE email END)
                 RETURNING ",
                columns!()
            ),
            &[
                id.into(),
                username.is_some().into(),
                username.clone().flatten().into(),
                name.flatten().into(),
                email.is_some().into(),
                email.clone().flatten().into(),
                db::numbers(versions.clone()),
            ],
        )
        .map_err(|failure| taken(failure, username.flatten().as_deref(), email.flatten().as_deref()))?;
    let user = match row {
        Some(row) => User::from_row(row)?,
        // The user as they are if that is what the change would make of them, or what stood in the way.
        None => {
            let user = find(request, db)?;
            if versions.is_some_and(|versions| !versions.contains(&user.version)) {
                return Err(changed(&user));
            }
            user
        }
    };
    Ok(reply::tagged(reply::json(&user), &user.etag()))
}

/// `DELETE /users/{id}`: what they wrote stays; their name, username and email go
pub fn delete(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let versions = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    let row = db.query_one(
        "UPDATE users SET username = NULL, name = NULL, email = NULL, version = version + 1, deleted_time = now()
         WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
         RETURNING id",
        &[id.into(), db::numbers(versions)],
    )?;
    match row {
        Some(_) => Ok(reply::no_content()),
        None => Err(changed(&find(request, db)?)),
    }
}

/// The user the path names, 404 if there is none.
pub fn find(request: &Request, db: &Db) -> Result<User, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
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

fn changed(user: &User) -> Problem {
    Problem::new(
        http::StatusCode::PRECONDITION_FAILED,
        "The user was changed meanwhile. Compare with \"current\" and send the change again with its ETag.",
    )
    .with("current", serde_json::to_value(user).unwrap_or(Value::Null))
    .with("version", user.version)
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
