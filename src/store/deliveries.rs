//! Deliveries: the events that webhooks are sent, and what became of each.

use serde::{Deserialize, Serialize};
use wiki_types::Delivery;

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Param};
use crate::store::error::Error;

/// The most requests of one webhook at once. One that fails gets one at a time, so that it can show that it works again.
const AT_ONCE: usize = 4;
/// The most requests at once.
const MOST: usize = 40;
/// Attempts of a delivery in all, and the seconds between them, as the Standard Webhooks specification advises.
const PAUSES: [u32; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Days of failure after which a webhook is turned off.
const PATIENCE: u32 = 5;
/// The most rows that one batch of events removes: more than it adds, so that they do not pile up.
const SWEPT: usize = 500;

/// What is known of an event that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub event_id: String,
    /// Its type.
    pub kind: String,
    /// The body, to the byte.
    pub payload: String,
}

/// Has each event sent to each active webhook that wants it, unless it is there already. Removes what is 32 days old: an event
/// is in the log for 30, and could come again until then.
pub fn add(db: &Db, events: Vec<Due>) -> Result<(), Error> {
    let sql = format!(
        "WITH swept AS (
           DELETE FROM webhook_deliveries WHERE id IN (
             SELECT id FROM webhook_deliveries WHERE id IN (
               SELECT id FROM (SELECT id, created_time FROM webhook_deliveries ORDER BY id LIMIT {SWEPT}) AS oldest
               WHERE created_time < now() - interval '32 days')
             FOR UPDATE SKIP LOCKED)
         )
         INSERT INTO webhook_deliveries (webhook_id, event_id, type, payload)
         SELECT webhooks.id, event.id, event.type, event.payload
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS event (id, type, payload, place)
         JOIN webhooks ON active AND webhook_wants(types, event.type)
         ORDER BY place, webhooks.id
         ON CONFLICT (webhook_id, event_id) DO NOTHING"
    );
    let column = |of: fn(&Due) -> String| db::texts(Some(events.iter().map(of).collect()));
    let params = [
        column(|event| event.event_id.clone()),
        column(|event| event.kind.clone()),
        column(|event| event.payload.clone()),
    ];
    db.execute(&sql, &params)
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Outstanding {
    /// The delivery.
    pub id: i64,
    /// The webhook.
    pub webhook_id: i64,
    /// Where it is sent.
    pub url: String,
    /// What it is signed with: one secret, or two while one takes the place of the other.
    pub secrets: Vec<String>,
    /// The event.
    pub event_id: String,
    /// The body.
    pub payload: String,
}

/// Deliveries that are due, of each webhook the ones that have been due for longest, for whoever sends the same `lease` within
/// a minute. Nobody else gets them until then. While none is due, nothing is written.
pub fn claim(db: &Db, lease: &str) -> Result<Vec<Outstanding>, Error> {
    let sql = format!(
        "WITH free AS MATERIALIZED (
           SELECT id FROM (
             SELECT delivery.id, permitted, row_number() OVER (PARTITION BY webhook.id ORDER BY due_time) AS nth
             FROM (
               SELECT id, CASE WHEN failures > 0 THEN 1 ELSE {AT_ONCE} END - (
                 SELECT count(*) FROM webhook_deliveries
                 WHERE webhook_id = webhooks.id AND lease <> '' AND leased_until > now()) AS permitted
               FROM webhooks WHERE active AND pause_until <= now()
             ) AS webhook, LATERAL (
               SELECT id, due_time FROM webhook_deliveries
               WHERE webhook_id = webhook.id AND state = 'waiting' AND due_time <= now() AND leased_until <= now()
               ORDER BY due_time LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
             ) AS delivery
           ) AS due
           WHERE nth <= permitted ORDER BY nth, md5($1::text || id) LIMIT {MOST}
         ), claimed AS (
           UPDATE webhook_deliveries SET lease = $1, leased_until = now() + interval '1 minute'
           WHERE id IN (SELECT id FROM free)
           RETURNING id, webhook_id, event_id, payload, due_time
         )
         SELECT jsonb_agg(jsonb_build_object(
           'id', claimed.id, 'webhook_id', webhook_id, 'url', url, 'event_id', event_id, 'payload', payload,
           'secrets', CASE WHEN former_until > now() THEN jsonb_build_array(secret, former_secret)
             ELSE jsonb_build_array(secret) END
         ) ORDER BY due_time, claimed.id)::text
         FROM claimed JOIN webhooks ON webhooks.id = webhook_id"
    );
    match db.query_row(&sql, &[lease.to_owned().into()])?.column::<Option<String>>()? {
        Some(list) => serde_json::from_str(&list)
            .map_err(|error| Error::Internal(format!("the deliveries to send cannot be read: {error}"))),
        None => Ok(Vec::new()),
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The delivery.
    pub id: i64,
    /// The webhook.
    pub webhook_id: i64,
    /// Whether the receiver has it.
    pub delivered: bool,
    /// Whether the receiver wants no more: it is turned off at once.
    pub gone: bool,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub response: Option<String>,
    /// Seconds after which the receiver wants to be asked again, at the earliest.
    pub retry_after: Option<u32>,
}

/// Notes what became of the deliveries that were claimed with `lease`: when the next attempts are due, and of a webhook that
/// has failed for days, or is gone, that it is turned off.
pub fn settle(db: &Db, lease: &str, attempts: &[Attempt]) -> Result<(), Error> {
    let list = serde_json::to_string(attempts).map_err(|error| Error::Internal(error.to_string()))?;
    let pauses = PAUSES.map(|seconds| seconds.to_string()).join(", ");
    let most = PAUSES.len() + 1;
    // From 0 to 1. Functions that make random numbers leave something behind in the session, which would be cleaned.
    let chance = "('x' || left(md5($2::text || delivery.id), 8))::bit(32)::bigint / 4294967295.0";
    let sql = format!(
        "WITH attempt AS MATERIALIZED (
           SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS attempt (
             id bigint, webhook_id bigint, delivered boolean, gone boolean, status integer, error text, response text,
             retry_after integer)
         ), settled AS (
           UPDATE webhook_deliveries AS delivery SET lease = '', leased_until = '-infinity', attempts = attempts + 1,
             attempted_time = now(), status = attempt.status, error = attempt.error, response = attempt.response,
             state = CASE WHEN delivered THEN 'delivered' WHEN gone OR attempts + 1 >= {most} THEN 'failed' ELSE 'waiting' END,
             due_time = now() + interval '1 second' * greatest(
               coalesce((ARRAY[{pauses}])[attempts + 1], 0) * (0.9 + {chance} * 0.2), coalesce(retry_after, 0))
           FROM attempt WHERE delivery.id = attempt.id AND lease = $2
         ), receiver AS (
           SELECT webhook_id, bool_or(delivered) AS works, bool_or(gone) AS is_gone, coalesce(max(retry_after), 0) AS pause
           FROM attempt GROUP BY webhook_id
         ), verdict AS (
           SELECT id, works, pause, active AND (is_gone
             OR NOT works AND coalesce(failing_since < now() - interval '{PATIENCE} days', false)) AS is_turned_off,
             CASE WHEN is_gone THEN 'The receiver answered 410 Gone.'
               ELSE 'Every delivery failed for {PATIENCE} days.' END AS reason
           FROM receiver JOIN webhooks ON id = webhook_id WHERE NOT works OR is_gone OR failures > 0
         ), judged AS (
           UPDATE webhooks SET
             failures = CASE WHEN works THEN 0 ELSE failures + 1 END,
             failing_since = CASE WHEN NOT works THEN coalesce(failing_since, now()) END,
             pause_until = CASE WHEN works THEN '-infinity'
               ELSE now() + interval '1 second' * greatest(least(300, 5 * 2 ^ least(failures, 10)), pause) END,
             active = active AND NOT is_turned_off,
             disabled_reason = CASE WHEN is_turned_off THEN reason ELSE disabled_reason END
           FROM verdict WHERE webhooks.id = verdict.id AND (active OR NOT is_turned_off)
           RETURNING webhooks.id, url, is_turned_off, reason
         )
         INSERT INTO audit (event, address, details)
         SELECT 'webhook_disabled', '', webhook_name(id, url) || ': ' || reason FROM judged WHERE is_turned_off"
    );
    db.execute(&sql, &[list.into(), lease.to_owned().into()])
}

record! {
    delivery_columns, read_delivery -> Delivery {
        id: "id",
        event_id: "event_id",
        kind: "type",
        state: "state",
        attempts: "attempts::bigint",
        due_time: "CASE WHEN state = 'waiting' THEN due_time AT TIME ZONE 'UTC' END",
        attempted_time: "attempted_time AT TIME ZONE 'UTC'",
        status: "status::bigint",
        error: "error",
        response: "response",
        created_time: "created_time AT TIME ZONE 'UTC'",
    }
}

/// The first `count` deliveries of a webhook before number `before`, newest first.
pub fn before(db: &Db, webhook_id: i64, before: i64, count: usize) -> Result<Vec<Delivery>, Error> {
    let sql = concat!(
        "SELECT ",
        delivery_columns!(),
        " FROM webhook_deliveries WHERE webhook_id = $1 AND id < $2 ORDER BY webhook_deliveries.id DESC LIMIT $3"
    );
    db.query_all(sql, &[webhook_id.into(), before.into(), db::count(count)], read_delivery)
}

/// What came of asking for something to be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is sent soon.
    Sent(Delivery),
    /// There is no such webhook, or no such delivery of it.
    Nothing,
    /// The webhook is off.
    Off,
}

/// The end of a statement that [`asked`] reads: of the webhook in `target`, the delivery in `made`.
macro_rules! asked_columns {
    () => {
        concat!(
            "SELECT made.id IS NOT NULL, NOT target.active, made_columns.* FROM (SELECT) AS always
             LEFT JOIN target ON true LEFT JOIN made ON true
             LEFT JOIN LATERAL (SELECT ",
            delivery_columns!(),
            " FROM made) AS made_columns ON true"
        )
    };
}

fn asked(mut row: db::Row) -> Result<Asked, Error> {
    let (exists, is_off): (Option<bool>, Option<bool>) = (row.column()?, row.column()?);
    match (exists, is_off) {
        (_, Some(true)) => Ok(Asked::Off),
        (Some(true), _) => read_delivery(&mut row).map(Asked::Sent),
        _ => Ok(Asked::Nothing),
    }
}

/// Has an event of the type `wasiki.test` sent to webhook `id`.
pub fn test(db: &Db, id: i64, actor: &Actor) -> Result<Asked, Error> {
    let sql = concat!(
        "WITH target AS (
           SELECT id, url, active, gen_random_uuid()::text AS event_id FROM webhooks WHERE id = $3
         ), made AS (
           INSERT INTO webhook_deliveries (webhook_id, event_id, type, payload)
           SELECT id, event_id, 'wasiki.test', jsonb_build_object(
             'specversion', '1.0', 'id', event_id, 'source', 'wasiki', 'type', 'wasiki.test',
             'subject', '/webhooks/' || id, 'time', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
             'datacontenttype', 'application/json', 'data', jsonb_build_object('webhook_id', id))::text
           FROM target WHERE active
           RETURNING *
         ), resumed AS (
           UPDATE webhooks SET pause_until = '-infinity' FROM made WHERE webhooks.id = webhook_id AND failures > 0
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details)
           SELECT 'webhook_tested', $1, $2, webhook_name(id, url) FROM target WHERE active
         )
         ",
        asked_columns!()
    );
    let [actor_id, address] = actor.params();
    asked(db.query_row(sql, &[actor_id, address, id.into()])?)
}

/// Has a delivery of webhook `webhook_id` sent again, as if it were new.
pub fn resend(db: &Db, webhook_id: i64, id: i64, actor: &Actor) -> Result<Asked, Error> {
    let sql = concat!(
        "WITH target AS (
           SELECT webhooks.id, url, active FROM webhooks JOIN webhook_deliveries AS delivery ON webhook_id = webhooks.id
           WHERE webhooks.id = $3 AND delivery.id = $4
         ), made AS (
           UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, due_time = now() FROM target
           WHERE active AND webhook_deliveries.id = $4 AND webhook_id = $3
           RETURNING webhook_deliveries.*
         ), resumed AS (
           UPDATE webhooks SET pause_until = '-infinity' FROM made WHERE webhooks.id = webhook_id AND failures > 0
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details)
           SELECT 'webhook_delivery_resent', $1, $2, webhook_name(target.id, url) || ': ' || made.type || ' ' || made.event_id
           FROM target, made
         )
         ",
        asked_columns!()
    );
    let [actor_id, address] = actor.params();
    asked(db.query_row(sql, &[actor_id, address, webhook_id.into(), Param::from(id)])?)
}
