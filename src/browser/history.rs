//! What pages have been: revisions, one of them, what changed, and going back.

use crate::browser::form::{self, Form};
use crate::browser::{edit, page, rendered, show};
use crate::db::Db;
use crate::pages::history::{Compare, Entry, History, Revert, Revision, Side};
use crate::pages::parts::{Name, Viewer};
use crate::pages::{self, address};
use crate::posts::{Post, Refusal};
use crate::problem::{FieldError, Problem};
use crate::reply::{self, Response};
use crate::request::{Request, path_number, path_text, query};
use crate::{access, compare, revisions};
use wiki_types::rules;

/// `GET /wiki/{slug}/history`
pub fn list(request: &Request, db: &Db) -> Result<Response, Problem> {
    let Some(post) = page::living(request, db)? else { return page::absent(request, db) };
    let revisions = revisions::history(request, db, post.post_id)?;
    let view = History {
        current: post.version,
        page: name(post),
        revisions: revisions.items.into_iter().map(Into::into).collect(),
        next: revisions.next,
    };
    show(request, &view)
}

/// `GET /wiki/{slug}/history/{version}`
pub fn read(request: &Request, db: &Db) -> Result<Response, Problem> {
    let Some(post) = page::living(request, db)? else { return page::absent(request, db) };
    let revert = Revert { author: form::remembered_author(request), ..Revert::default() };
    let version = version(request)?;
    Ok(reply::momentary(reply::html(pages::render(&revision(db, post, version, revert)?, &Viewer::of(request))?)))
}

fn revision(db: &Db, post: Post, version: i64, revert: Revert) -> Result<Revision, Problem> {
    let revision = revisions::find(db, post.post_id, version)?;
    let leading = edit::leading(db, &revision.content)?;
    let title = revision.entry.title.clone();
    Ok(Revision {
        current: post.version,
        page: name(post),
        text: rendered(&revision.content, &title, &leading),
        title,
        tags: revision.tags,
        entry: revision.entry.into(),
        revert,
    })
}

fn version(request: &Request) -> Result<i64, Problem> {
    path_number(request, 1).ok_or_else(|| revisions::no_version(path_text(request, 1)))
}

/// `POST /wiki/{slug}/revert`
pub fn revert(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let Some(post) = page::meant(db, path_text(request, 0))? else { return page::absent(request, db) };
    let version = form.number("version").unwrap_or_default();
    let mut revert = Revert {
        comment: form.text("comment").trim().to_owned(),
        author: form.text("author").trim().to_owned(),
        errors: Vec::new(),
    };
    let who = access::who(request);
    let author = if who.account.is_some() { Ok(()) } else { rules::name(&revert.author) };
    let checks = [("author", author), ("comment", rules::comment(&revert.comment))];
    for (field, check) in checks {
        if let Err(message) = check {
            revert.errors.push(FieldError { field: field.into(), message });
        }
    }
    if !revert.errors.is_empty() {
        let view = revision(db, post, version, revert)?;
        return Ok(reply::momentary(reply::html_with(
            http::StatusCode::UNPROCESSABLE_ENTITY,
            pages::render(&view, &Viewer::of(request))?,
        )));
    }
    let user_id = form::author(db, who, &revert.author)?;
    let comment = Some(revert.comment).filter(|comment| !comment.is_empty());
    match revisions::restore(db, who, post.post_id, version, None, Some(user_id), comment) {
        Ok(post) => Ok(form::remembering_author(reply::see_other(&address::page(&post.slug)), who, &revert.author)),
        Err(refusal) => Err(Refusal::problem(refusal, false)),
    }
}

/// `GET /wiki/{slug}/compare?from=&to=`
pub fn compare(request: &Request, db: &Db) -> Result<Response, Problem> {
    let Some(post) = page::living(request, db)? else { return page::absent(request, db) };
    let given = |name| match query(request, name) {
        None => Ok(None),
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|version| *version >= 0)
            .map(Some)
            .ok_or_else(|| Problem::invalid_field(name, "must be the number of a version")),
    };
    let (mut from, mut to) = (given("from")?, given("to")?);
    if let (Some(a), Some(b)) = (from, to)
        && a > b
    {
        // Whichever way round they were chosen, time runs forwards.
        (from, to) = (to, from);
    }
    let (older, newer) = revisions::pair(db, post.post_id, from, to)?;
    let difference = compare::difference(older.as_ref().map_or("", |older| &older.content), &newer.content);
    let view = Compare { current: post.version, page: name(post), from: older.map(side), to: side(newer), difference };
    show(request, &view)
}

fn side(revision: revisions::Revision) -> Side {
    let title = revision.entry.title.clone();
    Side { entry: Entry::from(revision.entry), title, tags: revision.tags }
}

fn name(post: Post) -> Name {
    Name { slug: post.slug, title: post.title }
}
