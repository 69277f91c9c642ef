//! Tags: which there are, and how many pages have them.

use serde::Serialize;
use wiki_types::rules;

use crate::db::{self, Db, Row};
use crate::list::{self, Cursor, Page};
use crate::problem::Problem;
use crate::reply::Response;
use crate::request::Request;

/// A tag that a page has.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Tag {
    /// The tag itself.
    pub name: String,
    /// How many pages have it.
    pub posts: i64,
}

impl Tag {
    fn from_row(mut row: Row) -> Result<Self, Problem> {
        Ok(Self { name: row.column()?, posts: row.column()? })
    }
}

/// `GET /tags`, by name
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    Ok(page(request, db)?.reply(request, "tags"))
}

/// The part of the tags, by name, that `request` asks for.
pub fn page(request: &Request, db: &Db) -> Result<Page<Tag>, Problem> {
    let limit = list::limit(request)?;
    // Any text that can be stored: what makes a tag may be stricter now than it was.
    let cursor =
        Cursor::read(request, |keys| matches!(keys, [name] if name.as_str().is_some_and(|n| rules::text(n).is_ok())))?;
    let after = cursor.and_then(|cursor| cursor.0[0].as_str().map(str::to_owned)).unwrap_or_default();
    let rows = db.query(
        "SELECT name, posts FROM tags WHERE name > $1 AND posts > 0 ORDER BY name LIMIT $2",
        &[after.into(), db::count(limit + 1)],
    )?;
    let tags = rows.into_iter().map(Tag::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::new(request, tags, limit, |last| Cursor(vec![last.name.clone().into()])))
}

/// The tags most pages have, at most `count`.
pub fn most_used(db: &Db, count: usize) -> Result<Vec<Tag>, Problem> {
    db.query("SELECT name, posts FROM tags WHERE posts > 0 ORDER BY posts DESC, name LIMIT $1", &[db::count(count)])?
        .into_iter()
        .map(Tag::from_row)
        .collect()
}
