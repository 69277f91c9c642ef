//! What is beside every view: the spaces, the open part of the tree, and the pages with a star.

use std::borrow::Cow;
use std::rc::Rc;

use askama::Template;
use wiki_types::{Settings, Suggestion};

use crate::site::address;
use crate::site::parts::Linked;
use crate::store::navigation::{MAX_LEVEL, MAX_SPACES, MAX_STARS, Navigation, Page, Space};
use crate::store::spaces::FIRST;

/// What is beside a view.
#[derive(Debug, Default)]
pub struct Sidebar {
    /// The spaces, if there are several.
    pub spaces: Vec<OpenSpace>,
    /// Whether there are more of them.
    pub has_more_spaces: bool,
    /// The pages at the top of the only space.
    pub pages: Option<Level>,
    /// The pages with a star of the viewer.
    pub stars: Vec<Suggestion>,
    /// Whether there are more of them.
    pub has_more_stars: bool,
    /// Whether the page that the viewer is at has one.
    pub is_starred: bool,
}

/// A space, and the pages at its top if it is open.
#[derive(Debug)]
pub struct OpenSpace {
    pub space: Space,
    pub pages: Option<Level>,
}

/// Pages beside one another.
#[derive(Debug, Template)]
#[template(path = "sidebar_level.html")]
pub struct Level {
    pub branches: Vec<Branch>,
    /// Where all of them are listed, if there are more.
    pub all: Option<String>,
}

/// A page, and those right below it if it is open.
#[derive(Debug, Template)]
#[template(path = "sidebar_branch.html")]
pub struct Branch {
    pub page: Rc<Page>,
    pub is_current: bool,
    pub below: Option<Level>,
}

impl Linked for Page {
    fn slug(&self) -> &str {
        &self.slug
    }
}

impl Branch {
    /// It as HTML, made once for as long as the page is known if it is neither open nor where the viewer is.
    fn html(&self) -> Cow<'_, str> {
        // Writing to a string cannot fail.
        let html = || self.render().unwrap_or_default();
        match self.is_current || self.below.is_some() {
            true => html().into(),
            false => (&**self.page.closed.get_or_init(|| html().into())).into(),
        }
    }

    /// The address at which a program lists the pages right below.
    fn children(&self) -> String {
        format!("/posts/{}/children", self.page.id)
    }
}

impl OpenSpace {
    /// The address at which a program lists the pages at its top.
    pub fn children(&self) -> String {
        format!("/spaces/{}/children", self.space.id)
    }
}

impl Sidebar {
    /// The form that makes a page in the space that is open.
    pub fn new_page(&self) -> String {
        let open = self.spaces.iter().find(|open| open.pages.is_some());
        open.map_or_else(|| address::NEW.to_owned(), |open| address::new_in(open.space.id))
    }

    /// The sidebar that shows `navigation`, beside the settings in it.
    pub fn new(navigation: Navigation) -> (Settings, Self) {
        let Navigation { settings, mut spaces, open_space, page, pages, open, mut stars, is_starred, .. } = navigation;
        let top = |space: i64| Level::new(&pages, None, &open, page, address::tree(space));
        let has_more_spaces = spaces.len() > MAX_SPACES;
        let has_more_stars = stars.len() > MAX_STARS;
        spaces.truncate(MAX_SPACES);
        stars.truncate(MAX_STARS);
        let only = match spaces.as_slice() {
            [space] if space.id == FIRST => Some(top(space.id)),
            _ => None,
        };
        let spaces = match only {
            Some(_) => Vec::new(),
            None => {
                let level = |space: &Space| (open_space == Some(space.id)).then(|| top(space.id));
                spaces.into_iter().map(|space| OpenSpace { pages: level(&space), space }).collect()
            }
        };
        (settings, Self { spaces, has_more_spaces, pages: only, stars, has_more_stars, is_starred })
    }
}

impl Level {
    /// Those of `pages` that are right below `parent`, each with its own level if it is open. `all` is where all are listed.
    fn new(pages: &[Rc<Page>], parent: Option<i64>, open: &[i64], current: Option<i64>, all: String) -> Self {
        let branch = |page: &Rc<Page>| Branch {
            page: page.clone(),
            is_current: current == Some(page.id),
            below: (page.has_children && open.contains(&page.id))
                .then(|| Self::new(pages, Some(page.id), open, current, page.address())),
        };
        let own = pages.iter().filter(|page| page.parent == parent);
        // The one that leads to the page is shown also where it is further down.
        let shown = own.clone().enumerate().filter(|(at, page)| *at < MAX_LEVEL || open.contains(&page.id));
        let branches = shown.map(|(_, page)| branch(page)).collect();
        Self { branches, all: (own.count() > MAX_LEVEL).then_some(all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::navigation::tests::page;

    #[test]
    fn the_way_to_the_page_is_open() {
        let space = |id, name: &str| Space { id, slug: name.to_owned(), name: name.to_owned(), icon: String::new() };
        let navigation = Navigation {
            spaces: vec![space(1, "general"), space(2, "people")],
            open_space: Some(2),
            page: Some(3),
            pages: vec![page(1, None, false), page(2, None, true), page(3, Some(2), false)],
            open: vec![2, 3],
            ..Navigation::default()
        };
        let (_, sidebar) = Sidebar::new(navigation);
        assert!(sidebar.pages.is_none() && sidebar.spaces[0].pages.is_none());
        let top = sidebar.spaces[1].pages.as_ref().unwrap();
        assert_eq!(top.branches.iter().map(|branch| branch.page.id).collect::<Vec<_>>(), [1, 2]);
        assert!(top.branches[0].below.is_none());
        let below = top.branches[1].below.as_ref().unwrap();
        assert!(below.branches[0].is_current);
    }

    #[test]
    fn a_level_is_cut_and_the_page_in_it_is_shown() {
        let mut pages: Vec<Rc<Page>> = (1..=101).map(|id| page(id, None, false)).collect();
        pages.push(page(5000, None, false));
        let level = Level::new(&pages, None, &[5000], Some(5000), "/all".to_owned());
        assert_eq!(level.branches.len(), MAX_LEVEL + 1);
        assert!(level.branches.last().unwrap().is_current);
        assert_eq!(level.all.as_deref(), Some("/all"));
        assert_eq!(Level::new(&pages[..100], None, &[], None, "/all".to_owned()).all, None);
    }
}
