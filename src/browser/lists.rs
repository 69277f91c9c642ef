//! Lists a person walks: pages, changes, tags, search results, users.

use crate::browser::show;
use crate::db::Db;
use crate::pages::lists::{Audit, Changes, Found, Member, Pages, Piece, Search, Sort, Tagged, Tags, User, Users};
use crate::pages::parts::{Change, Name, Tag, Viewer};
use crate::pages::{self, address};
use crate::posts::Order;
use crate::posts::select::{self, Filter};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, path_text, positive, query};
use crate::{audit, db, json, revisions, search, tags, users};
use wiki_types::rules;

/// Pages and changes shown of a user.
const OF_USER: usize = 20;

/// `GET /wiki/-/pages`
pub fn pages(request: &Request, db: &Db) -> Result<Response, Problem> {
    let (sort, order) = match query(request, "sort").as_deref() {
        None => (Sort::Title, Order::TITLE),
        Some("-updated") => (Sort::Updated, Order::LATEST),
        Some(_) => (Sort::Title, Order::read(request)?),
    };
    let page = select::page(request, db, Filter::read(request)?, order)?;
    let view = Pages { pages: page.items.into_iter().map(Into::into).collect(), sort, next: page.next };
    show(request, &view)
}

/// `GET /wiki/-/changes`
pub fn changes(request: &Request, db: &Db) -> Result<Response, Problem> {
    let user_id = query(request, "user_id").map(|user_id| positive(&user_id).unwrap_or(0));
    let page = revisions::recent(request, db, user_id)?;
    show(request, &Changes { changes: page.items.into_iter().map(Into::into).collect(), next: page.next })
}

/// `GET /wiki/-/tags`
pub fn tags(request: &Request, db: &Db) -> Result<Response, Problem> {
    let page = tags::page(request, db)?;
    show(request, &Tags { tags: page.items.into_iter().map(Into::into).collect(), next: page.next })
}

impl From<tags::Tag> for Tag {
    fn from(tag: tags::Tag) -> Self {
        Self { name: tag.name, pages: tag.posts }
    }
}

/// `GET /wiki/-/tags/{tag}`
pub fn tagged(request: &Request, db: &Db) -> Result<Response, Problem> {
    let tag = rules::normal_tag(path_text(request, 0));
    json::checked("tag", &tag, rules::tag)?;
    let mut filter = Filter::living();
    filter.add_within("tags @> ${}", db::texts(Some(vec![tag.clone()])));
    let page = select::page(request, db, filter, Order::TITLE)?;
    show(request, &Tagged { tag, pages: page.items.into_iter().map(Into::into).collect(), next: page.next })
}

/// `GET /wiki/-/search`: the form, and what was found
pub fn search(request: &Request, db: &Db) -> Result<Response, Problem> {
    let wanted = query(request, "q").unwrap_or_default().trim().to_owned();
    let tag = query(request, "tag").filter(|tag| !tag.is_empty());
    if let Some(tag) = &tag {
        // Before there is a search, too: the form shows it.
        json::checked("tag", tag, rules::tag)?;
    }
    let mut view = Search { query: wanted, tag, results: Vec::new(), next: None };
    if !view.query.is_empty() {
        let page = search::find(request, db, &view.query)?;
        view.results = page.items.into_iter().map(Into::into).collect();
        view.next = page.next;
    }
    show(request, &view)
}

impl From<search::Found> for Found {
    fn from(found: search::Found) -> Self {
        let pieces = found.snippet.0.into_iter().map(|(text, matched)| Piece { text, matched });
        Self {
            page: Name { slug: found.slug, title: found.title },
            snippet: pieces.collect(),
            tags: found.tags,
            updated: found.updated_time,
        }
    }
}

/// `GET /wiki/-/audit`
pub fn audit(request: &Request, db: &Db) -> Result<Response, Problem> {
    let page = audit::page(request, db)?;
    let view = Audit { entries: page.items, next: page.next };
    Ok(reply::momentary(reply::html(pages::render(&view, &Viewer::of(request))?)))
}

/// `GET /wiki/-/users`
pub fn users(request: &Request, db: &Db) -> Result<Response, Problem> {
    let page = users::page(request, db)?;
    show(request, &Users { users: page.items.into_iter().map(Into::into).collect(), next: page.next })
}

impl From<users::User> for Member {
    fn from(user: users::User) -> Self {
        Self { id: user.id, name: user.name, username: user.username, joined: user.created_time }
    }
}

/// `GET /wiki/-/users/{id}`
pub fn user(request: &Request, db: &Db) -> Result<Response, Problem> {
    let member: Member = users::find(request, db)?.into();
    let mut filter = Filter::living();
    filter.add("user_id = $", member.id);
    let mut pages = select::first(db, filter, Order::TITLE, OF_USER + 1)?;
    let mut changes = revisions::latest(db, OF_USER + 1, Some(member.id))?;
    let more = |more: bool, list: &str| more.then(|| format!("{list}?user_id={}", member.id));
    let view = User {
        more_pages: more(pages.len() > OF_USER, address::PAGES),
        more_changes: more(changes.len() > OF_USER, address::CHANGES),
        pages: pages.drain(..pages.len().min(OF_USER)).map(Into::into).collect(),
        changes: changes.drain(..changes.len().min(OF_USER)).map(Change::from).collect(),
        member,
    };
    show(request, &view)
}
