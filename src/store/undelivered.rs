//! Events that could not be handed on, as administrators see them; and how many there are.

use wiki_types::UndeliveredEvent;

use crate::store::audit::Actor;
use crate::store::db::{self, Db};
use crate::store::error::Error;

record! {
    undelivered_columns, read_undelivered -> UndeliveredEvent {
        id: "id",
        event_id: "event_id",
        consumer: "consumer",
        topic: "topic",
        key: "key",
        payload: "payload",
        error: "error",
        attempts: "attempts::bigint",
        dead: "is_dead",
        due_time: "CASE WHEN NOT is_dead THEN due_time AT TIME ZONE 'UTC' END",
        created_time: "created_time AT TIME ZONE 'UTC'",
    }
}

/// The first `count` of them before number `before`, newest first.
pub fn before(db: &Db, before: i64, count: usize) -> Result<Vec<UndeliveredEvent>, Error> {
    let sql = concat!(
        "SELECT ",
        undelivered_columns!(),
        " FROM undelivered WHERE id < $1 ORDER BY undelivered.id DESC LIMIT $2"
    );
    db.query_all(sql, &[before.into(), db::count(count)], read_undelivered)
}

/// Has number `id` handed on again, as if it had not failed yet. Returns whether there is one.
pub fn retry(db: &Db, id: i64, actor: &Actor) -> Result<bool, Error> {
    let sql = "WITH retried AS (
           UPDATE undelivered SET is_dead = false, attempts = 0, due_time = now() WHERE id = $3
           RETURNING coalesce(event_id, consumer, '') AS name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'event_retried', $1, $2, name FROM retried
         )
         SELECT EXISTS (SELECT FROM retried)";
    let [actor_id, address] = actor.params();
    db.query_row(sql, &[actor_id, address, id.into()])?.column()
}

/// Removes number `id`. Returns whether there was one.
pub fn delete(db: &Db, id: i64, actor: &Actor) -> Result<bool, Error> {
    let sql = "WITH gone AS (
           DELETE FROM undelivered WHERE id = $3 RETURNING coalesce(event_id, consumer, '') AS name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'event_discarded', $1, $2, name FROM gone
         )
         SELECT EXISTS (SELECT FROM gone)";
    let [actor_id, address] = actor.params();
    db.query_row(sql, &[actor_id, address, id.into()])?.column()
}

/// How far the handing on of events is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that have not been handed on.
    pub events: i64,
    /// Seconds since the oldest of them.
    pub oldest_seconds: i64,
    /// Events of which no more attempts are made.
    pub dead: i64,
    /// Requests to webhooks that have not been sent, or not with success.
    pub deliveries: i64,
}

/// The backlog. No number is counted beyond ten thousand. While something else reads the log, the relay has none.
pub fn backlog(db: &Db) -> Result<Backlog, Error> {
    let sql = "WITH aside AS (
           SELECT is_dead, created_time FROM undelivered ORDER BY id LIMIT 10000
         ), place AS MATERIALIZED (
           SELECT era, transaction, number FROM relay WHERE mode <> 'cdc'
         ), log AS (
           SELECT created_time FROM outbox
           WHERE (era, transaction, number) > (
             (SELECT era FROM place), (SELECT transaction FROM place), (SELECT number FROM place))
           ORDER BY era, transaction, number LIMIT 10000
         ), late AS (
           SELECT created_time FROM log UNION ALL
           SELECT created_time FROM aside WHERE NOT is_dead AND EXISTS (SELECT FROM place)
         )
         SELECT (SELECT least(count(*), 10000) FROM late),
           (SELECT coalesce(greatest(extract(epoch FROM now() - min(created_time)), 0), 0)::bigint FROM late),
           (SELECT count(*) FROM aside WHERE is_dead),
           (SELECT count(*) FROM (
             SELECT FROM webhooks JOIN webhook_deliveries ON webhook_id = webhooks.id
             WHERE active AND state = 'waiting' LIMIT 10000) AS waiting)";
    let mut row = db.read_row(sql, &[])?;
    Ok(Backlog { events: row.column()?, oldest_seconds: row.column()?, dead: row.column()?, deliveries: row.column()? })
}

/// What a consumer could not use, and is to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its number.
    pub id: i64,
    /// The consumer.
    pub consumer: String,
    /// What it was sent.
    pub payload: String,
}

record! {
    returned_columns, read_returned -> Returned { id: "id", consumer: "consumer", payload: "payload" }
}

/// Some of those that are due.
pub fn returned(db: &Db) -> Result<Vec<Returned>, Error> {
    let sql = concat!(
        "SELECT ",
        returned_columns!(),
        " FROM undelivered WHERE consumer IS NOT NULL AND NOT is_dead AND due_time <= now() ORDER BY id LIMIT 20"
    );
    db.query_all(sql, &[], read_returned)
}
