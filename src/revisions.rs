//! Revisions: every state a page has had, what changed between them, and how to go back to one.

use serde::Serialize;
use serde_json::{Value, json};

use crate::compare;
use crate::db::{self, Db, Param, Row};
use crate::json::Body;
use crate::list::{self, Cursor};
use crate::posts::{self, Post};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{self, Request, path_id, path_number, positive, query};
use crate::time::Time;
use crate::users;

/// A revision in a list: what was done, when, by whom.
#[derive(Debug, Serialize)]
struct Entry {
    post_id: i64,
    version: i64,
    user_id: i64,
    title: String,
    comment: String,
    /// Bytes of the content.
    size: i64,
    /// Bytes more than in the version before.
    delta: i64,
    created_time: Time,
}

/// What [`Entry::from_row`] reads, of revisions called `r`.
macro_rules! entry_columns {
    () => {
        "r.post_id, r.version, r.user_id, r.title, r.comment, r.size, r.delta, r.created_time AT TIME ZONE 'UTC'"
    };
}

impl Entry {
    fn from_row(row: &mut Row) -> Result<Self, Problem> {
        Ok(Self {
            post_id: row.column()?,
            version: row.column()?,
            user_id: row.column()?,
            title: row.column()?,
            comment: row.column()?,
            size: row.column()?,
            delta: row.column()?,
            created_time: row.column()?,
        })
    }
}

/// A revision with all that the page was at the time.
#[derive(Debug, Serialize)]
struct Revision {
    #[serde(flatten)]
    entry: Entry,
    slug: String,
    content: String,
    tags: Vec<String>,
}

/// `GET /posts/{id}/revisions`, newest first
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    let limit = list::limit(request)?;
    let cursor = Cursor::read(request, |keys| matches!(keys, [version] if version.is_i64()))?;
    let before = cursor.and_then(|cursor| cursor.0[0].as_i64()).unwrap_or(i64::MAX);
    let rows = db.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM revisions r WHERE r.post_id = $1 AND r.version < $2
                AND EXISTS (SELECT FROM posts WHERE posts.id = $1 AND posts.deleted_time IS NULL)
              ORDER BY r.version DESC LIMIT $3"
        ),
        &[id.into(), before.into(), db::count(limit + 1)],
    )?;
    if rows.is_empty() {
        // Every page has a first revision: either there is no such page, or the list ended here.
        posts::find(request, db)?;
    }
    let (revisions, next) = page(request, rows, limit, |last| Cursor(vec![last.version.into()]))?;
    Ok(reply::tagged_by_content(request, reply::json(&json!({ "revisions": revisions, "next": next }))))
}

/// `GET /changes`: the revisions of all pages, newest first; of one user with `?user_id=`
pub fn changes(request: &Request, db: &Db) -> Result<Response, Problem> {
    let limit = list::limit(request)?;
    let cursor = Cursor::read(request, |keys| keys.len() == 3 && keys.iter().all(Value::is_i64))?;
    let mut conditions = vec!["posts.deleted_time IS NULL".to_owned()];
    let mut params: Vec<Param> = Vec::new();
    if let Some(user_id) = query(request, "user_id") {
        params.push(positive(&user_id).unwrap_or(0).into());
        conditions.push(format!("r.user_id = ${}", params.len()));
    }
    if let Some(Cursor(keys)) = cursor {
        let first = params.len() + 1;
        params.extend(keys.iter().map(|key| Param::from(key.as_i64().unwrap_or_default())));
        conditions.push(format!(
            "(r.created_time, r.post_id, r.version) < ({}, ${}, ${})",
            db::instant(first),
            first + 1,
            first + 2
        ));
    }
    params.push(db::count(limit + 1));
    // Made of this file's own words only; everything a client said is a parameter.
    let sql = format!(
        "SELECT {} FROM revisions r JOIN posts ON posts.id = r.post_id WHERE {}
         ORDER BY r.created_time DESC, r.post_id DESC, r.version DESC LIMIT ${}",
        entry_columns!(),
        conditions.join(" AND "),
        params.len()
    );
    let rows = db.query(&sql, &params)?;
    let cursor =
        |last: &Entry| Cursor(vec![last.created_time.micros().into(), last.post_id.into(), last.version.into()]);
    let (changes, next) = page(request, rows, limit, cursor)?;
    Ok(reply::tagged_by_content(request, reply::json(&json!({ "changes": changes, "next": next }))))
}

/// The entries of a page that was asked for with one row more than it shows, and the address of the next page.
fn page(
    request: &Request,
    rows: Vec<Row>,
    limit: usize,
    cursor: impl Fn(&Entry) -> Cursor,
) -> Result<(Vec<Entry>, Option<String>), Problem> {
    let mut entries = rows.into_iter().map(|mut row| Entry::from_row(&mut row)).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|last| list::next_url(request, &cursor(last)));
    Ok((entries, next))
}

/// `GET /posts/{id}/revisions/{version}`
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let version = path_number(request, 1).ok_or_else(posts::not_found)?;
    let revision = find(request, db, version)?;
    // A revision never changes.
    let etag = reply::etag(version, "revision");
    Ok(reply::unless_known(request, &etag, || reply::json(&revision)))
}

/// `GET /posts/{id}/compare`: what changed from the version `?from=` to `?to=`
///
/// Without `to`, the current version; without `from`, the one before `to`.
pub fn compare(request: &Request, db: &Db) -> Result<Response, Problem> {
    let given = |name| match query(request, name) {
        None => Ok(None),
        Some(text) => match positive(&text) {
            Some(version) => Ok(Some(version)),
            None => Err(Problem::invalid_field(name, "must be a version: a whole number from 1")),
        },
    };
    let (from, to) = (given("from")?, given("to")?);
    let to = match to {
        Some(to) => to,
        None => posts::find(request, db)?.version(),
    };
    let newer = find(request, db, to)?;
    // The first version came from nothing.
    let older = match from.unwrap_or(to - 1) {
        0 => None,
        from => Some(find(request, db, from)?),
    };
    let older_text = older.as_ref().map_or("", |revision| revision.content.as_str());
    let hunks = compare::hunks(older_text, &newer.content);
    Ok(reply::json(&json!({
        "post_id": newer.entry.post_id,
        "from": older.as_ref().map(|revision| &revision.entry),
        "to": newer.entry,
        "truncated": compare::is_cut_short(&hunks),
        "hunks": hunks,
    })))
}

/// `POST /posts/{id}/revert`: makes the page what it was in `version`, as a new version
///
/// Title, content and tags go back; the slug stays, so that links keep working.
pub fn revert(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    let seen = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    let mut body = Body::read(request)?;
    let version = body.required_integer("version");
    let user_id = body.integer("user_id");
    let comment = body.text("comment", posts::comment);
    body.finish()?;
    let version = version.unwrap_or_default();
    let comment = comment.unwrap_or_else(|| format!("Revert to version {version}"));
    let row =
        db.query_one(REVERT, &[id.into(), db::numbers(seen.clone()), version.into(), user_id.into(), comment.into()])?;
    let post = match row {
        Some(row) => Post::from_row(row)?,
        None => {
            let post = posts::find(request, db)?;
            if seen.is_some_and(|seen| !seen.contains(&post.version())) {
                return Err(posts::edited_meanwhile(post, true));
            }
            find(request, db, version)?;
            users::exists(db, user_id)?;
            // The page already is what it was then.
            post
        }
    };
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

/// Changes nothing when the page or version does not exist, the page was changed meanwhile or would stay as it is, or the
/// editor does not exist.
const REVERT: &str = concat!(
    "WITH before AS (
    SELECT id, octet_length(content) AS size FROM posts WHERE id = $1
  ), post AS (
    UPDATE posts SET title = r.title, content = r.content, tags = r.tags, version = posts.version + 1, updated_time = now()
    FROM revisions r
    WHERE posts.id = $1 AND posts.deleted_time IS NULL AND ($2::bigint[] IS NULL OR posts.version = ANY ($2))
      AND r.post_id = $1 AND r.version = $3
      AND ($4::bigint IS NULL OR EXISTS (SELECT FROM users WHERE users.id = $4 AND users.deleted_time IS NULL))
      AND (posts.title, posts.content, posts.tags) IS DISTINCT FROM (r.title, r.content, r.tags)
    RETURNING posts.*
  ), revision AS (
    INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
    SELECT post.id, version, coalesce($4, user_id), title, slug, content, tags, $5::text, octet_length(content),
      octet_length(content) - before.size, updated_time
    FROM post JOIN before ON before.id = post.id
  )
  SELECT ",
    posts::columns!(),
    " FROM post"
);

fn find(request: &Request, db: &Db, version: i64) -> Result<Revision, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    let row = db.query_one(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", r.slug, r.content, r.tags FROM revisions r JOIN posts ON posts.id = r.post_id AND posts.deleted_time IS NULL
              WHERE r.post_id = $1 AND r.version = $2"
        ),
        &[id.into(), version.into()],
    )?;
    let Some(mut row) = row else {
        posts::find(request, db)?;
        return Err(Problem::not_found(format!("The page has no version {version}.")));
    };
    Ok(Revision { entry: Entry::from_row(&mut row)?, slug: row.column()?, content: row.column()?, tags: row.column()? })
}
