//! What stands at the address of a page that does not exist: where it is now, that it was deleted, or how to create it.

use askama::Template;
use http::header::REFERER;
use http::{StatusCode, Uri};
use percent_encoding::percent_decode_str;
use wiki_types::Suggestion;
use wiki_types::slug::{by_old_rule, slugify};

use crate::auth::Context;
use crate::site::frame::Frame;
use crate::site::parts::Linked;
use crate::site::{address, deleted, parts};
use crate::store::navigation::Location;
use crate::store::{links, pages, search};
use crate::web::request::prefilled;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "missing.html")]
pub struct Missing {
    /// The slug at this address, and a title made from it.
    pub page: Suggestion,
    /// Pages with a similar name.
    pub similar: Vec<Suggestion>,
    /// The space of a page that links to it, which it belongs to.
    pub space: Option<i64>,
}

impl Missing {
    /// The form that makes the page.
    fn create(&self) -> String {
        let mut address = address::create(&self.page.slug, &self.page.title);
        if let Some(space) = self.space {
            address.push_str(&format!("&space={space}"));
        }
        address
    }
}

/// What stands at the address with this slug, which no page has.
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    if !slug.chars().any(char::is_alphanumeric) {
        return Err(Problem::not_found("No page at this address."));
    }
    // Before anything is made of the slug: a page may have had one that is longer than they are made now.
    if let Some(slug) = links::target(cx.db, slug)? {
        return Ok(response::found(&moved(cx, &slug)));
    }
    let wanted = slugify(slug);
    if wanted != slug {
        let target = match pages::find_by_slug(cx.db, &wanted)? {
            Some(page) => Some(page.slug),
            None => links::target(cx.db, &wanted)?,
        };
        if let Some(slug) = target {
            return Ok(response::found(&moved(cx, &slug)));
        }
    }
    if let Some(old) = of_old_page(cx, slug, &wanted)? {
        return Ok(response::found(&moved(cx, &old)));
    }
    if let Some(page) = pages::last_deleted(cx.db, slug)? {
        return deleted::notice(cx, page, StatusCode::NOT_FOUND);
    }
    if wanted != slug {
        // People type titles into the address bar.
        return Ok(response::found(&moved(cx, &wanted)));
    }
    let title = title(cx, slug);
    let similar = search::similar(cx.db, &title)?;
    let space = links::space_of(cx.db, slug, &came_from(cx).unwrap_or_default())?;
    let location = space.map_or(Location::Elsewhere, Location::Space);
    let view = Missing { page: Suggestion { slug: slug.to_owned(), title }, similar, space };
    Ok(response::html_with(StatusCode::NOT_FOUND, Frame::at(cx, location)?.render(&view)?))
}

/// The slug of the page that a link was followed on, if the browser tells.
fn came_from(cx: &Context) -> Option<String> {
    let address: Uri = cx.request.headers().get(REFERER)?.to_str().ok()?.parse().ok()?;
    let slug = address.path().strip_prefix("/wiki/")?;
    Some(percent_decode_str(slug).decode_utf8().ok()?.into_owned())
}

/// The slug of the page whose title makes the slug `wanted`, but made another when the page was written. `given` is the
/// slug or the title in the address.
fn of_old_page(cx: &Context, given: &str, wanted: &str) -> Result<Option<String>, Problem> {
    let old = by_old_rule(given);
    // Sigma was the same at the end of a word, which an address in lower case no longer tells.
    for old in [old.replace('ς', "σ"), old] {
        if old != wanted
            && old != given
            && let Some(page) = pages::find_by_slug(cx.db, &old)?
            // Several titles made the same slug.
            && slugify(&page.title) == wanted
        {
            return Ok(Some(page.slug));
        }
    }
    Ok(None)
}

/// The title that a page with this slug would have: `?title=` if the slug is made from it, else a guess.
pub fn title(cx: &Context, slug: &str) -> String {
    let given = prefilled(cx.request, "title").filter(|title| slugify(title) == slug);
    given.unwrap_or_else(|| guessed(slug))
}

/// A title that has this slug.
pub fn guessed(slug: &str) -> String {
    parts::capitalized(&slug.replace('-', " "))
}

/// The address of the request, with `slug` in place of the one in it.
fn moved(cx: &Context, slug: &str) -> String {
    let uri = cx.request.uri();
    let mut segments = uri.path().trim_start_matches("/wiki/").splitn(2, '/').skip(1);
    let mut url = match segments.next().filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{}/{rest}", address::page(slug)),
        None => address::page(slug),
    };
    if let Some(query) = uri.query() {
        url.push('?');
        url.push_str(query);
    }
    url
}
