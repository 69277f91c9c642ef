//! Deleting a page with everything below it.

use crate::store::audit::Actor;
use crate::store::db::{self, Db};
use crate::store::error::Error;
use crate::store::pages::write::{Blocked, Deleted, Note, deleted};

/// Deletes page `id`, if it is at one of the versions `seen`, with everything below it; each page as a deletion of its own. If one
/// of them may not be deleted, none is. What the reader may not even read moves up, as if it were not there.
///
/// Who moves pages or creates one below them at the same time waits, or is waited for. The database decides.
pub fn delete_tree(
    db: &Db,
    id: i64,
    seen: Option<Vec<i64>>,
    note: &Note,
    may_override: bool,
    actor: &Actor,
) -> Result<Deleted, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        concat!(
            "SELECT outcome, coalesce(protected_below, '{}'), coalesce(read_only_below, '{}'), ",
            post_columns!(),
            " FROM delete_tree($1, $2, $3, $reader, $4, $5, $6, $7) AS done CROSS JOIN LATERAL (SELECT (done.root).*) AS page"
        ),
        &[
            id.into(),
            db::numbers(seen),
            may_override.into(),
            note.user_id.into(),
            note.comment.clone().into(),
            actor_id,
            address,
        ],
    )?;
    let outcome: String = row.column()?;
    let (protected, read_only) = (row.column()?, row.column()?);
    match &*outcome {
        "blocked" => Ok(Deleted::Blocked(Blocked { protected, read_only })),
        other => deleted(other, &mut row),
    }
}
