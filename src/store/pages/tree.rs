//! The tree: which pages are below which, and in which order.

use serde_json::Value;
use wiki_types::{Move, TreePage};

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Row};
use crate::store::error::Error;
use crate::store::pages::{Refusal, Unplaced, write};

/// The most pages from the top of the tree to its lowest page: what the function `max_depth` in the database says.
pub const MAX_DEPTH: usize = 50;

/// The most pages below a page that are counted.
pub const MAX_COUNTED: i64 = 1000;

/// SQL for how many pages right below those in the table of this name the reader may read.
macro_rules! children {
    ($page:literal) => {
        concat!(
            "(SELECT count(*) FROM posts WHERE posts.parent_id = ",
            $page,
            ".id AND posts.deleted_time IS NULL AND ",
            is_readable!("posts"),
            ")"
        )
    };
}

/// Where in the tree a list of siblings is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// At the top of this space.
    Top(i64),
    /// Right below this page.
    Below(i64),
}

/// The first `count` pages of a level, in their order; those after `keys` where they are given, with their sort keys.
///
/// A page below one that the reader may not read is at no level that they see: its address and searches lead to it.
pub fn level(db: &Db, level: Level, keys: Option<&[Value]>, count: usize) -> Result<Vec<(TreePage, [i64; 2])>, Error> {
    let (condition, id) = match level {
        Level::Top(space) => ("page.parent_id IS NULL AND page.space_id = $1", space),
        Level::Below(parent) => ("page.parent_id = $1", parent),
    };
    let mut params = vec![id.into(), db::count(count)];
    let mut after = "";
    if let Some([position, id]) = keys {
        params.extend([position.as_i64().into(), id.as_i64().into()]);
        after = " AND (page.position, page.id) > ($3::bigint, $4::bigint)";
    }
    // At the top of a space, `parent_id` is the same for all, which PostgreSQL sees only where it is in the order, too.
    let sql = format!(
        concat!(
            "SELECT page.id, page.title, page.slug, ",
            children!("page"),
            ", page.position FROM posts page WHERE {} AND page.deleted_time IS NULL AND ",
            is_readable!("page"),
            "{} ORDER BY page.parent_id, page.position, page.id LIMIT $2"
        ),
        condition, after
    );
    db.query_all(&sql, &params, |row| {
        let page = read_page(row)?;
        let keys = [row.column()?, page.post_id];
        Ok((page, keys))
    })
}

fn read_page(row: &mut Row) -> Result<TreePage, Error> {
    Ok(TreePage { post_id: row.column()?, title: row.column()?, slug: row.column()?, children: row.column()? })
}

/// The first `count` pages right below each of these pages, in their order, with the number of the page above.
pub fn below_each(db: &Db, parents: Vec<i64>, count: usize) -> Result<Vec<(i64, TreePage)>, Error> {
    if parents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = concat!(
        "SELECT parent.id, child.* FROM unnest($1::bigint[]) WITH ORDINALITY AS parent (id, number) CROSS JOIN LATERAL (
           SELECT page.id AS page_id, page.title, page.slug, ",
        children!("page"),
        " AS children FROM posts page WHERE page.parent_id = parent.id AND page.deleted_time IS NULL AND ",
        is_readable!("page"),
        " ORDER BY page.position, page.id LIMIT $2
         ) AS child ORDER BY parent.number"
    );
    db.query_all(sql, &[db::numbers(Some(parents)), db::count(count)], |row| Ok((row.column()?, read_page(row)?)))
}

/// How many pages are below page `id`, as the reader sees the tree; [`MAX_COUNTED`] and one more at most.
pub fn count_below(db: &Db, id: i64) -> Result<i64, Error> {
    let sql = concat!(
        "WITH RECURSIVE below AS (
           SELECT $1::bigint AS id
           UNION ALL
           SELECT posts.id FROM below JOIN posts ON posts.parent_id = below.id WHERE posts.deleted_time IS NULL AND ",
        is_readable!("posts"),
        "
         ) SELECT count(*) - 1 FROM (SELECT FROM below LIMIT $2) AS counted"
    );
    db.read_row(sql, &[id.into(), (MAX_COUNTED + 2).into()])?.column()
}

/// Whether `keys` can be those of a page in its level.
pub fn fits(keys: &[Value]) -> bool {
    matches!(keys, [position, id] if position.is_i64() && id.is_i64())
}

/// The pages above page `id`, from the top of its space, and that page itself at the end, as far as the reader may read them.
pub fn ancestry(db: &Db, id: i64) -> Result<Vec<TreePage>, Error> {
    let sql = concat!(
        "SELECT page.id, page.title, page.slug, ",
        children!("page"),
        " FROM unnest(ancestry($1)) WITH ORDINALITY AS line (id, number) JOIN posts page ON page.id = line.id
         WHERE page.deleted_time IS NULL AND ",
        is_readable!("page"),
        " ORDER BY line.number"
    );
    db.query_all(sql, &[id.into()], read_page)
}

/// What [`relocate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The page is there.
    Moved,
    /// There is no such page, or it is deleted.
    Gone,
    /// The reader may not change the page.
    Refused(Refusal),
    /// It cannot be where it was to be.
    Unplaced(Unplaced),
    /// The page would be below itself.
    Circle,
}

/// Moves page `id`, with everything below it, and logs that as an event.
///
/// Whoever moves pages at the same time waits: what two moves may do, each alone, may be a circle together. The database decides.
pub fn relocate(db: &Db, id: i64, to: Move, may_override: bool, actor: &Actor) -> Result<Moved, Error> {
    let params = [
        id.into(),
        to.space_id.into(),
        to.parent_id.into(),
        to.position.into(),
        actor.user_id.into(),
        may_override.into(),
    ];
    let sql = "SELECT move_page($1, $2, $3, $4, $reader, $5, $6)";
    let outcome: String = db.query_row(sql, &params)?.column()?;
    Ok(match &*outcome {
        "moved" => Moved::Moved,
        "gone" => Moved::Gone,
        "page read only" => Moved::Refused(Refusal::ReadOnly),
        "protected" => Moved::Refused(Refusal::Protected),
        "circle" => Moved::Circle,
        other => Moved::Unplaced(Unplaced::named(other).ok_or_else(|| write::unknown_outcome(other))?),
    })
}
