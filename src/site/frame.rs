//! What stands around every view: who sees it, the sidebar, and how the wiki calls and shows itself.

use std::any::Any;

use askama::Template;
use http::StatusCode;
use wiki_types::Settings;

use crate::auth::{Context, Identity};
use crate::site::parts::Viewer;
use crate::site::sidebar::Sidebar;
use crate::store::Db;
use crate::store::navigation::{self, Location, Navigation};
use crate::store::pages::{PageView, Place};
use crate::web::{Problem, Request, Response, response};

/// What stands around a view.
#[derive(Debug, Default)]
pub struct Frame {
    /// Who sees it.
    pub viewer: Viewer,
    /// How the wiki calls and shows itself.
    pub settings: Settings,
    /// What is beside it.
    pub sidebar: Sidebar,
}

impl Frame {
    /// What stands around a view at `location` for the sender of a request.
    pub fn at(cx: &Context, location: Location) -> Result<Self, Problem> {
        Self::load(cx.db, cx.request, cx.identity, location)
    }

    /// What stands around a page, and where it is in the tree.
    pub fn around(cx: &Context, view: &PageView) -> Result<(Self, Place), Problem> {
        let viewer = Viewer::of(cx.request, cx.identity);
        let navigation = navigation::around(cx.db, viewer.account, view)?;
        let place = navigation::place(cx.db, view, &navigation)?;
        Ok((Self::new(viewer, navigation), place))
    }

    /// What stands around a page that says why `request` was refused. The page comes also when the database is away.
    pub fn of_refused(db: &Db, request: &Request, identity: &Identity, status: StatusCode) -> Self {
        db.read_as(identity.reader(), identity.zone());
        let is_reached = !status.is_server_error();
        let frame = is_reached.then(|| Self::load(db, request, identity, Location::Elsewhere).ok()).flatten();
        frame.unwrap_or_else(|| Self { viewer: Viewer::of(request, identity), ..Self::default() })
    }

    fn load(db: &Db, request: &Request, identity: &Identity, location: Location) -> Result<Self, Problem> {
        let viewer = Viewer::of(request, identity);
        let navigation = navigation::load(db, viewer.account, location)?;
        Ok(Self::new(viewer, navigation))
    }

    fn new(viewer: Viewer, navigation: Navigation) -> Self {
        let viewer = Viewer { administers_page: navigation.is_administered, ..viewer };
        let (settings, sidebar) = Sidebar::new(navigation);
        Self { viewer, settings, sidebar }
    }

    /// The document that `view` makes. Templates find what is here by its name.
    pub fn render(&self, view: &impl Template) -> Result<String, Problem> {
        // Writing to a string cannot fail, and no value in a view fails to be written.
        view.render_with_values(&self.values()).map_err(Problem::internal)
    }

    /// The names of what templates find.
    pub(super) fn values(&self) -> [(&'static str, &dyn Any); 3] {
        [("viewer", &self.viewer), ("settings", &self.settings), ("sidebar", &self.sidebar)]
    }

    /// A view that browsers may keep, and ask whether it has changed.
    pub fn show(&self, cx: &Context, view: &impl Template) -> Result<Response, Problem> {
        Ok(response::tagged_by_content(cx.request, response::html(self.render(view)?)))
    }

    /// A view that must not be kept: a form, or an answer to one.
    pub fn show_once(&self, status: StatusCode, view: &impl Template) -> Result<Response, Problem> {
        Ok(response::no_store(response::html_with(status, self.render(view)?)))
    }
}
