//! Webhooks: other servers that are sent events.

use wiki_types::Webhook;

use crate::store::audit::Actor;
use crate::store::db::{self, Db};
use crate::store::error::Error;

/// The unique index over their addresses.
pub const URL_INDEX: &str = "webhooks_url_key";

/// The most webhooks there are.
pub const MAX_WEBHOOKS: usize = 50;

record! {
    webhook_columns, read_webhook -> Webhook {
        id: "id",
        url: "url",
        types: "types",
        active: "active",
        disabled_reason: "disabled_reason",
        failing_since: "failing_since AT TIME ZONE 'UTC'",
        former_secret_until: "CASE WHEN former_until > now() THEN former_until AT TIME ZONE 'UTC' END",
        created_by: "created_by",
        created_time: "created_time AT TIME ZONE 'UTC'",
    }
}

/// All webhooks, oldest first.
pub fn all(db: &Db) -> Result<Vec<Webhook>, Error> {
    let sql = concat!("SELECT ", webhook_columns!(), " FROM webhooks ORDER BY id");
    db.query_all(sql, &[], read_webhook)
}

/// Webhook `id`.
pub fn find(db: &Db, id: i64) -> Result<Option<Webhook>, Error> {
    let sql = concat!("SELECT ", webhook_columns!(), " FROM webhooks WHERE id = $1");
    db.query_one(sql, &[id.into()])?.as_mut().map(read_webhook).transpose()
}

/// Makes a webhook. None if there are [`MAX_WEBHOOKS`] already; [`Error::Duplicate`] of [`URL_INDEX`] if one has that address.
pub fn create(
    db: &Db,
    url: String,
    types: Vec<String>,
    secret: String,
    actor: &Actor,
) -> Result<Option<Webhook>, Error> {
    let [actor_id, address] = actor.params();
    let sql = concat!(
        "WITH made AS (
           INSERT INTO webhooks (url, types, secret, created_by)
           SELECT $3, $4::text[], $5, $1 WHERE (SELECT count(*) FROM webhooks) < $6 RETURNING *
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details)
           SELECT 'webhook_created', $1, $2, webhook_name(id, url) FROM made
         )
         ",
        row_or_nulls!("SELECT true, ", webhook_columns!(), " FROM made")
    );
    let params = [actor_id, address, url.into(), db::texts(Some(types)), secret.into(), db::count(MAX_WEBHOOKS)];
    read_if_there(db.query_row(sql, &params)?)
}

fn read_if_there(mut row: db::Row) -> Result<Option<Webhook>, Error> {
    match row.column::<Option<bool>>()? {
        Some(_) => read_webhook(&mut row).map(Some),
        None => Ok(None),
    }
}

/// What changes about a webhook; nothing where it is none.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Where events are sent.
    pub url: Option<String>,
    /// Which events.
    pub types: Option<Vec<String>>,
    /// Whether any are.
    pub active: Option<bool>,
}

/// Changes webhook `id`. None if there is none; [`Error::Duplicate`] of [`URL_INDEX`] if another has that address.
///
/// Turned on, or sent elsewhere, it counts as one that has not failed yet.
pub fn change(db: &Db, id: i64, change: Change, actor: &Actor) -> Result<Option<Webhook>, Error> {
    let [actor_id, address] = actor.params();
    let sql = concat!(
        "WITH former AS MATERIALIZED (
           SELECT * FROM webhooks WHERE id = $3 FOR UPDATE
         ), wanted AS (
           SELECT id, coalesce($4, url) AS url, coalesce($5::text[], types) AS types, coalesce($6, active) AS active,
             (coalesce($6, active) AND NOT active) OR coalesce($4, url) <> url AS is_fresh
           FROM former
         ), changed AS (
           UPDATE webhooks SET url = wanted.url, types = wanted.types, active = wanted.active,
             disabled_reason = CASE WHEN wanted.active THEN NULL ELSE webhooks.disabled_reason END,
             failing_since = CASE WHEN is_fresh THEN NULL ELSE webhooks.failing_since END,
             failures = CASE WHEN is_fresh THEN 0 ELSE webhooks.failures END,
             pause_until = CASE WHEN is_fresh THEN '-infinity' ELSE webhooks.pause_until END
           FROM wanted
           WHERE webhooks.id = wanted.id
             AND (webhooks.url, webhooks.types, webhooks.active) IS DISTINCT FROM (wanted.url, wanted.types, wanted.active)
           RETURNING webhooks.*
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details)
           SELECT 'webhook_changed', $1, $2, webhook_name(former.id, former.url) || ': ' || concat_ws(', ',
             CASE WHEN former.url <> changed.url THEN 'sent to ' || webhook_name(changed.id, changed.url) END,
             CASE WHEN former.types <> changed.types THEN 'types ' || coalesce(nullif(array_to_string(changed.types, ' '), ''), 'all') END,
             CASE WHEN former.active <> changed.active THEN CASE WHEN changed.active THEN 'on' ELSE 'off' END END)
           FROM former JOIN changed USING (id)
         )
         ",
        row_or_nulls!(
            "SELECT true, ",
            webhook_columns!(),
            " FROM (
               SELECT * FROM changed UNION ALL SELECT * FROM former WHERE NOT EXISTS (SELECT FROM changed)
             ) AS webhook"
        )
    );
    let params = [actor_id, address, id.into(), change.url.into(), db::texts(change.types), change.active.into()];
    read_if_there(db.query_row(sql, &params)?)
}

/// Has requests of webhook `id` signed with `secret`, and for a day also with the secret before. None if there is none.
pub fn rotate(db: &Db, id: i64, secret: String, actor: &Actor) -> Result<Option<Webhook>, Error> {
    let [actor_id, address] = actor.params();
    let sql = concat!(
        "WITH rotated AS (
           UPDATE webhooks SET former_secret = secret, former_until = now() + interval '24 hours', secret = $4
           WHERE id = $3 RETURNING *
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details)
           SELECT 'webhook_secret_rotated', $1, $2, webhook_name(id, url) FROM rotated
         )
         ",
        row_or_nulls!("SELECT true, ", webhook_columns!(), " FROM rotated")
    );
    read_if_there(db.query_row(sql, &[actor_id, address, id.into(), secret.into()])?)
}

/// Removes webhook `id` with its deliveries; more than ten thousand of them go later, with the old ones of others. Returns
/// whether there was one.
pub fn delete(db: &Db, id: i64, actor: &Actor) -> Result<bool, Error> {
    let [actor_id, address] = actor.params();
    let sql = "WITH gone AS (
           DELETE FROM webhooks WHERE id = $3 RETURNING id, url
         ), cleared AS (
           DELETE FROM webhook_deliveries WHERE id IN (
             SELECT delivery.id FROM webhook_deliveries AS delivery JOIN gone ON delivery.webhook_id = gone.id LIMIT 10000)
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details)
           SELECT 'webhook_deleted', $1, $2, webhook_name(id, url) FROM gone
         )
         SELECT EXISTS (SELECT FROM gone)";
    db.query_row(sql, &[actor_id, address, id.into()])?.column()
}
