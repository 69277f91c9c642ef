//! Changes to pages. Each is one statement that says what it did.

use wiki_types::slug::slugify;
use wiki_types::{Post, Time, rules};

use crate::markdown;
use crate::store::audit::Actor;
use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::files::claimed;
use crate::store::pages::read_post;
use crate::store::submissions::{self, Submission, swept};
use crate::store::{search, tasks, zones};
use crate::{indexed, tasks_hash, with_tasks};

/// The unique index over the slugs of pages.
const SLUG_INDEX: &str = "posts_slug_key";

/// How often a slug that was free is looked for, while others take it: each time, all but one of them have another number.
const TRIES: usize = 5;

/// SQL for a recursive table of slugs for the row of a table with `id` and `slug`: its slug, and as long as a living page
/// has the last of them, one with a number more. The last is free. A number shortens the slug to 100 characters, the
/// `MAX_LENGTH` of slugs; what is left of it and a number are a slug as well.
macro_rules! candidates {
    ($table:literal, $unless:literal) => {
        concat!(
            "candidates AS (
               SELECT slug, 0 AS number FROM ",
            $table,
            "
               UNION ALL
               SELECT rtrim(left(wanted.slug, 100 - length(suffix)), '-') || suffix, number + 1
               FROM candidates CROSS JOIN ",
            $table,
            " AS wanted CROSS JOIN LATERAL (
                 SELECT '-' || wanted.id || CASE number WHEN 0 THEN '' ELSE '-' || number + 1 END AS suffix
               ) AS numbered
               WHERE NOT ",
            $unless,
            " AND EXISTS (SELECT FROM posts WHERE posts.slug = candidates.slug AND posts.deleted_time IS NULL)
             ), free AS (SELECT slug FROM candidates ORDER BY number DESC LIMIT 1)"
        )
    };
}

/// SQL for whether a user is named who does not exist.
macro_rules! no_such_user {
    ($user_id:literal) => {
        concat!(
            $user_id,
            " IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE users.id = ",
            $user_id,
            " AND users.deleted_time IS NULL)"
        )
    };
}

/// SQL for the cases in which a page in `posts` may not be changed, the first ones of a CASE. `$may_override` is whether a protected
/// page may be.
macro_rules! refused {
    ($may_override:literal) => {
        concat!(
            "WHEN deleted_time IS NOT NULL OR NOT ",
            is_readable!("posts"),
            " THEN 'gone' WHEN NOT ",
            is_writable!("posts"),
            " THEN 'read only' WHEN protected AND NOT ",
            $may_override,
            " THEN 'protected'"
        )
    };
}

/// The part of a statement that adds the version which deleted or restored the page in the table of this name.
macro_rules! revision {
    ($page:literal, $kind:literal, $user_id:literal, $comment:literal) => {
        concat!(
            "revision AS (
               INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, kind,
                 created_time)
               SELECT id, version, ",
            $user_id,
            ", title, slug, content, tags, ",
            $comment,
            ", octet_length(content), 0, '",
            $kind,
            "', updated_time FROM ",
            $page,
            ")"
        )
    };
}

/// A page, or an edit of one, as a client sends it. Whatever is absent stays as it is, or gets its default.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Who writes. An edit without it is by the page's creator.
    pub user_id: Option<i64>,
    /// The page's title.
    pub title: Option<String>,
    /// Its name in URLs.
    pub slug: Option<String>,
    /// The space a new page comes into; the one of its parent, or the first, if it is absent.
    pub space_id: Option<i64>,
    /// The page a new page comes below.
    pub parent_id: Option<i64>,
    /// Its Markdown.
    pub content: String,
    /// Its tags, folded and each once.
    pub tags: Option<Vec<String>>,
    /// Why it is written, or an empty text.
    pub comment: String,
    /// The version this edit is based on.
    pub version: Option<i64>,
    /// When it was written, if that was elsewhere and earlier.
    pub created_time: Option<Time>,
    /// When it was edited last, if that was elsewhere and earlier.
    pub updated_time: Option<Time>,
    /// The account that creates it: its files that wait for a page, and that the text shows, become the page's.
    pub owner: Option<i64>,
    /// The key of the form or request it came with: one that comes again makes and saves nothing.
    pub key: Option<String>,
}

/// Who deletes or restores a page, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// The user; none if that is not known.
    pub user_id: Option<i64>,
    /// Why, or an empty text.
    pub comment: String,
}

/// Why somebody may not change a page that they may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Only administrators may change the page.
    Protected,
    /// It is in a space, or below a page, where they may only read.
    ReadOnly,
}

/// Why a page cannot come to where it was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unplaced {
    /// There is no such space, or the reader may not read it.
    NoSuchSpace,
    /// There is no such page to be above it, or the reader may not read that, or it is in another space.
    NoSuchParent,
    /// There would be more than [`MAX_DEPTH`](super::MAX_DEPTH) pages above one another.
    TooDeep,
    /// The reader may not write there.
    ReadOnly,
}

impl Unplaced {
    /// The reason that a statement gives with these words.
    pub(super) fn named(outcome: &str) -> Option<Self> {
        Some(match outcome {
            "no such space" => Self::NoSuchSpace,
            "no such parent" => Self::NoSuchParent,
            "too deep" => Self::TooDeep,
            "read only" => Self::ReadOnly,
            _ => return None,
        })
    }
}

/// What [`create`] did.
#[derive(Debug)]
pub enum Created {
    /// There is a new page.
    Created(Post),
    /// No user has that number.
    NoSuchUser,
    /// Another page has the slug that the draft asks for.
    SlugTaken,
    /// The same request made a page before.
    Repeated(Submission),
    /// It has no place.
    Unplaced(Unplaced),
}

/// Creates a page by user `user_id`.
///
/// A draft without a slug gets one from its title, with the page's number behind it where another page has that slug, and
/// a second number where another page has that one, too.
pub fn create(db: &Db, user_id: i64, draft: Draft) -> Result<Created, Error> {
    let title = draft.title.unwrap_or_else(|| markdown::title_of(&draft.content));
    let is_chosen = draft.slug.is_some();
    let title_slug = slugify(&title);
    let slug = draft.slug.map_or_else(|| title_slug.clone(), |slug| rules::composed(&slug).into_owned());
    let entry = search::Entry::of(Some(&title), &draft.content).params();
    let tasks = tasks::Entry::of(&draft.content).params();
    let params = [
        user_id.into(),
        title.into(),
        slug.into(),
        is_chosen.into(),
        draft.content.clone().into(),
        db::texts(Some(draft.tags.unwrap_or_default())),
        draft.comment.into(),
        db::texts(Some(markdown::links(&draft.content))),
        draft.created_time.or(draft.updated_time).map(Time::micros).into(),
        draft.key.clone().into(),
        title_slug.into(),
        draft.updated_time.map(Time::micros).into(),
    ];
    let place = [draft.parent_id.into(), draft.space_id.into()];
    let files = [draft.owner.into(), db::numbers(Some(markdown::files(&draft.content)))];
    let params: Vec<Param> = params.into_iter().chain(entry).chain(tasks).chain(place).chain(files).collect();
    let insert = || {
        let mut row = match db.query_row(CREATE, &params) {
            Err(Error::Duplicate(index)) if index == submissions::INDEX => {
                let key = draft.key.as_deref().unwrap_or_default();
                let before = submissions::find(db, key)?;
                return before.map(Created::Repeated).ok_or(Error::Duplicate(index));
            }
            row => row?,
        };
        Ok(match &*row.column::<String>()? {
            "created" => Created::Created(read_post(&mut row)?),
            "slug taken" => Created::SlugTaken,
            "no such user" => Created::NoSuchUser,
            other => Created::Unplaced(Unplaced::named(other).ok_or_else(|| unknown_outcome(other))?),
        })
    };
    for _ in 1..TRIES {
        match insert()? {
            // Another page took the slug after this statement began. The next try sees that page and takes another slug.
            Created::SlugTaken if !is_chosen => {}
            created => return Ok(created),
        }
    }
    insert()
}

/// Returns what it did and, if it created a page, that page. It locks what the page comes into: who moves that, or removes it, waits
/// and then sees the page.
const CREATE: &str = concat!(
    "WITH RECURSIVE parent AS MATERIALIZED (
       SELECT id, space_id, acl_id FROM posts
       WHERE id = $22::bigint AND deleted_time IS NULL AND ($23::bigint IS NULL OR space_id = $23) AND ",
    is_readable!("posts"),
    " FOR KEY SHARE
     ), chosen AS MATERIALIZED (
       SELECT id, acl_id FROM spaces WHERE $22 IS NULL AND id = $23 AND id <> 1 AND deleted_time IS NULL AND ",
    is_readable!("spaces"),
    " FOR KEY SHARE
     ), place AS (
       SELECT id AS parent_id, space_id, acl_id, cardinality(ancestry(id)) >= max_depth() AS is_too_deep FROM parent
       UNION ALL SELECT NULL, id, acl_id, false FROM chosen
       UNION ALL SELECT NULL, 1, 0, false WHERE $22 IS NULL AND coalesce($23, 1) = 1
     ), given AS (
       SELECT users.id AS user_id, parent_id, space_id, acl_id,
         nextval(pg_get_serial_sequence('posts', 'id')) AS id, $3::text AS slug,
         coalesce('epoch'::timestamptz + $9::bigint * interval '1 microsecond', now()) AS time,
         'epoch'::timestamptz + $12::bigint * interval '1 microsecond' AS edit_time
       FROM users CROSS JOIN place WHERE users.id = $1 AND users.deleted_time IS NULL AND NOT is_too_deep AND ",
    is_writable!("place"),
    "
     ), ",
    candidates!("given", "$4::boolean"),
    ", post AS (
       INSERT INTO posts (id, user_id, title, slug, title_slug, content, tags, links, created_time, updated_time,
         tasks_version, tasks_hash, space_id, parent_id, acl_id)
       SELECT id, user_id, $2::text, free.slug, nullif($11::text, free.slug), $5::text, $6::text[], $8::text[], time,
         coalesce(edit_time, time), 1, ",
    tasks_hash!("$6::text[]", "$21"),
    ", space_id, parent_id, acl_id
       FROM given CROSS JOIN free
       ON CONFLICT (slug) WHERE deleted_time IS NULL DO NOTHING
       RETURNING *
     ), revision AS (
       INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
       SELECT id, version, user_id, title, slug, content, tags, $7::text, octet_length(content), octet_length(content),
         updated_time
       FROM post
     ), ",
    indexed!("post", "$13", "$14", "$15", "$16", "$17", "$18", "$19"),
    ", ",
    with_tasks!("post", "0", "page.user_id", "$20", "$21"),
    ", submitted AS (
       INSERT INTO submissions (key, post_id, version) SELECT $10::text, id, version FROM post WHERE $10 IS NOT NULL
     ), ",
    claimed!("post", "$24::bigint", "$25"),
    ", ",
    swept!("$10"),
    "
     SELECT CASE
       WHEN id IS NOT NULL THEN 'created'
       WHEN given_id IS NOT NULL THEN 'slug taken'
       WHEN NOT EXISTS (SELECT FROM users WHERE users.id = $1 AND users.deleted_time IS NULL) THEN 'no such user'
       WHEN NOT EXISTS (SELECT FROM place) THEN CASE WHEN $22 IS NULL THEN 'no such space' ELSE 'no such parent' END
       WHEN (SELECT is_too_deep FROM place) THEN 'too deep'
       ELSE 'read only' END, ",
    post_columns!(),
    " FROM (SELECT (SELECT id FROM given) AS given_id) AS draft LEFT JOIN (post CROSS JOIN with_tasks) ON true"
);

/// What [`save`] did.
#[derive(Debug)]
pub enum Saved {
    /// The page has a new version.
    Saved(Post),
    /// The page already is what the draft says. It has no new version.
    Unchanged(Post),
    /// The page, as it is now, is at none of the versions the edit is based on.
    Stale(Box<Post>),
    /// The sender may not change the page.
    Refused(Refusal),
    /// There is no such page, or it is deleted.
    Gone,
    /// The editor does not exist.
    NoSuchUser,
    /// Another page has the slug that the draft asks for.
    SlugTaken,
}

/// Saves `draft` as the next version of page `id`.
///
/// Of any number of writers that saw the same version, exactly one succeeds. `seen` are the versions the edit may be based
/// on; without it, any. `may_override` is whether the editor may change a protected page. A new title or slug is noted in
/// the audit trail. A text that completes a task which recurs is saved with the next one below it.
pub fn save(
    db: &Db,
    id: i64,
    seen: Option<Vec<i64>>,
    draft: &Draft,
    may_override: bool,
    actor: &Actor,
) -> Result<Saved, Error> {
    for _ in 0..TRIES {
        let Some((version, content)) = completing(db, id, seen.as_deref(), draft)? else { break };
        let draft = Draft { content, ..draft.clone() };
        match save_as_it_is(db, id, Some(vec![version]), &draft, may_override, actor)? {
            // Somebody else was faster, and any version will do.
            Saved::Stale(_) if seen.is_none() => {}
            saved => return Ok(saved),
        }
    }
    save_as_it_is(db, id, seen, draft, may_override, actor)
}

/// The version of page `id` in which `draft` completes tasks that recur, and its text with the next ones. None if it
/// completes none, or is of another version.
fn completing(db: &Db, id: i64, seen: Option<&[i64]>, draft: &Draft) -> Result<Option<(i64, String)>, Error> {
    if !crate::tasks::may_complete(&draft.content) {
        return Ok(None);
    }
    let before = super::find(db, id)?.filter(|before| seen.is_none_or(|seen| seen.contains(&before.version)));
    let Some(before) = before else { return Ok(None) };
    let today = zones::days(db, &draft.content, &[])?;
    let content = crate::tasks::completed(&before.content, &draft.content, &today);
    Ok(content.map(|content| (before.version, content)))
}

/// The same for a text that is saved as it is: one that has the next ones of tasks which it completes.
pub fn save_as_it_is(
    db: &Db,
    id: i64,
    seen: Option<Vec<i64>>,
    draft: &Draft,
    may_override: bool,
    actor: &Actor,
) -> Result<Saved, Error> {
    let [actor_id, address] = actor.params();
    let params = [
        id.into(),
        db::numbers(seen),
        draft.title.clone().into(),
        draft.slug.clone().into(),
        draft.content.clone().into(),
        db::texts(draft.tags.clone()),
        draft.user_id.into(),
        draft.comment.clone().into(),
        db::texts(Some(markdown::links(&draft.content))),
        may_override.into(),
        draft.slug.as_deref().map(|slug| rules::composed(slug).into_owned()).into(),
        draft.key.clone().into(),
        actor_id,
        address,
        draft.title.as_deref().map(slugify).into(),
    ];
    let entry = search::Entry::of(draft.title.as_deref(), &draft.content).params();
    let tasks = tasks::Entry::of(&draft.content).params();
    let files = db::numbers(Some(markdown::files(&draft.content)));
    let params: Vec<Param> = params.into_iter().chain(entry).chain(tasks).chain([files]).collect();
    let mut row = match db.query_row(SAVE, &params) {
        Ok(row) => row,
        // Another page took the slug after this statement began.
        Err(Error::Duplicate(index)) if index == SLUG_INDEX => return Ok(Saved::SlugTaken),
        Err(error) => return Err(error),
    };
    let Some(outcome) = row.column::<Option<String>>()? else { return Ok(Saved::Gone) };
    Ok(match &*outcome {
        "saved" => Saved::Saved(read_post(&mut row)?),
        "unchanged" => Saved::Unchanged(read_post(&mut row)?),
        "stale" => Saved::Stale(Box::new(read_post(&mut row)?)),
        "protected" => Saved::Refused(Refusal::Protected),
        "read only" => Saved::Refused(Refusal::ReadOnly),
        "gone" => Saved::Gone,
        "no such user" => Saved::NoSuchUser,
        "slug taken" => Saved::SlugTaken,
        other => return Err(unknown_outcome(other)),
    })
}

/// Locks the page first: the outcome is decided on the row that is changed, whatever others do meanwhile. A page may keep
/// a slug that is not composed; a new one is. A form that is sent again with another text has saved this version last.
const SAVE: &str = concat!(
    "WITH before AS (
       SELECT *, CASE WHEN slug = $4::text THEN slug ELSE coalesce($11::text, slug) END AS wanted_slug, CASE
         ",
    refused!("$10::boolean"),
    "
         WHEN version <> ALL ($2::bigint[]) THEN 'stale'
         WHEN ",
    no_such_user!("$7::bigint"),
    " THEN 'no such user'
         WHEN (title, slug, content, tags)
           IS NOT DISTINCT FROM (coalesce($3::text, title), CASE WHEN slug = $4 THEN slug ELSE coalesce($11, slug) END, $5::text,
             coalesce($6::text[], tags))
           THEN 'unchanged'
         WHEN slug <> $4 AND EXISTS (
           SELECT FROM posts other WHERE other.slug = $11 AND other.id <> posts.id AND other.deleted_time IS NULL)
           THEN 'slug taken'
         ELSE 'saved' END AS outcome
       FROM posts WHERE id = $1 FOR UPDATE
     ), after AS (
       UPDATE posts SET title = coalesce($3, before.title), slug = before.wanted_slug,
         title_slug = nullif(coalesce($15::text, before.title_slug, before.slug), before.wanted_slug), content = $5,
         tags = coalesce($6, before.tags), links = $9, version = before.version + 1, updated_time = now(),
         tasks_version = before.version + 1, tasks_hash = ",
    tasks_hash!("coalesce($6, before.tags)", "$24"),
    "
       FROM before WHERE posts.id = before.id AND before.outcome = 'saved'
       RETURNING posts.*
     ), revision AS (
       INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, kind,
         created_time)
       SELECT after.id, after.version, coalesce($7, after.user_id), after.title, after.slug, after.content, after.tags,
         $8::text, octet_length(after.content), octet_length(after.content) - octet_length(before.content),
         CASE WHEN (after.title, after.slug) = (before.title, before.slug) THEN 'edited' ELSE 'renamed' END,
         after.updated_time
       FROM after JOIN before ON before.id = after.id
     ), ",
    indexed!("after", "$16", "$17", "$18", "$19", "$20", "$21", "$22"),
    ", ",
    with_tasks!("after", "(SELECT tasks_hash FROM before)", "coalesce($7, page.user_id)", "$23", "$24"),
    ", noted AS (
       INSERT INTO audit (event, actor_id, address, post_id, details)
       SELECT 'page_renamed', $13::bigint, $14::text, after.id, CASE
         WHEN after.title = before.title THEN before.slug || ' → ' || after.slug
         ELSE before.title || ' → ' || after.title END
       FROM after JOIN before ON before.id = after.id AND (after.title, after.slug) <> (before.title, before.slug)
     ), submitted AS (
       INSERT INTO submissions (key, post_id, version) SELECT $12::text, id, version FROM after WHERE $12 IS NOT NULL
       ON CONFLICT (key) DO UPDATE SET post_id = excluded.post_id, version = excluded.version, created_time = now()
     ), ",
    claimed!("after", "$13", "$25"),
    ", ",
    swept!("$12"),
    "
     ",
    row_or_nulls!(
        "SELECT 'saved', ",
        post_columns!(),
        " FROM after CROSS JOIN with_tasks UNION ALL SELECT outcome, ",
        post_columns!(),
        " FROM before WHERE outcome <> 'saved'"
    )
);

/// What [`delete`] did.
#[derive(Debug)]
pub enum Deleted {
    /// The page is deleted.
    Deleted,
    /// The page, as it is now, is at none of the versions that were seen.
    Stale(Box<Post>),
    /// The sender may not change the page.
    Refused(Refusal),
    /// Pages below it were to be deleted with it, and the sender may not change some of them. Nothing is deleted.
    Blocked(Blocked),
    /// There is no such page, or it was deleted before.
    Gone,
    /// The user of the note does not exist.
    NoSuchUser,
}

/// Which pages keep a page from being deleted with everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocked {
    /// The titles of pages that only administrators may change, four at most.
    pub protected: Vec<String>,
    /// The titles of pages that the sender may only read, four at most.
    pub read_only: Vec<String>,
}

/// Deletes page `id`, if it is at one of the versions `seen`. Its history is kept, and the deletion is a version in it. The pages
/// right below it move up to where it was.
pub fn delete(
    db: &Db,
    id: i64,
    seen: Option<Vec<i64>>,
    note: &Note,
    may_override: bool,
    actor: &Actor,
) -> Result<Deleted, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        concat!(
            "WITH before AS (
               SELECT *, CASE
                 ",
            refused!("$3::boolean"),
            "
                 WHEN version <> ALL ($2::bigint[]) THEN 'stale'
                 WHEN ",
            no_such_user!("$6::bigint"),
            " THEN 'no such user'
                 ELSE 'deleted' END AS outcome
               FROM posts WHERE id = $1 FOR UPDATE
             ), deleted AS (
               UPDATE posts SET deleted_time = now(), version = before.version + 1, updated_time = now()
               FROM before WHERE posts.id = before.id AND before.outcome = 'deleted'
               RETURNING posts.*
             ), ",
            revision!("deleted", "deleted", "$6", "$7::text"),
            ", noted AS (
               INSERT INTO audit (event, actor_id, address, post_id, details)
               SELECT 'page_deleted', $4, $5, id, title FROM deleted
             )
             ",
            row_or_nulls!("SELECT outcome, ", post_columns!(), " FROM before")
        ),
        &[
            id.into(),
            db::numbers(seen),
            may_override.into(),
            actor_id,
            address,
            note.user_id.into(),
            note.comment.clone().into(),
        ],
    )?;
    let Some(outcome) = row.column::<Option<String>>()? else { return Ok(Deleted::Gone) };
    deleted(&outcome, &mut row)
}

/// What became of a deletion, by its name. The columns of the page come next in `row`.
pub(super) fn deleted(outcome: &str, row: &mut Row) -> Result<Deleted, Error> {
    Ok(match outcome {
        "deleted" => Deleted::Deleted,
        "stale" => Deleted::Stale(Box::new(read_post(row)?)),
        "protected" => Deleted::Refused(Refusal::Protected),
        "read only" => Deleted::Refused(Refusal::ReadOnly),
        "gone" => Deleted::Gone,
        "no such user" => Deleted::NoSuchUser,
        other => return Err(unknown_outcome(other)),
    })
}

/// What [`restore`] did.
#[derive(Debug)]
pub enum Restored {
    /// The page is back, under another slug if its own is in use by now.
    Restored(Post),
    /// The page is not deleted.
    NotDeleted(Post),
    /// The sender may not change the page.
    Refused(Refusal),
    /// There never was such a page.
    Gone,
    /// The user of the note does not exist.
    NoSuchUser,
}

/// Restores page `id` after it was deleted, as a version of its own.
pub fn restore(db: &Db, id: i64, note: &Note, may_override: bool, actor: &Actor) -> Result<Restored, Error> {
    let [actor_id, address] = actor.params();
    let params = [id.into(), may_override.into(), actor_id, address, note.user_id.into(), note.comment.clone().into()];
    let mut tries = 1;
    let mut row = loop {
        match db.query_row(RESTORE, &params) {
            // Another page took the slug after this statement began. The next try sees that page.
            Err(Error::Duplicate(index)) if index == SLUG_INDEX && tries < TRIES => tries += 1,
            result => break result?,
        }
    };
    let Some(outcome) = row.column::<Option<String>>()? else { return Ok(Restored::Gone) };
    Ok(match &*outcome {
        "restored" => Restored::Restored(read_post(&mut row)?),
        "not deleted" => Restored::NotDeleted(read_post(&mut row)?),
        "gone" => Restored::Gone,
        "protected" => Restored::Refused(Refusal::Protected),
        "read only" => Restored::Refused(Refusal::ReadOnly),
        "no such user" => Restored::NoSuchUser,
        other => return Err(unknown_outcome(other)),
    })
}

const RESTORE: &str = concat!(
    "WITH RECURSIVE before AS (
       SELECT *, CASE
         WHEN NOT ",
    is_readable!("posts"),
    " THEN 'gone'
         WHEN deleted_time IS NULL THEN 'not deleted'
         WHEN NOT ",
    is_writable!("posts"),
    " THEN 'read only'
         WHEN protected AND NOT $2::boolean THEN 'protected'
         WHEN ",
    no_such_user!("$5::bigint"),
    " THEN 'no such user'
         ELSE 'restored' END AS outcome
       FROM posts WHERE id = $1 FOR UPDATE
     ), ",
    candidates!("before", "outcome <> 'restored'"),
    ", after AS (
       UPDATE posts SET deleted_time = NULL, slug = free.slug,
         title_slug = nullif(coalesce(before.title_slug, before.slug), free.slug), version = before.version + 1, updated_time = now()
       FROM before CROSS JOIN free WHERE posts.id = before.id AND before.outcome = 'restored'
       RETURNING posts.*
     ), ",
    revision!("after", "restored", "$5", "$6::text"),
    ", noted AS (
       INSERT INTO audit (event, actor_id, address, post_id, details)
       SELECT 'page_restored', $3, $4, id, title FROM after
     )
     ",
    row_or_nulls!(
        "SELECT 'restored', ",
        post_columns!(),
        " FROM after UNION ALL SELECT outcome, ",
        post_columns!(),
        " FROM before WHERE outcome <> 'restored'"
    )
);

/// Sets whether only administrators may change page `id`, and returns the page; none if there is no such page.
pub fn set_protection(db: &Db, id: i64, protected: bool, actor: &Actor) -> Result<Option<Post>, Error> {
    let [actor_id, address] = actor.params();
    let event = if protected { "page_protected" } else { "page_unprotected" };
    let mut row = db.query_row(
        concat!(
            "WITH before AS (
               SELECT * FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
            is_readable!("posts"),
            " FOR UPDATE
             ), after AS (
               UPDATE posts SET protected = $2 FROM before WHERE posts.id = before.id AND before.protected <> $2
               RETURNING posts.*
             ), noted AS (
               INSERT INTO audit (event, actor_id, address, post_id, details)
               SELECT $3, $4, $5, id, title FROM after
             )
             ",
            row_or_nulls!(
                "SELECT true, ",
                post_columns!(),
                " FROM after UNION ALL SELECT true, ",
                post_columns!(),
                " FROM before WHERE protected = $2"
            )
        ),
        &[id.into(), protected.into(), event.to_owned().into(), actor_id, address],
    )?;
    row.column::<Option<bool>>()?.map(|_| read_post(&mut row)).transpose()
}

pub(super) fn unknown_outcome(outcome: &str) -> Error {
    Error::Internal(format!("a statement returned the unknown outcome {outcome:?}"))
}
