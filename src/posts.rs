//! Posts, which are the wiki's pages: their current state, and a revision for every state they have had.

use std::borrow::Cow;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::db::{self, Db, Failure, Param, Row};
use crate::json::{Body, rules};
use crate::list::{self, Cursor};
use crate::negotiate::preferred;
use crate::problem::Problem;
use crate::reply::{self, MARKDOWN, Response};
use crate::request::{self, Request, path_id, positive, query};
use crate::slug::{is_slug, slugify};
use crate::time::Time;
use crate::users;

/// The most bytes a page's content may have.
const MAX_CONTENT: usize = 1 << 20;
/// The most characters of a title.
const MAX_TITLE: usize = 200;
/// The most tags of one page.
const MAX_TAGS: usize = 20;
/// Pages shown on the front page.
const LATEST: usize = 20;

/// A page as clients see one.
#[derive(Debug, Serialize)]
pub struct Post {
    post_id: i64,
    user_id: i64,
    title: String,
    slug: String,
    content: String,
    tags: Vec<String>,
    version: i64,
    created_time: Time,
    updated_time: Time,
}

/// A page in a list: everything but its content, which may be a mebibyte, and how many bytes that has.
#[derive(Debug, Serialize)]
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

/// What [`Post::from_row`] reads.
macro_rules! columns {
    () => {
        "id, user_id, title, slug, content, tags, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC'"
    };
}
pub(crate) use columns;

/// What [`Summary::from_row`] reads.
const SUMMARY_COLUMNS: &str = "id, user_id, title, slug, tags, version, created_time AT TIME ZONE 'UTC', \
                               updated_time AT TIME ZONE 'UTC', octet_length(content)::bigint";

impl Post {
    /// From the columns that `columns!` names.
    pub(crate) fn from_row(mut row: Row) -> Result<Self, Problem> {
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
        })
    }

    /// The entity tag of its JSON.
    pub(crate) fn etag(&self) -> String {
        reply::etag(self.version, "")
    }

    /// The number of its current revision.
    pub(crate) fn version(&self) -> i64 {
        self.version
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

/// What a client says of a page when it writes one.
struct Draft {
    user_id: Option<i64>,
    title: Option<String>,
    slug: Option<String>,
    content: String,
    tags: Option<Vec<String>>,
    comment: String,
    version: Option<i64>,
}

impl Draft {
    fn read(request: &Request) -> Result<Self, Problem> {
        let mut body = Body::read(request)?;
        let draft = Self {
            user_id: body.integer("user_id"),
            title: body.text("title", rules::line::<MAX_TITLE>),
            slug: body.text("slug", slug),
            content: body.required_text("content", rules::text).unwrap_or_default(),
            tags: body.texts("tags", MAX_TAGS, tag).map(distinct),
            comment: body.text("comment", comment).unwrap_or_default(),
            version: body.integer("version"),
        };
        body.finish()?;
        if draft.content.len() > MAX_CONTENT {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The content has {} bytes; a page may have at most {MAX_CONTENT}. Split it.",
                    draft.content.len()
                ),
            ));
        }
        Ok(draft)
    }
}

/// `POST /posts`
pub fn create(request: &Request, db: &Db) -> Result<Response, Problem> {
    let draft = Draft::read(request)?;
    let user_id = draft.user_id.ok_or_else(|| Problem::invalid_field("user_id", "is required"))?;
    let title = draft.title.unwrap_or_else(|| title_of(&draft.content));
    let chosen = draft.slug.is_some();
    let slug = draft.slug.unwrap_or_else(|| slugify(&title));
    let tags = draft.tags.unwrap_or_default();
    let params: [Param; 7] = [
        user_id.into(),
        title.clone().into(),
        slug.clone().into(),
        chosen.into(),
        draft.content.clone().into(),
        db::texts(Some(tags.clone())),
        draft.comment.into(),
    ];
    let insert = || db.query_one(INSERT, &params);
    let row = match insert() {
        // Somebody took the same slug in between: the next try sees theirs and takes another.
        Err(Failure::Taken(index)) if index == SLUG_INDEX && !chosen => insert(),
        result => result,
    };
    let mut row = row.map_err(|failure| taken(failure, &slug))?.ok_or_else(users::not_found)?;
    let post = Post {
        post_id: row.column()?,
        slug: row.column()?,
        version: row.column()?,
        created_time: row.column()?,
        updated_time: row.column()?,
        user_id,
        title,
        content: draft.content,
        tags,
    };
    let response = reply::created(&format!("/posts/{}", post.post_id), &post);
    Ok(reply::tagged(response, &post.etag()))
}

/// Inserts nothing when there is no such user. A slug made from the title gets the page's number where another page has
/// that slug; one the client chose does not.
const INSERT: &str = "WITH given AS (
    SELECT id AS user_id, nextval(pg_get_serial_sequence('posts', 'id')) AS id
    FROM users WHERE id = $1 AND deleted_time IS NULL
  ), post AS (
    INSERT INTO posts (id, user_id, title, slug, content, tags)
    SELECT id, user_id, $2::text,
      CASE WHEN NOT $4::boolean AND EXISTS (SELECT FROM posts WHERE slug = $3::text AND deleted_time IS NULL)
        THEN $3 || '-' || id ELSE $3 END,
      $5::text, $6::text[]
    FROM given
    RETURNING *
  ), revision AS (
    INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
    SELECT id, version, user_id, title, slug, content, tags, $7::text, octet_length(content), octet_length(content), created_time
    FROM post
  )
  SELECT id, slug, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC' FROM post";

const SLUG_INDEX: &str = "posts_slug_key";

/// `GET /posts/{id}`: JSON or, by Accept, the Markdown itself
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let post = find(request, db)?;
    let response = match preferred(request.headers(), &["application/json", "text/markdown"]) {
        "text/markdown" => {
            let etag = reply::etag(post.version, "md");
            reply::unless_known(request, &etag, || reply::bytes(StatusCode::OK, MARKDOWN, post.content.into_bytes()))
        }
        _ => reply::unless_known(request, &post.etag(), || reply::json(&post)),
    };
    Ok(reply::negotiated(response))
}

/// `GET /posts`, newest first unless `?sort=` says otherwise
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let limit = list::limit(request)?;
    let order = Order::read(request)?;
    let mut conditions = vec!["deleted_time IS NULL".to_owned()];
    let mut params = Vec::new();
    if let Some(user_id) = query(request, "user_id") {
        // What is no number is nobody's.
        params.push(positive(&user_id).unwrap_or(0).into());
        conditions.push(format!("user_id = ${}", params.len()));
    }
    if let Some(wanted) = query(request, "tag") {
        tag(&wanted).map_err(|message| Problem::invalid_field("tag", message))?;
        params.push(db::texts(Some(vec![normal_tag(&wanted)])));
        conditions.push(format!("tags @> ${}", params.len()));
    }
    if let Some(cursor) = Cursor::read(request, |keys| order.fits(keys))? {
        conditions.push(order.condition(&cursor, &mut params));
    }
    params.push(db::count(limit + 1));
    // Made of this file's own words only; everything a client said is a parameter.
    let sql = format!(
        "SELECT {SUMMARY_COLUMNS} FROM posts WHERE {} ORDER BY {} LIMIT ${}",
        conditions.join(" AND "),
        order.sql(),
        params.len()
    );
    let rows = db.query(&sql, &params)?;
    let mut posts = rows.into_iter().map(Summary::from_row).collect::<Result<Vec<_>, _>>()?;
    let more = posts.len() > limit;
    posts.truncate(limit);
    let next = posts.last().filter(|_| more).map(|last| list::next_url(request, &order.cursor(last)));
    Ok(reply::tagged_by_content(request, reply::json(&json!({ "posts": posts, "next": next }))))
}

/// The pages edited last, for the front page.
pub fn latest(db: &Db) -> Result<Vec<Summary>, Problem> {
    let sql = format!(
        "SELECT {SUMMARY_COLUMNS} FROM posts WHERE deleted_time IS NULL ORDER BY updated_time DESC, id DESC LIMIT $1"
    );
    db.query(&sql, &[db::count(LATEST)])?.into_iter().map(Summary::from_row).collect()
}

/// `PUT /posts/{id}`: replaces the content, and the title, slug and tags that are given
///
/// Needs the version the client saw, in If-Match or the body. Of any number of writers that saw the same one, exactly one
/// wins; the others are shown what it wrote. A save that changes nothing makes no revision.
pub fn update(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let header = request::if_match(request.headers())?;
    let draft = Draft::read(request)?;
    let seen = match (&header, draft.version) {
        (Some(tags), None) => request::versions(tags),
        (Some(tags), Some(version)) => {
            Some(request::versions(tags).unwrap_or(vec![version]).into_iter().filter(|seen| *seen == version).collect())
        }
        (None, Some(version)) => Some(vec![version]),
        (None, None) => return Err(precondition_required()),
    };
    let slug = draft.slug.clone().unwrap_or_default();
    let row = db
        .query_one(
            UPDATE,
            &[
                id.into(),
                db::numbers(seen.clone()),
                draft.title.into(),
                draft.slug.into(),
                draft.content.into(),
                db::texts(draft.tags),
                draft.user_id.into(),
                draft.comment.into(),
            ],
        )
        .map_err(|failure| taken(failure, &slug))?;
    let post = match row {
        Some(row) => Post::from_row(row)?,
        None => unchanged(request, db, seen.as_deref(), draft.user_id, header.is_some())?,
    };
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

/// Changes nothing when the page is gone, was changed meanwhile, would stay as it is, or the editor does not exist.
/// An edit without `user_id` is by the page's creator.
const UPDATE: &str = concat!(
    "WITH before AS (
    SELECT id, octet_length(content) AS size FROM posts WHERE id = $1
  ), post AS (
    UPDATE posts SET title = coalesce($3, title), slug = coalesce($4, slug), content = $5, tags = coalesce($6, tags),
      version = version + 1, updated_time = now()
    WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
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

/// Why an update touched no row: the page as it is if the save would not have changed it, or what stood in the way.
fn unchanged(
    request: &Request,
    db: &Db,
    seen: Option<&[i64]>,
    editor: Option<i64>,
    by_header: bool,
) -> Result<Post, Problem> {
    let post = find(request, db)?;
    if seen.is_some_and(|seen| !seen.contains(&post.version)) {
        return Err(edited_meanwhile(post, by_header));
    }
    users::exists(db, editor)?;
    Ok(post)
}

/// `DELETE /posts/{id}`: the page can no longer be read, but is kept with its history
pub fn delete(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let seen = request::if_match(request.headers())?.and_then(|tags| request::versions(&tags));
    let row = db.query_one(
        "UPDATE posts SET deleted_time = now()
         WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
         RETURNING id",
        &[id.into(), db::numbers(seen)],
    )?;
    match row {
        Some(_) => Ok(reply::no_content()),
        None => Err(edited_meanwhile(find(request, db)?, true)),
    }
}

/// `POST /posts/{id}/restore`: a deleted page as it was, under another slug if its own is in use by now
pub fn restore(request: &Request, db: &Db) -> Result<Response, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
    let update = || db.query_one(RESTORE, &[id.into()]);
    let row = match update() {
        // Somebody took the slug in between: the next try sees theirs.
        Err(Failure::Taken(index)) if index == SLUG_INDEX => update(),
        result => result,
    };
    let post = match row? {
        Some(row) => Post::from_row(row)?,
        // Restoring what is there is no error: the client gets what it wants.
        None => find(request, db)?,
    };
    Ok(reply::tagged(reply::json(&post), &post.etag()))
}

const RESTORE: &str = concat!(
    "UPDATE posts SET deleted_time = NULL,
       slug = CASE WHEN EXISTS (SELECT FROM posts other WHERE other.slug = posts.slug AND other.deleted_time IS NULL)
         THEN slug || '-' || id ELSE slug END
     WHERE id = $1 AND deleted_time IS NOT NULL
     RETURNING ",
    columns!()
);

/// The page the path names, 404 if there is none or it is deleted.
pub(crate) fn find(request: &Request, db: &Db) -> Result<Post, Problem> {
    let id = path_id(request).ok_or_else(not_found)?;
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

/// 412 when the client said what it saw in If-Match, 409 when in the body, with what is there now.
pub(crate) fn edited_meanwhile(current: Post, by_header: bool) -> Problem {
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

/// The orders a list can be had in. All end in the id, so that no two pages have the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    key: Key,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Created,
    Updated,
    Title,
}

impl Order {
    fn read(request: &Request) -> Result<Self, Problem> {
        let text = query(request, "sort").unwrap_or_else(|| "-created".to_owned());
        let (descending, name) = text.strip_prefix('-').map_or((false, text.as_str()), |name| (true, name));
        let key = match name {
            "created" => Key::Created,
            "updated" => Key::Updated,
            "title" => Key::Title,
            _ => {
                return Err(Problem::invalid_field(
                    "sort",
                    "must be created, updated or title, with a hyphen before it for the opposite order",
                ));
            }
        };
        Ok(Self { key, descending })
    }

    fn sql(self) -> &'static str {
        match (self.key, self.descending) {
            (Key::Created, false) => "id",
            (Key::Created, true) => "id DESC",
            (Key::Updated, false) => "updated_time, id",
            (Key::Updated, true) => "updated_time DESC, id DESC",
            (Key::Title, false) => "title COLLATE \"C\", id",
            (Key::Title, true) => "title COLLATE \"C\" DESC, id DESC",
        }
    }

    fn cursor(self, last: &Summary) -> Cursor {
        Cursor(match self.key {
            Key::Created => vec![last.post_id.into()],
            Key::Updated => vec![last.updated_time.micros().into(), last.post_id.into()],
            Key::Title => vec![last.title.clone().into(), last.post_id.into()],
        })
    }

    fn fits(self, keys: &[Value]) -> bool {
        match (self.key, keys) {
            (Key::Created, [id]) => id.is_i64(),
            (Key::Updated, [micros, id]) => micros.is_i64() && id.is_i64(),
            (Key::Title, [title, id]) => {
                title.as_str().is_some_and(|t| rules::line::<MAX_TITLE>(t).is_ok()) && id.is_i64()
            }
            _ => false,
        }
    }

    /// The condition that a page comes after `cursor`, whose keys are added to `params`.
    fn condition(self, cursor: &Cursor, params: &mut Vec<Param>) -> String {
        for key in &cursor.0 {
            params.push(match key.as_str() {
                Some(text) => text.to_owned().into(),
                None => key.as_i64().unwrap_or_default().into(),
            });
        }
        let comparison = if self.descending { '<' } else { '>' };
        let (first, second) = (params.len() - cursor.0.len() + 1, params.len());
        match self.key {
            Key::Created => format!("id {comparison} ${second}"),
            Key::Updated => format!("(updated_time, id) {comparison} ({}, ${second})", db::instant(first)),
            Key::Title => format!("(title COLLATE \"C\", id) {comparison} (${first}, ${second})"),
        }
    }
}

/// The title of a page that was given none: its first heading, else its first line with a letter or digit, else its
/// first line, else `Untitled`.
fn title_of(content: &str) -> String {
    let lines = || content.lines().map(str::trim).filter(|line| !line.is_empty());
    let heading = lines().find_map(|line| {
        let text = line.trim_start_matches('#');
        // One to six hashes and a space (CommonMark, 4.2).
        let level = line.len() - text.len();
        ((1..=6).contains(&level) && text.starts_with([' ', '\t'])).then(|| text.trim().trim_end_matches('#').trim())
    });
    let words = || lines().find(|line| line.chars().any(char::is_alphanumeric));
    let title = heading.or_else(words).or_else(|| lines().next()).unwrap_or_default();
    let title: String = title.chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect();
    let title = title.trim();
    if title.is_empty() { "Untitled".to_owned() } else { title.to_owned() }
}

fn slug(text: &str) -> Result<(), Cow<'static, str>> {
    if is_slug(text) { Ok(()) } else { Err(format!("is not a slug; {:?} would be", slugify(text)).into()) }
}

/// Why an edit was made: one line, or nothing.
pub(crate) fn comment(text: &str) -> Result<(), Cow<'static, str>> {
    if text.is_empty() { Ok(()) } else { rules::line::<500>(text) }
}

fn tag(text: &str) -> Result<(), Cow<'static, str>> {
    if text.contains(',') { Err("must not contain a comma".into()) } else { rules::line::<50>(text) }
}

/// Tags differ by more than case and surrounding space.
fn normal_tag(tag: &str) -> String {
    tag.trim().to_lowercase()
}

fn distinct(tags: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = normal_tag(&tag);
        if !distinct.contains(&tag) {
            distinct.push(tag);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_title_is_the_first_heading_or_line() {
        for (content, title) in [
            ("# Hello\n\ntext", "Hello"),
            ("intro\n\n## Second ##\n", "Second"),
            ("\n\n  first line  \nsecond", "first line"),
            ("#hashtag", "#hashtag"),
            ("####### seven", "####### seven"),
            ("", "Untitled"),
            ("\n \t\n", "Untitled"),
            ("#\u{85}", "#"),
            ("# \n\ntext", "text"),
            ("***\n\ntext", "text"),
            ("🎉\n", "🎉"),
        ] {
            assert_eq!(title_of(content), title, "{content:?}");
        }
    }

    #[test]
    fn tags_are_folded_and_kept_in_order() {
        assert_eq!(distinct(vec!["Rust".into(), " wasm ".into(), "rust".into()]), ["rust", "wasm"]);
    }

    #[test]
    fn unknown_orders_are_refused() {
        for (sort, known) in [("created", true), ("-title", true), ("--title", false), ("id", false), ("", false)] {
            let request = http::Request::get(format!("/posts?sort={sort}")).body(Vec::new()).unwrap();
            assert_eq!(Order::read(&request).is_ok(), known, "{sort}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_does_not_fit() {
        let title = Order { key: Key::Title, descending: false };
        assert!(title.fits(&[json!("a"), json!(1)]));
        for keys in [
            vec![json!(1)],
            vec![json!(1), json!(1)],
            vec![json!("\0"), json!(1)],
            vec![json!("a"), json!("b")],
            vec![],
        ] {
            assert!(!title.fits(&keys), "{keys:?}");
        }
    }

    proptest! {
        #[test]
        fn every_content_has_a_valid_title(content in any::<String>()) {
            let title = title_of(&content);
            prop_assert!(rules::line::<MAX_TITLE>(&title).is_ok(), "{title:?}");
        }
    }
}
