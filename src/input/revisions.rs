//! Revisions, as requests name them.

use wiki_types::Revision;

use crate::errors;
use crate::store::pages::{self, Draft};
use crate::store::{Db, revisions};
use crate::web::Problem;

/// Version `version` of page `id`. 404 if the page has no such version, or there is no such page.
pub fn find(db: &Db, id: i64, version: i64) -> Result<Revision, Problem> {
    match revisions::find(db, id, version)? {
        Some(revision) => Ok(revision),
        None => {
            pages::find(db, id)?.ok_or_else(errors::page_not_found)?;
            Err(errors::version_not_found(&version.to_string()))
        }
    }
}

/// Two revisions of page `id`, the older one first: `from`, else the one before `to`; `to`, else the current one.
///
/// There is no older one before the first version; version 0 stands for that as well.
pub fn pair(db: &Db, id: i64, from: Option<i64>, to: Option<i64>) -> Result<(Option<Revision>, Revision), Problem> {
    let to = match to {
        Some(to) => to,
        None => pages::find(db, id)?.ok_or_else(errors::page_not_found)?.version,
    };
    let newer = find(db, id, to)?;
    let older = match from.unwrap_or(to - 1) {
        0 => None,
        from => Some(find(db, id, from)?),
    };
    Ok((older, newer))
}

/// An edit by `user_id` that makes a page what it was in `revision`.
///
/// Title, content and tags go back. The slug stays, so that links keep working.
pub fn reversion(revision: Revision, user_id: Option<i64>, comment: Option<String>) -> Draft {
    let version = revision.entry.version;
    Draft {
        user_id,
        title: Some(revision.entry.title),
        content: revision.content,
        tags: Some(revision.tags),
        comment: comment.unwrap_or_else(|| format!("Revert to version {version}")),
        ..Draft::default()
    }
}
