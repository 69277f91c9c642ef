//! Revisions: every state a page has had, what changed between them, and how to go back to one.

use serde::Serialize;
use serde_json::{Value, json};
use wiki_types::rules;

use crate::access::{self, Who};
use crate::compare;
use crate::db::{self, Db, Param, Row};
use crate::json::Body;
use crate::list::{self, Cursor, Page};
use crate::posts::{self, Draft, Post, Refusal};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{self, Request, path_id, path_number, path_text, positive, query};
use crate::time::Time;

/// A revision in a list: what was done, when, by whom.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Entry {
    /// The page.
    pub post_id: i64,
    /// The version it made, from 1.
    pub version: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// What they are called; none if they were deleted.
    #[cfg_attr(test, schema(required = true))]
    pub author: Option<String>,
    /// The page's title in this version.
    pub title: String,
    /// Why it was written.
    pub comment: String,
    /// Bytes of the content.
    pub size: i64,
    /// Bytes more than in the version before.
    pub delta: i64,
    /// When it was written.
    pub created_time: Time,
    /// The name the page has in URLs now.
    #[serde(skip)]
    pub page: String,
}

/// What [`Entry::from_row`] reads, of [`TABLES`].
macro_rules! entry_columns {
    () => {
        "r.post_id, r.version, r.user_id, users.name, r.title, r.comment, r.size, r.delta, r.created_time AT TIME ZONE 'UTC', posts.slug"
    };
}

/// Revisions with their pages and authors.
macro_rules! tables {
    () => {
        " FROM revisions r JOIN posts ON posts.id = r.post_id AND posts.deleted_time IS NULL JOIN users ON users.id = r.user_id "
    };
}

impl Entry {
    fn from_row(row: &mut Row) -> Result<Self, Problem> {
        Ok(Self {
            post_id: row.column()?,
            version: row.column()?,
            user_id: row.column()?,
            author: row.column()?,
            title: row.column()?,
            comment: row.column()?,
            size: row.column()?,
            delta: row.column()?,
            created_time: row.column()?,
            page: row.column()?,
        })
    }
}

/// A revision with all that the page was at the time.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Revision {
    /// What was done, when, by whom.
    #[serde(flatten)]
    pub entry: Entry,
    /// The page's name in URLs then.
    pub slug: String,
    /// Its Markdown.
    pub content: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// `GET /posts/{id}/revisions`, newest first
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    Ok(history(request, db, id)?.reply(request, "revisions"))
}

/// The part of the revisions of page `id` that `request` asks for.
pub fn history(request: &Request, db: &Db, id: i64) -> Result<Page<Entry>, Problem> {
    let limit = list::limit(request)?;
    let cursor = Cursor::read(request, |keys| matches!(keys, [version] if version.is_i64()))?;
    let before = cursor.and_then(|cursor| cursor.0[0].as_i64()).unwrap_or(i64::MAX);
    let rows = db.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            tables!(),
            "WHERE r.post_id = $1 AND r.version < $2 ORDER BY r.version DESC LIMIT $3"
        ),
        &[id.into(), before.into(), db::count(limit + 1)],
    )?;
    if rows.is_empty() {
        // Every page has a first revision: either there is no such page, or the list ended here.
        posts::by_id(db, id)?;
    }
    Ok(Page::new(request, entries(rows)?, limit, |last| Cursor(vec![last.version.into()])))
}

/// `GET /changes`: the revisions of all pages, newest first; of one user with `?user_id=`
pub fn changes(request: &Request, db: &Db) -> Result<Response, Problem> {
    let user_id = query(request, "user_id").map(|user_id| positive(&user_id).unwrap_or(0));
    Ok(recent(request, db, user_id)?.reply(request, "changes"))
}

/// The part of the revisions of all pages, or those of one user, that `request` asks for.
pub fn recent(request: &Request, db: &Db, user_id: Option<i64>) -> Result<Page<Entry>, Problem> {
    let limit = list::limit(request)?;
    let fits = |keys: &[Value]| match keys {
        [micros, id, version] => micros.as_i64().is_some_and(Time::is_storable) && id.is_i64() && version.is_i64(),
        _ => false,
    };
    let cursor = Cursor::read(request, fits)?;
    Ok(Page::new(request, select(db, user_id, cursor, limit + 1)?, limit, |last| {
        Cursor(vec![last.created_time.micros().into(), last.post_id.into(), last.version.into()])
    }))
}

/// The latest revisions of all pages, or those of one user, at most `count`.
pub fn latest(db: &Db, count: usize, user_id: Option<i64>) -> Result<Vec<Entry>, Problem> {
    select(db, user_id, None, count)
}

fn select(db: &Db, user_id: Option<i64>, after: Option<Cursor>, count: usize) -> Result<Vec<Entry>, Problem> {
    let mut conditions = vec!["true".to_owned()];
    let mut params: Vec<Param> = Vec::new();
    if let Some(user_id) = user_id {
        params.push(user_id.into());
        conditions.push(format!("r.user_id = ${}", params.len()));
    }
    if let Some(Cursor(keys)) = after {
        let first = params.len() + 1;
        params.extend(keys.iter().map(|key| Param::from(key.as_i64().unwrap_or_default())));
        conditions.push(format!(
            "(r.created_time, r.post_id, r.version) < ({}, ${}, ${})",
            db::instant(first),
            first + 1,
            first + 2
        ));
    }
    params.push(db::count(count));
    // Made of this file's own words only; everything a client said is a parameter.
    let sql = format!(
        "SELECT {}{}WHERE {} ORDER BY r.created_time DESC, r.post_id DESC, r.version DESC LIMIT ${}",
        entry_columns!(),
        tables!(),
        conditions.join(" AND "),
        params.len()
    );
    entries(db.query(&sql, &params)?)
}

fn entries(rows: Vec<Row>) -> Result<Vec<Entry>, Problem> {
    rows.into_iter().map(|mut row| Entry::from_row(&mut row)).collect()
}

/// `GET /posts/{id}/revisions/{version}`
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    let Some(version) = path_number(request, 1) else {
        posts::by_id(db, id)?;
        return Err(no_version(path_text(request, 1)));
    };
    let revision = find(db, id, version)?;
    // A revision never changes, but its author may be renamed.
    Ok(reply::tagged_by_content(request, reply::json(&revision)))
}

/// `GET /posts/{id}/compare`: what changed from the version `?from=` to `?to=`
///
/// Without `to`, the current version; without `from`, the one before `to`. `from=0` is the empty page before the first.
pub fn compare(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    let given = |name, first: i64| match query(request, name) {
        None => Ok(None),
        Some(text) if first == 0 && text == "0" => Ok(Some(0)),
        Some(text) => match positive(&text) {
            Some(version) => Ok(Some(version)),
            None => Err(Problem::invalid_field(name, format!("must be a version: a whole number from {first}"))),
        },
    };
    let (older, newer) = pair(db, id, given("from", 0)?, given("to", 1)?)?;
    let difference = compare::difference(older.as_ref().map_or("", |older| &older.content), &newer.content);
    Ok(reply::json(&json!({
        "post_id": newer.entry.post_id,
        "from": older.as_ref().map(|revision| &revision.entry),
        "to": newer.entry,
        "truncated": difference.truncated,
        "hunks": difference.hunks,
    })))
}

/// Two revisions of page `id`, the older one first: `from`, else the one before `to`; `to`, else the current one.
///
/// There is no older one before the first, which version 0 names, too.
pub fn pair(db: &Db, id: i64, from: Option<i64>, to: Option<i64>) -> Result<(Option<Revision>, Revision), Problem> {
    let to = match to {
        Some(to) => to,
        None => posts::by_id(db, id)?.version,
    };
    let newer = find(db, id, to)?;
    let older = match from.unwrap_or(to - 1) {
        0 => None,
        from => Some(find(db, id, from)?),
    };
    Ok((older, newer))
}

/// `POST /posts/{id}/revert`: makes the page what it was in `version`, as a new version
///
/// Title, content and tags go back; the slug stays, so that links keep working.
pub fn revert(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(posts::not_found)?;
    let seen = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    let mut body = Body::read(request)?;
    let version = body.required_integer("version").unwrap_or_default();
    let user_id = body.integer("user_id");
    let comment = body.text("comment", rules::comment);
    body.finish()?;
    let who = access::who(request);
    let user_id = who.author(user_id)?;
    let post = restore(db, who, id, version, seen, user_id, comment).map_err(|refusal| refusal.problem(true))?;
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

/// Saves what page `id` was in `version` as its next version.
pub fn restore(
    db: &Db,
    who: &Who,
    id: i64,
    version: i64,
    seen: Option<Vec<i64>>,
    user_id: Option<i64>,
    comment: Option<String>,
) -> Result<Post, Refusal> {
    // A revision never changes, so there is nothing to lose between reading it and saving it again.
    let revision = find(db, id, version)?;
    let draft = Draft {
        user_id,
        title: Some(revision.entry.title),
        slug: None,
        content: revision.content,
        tags: Some(revision.tags),
        comment: comment.unwrap_or_else(|| format!("Revert to version {version}")),
        version: None,
        created_time: None,
    };
    posts::save(db, who, id, seen, &draft)
}

/// Version `version` of page `id`. 404 if the page has none such, or is deleted.
pub fn find(db: &Db, id: i64, version: i64) -> Result<Revision, Problem> {
    let row = db.query_one(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", r.slug, r.content, r.tags",
            tables!(),
            "WHERE r.post_id = $1 AND r.version = $2"
        ),
        &[id.into(), version.into()],
    )?;
    let Some(mut row) = row else {
        posts::by_id(db, id)?;
        return Err(no_version(&version.to_string()));
    };
    Ok(Revision { entry: Entry::from_row(&mut row)?, slug: row.column()?, content: row.column()?, tags: row.column()? })
}

/// 404: the page has no version of that number, if it is one.
pub fn no_version(version: &str) -> Problem {
    Problem::not_found(format!("The page has no version {}.", version.escape_debug()))
}
