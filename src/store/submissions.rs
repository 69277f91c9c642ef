//! Submissions: forms and requests that made or saved something, so that the same one again is answered as the first was.
//!
//! They are kept for a week; the statements that add one delete those that are older.

use crate::store::db::Db;
use crate::store::error::Error;

/// The unique index over their keys.
pub(super) const INDEX: &str = "submissions_key";

/// What a submission made of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission {
    /// The number of the page.
    pub post_id: i64,
    /// The version that the page got by it.
    pub version: i64,
}

record! {
    submission_columns, read_submission -> Submission { post_id: "post_id", version: "version" }
}

/// What the submission of a page with this key made; none if there was none.
pub fn find(db: &Db, key: &str) -> Result<Option<Submission>, Error> {
    let sql = concat!("SELECT ", submission_columns!(), " FROM submissions WHERE key = $1 AND post_id IS NOT NULL");
    db.query_one(sql, &[key.to_owned().into()])?.as_mut().map(read_submission).transpose()
}

/// The number of the user that the submission with this key made; none if there was none.
pub fn user(db: &Db, key: &str) -> Result<Option<i64>, Error> {
    db.read_row("SELECT (SELECT user_id FROM submissions WHERE key = $1)", &[key.to_owned().into()])?.column()
}

/// Whether there was a submission with this key.
pub fn exists(db: &Db, key: &str) -> Result<bool, Error> {
    db.read_row("SELECT EXISTS (SELECT FROM submissions WHERE key = $1)", &[key.to_owned().into()])?.column()
}

/// The part of a statement that deletes what is too old: more than a statement adds, so that they do not pile up.
/// Only a statement that adds one looks for them: one whose parameter `$key` is not null.
macro_rules! swept {
    ($key:literal) => {
        concat!(
            "swept AS (
               DELETE FROM submissions WHERE ",
            $key,
            " IS NOT NULL AND key IN (
                 SELECT key FROM submissions WHERE created_time < now() - interval '7 days' ORDER BY created_time LIMIT 2
                 FOR UPDATE SKIP LOCKED)
             )"
        )
    };
}
pub(super) use swept;
