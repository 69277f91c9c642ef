//! What a search finds that has filters and no words.

use serde_json::Value;
use wiki_types::SearchResult;

use super::statement::{Found, MAX_RANKED, read_results};
use crate::store::db::{self, Db};
use crate::store::error::Error;
use crate::store::pages::{Filter, Order};
use crate::words::Query;

/// The sort keys of a result: those of [`Order::LATEST`].
pub fn filtered_keys(result: &SearchResult) -> Vec<Value> {
    vec![result.updated_time.micros().into(), result.post_id.into()]
}

/// The first `count` pages that pass `filter`, latest edit first; those after `keys` where they are given.
pub fn filtered(db: &Db, mut filter: Filter, keys: Option<&[Value]>, count: usize) -> Result<Found, Error> {
    let source = filter.source();
    let (tables, all) = (source.tables(), filter.sql_of(source));
    if let Some(keys) = keys {
        filter = filter.after(Order::LATEST, keys);
    }
    filter.params.push(db::count(count));
    let (later, inner, number) = (filter.sql_of(source), Order::LATEST.sql_of(source), filter.params.len());
    let order = Order::LATEST.sql();
    // No more are counted than a search with words ranks.
    let sql = format!(
        "WITH counted AS MATERIALIZED (
           SELECT count(*) AS total FROM (SELECT FROM {tables} WHERE {all} LIMIT {MAX_RANKED}) AS counted
         )
         SELECT total, total < {MAX_RANKED}, false, NULL::text[], result.*
         FROM counted LEFT JOIN (
           SELECT id, user_id, title, slug, tags, updated_time AT TIME ZONE 'UTC', 0::float8 AS rank, language,
             coalesce(plain, '')
           FROM (SELECT posts.* FROM {tables} WHERE {later} ORDER BY {inner} LIMIT ${number}) AS shown
           LEFT JOIN searched ON post_id = id ORDER BY {order}
         ) AS result ON true"
    );
    Ok(read_results(db, &sql, &filter.params, &Query::default())?.0)
}
