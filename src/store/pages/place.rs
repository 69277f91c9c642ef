//! Where a page is in the tree, as its view shows it.

use crate::store::db::{Db, Row};
use crate::store::error::Error;
use wiki_types::Suggestion;

/// The most pages below a page that its view lists.
pub const MAX_LISTED: usize = 100;

/// What is around a page in the tree, as far as the reader may read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its space: slug and name. None of the first, which a wiki with one space does not show.
    pub space: Option<(String, String)>,
    /// The pages above it, from the top.
    pub above: Vec<Suggestion>,
    /// The pages right below it, [`MAX_LISTED`] and one more at most.
    pub below: Vec<Suggestion>,
    /// The sibling before it. Pages at the top of a space have none.
    pub previous: Option<Suggestion>,
    /// The sibling after it.
    pub next: Option<Suggestion>,
}

impl Place {
    /// Whether there are pages below it or beside it.
    pub fn has_neighbours(&self) -> bool {
        !self.below.is_empty() || self.previous.is_some() || self.next.is_some()
    }
}

/// SQL for the title and slug of a page, as JSON.
macro_rules! named {
    ($page:literal) => {
        concat!("jsonb_build_object('title', ", $page, ".title, 'slug', ", $page, ".slug)")
    };
}

/// SQL for the sibling of the page in `posts` that is next in one direction; null at the top of a space.
macro_rules! sibling {
    ($comparison:literal, $order:literal) => {
        concat!(
            "CASE WHEN posts.parent_id IS NOT NULL THEN (SELECT ",
            named!("other"),
            "::text FROM posts other
              WHERE other.parent_id = posts.parent_id AND other.deleted_time IS NULL AND ",
            is_readable!("other"),
            " AND (other.position, other.id) ",
            $comparison,
            " (posts.position, posts.id) ORDER BY other.position ",
            $order,
            ", other.id ",
            $order,
            " LIMIT 1) END"
        )
    };
}

/// The columns that [`read_place`] reads, of the page in `posts`. Of a page that is on its own, they cost one look into an index.
pub(super) const COLUMNS: &str = concat!(
            "CASE WHEN posts.space_id <> 1 THEN (
               SELECT jsonb_build_object('title', spaces.name, 'slug', spaces.slug)::text FROM spaces
               WHERE spaces.id = posts.space_id AND spaces.deleted_time IS NULL AND ",
            is_readable!("spaces"),
            ") END,
             CASE WHEN posts.parent_id IS NOT NULL THEN (
               SELECT jsonb_agg(",
            named!("other"),
            " ORDER BY line.number)::text
               FROM unnest(ancestry(posts.parent_id)) WITH ORDINALITY AS line (id, number) JOIN posts other ON other.id = line.id
               WHERE other.deleted_time IS NULL AND ",
            is_readable!("other"),
            ") END,
             (SELECT jsonb_agg(",
            named!("child"),
            ")::text FROM (
                SELECT other.title, other.slug FROM posts other
                WHERE other.parent_id = posts.id AND other.deleted_time IS NULL AND ",
            is_readable!("other"),
            " ORDER BY other.position, other.id LIMIT 101) AS child),
             ",
            sibling!("<", "DESC"),
            ", ",
            sibling!(">", "ASC")
        );

/// SQL for a JSON array of the names in the place of the page in `posts`: its space, unless that is the first one, and the pages
/// above it, from the top; as far as the reader may read them.
pub(in crate::store) const NAMES: &str = concat!(
    "(SELECT coalesce(jsonb_agg(above.name ORDER BY above.number), '[]')::text FROM (
        SELECT 0 AS number, spaces.name FROM spaces
        WHERE posts.space_id <> 1 AND spaces.id = posts.space_id AND spaces.deleted_time IS NULL AND ",
    is_readable!("spaces"),
    " UNION ALL
        SELECT line.number, other.title
        FROM unnest(CASE WHEN posts.parent_id IS NOT NULL THEN ancestry(posts.parent_id) END) WITH ORDINALITY AS line (id, number)
        JOIN posts other ON other.id = line.id
        WHERE other.deleted_time IS NULL AND ",
    is_readable!("other"),
    ") AS above)"
);

/// Where page `id` is, as far as the reader may read it; nowhere if they may not read it itself.
pub fn place_of(db: &Db, id: i64) -> Result<Place, Error> {
    let sql = format!(
        concat!("SELECT {} FROM posts WHERE id = $1 AND deleted_time IS NULL AND ", is_readable!("posts")),
        COLUMNS
    );
    Ok(db.query_one(&sql, &[id.into()])?.as_mut().map(read_place).transpose()?.unwrap_or_default())
}

/// Reads [`COLUMNS`].
pub(super) fn read_place(row: &mut Row) -> Result<Place, Error> {
    let space: Option<Suggestion> = row.json()?;
    Ok(Place {
        space: space.map(|space| (space.slug, space.title)),
        above: row.json()?.unwrap_or_default(),
        below: row.json()?.unwrap_or_default(),
        previous: row.json()?,
        next: row.json()?,
    })
}
