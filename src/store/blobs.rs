//! The bytes of files, each content once, in chunks: however large a file is, only a chunk of it is in memory.

use crate::store::db::{Db, Row};
use crate::store::error::Error;

/// The bytes of each chunk but the last. Files that are there already have this size: it cannot be changed.
pub const CHUNK: usize = 256 << 10;

/// A file that arrives.
#[derive(Debug)]
pub struct Upload {
    /// The number of its bytes.
    pub blob_id: i64,
    /// How many bytes there are in the wiki by now.
    pub stored: i64,
    chunks: i64,
}

/// Begins to store bytes. Until they become a file's, nobody sees them; if they never do, they are removed after a day.
pub fn begin(db: &Db) -> Result<Upload, Error> {
    db.query_row("SELECT sweep_files()::text", &[])?;
    sweep(db)?;
    let sql = "WITH begun AS (INSERT INTO blobs DEFAULT VALUES RETURNING id)
        SELECT id, (SELECT coalesce(sum(size), 0)::bigint FROM blobs) FROM begun";
    let mut row = db.query_row(sql, &[])?;
    Ok(Upload { blob_id: row.column()?, stored: row.column()?, chunks: 0 })
}

/// Stores the next chunk.
pub fn append(db: &Db, upload: &mut Upload, bytes: Vec<u8>) -> Result<(), Error> {
    let sql = "INSERT INTO blob_chunks (blob_id, number, bytes) VALUES ($1, $2, $3)";
    db.execute(sql, &[upload.blob_id.into(), upload.chunks.into(), bytes.into()])?;
    upload.chunks += 1;
    Ok(())
}

/// Removes what has arrived, unless a file has it.
pub fn discard(db: &Db, upload: &Upload) -> Result<(), Error> {
    db.execute("DELETE FROM blobs WHERE id = $1 AND sha256 IS NULL", &[upload.blob_id.into()])
}

/// Removes some of the bytes that no file has had for a day.
pub fn sweep(db: &Db) -> Result<(), Error> {
    db.query_row("SELECT sweep_blobs()::text", &[]).map(drop)
}

/// Bytes to send: those of a blob from one place up to another.
#[derive(Debug, Clone)]
pub struct Span {
    blob_id: i64,
    from: u64,
    to: u64,
}

impl Span {
    /// The bytes of blob `blob_id` from `from` on, up to `to`, which is not among them.
    pub fn new(blob_id: i64, from: u64, to: u64) -> Self {
        Self { blob_id, from, to }
    }

    /// How many bytes are left of it.
    pub fn length(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// The next part of it; none at its end.
    pub fn next(&mut self, db: &Db) -> Result<Option<Vec<u8>>, Error> {
        if self.from >= self.to {
            return Ok(None);
        }
        let chunk = CHUNK as u64;
        let number = self.from / chunk;
        // From 1, as PostgreSQL counts.
        let start = self.from % chunk;
        let length = (self.to - self.from).min(chunk - start);
        let sql = "SELECT substring(bytes FROM $3::bigint::integer + 1 FOR $4::bigint::integer) FROM blob_chunks
            WHERE blob_id = $1 AND number = $2";
        let params = [self.blob_id.into(), signed(number).into(), signed(start).into(), signed(length).into()];
        let bytes: Option<Vec<u8>> = db.query_one(sql, &params)?.as_mut().map(Row::column).transpose()?;
        let bytes = bytes.filter(|bytes| bytes.len() as u64 == length);
        let missing = || Error::Internal(format!("chunk {number} of blob {} is not complete", self.blob_id));
        let bytes = bytes.ok_or_else(missing)?;
        self.from += length;
        Ok(Some(bytes))
    }
}

/// A number of bytes as PostgreSQL counts.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
