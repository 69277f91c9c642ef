//! The audit trail: what happened to accounts and pages, who did it, where from and when. Entries are only ever added.
//!
//! A statement that changes something adds its entry as well, so that neither is there without the other.

use wiki_types::AuditEntry;

use crate::store::db::{self, Db, Param};
use crate::store::error::Error;

/// Who changes something, and where from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The number of their user, where that is known.
    pub user_id: Option<i64>,
    /// Their address, as far as the host knows.
    pub address: String,
}

impl Actor {
    /// The columns `actor_id` and `address`.
    pub(super) fn params(&self) -> [Param; 2] {
        [self.user_id.into(), self.address.clone().into()]
    }
}

record! {
    entry_columns, read_entry -> AuditEntry {
        id: "audit.id",
        time: "time AT TIME ZONE 'UTC'",
        event: "event",
        actor_id: "actor_id",
        actor: "actor.name",
        address: "address",
        user_id: "audit.user_id",
        user: "about.name",
        post_id: "post_id",
        details: "details",
        page: "posts.slug",
        is_page_deleted: "posts.deleted_time IS NOT NULL",
    }
}

/// The first `count` entries before number `before`, newest first; only those by or about one user if one is given.
pub fn before(db: &Db, before: i64, user_id: Option<i64>, count: usize) -> Result<Vec<AuditEntry>, Error> {
    let sql = concat!(
        "SELECT ",
        entry_columns!(),
        " FROM audit LEFT JOIN users actor ON actor.id = actor_id LEFT JOIN users about ON about.id = audit.user_id
           LEFT JOIN posts ON posts.id = post_id
         WHERE audit.id < $1 AND ($3::bigint IS NULL OR audit.actor_id = $3 OR audit.user_id = $3)
         ORDER BY audit.id DESC LIMIT $2"
    );
    db.query_all(sql, &[before.into(), db::count(count), user_id.into()], read_entry)
}

/// Adds an entry for an event that changes nothing else.
pub fn note(db: &Db, actor: &Actor, event: &'static str, user_id: Option<i64>) -> Result<(), Error> {
    let [actor_id, address] = actor.params();
    db.execute(
        "INSERT INTO audit (event, actor_id, address, user_id) VALUES ($1, $2, $3, $4)",
        &[event.to_owned().into(), actor_id, address, user_id.into()],
    )
}
