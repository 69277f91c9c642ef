//! The relay: which events have been handed on, and which could not be.

use serde::{Deserialize, Serialize};
use wiki_types::Sequence;

use crate::store::db::{self, Db, Param};
use crate::store::digests::is_due;
use crate::store::error::Error;
use crate::store::events::{IS_SETTLED, columns};

/// The most events of a batch.
pub const BATCH: usize = 100;
/// Attempts after which nobody tries any more by themselves: with the pauses between them, that takes an hour and a half.
const MAX_ATTEMPTS: u32 = 12;

/// An event to hand on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pending {
    /// Its number among those that were put aside; 0 for one of the log.
    pub aside: i64,
    /// Its place in the log: era, transaction and number. Zeros for one that was put aside.
    place: (u32, String, u64),
    /// Its topic.
    pub topic: String,
    /// Its key: events with the same one are handed on in order.
    pub key: String,
    /// The CloudEvent.
    pub payload: String,
    /// Whether an earlier event of the same key was put aside, so that this one has to wait for it.
    pub has_to_wait: bool,
}

impl Pending {
    /// Its place in the log; none of one that was put aside.
    pub fn sequence(&self) -> Sequence {
        let (era, transaction, number) = &self.place;
        Sequence { era: *era, transaction: transaction.parse().unwrap_or_default(), number: *number }
    }
}

/// What became of an event that was to be handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The number of one that was put aside.
    pub aside: i64,
    /// Why it could not be handed on; null if it was.
    pub error: Option<String>,
}

/// Whether there may be something to do for a relay in this mode: a task whose time has come, an event to hand on or to try again, a
/// request to a webhook that is due, a digest if it sends mail, or how it works to note. Mostly there is nothing, and this is all
/// that is asked.
pub fn has_work(db: &Db, mode: &str, sends_mail: bool) -> Result<bool, Error> {
    let is_due = is_due!();
    let sql = format!(
        "SELECT EXISTS (SELECT FROM task_alarms WHERE NOT is_over AND moment <= now())
           OR EXISTS (SELECT FROM relay WHERE mode <> $1 OR sends_mail <> $2 OR $1 <> 'cdc' AND due_time <= clock_timestamp() AND EXISTS (
             SELECT FROM outbox
             WHERE (era, transaction, number) > (relay.era, relay.transaction, relay.number) AND {IS_SETTLED}))
           OR EXISTS (SELECT FROM undelivered WHERE NOT is_dead AND due_time <= now())
           OR EXISTS (SELECT FROM webhooks JOIN webhook_deliveries ON webhook_id = webhooks.id
             WHERE active AND pause_until <= now()
               AND state = 'waiting' AND webhook_deliveries.due_time <= now() AND leased_until <= now())
           OR $2 AND EXISTS (SELECT FROM digests WHERE {is_due})"
    );
    db.read_row(&sql, &[mode.to_owned().into(), sends_mail.into()])?.column()
}

/// The first events of the log that have not been handed on, for whoever sends the same `lease` until 30 seconds later.
///
/// None if there are none, if somebody else is at work, or if the pause after a failure is not over. While there is nothing to
/// do, nothing is written.
pub fn claim(db: &Db, lease: &str) -> Result<Vec<Pending>, Error> {
    let sql = format!(
        "WITH claimed AS (
           UPDATE relay SET lease = $1, leased_until = clock_timestamp() + interval '30 seconds'
           WHERE (leased_until < clock_timestamp() OR lease = $1) AND due_time <= clock_timestamp()
             AND EXISTS (SELECT FROM outbox
               WHERE (era, transaction, number) > (relay.era, relay.transaction, relay.number) AND {IS_SETTLED})
           RETURNING era, transaction, number
         )
         SELECT jsonb_agg(jsonb_build_object(
           'aside', 0, 'place', jsonb_build_array(era, transaction::text, number), 'topic', aggregatetype,
           'key', aggregateid, 'payload', payload::text, 'has_to_wait', EXISTS (
             SELECT FROM undelivered WHERE topic = aggregatetype AND key = aggregateid AND NOT is_dead)
         ) ORDER BY era, transaction, number)::text
         FROM (
           SELECT era, transaction, number, aggregatetype, aggregateid, payload FROM outbox
           WHERE (era, transaction, number) > (
               (SELECT era FROM claimed), (SELECT transaction FROM claimed), (SELECT number FROM claimed))
             AND {IS_SETTLED}
           ORDER BY era, transaction, number LIMIT $2
         ) AS batch"
    );
    pending(db, &sql, &[lease.to_owned().into(), db::count(BATCH)])
}

/// Those events that were put aside of which the next attempt is due, for the caller alone: the first of each key.
pub fn due(db: &Db) -> Result<Vec<Pending>, Error> {
    let sql = "WITH claimed AS (
           UPDATE undelivered SET due_time = now() + interval '30 seconds'
           WHERE due_time <= now() AND NOT is_dead AND id IN (
             SELECT id FROM (
               SELECT DISTINCT ON (topic, key) id, due_time FROM undelivered
               WHERE NOT is_dead AND consumer IS NULL ORDER BY topic, key, id
             ) AS first WHERE due_time <= now() ORDER BY due_time LIMIT 100)
           RETURNING id, topic, key, payload
         )
         SELECT jsonb_agg(jsonb_build_object(
           'aside', id, 'place', jsonb_build_array(0, '0', 0), 'topic', topic, 'key', key, 'payload', payload,
           'has_to_wait', false) ORDER BY id)::text
         FROM claimed";
    pending(db, sql, &[])
}

fn pending(db: &Db, sql: &str, params: &[Param]) -> Result<Vec<Pending>, Error> {
    match db.query_row(sql, params)?.column::<Option<String>>()? {
        Some(list) => serde_json::from_str(&list)
            .map_err(|error| Error::Internal(format!("the events to hand on cannot be read: {error}"))),
        None => Ok(Vec::new()),
    }
}

/// Notes that the events of the log up to `last` were handed on, but for those in `failed`, which are put aside with the
/// reasons. Only for whoever has the `lease`; it stays theirs.
pub fn advance(db: &Db, lease: &str, last: &Pending, failed: &[(&Pending, String)]) -> Result<(), Error> {
    let column = |of: fn(&(&Pending, String)) -> String| db::texts(Some(failed.iter().map(of).collect()));
    let [era, transaction, number] = columns(last.sequence());
    let sql = "WITH advanced AS (
           UPDATE relay SET era = $2::bigint::integer, transaction = $3::text::xid8, number = $4, failures = 0
           WHERE lease = $1 RETURNING true
         ), aside AS (
           INSERT INTO undelivered (event_id, topic, key, payload, error)
           SELECT payload::jsonb->>'id', topic, key, payload, error
           FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY
             AS failed (topic, key, payload, error, place)
           WHERE EXISTS (SELECT FROM advanced) ORDER BY place
           ON CONFLICT (event_id) DO NOTHING
         )
         SELECT EXISTS (SELECT FROM advanced)";
    let params = [
        lease.to_owned().into(),
        era,
        transaction,
        number,
        column(|(event, _)| event.topic.clone()),
        column(|(event, _)| event.key.clone()),
        column(|(event, _)| event.payload.clone()),
        column(|(_, error)| error.clone()),
    ];
    db.query_row(sql, &params).map(drop)
}

/// Notes that nothing at all could be handed on. The next attempt is made after a pause: of a second first, and of a minute at
/// most.
pub fn back_off(db: &Db, lease: &str) -> Result<(), Error> {
    let sql = "UPDATE relay SET failures = failures + 1, leased_until = '-infinity',
           due_time = clock_timestamp() + least(interval '1 minute', interval '1 second' * 2 ^ least(failures, 10))
         WHERE lease = $1";
    db.execute(sql, &[lease.to_owned().into()])
}

/// Notes how events move and whether mail is sent, if that is not what is known. While nothing changes, nothing is written.
pub fn note_mode(db: &Db, mode: &str, sends_mail: bool) -> Result<(), Error> {
    let sql = "UPDATE relay SET mode = $1, sends_mail = $2 WHERE (mode, sends_mail) <> ($1::text, $2::boolean)";
    db.execute(sql, &[mode.to_owned().into(), sends_mail.into()])
}

/// Gives the `lease` back.
pub fn release(db: &Db, lease: &str) -> Result<(), Error> {
    let sql = "UPDATE relay SET leased_until = '-infinity' WHERE lease = $1 AND leased_until > clock_timestamp()";
    db.execute(sql, &[lease.to_owned().into()])
}

/// Notes what became of events that were put aside. Those that were handed on are gone; of others the next attempt is made
/// after a pause that doubles, and the last makes them dead.
pub fn settle(db: &Db, attempts: &[Attempt]) -> Result<(), Error> {
    let list = serde_json::to_string(attempts).map_err(|error| Error::Internal(error.to_string()))?;
    let sql = format!(
        "WITH attempt AS (
           SELECT aside, error FROM jsonb_to_recordset($1::text::jsonb) AS attempt (aside bigint, error text)
         ), gone AS (
           DELETE FROM undelivered USING attempt WHERE id = aside AND attempt.error IS NULL
         )
         UPDATE undelivered SET error = attempt.error, attempts = attempts + 1, is_dead = attempts + 1 >= {MAX_ATTEMPTS},
           due_time = now() + least(interval '10 minutes', interval '2 seconds' * 2 ^ attempts)
         FROM attempt WHERE id = aside AND attempt.error IS NOT NULL"
    );
    db.execute(&sql, &[list.into()])
}

/// Keeps what a consumer could not use, for somebody to look at.
pub fn bury(db: &Db, consumer: &str, payload: &str, error: &str) -> Result<(), Error> {
    let sql =
        "INSERT INTO undelivered (consumer, topic, key, payload, error, is_dead) VALUES ($1, '', '', $2, $3, true)";
    db.execute(sql, &[consumer.to_owned().into(), payload.to_owned().into(), error.to_owned().into()])
}
