//! The log: what happened, as events for others. Triggers write it, with every change.

use serde_json::Value;
use wiki_types::{Event, Sequence};

use crate::store::db::{self, Db, Row};
use crate::store::error::Error;

/// Events that somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only those after this one.
    pub after: Sequence,
    /// Those for administrators as well.
    pub confidential: bool,
    /// Only those of this type, or whose types begin with it and a full stop.
    pub kind: Option<String>,
    /// Only those about this page.
    pub post_id: Option<i64>,
    /// Only those about pages that had this tag then.
    pub tag: Option<String>,
}

/// No transaction that could still write an event before this one is running. Transactions that are later than all there have
/// been are those of another server.
pub(super) const IS_SETTLED: &str = "(transaction < pg_snapshot_xmin(pg_current_snapshot())
    OR transaction >= pg_snapshot_xmax(pg_current_snapshot()))";

/// The first `count` events of the log that are `wanted`, oldest first.
///
/// They are ordered by columns of the table: `transaction` alone would be the result's column of that name, a text.
pub fn after(db: &Db, wanted: Wanted, count: usize) -> Result<Vec<Event>, Error> {
    let Wanted { after, confidential, kind, post_id, tag } = wanted;
    // With the key in the comparison, PostgreSQL sees that the index by key has no more to read than the page's events.
    let place = if post_id.is_some() {
        "(aggregateid, era, transaction, number) > ($6::text, $1::bigint::integer, $2::text::xid8, $3)
           AND aggregateid = $6 AND aggregatetype IN ('page-events', 'task-events', 'reminders')"
    } else {
        "(era, transaction, number) > ($1::bigint::integer, $2::text::xid8, $3) AND $6::text IS NULL"
    };
    let readable = is_readable!("posts");
    let sql = format!(
        "SELECT era::bigint, transaction::text, number, payload::text FROM outbox
         WHERE {place} AND {IS_SETTLED}
           AND ($4 OR NOT confidential)
           AND ($5::text IS NULL OR type = $5 OR starts_with(type, $5 || '.'))
           AND ($7::text IS NULL OR payload->'data'->'tags' ? $7)
           AND (aggregatetype NOT IN ('page-events', 'task-events', 'reminders') OR EXISTS (
             SELECT FROM posts WHERE posts.id = outbox.aggregateid::bigint AND {readable}))
         ORDER BY outbox.era, outbox.transaction, outbox.number LIMIT $8"
    );
    let [era, transaction, number] = columns(after);
    let post_id = post_id.map(|post_id| post_id.to_string());
    let params =
        [era, transaction, number, confidential.into(), kind.into(), post_id.into(), tag.into(), db::count(count)];
    db.query_all(&sql, &params, |row| {
        let sequence = read_sequence(row)?;
        let mut payload: Value = serde_json::from_str(&row.column::<String>()?).map_err(unreadable)?;
        payload["sequence"] = sequence.to_string().into();
        serde_json::from_value(payload).map_err(unreadable)
    })
}

/// The place of the last event there is.
pub fn latest(db: &Db) -> Result<Sequence, Error> {
    let sql = format!(
        "SELECT era::bigint, transaction::text, number FROM outbox WHERE {IS_SETTLED}
         ORDER BY outbox.era DESC, outbox.transaction DESC, outbox.number DESC LIMIT 1"
    );
    db.query_one(&sql, &[])?.map_or(Ok(Sequence::default()), |mut row| read_sequence(&mut row))
}

pub(super) fn columns(sequence: Sequence) -> [db::Param; 3] {
    let number = i64::try_from(sequence.number).unwrap_or(i64::MAX);
    let era = i64::from(sequence.era).min(i64::from(i32::MAX));
    [era.into(), sequence.transaction.to_string().into(), number.into()]
}

fn read_sequence(row: &mut Row) -> Result<Sequence, Error> {
    let (era, transaction, number): (i64, String, i64) = (row.column()?, row.column()?, row.column()?);
    Ok(Sequence {
        era: era.try_into().map_err(unreadable)?,
        transaction: transaction.parse().map_err(unreadable)?,
        number: number.try_into().map_err(unreadable)?,
    })
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("an event cannot be read: {error}"))
}
