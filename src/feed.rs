//! The latest changes as an Atom feed.

use http::StatusCode;

use crate::db::Db;
use crate::pages::feed::{Entry, Feed};
use crate::pages::parts::Viewer;
use crate::pages::{self, address};
use crate::problem::Problem;
use crate::reply::{self, ATOM, Response};
use crate::request::Request;
use crate::time::Time;
use crate::{origin, revisions};

/// Changes in the feed: what a reader that looks twice a day may have missed in a busy wiki.
const ENTRIES: usize = 50;

/// `GET /feed.atom`
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let base = origin::base(request);
    let changes = revisions::latest(db, ENTRIES, None)?;
    let feed = Feed {
        address: format!("{base}{}", address::FEED),
        front: format!("{base}{}", address::FRONT),
        updated: changes.first().map_or(Time::EPOCH, |latest| latest.created_time),
        entries: changes.into_iter().map(|change| entry(&base, change)).collect(),
    };
    let response = reply::bytes(StatusCode::OK, ATOM, pages::render(&feed, &Viewer::default())?.into_bytes());
    Ok(reply::tagged_by_content(request, response))
}

fn entry(base: &str, change: revisions::Entry) -> Entry {
    let differences = address::compare(&change.page, change.version - 1, change.version);
    Entry {
        link: format!("{base}{differences}"),
        // Other than the link it does not change when the page is renamed.
        id: format!("{base}/posts/{}/revisions/{}", change.post_id, change.version),
        title: change.title,
        updated: change.created_time,
        author: change.author.unwrap_or_else(|| "deleted user".to_owned()),
        summary: change.comment,
    }
}
