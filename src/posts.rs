//! Posts, which are the wiki's pages: their current state, and a revision for every state they have had.

pub mod draft;
mod order;
pub mod protection;
pub mod select;

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use wiki_types::rules;
use wiki_types::slug::slugify;

use crate::access::{self, Who};
use crate::browser::page;
use crate::db::{self, Db, Failure, Param, Row};
use crate::json::{self, Body};
use crate::markdown;
use crate::negotiate::preferred;
use crate::problem::Problem;
use crate::reply::{self, MARKDOWN, Response};
use crate::request::{self, Request, path_id, query};
use crate::time::Time;
use crate::users;
pub use draft::Draft;
pub use order::Order;
use select::Filter;

/// The most characters of a search.
pub const MAX_QUERY: usize = 300;

/// A page as clients see one.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Post {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its Markdown.
    pub content: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version, from 1.
    pub version: i64,
    /// When it was created.
    pub created_time: Time,
    /// When it was last edited.
    pub updated_time: Time,
    /// Whether only administrators may change it. Left out if anybody who writes may.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

/// A page in a list: everything but its content, which may be a mebibyte, and how many bytes that has.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Summary {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version, from 1.
    pub version: i64,
    /// When it was created.
    pub created_time: Time,
    /// When it was last edited.
    pub updated_time: Time,
    /// The bytes of its content.
    pub size: i64,
}

/// What [`Post::read_row`] reads.
macro_rules! columns {
    () => {
        "id, user_id, title, slug, content, tags, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC', protected"
    };
}

/// The columns [`Post::read_row`] reads, of the table `posts`.
pub const COLUMNS: &str = columns!();

impl Post {
    /// From the columns that `columns!` names.
    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Self::read_row(&mut row)
    }

    /// From the columns that `columns!` names, leaving those after them in `row`.
    pub fn read_row(row: &mut Row) -> Result<Self, Problem> {
        Ok(Self {
            post_id: row.column()?,
            user_id: row.column()?,
            title: row.column()?,
            slug: row.column()?,
            content: row.column()?,
            tags: row.column()?,
            version: row.column()?,
            created_time: row.column()?,
            updated_time: row.column()?,
            protected: row.column()?,
        })
    }

    /// The entity tag of its JSON.
    pub(crate) fn etag(&self) -> String {
        reply::etag(self.version, if self.protected { "protected" } else { "" })
    }
}

impl Summary {
    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Ok(Self {
            post_id: row.column()?,
            user_id: row.column()?,
            title: row.column()?,
            slug: row.column()?,
            tags: row.column()?,
            version: row.column()?,
            created_time: row.column()?,
            updated_time: row.column()?,
            size: row.column()?,
        })
    }
}

/// `POST /posts`: by the user who is named, or by whoever asks
pub fn create(request: &Request, db: &Db) -> Result<Response, Problem> {
    let draft = Draft::read(Body::read(request)?)?;
    let author = access::who(request).author(draft.user_id)?;
    let user_id = author.ok_or_else(|| Problem::invalid_field("user_id", "is required"))?;
    let post = insert(db, user_id, draft)?;
    let response = reply::created(&format!("/posts/{}", post.post_id), &post);
    Ok(reply::tagged(response, &post.etag()))
}

/// Makes a page of `draft`. 404 if there is no such user, 409 if the draft asks for a slug that is taken.
pub fn insert(db: &Db, user_id: i64, draft: Draft) -> Result<Post, Problem> {
    let title = draft.title.unwrap_or_else(|| draft::title_of(&draft.content));
    let chosen = draft.slug.is_some();
    let slug = draft.slug.unwrap_or_else(|| slugify(&title));
    let tags = draft.tags.unwrap_or_default();
    let params: [Param; 9] = [
        user_id.into(),
        title.clone().into(),
        slug.clone().into(),
        chosen.into(),
        draft.content.clone().into(),
        db::texts(Some(tags.clone())),
        draft.comment.into(),
        db::texts(Some(markdown::links(&draft.content))),
        draft.created_time.map(Time::micros).into(),
    ];
    let insert = || db.query_one(INSERT, &params);
    let row = match insert() {
        // Somebody took the same slug in between: the next try sees theirs and takes another.
        Err(Failure::Taken(index)) if index == SLUG_INDEX && !chosen => insert(),
        result => result,
    };
    let mut row = row.map_err(|failure| taken(failure, &slug))?.ok_or_else(users::not_found)?;
    Ok(Post {
        post_id: row.column()?,
        slug: row.column()?,
        version: row.column()?,
        created_time: row.column()?,
        updated_time: row.column()?,
        user_id,
        title,
        content: draft.content,
        tags,
        protected: false,
    })
}

/// Inserts nothing when there is no such user. A slug made from the title gets the page's number where another page has
/// that slug; one the client chose does not.
pub const INSERT: &str = "WITH given AS (
    SELECT id AS user_id, nextval(pg_get_serial_sequence('posts', 'id')) AS id,
      coalesce('epoch'::timestamptz + $9::bigint * interval '1 microsecond', now()) AS time
    FROM users WHERE id = $1 AND deleted_time IS NULL
  ), post AS (
    INSERT INTO posts (id, user_id, title, slug, content, tags, links, created_time, updated_time)
    SELECT id, user_id, $2::text,
      CASE WHEN NOT $4::boolean AND EXISTS (SELECT FROM posts WHERE slug = $3::text AND deleted_time IS NULL)
        THEN $3 || '-' || id ELSE $3 END,
      $5::text, $6::text[], $8::text[], time, time
    FROM given
    RETURNING *
  ), revision AS (
    INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
    SELECT id, version, user_id, title, slug, content, tags, $7::text, octet_length(content), octet_length(content), created_time
    FROM post
  )
  SELECT id, slug, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC' FROM post";

const SLUG_INDEX: &str = "posts_slug_key";

/// `GET /posts/{id}`: JSON or, by Accept, the Markdown itself or the page for a person
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let response = match preferred(request.headers(), &["application/json", "text/markdown", "text/html"]) {
        "text/markdown" => {
            let post = find(request, db)?;
            let etag = reply::etag(post.version, "md");
            reply::unless_known(request, &etag, || reply::bytes(StatusCode::OK, MARKDOWN, post.content.into_bytes()))
        }
        "text/html" => page::of_post(request, db, path_id(request).ok_or_else(not_found)?)?,
        _ => {
            let post = find(request, db)?;
            reply::unless_known(request, &post.etag(), || reply::json(&post))
        }
    };
    Ok(reply::negotiated(response))
}

/// `GET /posts`, newest first unless `?sort=` says otherwise; those that `?q=` finds
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let mut filter = Filter::read(request)?;
    if let Some(wanted) = query(request, "q") {
        json::checked("q", &wanted, rules::line::<MAX_QUERY>)?;
        filter.add_within("words @@ websearch_to_tsquery('wiki', ${})", wanted);
    }
    Ok(select::page(request, db, filter, Order::read(request)?)?.reply(request, "posts"))
}

/// `PUT /posts/{id}`: replaces the content, and the title, slug and tags that are given
///
/// Needs the version the client saw, in If-Match or the body.
pub fn update(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let header = request::if_match(request.headers())?;
    let mut draft = Draft::read(Body::read(request)?)?;
    let who = access::who(request);
    draft.user_id = who.author(draft.user_id)?;
    let seen = match (&header, draft.version) {
        (Some(tags), None) => request::versions(tags),
        (Some(tags), Some(version)) => {
            Some(request::versions(tags).unwrap_or(vec![version]).into_iter().filter(|seen| *seen == version).collect())
        }
        (None, Some(version)) => Some(vec![version]),
        (None, None) => return Err(precondition_required()),
    };
    let post = save(db, who, id, seen, &draft).map_err(|refusal| refusal.problem(header.is_some()))?;
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

/// Why an edit was not saved.
#[derive(Debug)]
pub enum Refusal {
    /// Somebody else saved first: the page as it is now.
    Conflict(Box<Post>),
    /// Anything else.
    Problem(Problem),
}

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

impl Refusal {
    /// As a client of the API is told: 412 when it said what it saw in If-Match, 409 when in the body, with what is there
    /// now.
    pub fn problem(self, by_header: bool) -> Problem {
        match self {
            Self::Conflict(current) => edited_meanwhile(*current, by_header),
            Self::Problem(problem) => problem,
        }
    }
}

/// Saves `draft` as the next version of page `id`, and returns the page.
///
/// Of any number of writers that saw the same version, exactly one wins; without `seen`, whatever there is is replaced. A
/// save that changes nothing makes no revision. Only administrators save a protected page.
pub fn save(db: &Db, who: &Who, id: i64, seen: Option<Vec<i64>>, draft: &Draft) -> Result<Post, Refusal> {
    let params = [
        id.into(),
        db::numbers(seen.clone()),
        draft.title.clone().into(),
        draft.slug.clone().into(),
        draft.content.clone().into(),
        db::texts(draft.tags.clone()),
        draft.user_id.into(),
        draft.comment.clone().into(),
        db::texts(Some(markdown::links(&draft.content))),
        who.administers().into(),
    ];
    let row =
        db.query_one(UPDATE, &params).map_err(|failure| taken(failure, draft.slug.as_deref().unwrap_or_default()))?;
    if let Some(row) = row {
        return Ok(Post::from_row(row)?);
    }
    // The page as it is if the save would not have changed it, or what stood in the way.
    let post = by_id(db, id)?;
    protection::check(&post, who)?;
    if seen.is_some_and(|seen| !seen.contains(&post.version)) {
        return Err(Refusal::Conflict(Box::new(post)));
    }
    users::exists(db, draft.user_id)?;
    Ok(post)
}

/// Changes nothing when the page is gone, protected, was changed meanwhile, would stay as it is, or the editor does not
/// exist.
/// An edit without `user_id` is by the page's creator.
pub const UPDATE: &str = concat!(
    "WITH before AS (
    SELECT id, octet_length(content) AS size FROM posts WHERE id = $1
  ), post AS (
    UPDATE posts SET title = coalesce($3, title), slug = coalesce($4, slug), content = $5, tags = coalesce($6, tags),
      links = $9, version = version + 1, updated_time = now()
    WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
      AND ($10 OR NOT protected)
      AND ($7::bigint IS NULL OR EXISTS (SELECT FROM users WHERE users.id = $7 AND users.deleted_time IS NULL))
      AND (title, slug, content, tags)
        IS DISTINCT FROM (coalesce($3, title), coalesce($4, slug), $5, coalesce($6, tags))
    RETURNING *
  ), revision AS (
    INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
    SELECT post.id, version, coalesce($7, user_id), title, slug, content, tags, $8::text, octet_length(content),
      octet_length(content) - before.size, updated_time
    FROM post JOIN before ON before.id = post.id
  )
  SELECT ",
    columns!(),
    " FROM post"
);

/// `DELETE /posts/{id}`: the page can no longer be read, but is kept with its history
pub fn delete(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let seen = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    remove(db, access::who(request), id, seen).map_err(|refusal| refusal.problem(true))?;
    Ok(reply::no_content())
}

/// Deletes page `id` if it is at one of the versions `seen`, or at any.
pub fn remove(db: &Db, who: &Who, id: i64, seen: Option<Vec<i64>>) -> Result<(), Refusal> {
    let [actor, address] = who.actor();
    let row = db.query_one(
        "WITH deleted AS (
           UPDATE posts SET deleted_time = now()
           WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
             AND ($3 OR NOT protected)
           RETURNING id, title
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, post_id, details)
           SELECT 'page_deleted', $4, $5, id, title FROM deleted
         )
         SELECT id FROM deleted",
        &[id.into(), db::numbers(seen), who.administers().into(), actor, address],
    )?;
    if row.is_some() {
        return Ok(());
    }
    let post = by_id(db, id)?;
    protection::check(&post, who)?;
    Err(Refusal::Conflict(Box::new(post)))
}

/// `POST /posts/{id}/restore`: a deleted page as it was, under another slug if its own is in use by now
pub fn restore(request: &Request, db: &Db) -> Result<Response, Problem> {
    let post = bring_back(db, access::who(request), path_id(request).ok_or_else(not_found)?)?;
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

/// Makes a living page of the deleted page `id` and returns it. Of one that is not deleted, nothing changes.
pub fn bring_back(db: &Db, who: &Who, id: i64) -> Result<Post, Problem> {
    let [actor, address] = who.actor();
    let params = [id.into(), who.administers().into(), actor, address];
    let update = || db.query_one(RESTORE, &params);
    let row = match update() {
        // Somebody took the slug in between: the next try sees theirs.
        Err(Failure::Taken(index)) if index == SLUG_INDEX => update(),
        result => result,
    };
    match row? {
        Some(row) => Post::from_row(row),
        None => match by_id(db, id) {
            Err(problem) if protection::is_deleted_and_protected(db, id)? => {
                Err(if who.administers() { problem } else { protection::refusal() })
            }
            result => result,
        },
    }
}

const RESTORE: &str = concat!(
    "WITH restored AS (
       UPDATE posts SET deleted_time = NULL,
         slug = CASE WHEN EXISTS (SELECT FROM posts other WHERE other.slug = posts.slug AND other.deleted_time IS NULL)
           THEN slug || '-' || id ELSE slug END
       WHERE id = $1 AND deleted_time IS NOT NULL AND ($2 OR NOT protected)
       RETURNING *
     ), noted AS (
       INSERT INTO audit (event, actor_id, address, post_id, details)
       SELECT 'page_restored', $3, $4, id, title FROM restored
     )
     SELECT ",
    columns!(),
    " FROM restored"
);

/// The page the path names, 404 if there is none or it is deleted.
pub(crate) fn find(request: &Request, db: &Db) -> Result<Post, Problem> {
    by_id(db, path_id(request).ok_or_else(not_found)?)
}

/// Page `id`, 404 if there is none or it is deleted.
pub fn by_id(db: &Db, id: i64) -> Result<Post, Problem> {
    let row = db.query_one(
        concat!("SELECT ", columns!(), " FROM posts WHERE id = $1 AND deleted_time IS NULL"),
        &[id.into()],
    )?;
    Post::from_row(row.ok_or_else(not_found)?)
}

/// 404: there is no page of that number.
pub(crate) fn not_found() -> Problem {
    Problem::not_found("Post not found")
}

fn precondition_required() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_REQUIRED,
        "Say which version you edited, so that nobody's work is lost: send its ETag in If-Match, or \"version\" in the body.",
    )
}

fn edited_meanwhile(current: Post, by_header: bool) -> Problem {
    let status = if by_header { StatusCode::PRECONDITION_FAILED } else { StatusCode::CONFLICT };
    Problem::new(
        status,
        format!("The page was edited meanwhile; it is now at version {}. Merge your text with \"current\" and send it again.", current.version),
    )
    .with("version", current.version)
    .with("current", serde_json::to_value(current).unwrap_or(Value::Null))
}

fn taken(failure: Failure, slug: &str) -> Problem {
    match failure {
        Failure::Taken(index) if index == SLUG_INDEX => Problem::taken("slug", slug),
        other => other.into(),
    }
}
