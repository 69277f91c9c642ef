//! The latest changes as an Atom feed (RFC 4287).

use askama::Template;
use http::StatusCode;
use sha2::{Digest, Sha256};
use wiki_types::{RevisionEntry, Time};

use crate::auth::Context;
use crate::site::address;
use crate::site::frame::Frame;
use crate::site::parts::{self, DELETED_USER, Linked, UNKNOWN_USER};
use crate::store::{migrations, revisions, settings};
use crate::web::request;
use crate::web::response::{self, ATOM};
use crate::web::{Problem, Response};

/// Changes in the feed: as many as a reader that looks twice a day may miss in a busy wiki.
const ENTRIES: usize = 50;

#[derive(Debug, Template)]
#[template(path = "feed.atom")]
pub struct Feed {
    /// What the wiki is called.
    pub name: String,
    /// Scheme and host of the wiki: addresses in a feed are absolute.
    pub base: String,
    /// When the wiki's database was made: no other wiki has the same.
    pub begun: Time,
    /// The changes, newest first.
    pub changes: Vec<RevisionEntry>,
}

impl Feed {
    /// The id of the feed, which must stay whatever address the wiki has (RFC 4287, 4.2.6).
    fn id(&self) -> String {
        urn(&self.begun.micros().to_string())
    }

    /// The id of a change. Unlike its link, it stays when the page is renamed.
    fn id_of(&self, change: &RevisionEntry) -> String {
        urn(&format!("{}/{}/{}", self.begun.micros(), change.post_id, change.version))
    }

    /// Where a change leads: to its differences if there can be any, else to the page.
    fn target(change: &RevisionEntry) -> String {
        if change.kind.writes() {
            address::compare(&change.page, change.version - 1, change.version)
        } else {
            change.address()
        }
    }

    /// When anything in the feed changed last.
    fn updated(&self) -> Time {
        self.changes.first().map_or(Time::EPOCH, |latest| latest.created_time)
    }
}

/// A UUID that `name` alone decides (RFC 9562, 5.8), as a URN. Feed readers keep it: it must be made like this for ever.
fn urn(name: &str) -> String {
    let mut bytes: [u8; 16] = std::array::from_fn({
        let hash = Sha256::digest(format!("wasiki/{name}"));
        move |at| hash[at]
    });
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let part = |from: u32, digits: u32| (number >> (from - 4 * digits)) & ((1 << (4 * digits)) - 1);
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(128, 8),
        part(96, 4),
        part(80, 4),
        part(64, 4),
        part(48, 12)
    )
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
    let changes = revisions::latest(cx.db, None, None, ENTRIES)?;
    let name = settings::find(cx.db)?.name;
    let feed = Feed { name, base: request::base(cx.request), begun: migrations::first_time(cx.db)?, changes };
    let body = Frame::default().render(&feed)?.into_bytes();
    Ok(response::tagged_by_content(cx.request, response::bytes(StatusCode::OK, ATOM, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_for_ever() {
        let id = urn("1795235590123456/1/2");
        assert_eq!(id, "urn:uuid:4d12a293-5e60-8804-a854-c9ae38e194eb");
        assert_ne!(id, urn("1795235590123456/1/3"));
    }
}
