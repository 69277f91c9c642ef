//! What stands around every page: the wiki's settings and, for those who may read, spaces, the open part of the tree, and stars.

use serde::Deserialize;
use wiki_types::{Settings, Suggestion};

use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::settings::{read_settings, settings_columns};

/// The most pages of one level. Whoever looks for another among more than that searches, or opens the level on its own.
pub const MAX_LEVEL: usize = 100;
/// The most spaces.
pub const MAX_SPACES: usize = 100;
/// The most pages with a star.
pub const MAX_STARS: usize = 20;

/// Where a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Location {
    /// Nowhere in the tree.
    #[default]
    Elsewhere,
    /// In the space with this number.
    Space(i64),
    /// At the page with this number.
    Page(i64),
}

/// What stands around a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Navigation {
    /// The wiki's name, mark and color.
    pub settings: Settings,
    /// The spaces that the reader may see, [`MAX_SPACES`] and one more at most: the first one, then the others by name.
    pub spaces: Vec<Space>,
    /// The number of the space whose pages are open, if one is.
    pub open_space: Option<i64>,
    /// The page that the reader is at.
    pub page: Option<i64>,
    /// The open pages from the top of the space to the page, their siblings, and the pages right below the page. Siblings are in
    /// their order; of a level there are [`MAX_LEVEL`] and one more at most, and the one that leads to the page.
    pub pages: Vec<Page>,
    /// Pages that the reader gave a star, by title, [`MAX_STARS`] and one more at most.
    pub stars: Vec<Suggestion>,
    /// Whether the page that the reader is at has a star of theirs.
    pub is_starred: bool,
}

/// A space in the navigation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Space {
    pub id: i64,
    pub slug: String,
    pub name: String,
    pub icon: String,
}

/// A page in the navigation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Page {
    pub id: i64,
    /// The page above it; none at the top of the space.
    pub parent: Option<i64>,
    pub title: String,
    pub slug: String,
    /// Whether it is the page that the reader is at, or above that.
    pub is_open: bool,
    /// Whether the reader may read a page below it.
    pub has_children: bool,
}

/// SQL for the columns of a page in the navigation.
macro_rules! page_columns {
    () => {
        concat!(
            "page.id, page.parent_id, page.title, page.slug, page.position, EXISTS (
               SELECT FROM posts child WHERE child.parent_id = page.id AND child.deleted_time IS NULL AND ",
            is_readable!("child"),
            ") AS has_children"
        )
    };
}

/// What stands around what user `user_id` sees at `location`.
///
/// One statement. Whatever the size of the wiki, it reads what it returns and no more.
pub fn load(db: &Db, user_id: Option<i64>, location: Location) -> Result<Navigation, Error> {
    let (page, space) = match location {
        Location::Elsewhere => (None, None),
        Location::Space(id) => (None, Some(id)),
        Location::Page(id) => (Some(id), None),
    };
    let sql = concat!(
        "WITH place AS MATERIALIZED (
           SELECT page.space_id, ancestry(page.id) AS line FROM posts page
           WHERE page.id = $1::bigint AND page.deleted_time IS NULL AND ",
        is_readable!("page"),
        "
         ), known AS MATERIALIZED (
           SELECT spaces.id, spaces.slug, spaces.name, spaces.icon FROM spaces WHERE spaces.deleted_time IS NULL AND ",
        is_readable!("spaces"),
        "
           ORDER BY spaces.id <> 1, lower(spaces.name), spaces.id LIMIT 101
         ), opened AS MATERIALIZED (
           SELECT coalesce($2::bigint, (SELECT space_id FROM place), (SELECT min(id) FROM known HAVING count(*) = 1)) AS space
         ), listed AS (
           (SELECT ",
        page_columns!(),
        " FROM posts page
            WHERE page.space_id = (SELECT space FROM opened) AND page.parent_id IS NULL AND page.deleted_time IS NULL AND ",
        is_readable!("page"),
        " ORDER BY page.position, page.id LIMIT 101)
           UNION
           (SELECT page.* FROM place CROSS JOIN LATERAL unnest(place.line) AS above (id) CROSS JOIN LATERAL (
             SELECT ",
        page_columns!(),
        " FROM posts page WHERE page.parent_id = above.id AND page.deleted_time IS NULL AND ",
        is_readable!("page"),
        " ORDER BY page.position, page.id LIMIT 101) AS page)
           UNION
           (SELECT ",
        page_columns!(),
        " FROM place JOIN posts page ON page.id = ANY (place.line) WHERE page.deleted_time IS NULL AND ",
        is_readable!("page"),
        ")
         )
         SELECT ",
        settings_columns!(),
        ", (SELECT jsonb_agg(to_jsonb(known) ORDER BY known.id <> 1, lower(known.name), known.id)::text FROM known),
           (SELECT space FROM opened),
           (SELECT jsonb_agg(jsonb_build_object('id', listed.id, 'parent', listed.parent_id, 'title', listed.title,
              'slug', listed.slug, 'is_open', listed.id = ANY (coalesce((SELECT line FROM place), '{}')),
              'has_children', listed.has_children) ORDER BY listed.position, listed.id)::text FROM listed),
           (SELECT jsonb_agg(to_jsonb(starred))::text FROM (
              SELECT page.title, page.slug FROM stars JOIN posts page ON page.id = stars.post_id
              WHERE stars.user_id = $3::bigint AND page.deleted_time IS NULL AND ",
        is_readable!("page"),
        " ORDER BY lower(page.title), page.id LIMIT 21) AS starred),
           EXISTS (SELECT FROM stars WHERE stars.user_id = $3 AND stars.post_id = $1)
         FROM settings"
    );
    let mut row = db.query_row(sql, &[page.into(), space.into(), user_id.into()])?;
    Ok(Navigation {
        settings: read_settings(&mut row)?,
        spaces: row.json()?.unwrap_or_default(),
        open_space: row.column()?,
        page,
        pages: row.json()?.unwrap_or_default(),
        stars: row.json()?.unwrap_or_default(),
        is_starred: row.column()?,
    })
}
