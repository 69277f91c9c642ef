//! The latest changes as an Atom feed (RFC 4287).

use askama::Template;
use http::StatusCode;
use wiki_types::{RevisionEntry, Time};

use crate::auth::Context;
use crate::site::parts::{DELETED_USER, Viewer};
use crate::site::{self, address};
use crate::store::revisions;
use crate::web::request;
use crate::web::response::{self, ATOM};
use crate::web::{Problem, Response};

/// Changes in the feed: as many as a reader that looks twice a day may miss in a busy wiki.
const ENTRIES: usize = 50;

#[derive(Debug, Template)]
#[template(path = "feed.atom")]
pub struct Feed {
    /// Scheme and host of the wiki: addresses in a feed are absolute.
    pub base: String,
    /// The changes, newest first.
    pub changes: Vec<RevisionEntry>,
}

impl Feed {
    /// When anything in the feed changed last.
    fn updated(&self) -> Time {
        self.changes.first().map_or(Time::EPOCH, |latest| latest.created_time)
    }
}

/// Recent changes as a feed
///
/// For feed readers (RFC 4287): the latest 50 changes.
#[cfg_attr(test, utoipa::path(
    get, path = "/feed.atom", operation_id = "readFeed", tag = "History",
    responses((status = 200, description = "The feed.", body = String, content_type = "application/atom+xml",
        headers(("ETag")))),
))]
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let feed = Feed { base: request::base(cx.request), changes: revisions::latest(cx.db, None, None, ENTRIES)? };
    let body = site::render(&feed, &Viewer::default())?.into_bytes();
    Ok(response::tagged_by_content(cx.request, response::bytes(StatusCode::OK, ATOM, body)))
}
