//! Drafts: what signed-in people have typed into the editor and not saved yet, one for each person and page.
//!
//! They are kept for 90 days after the last change, and at most [`MAX_DRAFTS`] of a person.

use wiki_types::Time;

use crate::store::db::{self, Db, Row};
use crate::store::error::Error;

/// The most drafts of one person. The oldest go first.
pub const MAX_DRAFTS: usize = 100;

/// What the editor contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The page it is an edit of; none for a new one.
    pub post_id: Option<i64>,
    /// The version the edit started from.
    pub version: Option<i64>,
    /// The slug that a new page shall have; empty if it follows from the title.
    pub wanted_slug: String,
    /// The page that a new one comes below.
    pub parent_id: Option<i64>,
    /// The space that a new one comes into.
    pub space_id: Option<i64>,
    /// Whether the text of a new one began as a template.
    pub from_template: bool,
    /// The key of the form that wrote it last.
    pub key: String,
    /// The fields, as they were typed.
    pub title: String,
    pub slug: String,
    pub content: String,
    pub tags: String,
    pub comment: String,
}

record! {
    typed_columns, read_typed -> Typed {
        post_id: "drafts.post_id",
        version: "drafts.version",
        wanted_slug: "wanted_slug",
        parent_id: "drafts.parent_id",
        space_id: "drafts.space_id",
        from_template: "from_template",
        key: "key",
        title: "drafts.title",
        slug: "drafts.slug",
        content: "drafts.content",
        tags: "drafts.tags",
        comment: "comment",
    }
}

/// A draft that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditDraft {
    /// Its number.
    pub id: i64,
    /// When it was last changed.
    pub updated_time: Time,
    pub typed: Typed,
}

macro_rules! draft_columns {
    () => {
        concat!("drafts.id, drafts.updated_time AT TIME ZONE 'UTC', ", typed_columns!())
    };
}

fn read_draft(row: &mut Row) -> Result<EditDraft, Error> {
    Ok(EditDraft { id: row.column()?, updated_time: row.column()?, typed: read_typed(row)? })
}

/// What a draft is a draft of: a page, one that is to have a slug, or one that a form is for.
pub fn place(post_id: Option<i64>, wanted_slug: &str, key: &str) -> String {
    match post_id {
        Some(id) => format!("page:{id}"),
        None if !wanted_slug.is_empty() => format!("slug:{wanted_slug}"),
        None => format!("{NEW}{key}"),
    }
}

/// What the places of new pages without a slug begin with.
const NEW: &str = "form:";

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    Kept,
    /// Its form was saved before: what arrives late must not come back as a draft.
    Saved,
    /// There is a draft by another form, which this one did not start from. That is not overwritten.
    Other,
}

/// Keeps what user `user_id` has typed, in place of the draft that its form, or one of those which it `continued`,
/// wrote of the same page. The form was saved before if there is a submission of this key.
pub fn keep(db: &Db, user_id: i64, typed: &Typed, continued: Vec<String>, submission: String) -> Result<Kept, Error> {
    let keys = continued.into_iter().chain([typed.key.clone()]).collect();
    let params = [
        user_id.into(),
        place(typed.post_id, &typed.wanted_slug, &typed.key).into(),
        typed.post_id.into(),
        typed.version.into(),
        typed.wanted_slug.clone().into(),
        typed.key.clone().into(),
        typed.title.clone().into(),
        typed.slug.clone().into(),
        typed.content.clone().into(),
        typed.tags.clone().into(),
        typed.comment.clone().into(),
        submission.into(),
        db::count(MAX_DRAFTS - 1),
        db::texts(Some(keys)),
        NEW.to_owned().into(),
        typed.parent_id.into(),
        typed.space_id.into(),
        typed.from_template.into(),
    ];
    let mut row = db.query_row(KEEP, &params)?;
    let (is_kept, is_saved): (bool, bool) = (row.column()?, row.column()?);
    Ok(match (is_kept, is_saved) {
        (true, _) => Kept::Kept,
        (false, true) => Kept::Saved,
        (false, false) => Kept::Other,
    })
}

/// A draft that moves, as its page was deleted or created meanwhile, is gone from where it was.
const KEEP: &str = "WITH given AS (
    SELECT coalesce(
      (SELECT place FROM drafts WHERE starts_with($2::text, $15::text) AND user_id = $1 AND key = ANY ($14::text[])
         AND starts_with(place, $15) ORDER BY updated_time DESC LIMIT 1),
      $2) AS place
  ), kept AS (
    INSERT INTO drafts
      (user_id, place, post_id, version, wanted_slug, key, title, slug, content, tags, comment, parent_id, space_id,
       from_template)
    SELECT $1::bigint, place, $3::bigint, $4::bigint, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text,
      $11::text, $16::bigint, $17::bigint, $18::boolean
    FROM given WHERE NOT EXISTS (SELECT FROM submissions WHERE key = $12)
    ON CONFLICT (user_id, place) DO UPDATE SET version = excluded.version, wanted_slug = excluded.wanted_slug,
      key = excluded.key, title = excluded.title, slug = excluded.slug, content = excluded.content, tags = excluded.tags,
      comment = excluded.comment, parent_id = excluded.parent_id, space_id = excluded.space_id,
      from_template = excluded.from_template, updated_time = now()
    WHERE drafts.key = ANY ($14)
    RETURNING id
  ), moved AS (
    DELETE FROM drafts WHERE user_id = $1 AND key = ANY ($14) AND place <> (SELECT place FROM given)
      AND EXISTS (SELECT FROM kept)
    RETURNING id
  ), expired AS (
    DELETE FROM drafts WHERE (user_id, place) <> ($1, (SELECT place FROM given)) AND id IN (
      SELECT id FROM drafts WHERE updated_time < now() - interval '90 days' ORDER BY updated_time LIMIT 2
      FOR UPDATE SKIP LOCKED)
  ), excess AS (
    DELETE FROM drafts WHERE id IN (
      SELECT id FROM drafts WHERE user_id = $1 AND place <> (SELECT place FROM given)
      ORDER BY updated_time DESC OFFSET $13::bigint)
      AND updated_time >= now() - interval '90 days'
  )
  SELECT EXISTS (SELECT FROM kept), EXISTS (SELECT FROM submissions WHERE key = $12)";

/// Draft `id` of user `user_id`.
pub fn find(db: &Db, user_id: i64, id: i64) -> Result<Option<EditDraft>, Error> {
    let sql = concat!("SELECT ", draft_columns!(), " FROM drafts WHERE id = $2 AND user_id = $1");
    db.query_one(sql, &[user_id.into(), id.into()])?.as_mut().map(read_draft).transpose()
}

/// The draft of user `user_id` of this [`place`].
pub fn of_place(db: &Db, user_id: i64, place: String) -> Result<Option<EditDraft>, Error> {
    let sql = concat!("SELECT ", draft_columns!(), " FROM drafts WHERE user_id = $1 AND place = $2");
    db.query_one(sql, &[user_id.into(), place.into()])?.as_mut().map(read_draft).transpose()
}

/// A draft in a list, without its text.
#[derive(Debug)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// When it was last changed.
    pub updated_time: Time,
    /// The title, as it was typed.
    pub title: String,
    /// The slug that a new page shall have; empty if it follows from the title.
    pub wanted_slug: String,
    /// The title and slug of the page it is an edit of; none if it is new, or the page is deleted.
    pub page: Option<(String, String)>,
}

/// The latest `count` drafts of user `user_id`.
pub fn of_user(db: &Db, user_id: i64, count: usize) -> Result<Vec<Listed>, Error> {
    let sql = concat!(
        "SELECT drafts.id, drafts.updated_time AT TIME ZONE 'UTC', drafts.title, drafts.wanted_slug, posts.title AS page_title, posts.slug
         FROM drafts LEFT JOIN posts ON posts.id = drafts.post_id AND posts.deleted_time IS NULL AND ",
        is_readable!("posts"),
        "
         WHERE drafts.user_id = $1 ORDER BY drafts.updated_time DESC, drafts.id DESC LIMIT $2"
    );
    db.query_all(sql, &[user_id.into(), db::count(count)], |row: &mut Row| {
        let (id, updated_time, title, wanted_slug) = (row.column()?, row.column()?, row.column()?, row.column()?);
        let (page, slug): (Option<String>, Option<String>) = (row.column()?, row.column()?);
        Ok(Listed { id, updated_time, title, wanted_slug, page: page.zip(slug) })
    })
}

/// How many drafts of new pages user `user_id` has.
pub fn count_new(db: &Db, user_id: i64) -> Result<i64, Error> {
    db.read_row("SELECT count(*) FROM drafts WHERE user_id = $1 AND post_id IS NULL", &[user_id.into()])?.column()
}

/// The names of people other than `user_id` who changed a draft of page `post_id` within the last two minutes: for those who may
/// change the page, even if it is protected if they `administer`.
pub fn editing(db: &Db, post_id: i64, user_id: Option<i64>, administer: bool) -> Result<Vec<String>, Error> {
    db.query_all(
        concat!(
            "SELECT users.name FROM drafts JOIN users ON users.id = drafts.user_id JOIN posts ON posts.id = drafts.post_id
             WHERE drafts.post_id = $1 AND drafts.user_id IS DISTINCT FROM $2 AND users.name IS NOT NULL
               AND drafts.updated_time > now() - interval '2 minutes'
               AND posts.deleted_time IS NULL AND (NOT posts.protected OR $3) AND ",
            is_writable!("posts"),
            " ORDER BY drafts.updated_time DESC LIMIT 5"
        ),
        &[post_id.into(), user_id.into(), administer.into()],
        Row::column,
    )
}

/// Deletes draft `id` of user `user_id`.
pub fn discard(db: &Db, user_id: i64, id: i64) -> Result<(), Error> {
    db.execute("DELETE FROM drafts WHERE user_id = $1 AND id = $2", &[user_id.into(), id.into()])
}

/// Deletes the drafts of user `user_id` that the forms with these keys wrote last.
pub fn discard_of_forms(db: &Db, user_id: i64, keys: Vec<String>) -> Result<(), Error> {
    db.execute("DELETE FROM drafts WHERE user_id = $1 AND key = ANY ($2)", &[user_id.into(), db::texts(Some(keys))])
}
