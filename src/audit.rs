//! The audit trail: what happened to accounts and pages, who did it, where from and when. It is only ever added to.
//!
//! What changes something notes it in the same statement, so that neither is there without the other.

use serde::Serialize;

use crate::access::Who;
use crate::db::{self, Db, Row};
use crate::list::{self, Cursor, Page};
use crate::problem::Problem;
use crate::reply::Response;
use crate::request::{Request, positive, query};
use crate::time::Time;

/// Something that happened.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = AuditEntry))]
pub struct Entry {
    /// Its number; later ones are larger.
    pub id: i64,
    /// When.
    pub time: Time,
    /// What: `sign_in`, `sign_in_failed`, `sign_out`, `account_created`, `password_changed`, `role_changed`,
    /// `user_deleted`, `token_created`, `token_revoked`, `session_revoked`, `page_deleted`, `page_restored`,
    /// `page_protected` or `page_unprotected`.
    pub event: String,
    /// Who did it; null when that is not known.
    #[cfg_attr(test, schema(required = true))]
    pub actor_id: Option<i64>,
    /// What they are called; null if they were deleted.
    #[cfg_attr(test, schema(required = true))]
    pub actor: Option<String>,
    /// The address they did it from, as far as the host knows.
    pub address: String,
    /// Whose account it was about.
    #[cfg_attr(test, schema(required = true))]
    pub user_id: Option<i64>,
    /// What they are called; null if they were deleted.
    #[cfg_attr(test, schema(required = true))]
    pub user: Option<String>,
    /// Which page it was about.
    #[cfg_attr(test, schema(required = true))]
    pub post_id: Option<i64>,
    /// What else there is to say: a role, a token's name, a page's title.
    pub details: String,
}

impl Entry {
    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Ok(Self {
            id: row.column()?,
            time: row.column()?,
            event: row.column()?,
            actor_id: row.column()?,
            actor: row.column()?,
            address: row.column()?,
            user_id: row.column()?,
            user: row.column()?,
            post_id: row.column()?,
            details: row.column()?,
        })
    }
}

/// `GET /audit`: newest first; of one account, as actor or as who it was about, with `?user_id=`
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    Ok(page(request, db)?.reply(request, "entries"))
}

/// The part of the trail that `request` asks for.
pub fn page(request: &Request, db: &Db) -> Result<Page<Entry>, Problem> {
    let limit = list::limit(request)?;
    let cursor = Cursor::read(request, |keys| matches!(keys, [id] if id.is_i64()))?;
    let before = cursor.and_then(|cursor| cursor.0[0].as_i64()).unwrap_or(i64::MAX);
    let mut params = vec![before.into(), db::count(limit + 1)];
    let mut condition = "";
    if let Some(user_id) = query(request, "user_id") {
        params.push(positive(&user_id).unwrap_or(0).into());
        condition = "AND (audit.actor_id = $3 OR audit.user_id = $3)";
    }
    let sql = format!(
        "SELECT audit.id, time AT TIME ZONE 'UTC', event, actor_id, actor.name, address, user_id, about.name, post_id, details
         FROM audit LEFT JOIN users actor ON actor.id = actor_id LEFT JOIN users about ON about.id = user_id
         WHERE audit.id < $1 {condition} ORDER BY audit.id DESC LIMIT $2"
    );
    let entries = db.query(&sql, &params)?.into_iter().map(Entry::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::new(request, entries, limit, |last| Cursor(vec![last.id.into()])))
}

/// Notes something that changes nothing else.
pub fn note(db: &Db, who: &Who, event: &'static str, user_id: Option<i64>) -> Result<(), Problem> {
    let [actor, address] = who.actor();
    db.query(
        "INSERT INTO audit (event, actor_id, address, user_id) VALUES ($1, $2, $3, $4)",
        &[event.to_owned().into(), actor, address, user_id.into()],
    )?;
    Ok(())
}
