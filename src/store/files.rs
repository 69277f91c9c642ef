//! Files of pages.

use std::collections::HashMap;

use wiki_types::{File, files};

use crate::store::blobs::{Upload, signed};
use crate::store::db::{self, Db, Row};
use crate::store::error::Error;

/// The unique index over the hashes of contents.
const HASH_INDEX: &str = "blobs_sha256_key";

/// How often a file is added, while others add or remove the same content.
const TRIES: usize = 5;

macro_rules! file_columns {
    () => {
        "files.id, files.post_id, files.user_id, files.name, files.content_type, blobs.size, files.width, files.height,
         encode(blobs.sha256, 'hex'), files.created_time AT TIME ZONE 'UTC'"
    };
}

fn read_file(row: &mut Row) -> Result<File, Error> {
    let (id, post_id, user_id, name): (i64, Option<i64>, Option<i64>, String) =
        (row.column()?, row.column()?, row.column()?, row.column()?);
    Ok(File {
        id,
        post_id,
        user_id,
        content_type: row.column()?,
        size: row.column()?,
        width: row.column()?,
        height: row.column()?,
        sha256: row.column()?,
        url: files::address(id, &name),
        created_time: row.column()?,
        name,
    })
}

/// A file, and the number of its bytes.
#[derive(Debug)]
pub struct Stored {
    pub file: File,
    pub blob_id: i64,
}

/// File `id`, whoever may read it: that is up to its page.
pub fn find(db: &Db, id: i64) -> Result<Option<Stored>, Error> {
    let sql = concat!(
        "SELECT ",
        file_columns!(),
        ", blobs.id FROM files JOIN blobs ON blobs.id = blob_id WHERE files.id = $1"
    );
    let read = |row: &mut Row| Ok(Stored { file: read_file(row)?, blob_id: row.column()? });
    db.query_one(sql, &[id.into()])?.as_mut().map(read).transpose()
}

/// The first `count` files of page `post_id` before number `before`, newest first.
pub fn of_page(db: &Db, post_id: i64, before: i64, count: usize) -> Result<Vec<File>, Error> {
    let sql = concat!(
        "SELECT ",
        file_columns!(),
        " FROM files JOIN blobs ON blobs.id = blob_id WHERE post_id = $1 AND files.id < $2 ORDER BY files.id DESC LIMIT $3"
    );
    db.query_all(sql, &[post_id.into(), before.into(), db::count(count)], read_file)
}

/// How many files page `post_id` has.
pub fn count(db: &Db, post_id: i64) -> Result<i64, Error> {
    db.read_row("SELECT count(*) FROM files WHERE post_id = $1", &[post_id.into()])?.column()
}

/// What is known of a file that a text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// There is none that the reader may read.
    Missing,
    /// A picture of the page itself, with its width and height.
    Picture(i64, i64),
    /// Another file.
    Other,
}

/// What is known of the files with these numbers, for page `post_id` or, without one, for a page that is not saved yet.
pub fn shown(db: &Db, post_id: Option<i64>, ids: Vec<i64>) -> Result<HashMap<i64, Shown>, Error> {
    let sql = concat!(
        "SELECT wanted.id, files.id IS NULL,
           CASE WHEN files.post_id IS NOT DISTINCT FROM $1::bigint THEN width END,
           CASE WHEN files.post_id IS NOT DISTINCT FROM $1 THEN height END
         FROM unnest($2::bigint[]) AS wanted (id) LEFT JOIN (
           files LEFT JOIN posts ON posts.id = files.post_id
         ) ON files.id = wanted.id AND CASE WHEN files.post_id IS NULL THEN $reader IN (-1, files.user_id) ELSE ",
        is_readable!("posts"),
        " END"
    );
    let read = |row: &mut Row| {
        let (id, is_missing): (i64, bool) = (row.column()?, row.column()?);
        Ok((
            id,
            match (is_missing, row.column()?, row.column()?) {
                (true, ..) => Shown::Missing,
                (false, Some(width), Some(height)) => Shown::Picture(width, height),
                (false, ..) => Shown::Other,
            },
        ))
    };
    Ok(db.query_all(sql, &[post_id.into(), db::numbers(Some(ids))], read)?.into_iter().collect())
}

/// A file whose bytes have all arrived.
#[derive(Debug)]
pub struct NewFile {
    /// None of one whose page is not saved yet. It has a user.
    pub post_id: Option<i64>,
    pub user_id: Option<i64>,
    pub name: String,
    pub content_type: String,
    /// Of a picture, its width and height.
    pub dimensions: Option<(i64, i64)>,
    /// The number of its bytes.
    pub size: i64,
    pub sha256: Vec<u8>,
    /// How many bytes the files of its space may have together.
    pub space_quota: u64,
    /// How many bytes all files of the wiki may have together.
    pub quota: u64,
}

/// What [`add`] did.
#[derive(Debug)]
pub enum Added {
    /// The page has a file more.
    Added(File),
    /// The page had it already, under this name.
    Known(File),
    /// The space has no room for it.
    SpaceFull,
    /// The wiki has no room for it.
    Full,
    /// No user has that number.
    NoSuchUser,
}

/// Makes what has arrived a file. Bytes that are there already are not kept twice.
pub fn add(db: &Db, upload: &Upload, file: NewFile) -> Result<Added, Error> {
    let (width, height) = file.dimensions.unzip();
    let params = [
        upload.blob_id.into(),
        file.sha256.into(),
        file.size.into(),
        file.post_id.into(),
        file.user_id.into(),
        file.name.into(),
        file.content_type.into(),
        width.into(),
        height.into(),
        signed(file.quota).into(),
        signed(file.space_quota).into(),
    ];
    for _ in 0..TRIES {
        let mut row = match db.query_row(ADD, &params) {
            // The same content became another file's meanwhile. The next try finds it.
            Err(Error::Duplicate(index)) if index == HASH_INDEX => continue,
            row => row?,
        };
        let Some(outcome) = row.column::<Option<String>>()? else { continue };
        return Ok(match &*outcome {
            "added" => Added::Added(read_file(&mut row)?),
            "known" => Added::Known(read_file(&mut row)?),
            "space full" => Added::SpaceFull,
            "full" => Added::Full,
            "no such user" => Added::NoSuchUser,
            other => return Err(Error::Internal(format!("a statement returned the unknown outcome {other:?}"))),
        });
    }
    Err(Error::Internal("a file was added by others, again and again".to_owned()))
}

/// Returns NULL if others added the same file since the statement began.
const ADD: &str = concat!(
    "WITH wanted AS (
       SELECT CASE
         WHEN $5::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE users.id = $5 AND deleted_time IS NULL)
           THEN 'no such user'
         WHEN NOT EXISTS (SELECT FROM blobs WHERE sha256 = $2::bytea)
           AND $3::bigint + (SELECT coalesce(sum(size), 0) FROM blobs) > $10::bigint THEN 'full'
         WHEN NOT EXISTS (
             SELECT FROM files JOIN blobs ON blobs.id = blob_id WHERE post_id = $4 AND name = $6 AND sha256 = $2
           ) AND $3 + (
             SELECT coalesce(sum(size), 0) FROM files JOIN blobs ON blobs.id = blob_id JOIN posts ON posts.id = post_id
             WHERE space_id = (SELECT space_id FROM posts WHERE posts.id = $4)
           ) > $11::bigint THEN 'space full'
         END AS refused
     ), known AS (
       UPDATE blobs SET unused_since = NULL FROM wanted WHERE sha256 = $2 AND refused IS NULL RETURNING blobs.*
     ), own AS (
       UPDATE blobs SET sha256 = $2, size = $3, unused_since = NULL FROM wanted
       WHERE blobs.id = $1 AND refused IS NULL AND NOT EXISTS (SELECT FROM known) RETURNING blobs.*
     ), spare AS (
       DELETE FROM blobs WHERE id = $1 AND EXISTS (SELECT FROM known)
     ), blob AS (
       SELECT id, size, sha256 FROM known UNION ALL SELECT id, size, sha256 FROM own
     ), added AS (
       INSERT INTO files (post_id, blob_id, user_id, name, content_type, width, height)
       SELECT $4::bigint, id, $5, $6::text, $7::text, $8::bigint, $9::bigint FROM blob
       ON CONFLICT DO NOTHING
       RETURNING *
     )
     ",
    row_or_nulls!(
        "SELECT 'added', ",
        file_columns!(),
        " FROM added AS files JOIN blob AS blobs ON blobs.id = blob_id
         UNION ALL SELECT 'known', ",
        file_columns!(),
        " FROM files JOIN blob AS blobs ON blobs.id = blob_id
         WHERE (post_id = $4 OR (post_id IS NULL AND $4 IS NULL AND user_id = $5)) AND name = $6
           AND NOT EXISTS (SELECT FROM added)
         UNION ALL SELECT refused, ",
        "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        " FROM wanted WHERE refused IS NOT NULL"
    )
);

/// SQL that makes files which wait for their page those of the page in the table of this name: those of this user, of these numbers.
///
/// A file that the page has already, under the same name, stays where it is.
macro_rules! claimed {
    ($page:literal, $user:literal, $ids:literal) => {
        concat!(
            "claimed AS (
               UPDATE files SET post_id = page.id FROM ",
            $page,
            " AS page
               WHERE files.id = ANY (",
            $ids,
            "::bigint[]) AND files.post_id IS NULL AND files.user_id = ",
            $user,
            " AND NOT EXISTS (
                 SELECT FROM files known
                 WHERE known.post_id = page.id AND known.name = files.name AND known.blob_id = files.blob_id)
             )"
        )
    };
}
pub(super) use claimed;

/// Removes file `id` from its page. Returns whether there was one.
pub fn delete(db: &Db, id: i64, user_id: Option<i64>) -> Result<bool, Error> {
    let sql = "WITH gone AS (DELETE FROM files WHERE id = $1 RETURNING *)
        SELECT count(coalesce(CASE WHEN post_id IS NOT NULL THEN log_file('deleted', ROW(gone.*)::files, $2)::text END, ''))
        FROM gone";
    let deleted: i64 = db.query_row(sql, &[id.into(), user_id.into()])?.column()?;
    Ok(deleted > 0)
}
