//! What stands around every page: the wiki's settings and, for those who may read, spaces, the open part of the tree, and stars.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use serde::Deserialize;
use wiki_types::{Post, Settings, Suggestion};

use crate::store::db::{Db, Reader};
use crate::store::error::Error;
use crate::store::pages::{self, PageView, Place};
use crate::store::settings::{read_settings, settings_columns};
use crate::store::snapshot::{Snapshot, snapshot};
use crate::store::spaces::FIRST;

/// The most pages of one level. Whoever looks for another among more than that searches, or opens the level on its own.
pub const MAX_LEVEL: usize = 100;
/// The most spaces.
pub const MAX_SPACES: usize = 100;
/// The most pages with a star.
pub const MAX_STARS: usize = 20;

/// The most pages whose surroundings an instance keeps.
const MAX_KNOWN: usize = 8;

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
    pub pages: Vec<Rc<Page>>,
    /// The numbers of the page and of those above it.
    pub open: Vec<i64>,
    /// Pages that the reader gave a star, by title, [`MAX_STARS`] and one more at most.
    pub stars: Vec<Suggestion>,
    /// Whether the page that the reader is at has a star of theirs.
    pub is_starred: bool,
    /// Whether the reader says who may read and write that page, as far as lists say.
    pub is_administered: bool,
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Page {
    pub id: i64,
    /// The page above it; none at the top of the space.
    pub parent: Option<i64>,
    pub title: String,
    pub slug: String,
    /// Whether the reader may read a page below it.
    pub has_children: bool,
    /// What a view makes of it as long as it is closed. It is made once for all views that share the page.
    #[serde(skip)]
    pub closed: OnceCell<Box<str>>,
}

/// The columns of a page in the navigation that a level is read with.
macro_rules! page_columns {
    () => {
        "page.id, page.parent_id, page.title, page.slug, page.position"
    };
}

/// SQL for whether the reader may read a page below the one in `listed`.
///
/// Not EXISTS: PostgreSQL would take it that all pages of the level are asked, and first look at all pages there are.
macro_rules! has_children {
    () => {
        concat!(
            "(SELECT true FROM posts child WHERE child.parent_id = listed.id AND child.deleted_time IS NULL AND ",
            is_readable!("child"),
            " LIMIT 1) IS NOT NULL"
        )
    };
}

/// What stood around a page, and when that was read.
struct Known {
    snapshot: Snapshot,
    reader: (Reader, Option<i64>),
    /// Its space, and the page above it.
    place: (i64, Option<i64>),
    navigation: Navigation,
}

thread_local! {
    /// What this instance knows, the latest last.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// What stands around the page of `view` as user `user_id` sees it.
///
/// As long as nothing in the database has changed, what stands around a page is known from its siblings.
pub fn around(db: &Db, user_id: Option<i64>, view: &PageView) -> Result<Navigation, Error> {
    let (post, snapshot, is_leaf) = (&view.post, &view.snapshot, !view.has_children);
    let reader = (db.reader(), user_id);
    let place = (post.space_id, post.parent_id);
    let known = KNOWN.with_borrow(|known| {
        let mut fitting = known
            .iter()
            .filter(|known| (&known.snapshot, known.reader, known.place) == (snapshot, reader, place) && is_leaf);
        fitting.find_map(|known| known.navigation.moved_to(post))
    });
    if let Some(navigation) = known {
        return Ok(Navigation { is_administered: view.is_administered, ..navigation });
    }
    let (navigation, snapshot) = read(db, user_id, Location::Page(post.post_id))?;
    KNOWN.with_borrow_mut(|known| {
        known.retain(|known| known.snapshot == snapshot && (known.reader, known.place) != (reader, place));
        if known.len() == MAX_KNOWN {
            known.remove(0);
        }
        known.push(Known { snapshot, reader, place, navigation: navigation.clone() });
    });
    Ok(navigation)
}

/// Where the page of `view` is in the tree. `navigation` is what stands around it.
pub fn place(db: &Db, view: &PageView, navigation: &Navigation) -> Result<Place, Error> {
    navigation.place_of(&view.post).map_or_else(|| pages::place_of(db, view.post.post_id), Ok)
}

impl Navigation {
    /// Where `post`, the page that the reader is at, is in the tree. None if that is not among what is known.
    fn place_of(&self, post: &Post) -> Option<Place> {
        let named = |page: &Rc<Page>| Suggestion { title: page.title.clone(), slug: page.slug.clone() };
        let level = |parent: Option<i64>| self.pages.iter().filter(move |page| page.parent == parent);
        let space = match post.space_id {
            FIRST => None,
            id => Some(self.spaces.iter().find(|space| space.id == id)?),
        };
        let is_above = |page: &&Rc<Page>| page.id != post.post_id && self.open.contains(&page.id);
        let mut above: Vec<&Rc<Page>> = self.pages.iter().filter(is_above).collect();
        above.sort_by_key(|page| self.open.iter().position(|id| *id == page.id));
        let (mut previous, mut next) = (None, None);
        // Pages at the top of a space are in no order that is read.
        if post.parent_id.is_some() {
            let siblings: Vec<&Rc<Page>> = level(post.parent_id).collect();
            let at = siblings.iter().position(|page| page.id == post.post_id)?;
            if at >= MAX_LEVEL {
                return None;
            }
            previous = at.checked_sub(1).map(|at| named(siblings[at]));
            next = siblings.get(at + 1).map(|page| named(page));
        }
        Some(Place {
            space: space.map(|space| (space.slug.clone(), space.name.clone())),
            above: above.into_iter().map(named).collect(),
            below: level(Some(post.post_id)).map(named).collect(),
            previous,
            next,
        })
    }

    /// The same around `post`, a sibling of the page with nothing below it; but for who administers it, which may be others. None
    /// if it is not known whether it has a star.
    fn moved_to(&self, post: &Post) -> Option<Self> {
        let former = self.page.filter(|_| self.stars.len() <= MAX_STARS)?;
        let id = post.post_id;
        let mut pages: Vec<Rc<Page>> = self.pages.iter().filter(|page| page.parent != Some(former)).cloned().collect();
        if !pages.iter().any(|page| page.id == id) {
            let (title, slug) = (post.title.clone(), post.slug.clone());
            pages.push(Rc::new(Page { id, parent: post.parent_id, title, slug, ..Page::default() }));
        }
        Some(Self {
            settings: self.settings.clone(),
            spaces: self.spaces.clone(),
            open_space: self.open_space,
            page: Some(id),
            pages,
            open: self.open.iter().copied().filter(|open| *open != former).chain([id]).collect(),
            stars: self.stars.clone(),
            is_starred: self.stars.iter().any(|page| page.slug == post.slug),
            is_administered: false,
        })
    }
}

/// What stands around what user `user_id` sees at `location`.
pub fn load(db: &Db, user_id: Option<i64>, location: Location) -> Result<Navigation, Error> {
    read(db, user_id, location).map(|(navigation, _)| navigation)
}

/// The same, with the state of the database that it was read in.
///
/// One statement. Whatever the size of the wiki, it reads what it returns and no more.
fn read(db: &Db, user_id: Option<i64>, location: Location) -> Result<(Navigation, Snapshot), Error> {
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
        " ORDER BY page.parent_id, page.position, page.id LIMIT 101)
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
              'slug', listed.slug, 'has_children', ",
        has_children!(),
        ") ORDER BY listed.position, listed.id)::text FROM listed),
           (SELECT to_jsonb(line)::text FROM place),
           (SELECT jsonb_agg(to_jsonb(starred))::text FROM (
              SELECT page.title, page.slug FROM stars JOIN posts page ON page.id = stars.post_id
              WHERE stars.user_id = $3::bigint AND page.deleted_time IS NULL AND ",
        is_readable!("page"),
        " ORDER BY lower(page.title), page.id LIMIT 21) AS starred),
           EXISTS (SELECT FROM stars WHERE stars.user_id = $3 AND stars.post_id = $1),
           EXISTS (SELECT FROM posts WHERE posts.id = $1 AND ",
        is_administered!("posts"),
        "), ",
        snapshot!(),
        " FROM settings"
    );
    let mut row = db.read_row(sql, &[page.into(), space.into(), user_id.into()])?;
    let navigation = Navigation {
        settings: read_settings(&mut row)?,
        spaces: row.json()?.unwrap_or_default(),
        open_space: row.column()?,
        page,
        pages: row.json::<Vec<Page>>()?.unwrap_or_default().into_iter().map(Rc::new).collect(),
        open: row.json()?.unwrap_or_default(),
        stars: row.json()?.unwrap_or_default(),
        is_starred: row.column()?,
        is_administered: row.column()?,
    };
    Ok((navigation, Snapshot(row.column()?)))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Page `id`, below `parent`.
    pub fn page(id: i64, parent: Option<i64>, has_children: bool) -> Rc<Page> {
        Rc::new(Page {
            id,
            parent,
            title: format!("Page {id}"),
            slug: format!("page-{id}"),
            has_children,
            ..Page::default()
        })
    }

    fn post(id: i64, parent: Option<i64>) -> Post {
        serde_json::from_value(serde_json::json!({
            "post_id": id, "user_id": 1, "title": format!("Page {id}"), "slug": format!("page-{id}"), "content": "", "tags": [],
            "version": 1, "created_time": "2026-11-22T10:00:00Z", "updated_time": "2026-11-22T10:00:00Z",
            "protected": false, "space_id": 1, "parent_id": parent,
        }))
        .unwrap()
    }

    #[test]
    fn where_a_page_is_follows_from_what_stands_around_it() {
        let named = |id: i64| Suggestion { title: format!("Page {id}"), slug: format!("page-{id}") };
        let space = Space { id: 7, slug: "team".into(), name: "Team".into(), icon: String::new() };
        let mut navigation = Navigation {
            spaces: vec![space],
            page: Some(3),
            pages: vec![
                page(2, Some(1), true),
                page(1, None, true),
                page(9, None, false),
                page(4, Some(2), false),
                page(3, Some(2), true),
                page(6, Some(3), false),
                page(5, Some(2), false),
                page(8, Some(3), false),
            ],
            open: vec![1, 2, 3],
            ..Navigation::default()
        };
        let at_3 = Post { space_id: 7, ..post(3, Some(2)) };
        let expected = Place {
            space: Some(("team".into(), "Team".into())),
            above: vec![named(1), named(2)],
            below: vec![named(6), named(8)],
            previous: Some(named(4)),
            next: Some(named(5)),
        };
        assert_eq!(navigation.place_of(&at_3), Some(expected));
        // One at the top of the first space is between no others.
        navigation.open = vec![9];
        assert_eq!(navigation.place_of(&post(9, None)), Some(Place::default()));
        // Of what is beyond the level that was read, nothing is known.
        navigation.pages = (10..200).map(|id| page(id, Some(2), false)).collect();
        assert_eq!(navigation.place_of(&post(109, Some(2))).and_then(|place| place.next), Some(named(110)));
        assert_eq!(navigation.place_of(&post(110, Some(2))), None);
        assert_eq!(navigation.place_of(&post(5, Some(2))), None);
        assert_eq!(navigation.place_of(&Post { space_id: 8, ..post(10, Some(2)) }), None);
    }

    #[test]
    fn what_stands_around_a_sibling_is_known() {
        let star = |id: i64| Suggestion { title: format!("Page {id}"), slug: format!("page-{id}") };
        let at_2 = Navigation {
            page: Some(2),
            // Page 1 is above; 4 is below page 2.
            pages: vec![page(1, None, true), page(2, Some(1), true), page(3, Some(1), false), page(4, Some(2), false)],
            open: vec![1, 2],
            stars: vec![star(3)],
            ..Navigation::default()
        };
        let at_3 = at_2.moved_to(&post(3, Some(1))).unwrap();
        let expected = Navigation {
            page: Some(3),
            pages: vec![page(1, None, true), page(2, Some(1), true), page(3, Some(1), false)],
            open: vec![1, 3],
            is_starred: true,
            ..at_2.clone()
        };
        assert_eq!(at_3, expected);
        // One that is not among those that are listed comes last.
        let beyond = at_2.moved_to(&post(500, Some(1))).unwrap();
        assert_eq!(beyond.pages.last(), Some(&page(500, Some(1), false)));
        assert!(!beyond.is_starred);
        // Of many stars, not all are known.
        let many = Navigation { stars: (0..=20).map(star).collect(), ..at_2 };
        assert_eq!(many.moved_to(&post(500, Some(1))), None);
    }
}
