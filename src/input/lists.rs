//! Lists: the part of one that a request asks for by its query, for the API and the site alike.

use serde_json::Value;
use wiki_types::{
    AuditEntry, ChainEntry, DeletedPost, Delivery, Event, File, InboxEntry, PostSummary, Redirect, RevisionEntry,
    SearchResult, Sequence, Tag, Task, Time, TreePage, UndeliveredEvent, rules,
};

use crate::errors;
use crate::store::events::Wanted;
use crate::store::pages::tree::{self, Level};
use crate::store::pages::{Filter, Order};
use crate::store::users::UserRecord;
use crate::store::{
    self, Db, audit, audit_chain, deliveries, events, files, inbox, links, pages, redirects, revisions, search, tags,
    tasks, undelivered, users, webhooks,
};
use crate::web::json::check;
use crate::web::pagination::Page;
use crate::web::request::{positive, query};
use crate::web::{Problem, Request};

/// What is wrong with the end of a time that is before its beginning.
pub const ENDS_BEFORE: &str = "must not be before since";

/// The most characters of a search.
pub const MAX_QUERY: usize = 300;

/// The user that `?user_id=` names. Anything but a number names no user.
pub fn user_id(request: &Request) -> Option<i64> {
    query(request, "user_id").map(|user_id| number_of(&user_id))
}

/// The number in `text`. Anything but a number names nothing.
fn number_of(text: &str) -> i64 {
    positive(text).unwrap_or(0)
}

/// `tag`, if a page can have it.
fn known_tag(tag: Option<String>) -> Result<Option<String>, Problem> {
    if let Some(tag) = &tag {
        check("tag", tag, rules::tag)?;
    }
    Ok(tag)
}

/// The time that the parameter `name` gives; of a day, its beginning or its `end`.
fn time(name: &'static str, text: Option<String>, end: bool) -> Result<Option<Time>, Problem> {
    let read = |text: String| Time::of_day(&text, end).map_err(|wrong| Problem::invalid_field(name, wrong));
    text.map(read).transpose()
}

/// The pages that `?space_id=`, `?parent_id=`, `?user_id=`, `?author=`, `?tag=`, `?slug=`, `?since=` and `?until=` select.
pub fn filter(request: &Request) -> Result<Filter, Problem> {
    filter_of(|name| query(request, name))
}

/// The same for a form of the site, which sends its empty fields, too.
pub fn filter_of_form(request: &Request) -> Result<Filter, Problem> {
    filter_of(|name| query(request, name).filter(|value| !value.is_empty()))
}

fn filter_of(value: impl Fn(&str) -> Option<String>) -> Result<Filter, Problem> {
    let mut filter = Filter::living();
    if let Some(space_id) = value("space_id") {
        filter = filter.in_space(number_of(&space_id));
    }
    if let Some(parent_id) = value("parent_id") {
        filter = filter.below(number_of(&parent_id));
    }
    if let Some(user_id) = value("user_id") {
        filter = filter.by_user(number_of(&user_id));
    }
    if let Some(author) = value("author") {
        check("author", &author, rules::name)?;
        filter = filter.by_author(author.trim().to_owned());
    }
    if let Some(tag) = known_tag(value("tag"))? {
        filter = filter.tagged(&tag);
    }
    if let Some(slug) = value("slug") {
        check("slug", &slug, rules::line::<200>)?;
        filter = filter.with_slug(slug);
    }
    let (since, until) = (time("since", value("since"), false)?, time("until", value("until"), true)?);
    if since.zip(until).is_some_and(|(since, until)| since > until) {
        return Err(Problem::invalid_field("until", ENDS_BEFORE));
    }
    if let Some(since) = since {
        filter = filter.edited_since(since);
    }
    if let Some(until) = until {
        filter = filter.edited_until(until);
    }
    Ok(filter)
}

/// The order that `?sort=` names; newest first without it.
pub fn order(request: &Request) -> Result<Order, Problem> {
    let Some(name) = query(request, "sort") else { return Ok(Order::NEWEST) };
    Order::named(&name).ok_or_else(|| {
        Problem::invalid_field(
            "sort",
            "must be created, updated or title, with a hyphen before it for the opposite order",
        )
    })
}

/// The pages that pass `filter`, in that order.
pub fn posts(request: &Request, db: &Db, filter: Filter, order: Order) -> Result<Page<PostSummary>, Problem> {
    Page::select(
        request,
        |keys| order.fits(keys),
        |page| order.keys(page),
        |after, count| {
            let filter = match after {
                Some(keys) => filter.after(order, &keys),
                None => filter,
            };
            pages::list(db, filter, order, count)
        },
    )
}

/// A level of the tree, in its order; each page with its sort keys.
pub fn level(request: &Request, db: &Db, level: Level) -> Result<Page<(TreePage, [i64; 2])>, Problem> {
    Page::select(
        request,
        tree::fits,
        |(_, keys): &(TreePage, [i64; 2])| keys.map(Value::from).to_vec(),
        |after, count| tree::level(db, level, after.as_deref(), count),
    )
}

/// The deleted pages, latest deletion first.
pub fn deleted(request: &Request, db: &Db) -> Result<Page<DeletedPost>, Problem> {
    Page::select(request, pages::deleted_fits, pages::deleted_keys, |after, count| {
        pages::deleted(db, after.as_deref(), count)
    })
}

/// The pages that link to page `id`. 404 if there is no such page.
pub fn backlinks(request: &Request, db: &Db, id: i64) -> Result<Page<PostSummary>, Problem> {
    let page = posts(request, db, links::linking_to(id), order(request)?)?;
    if page.items.is_empty() {
        pages::find(db, id)?.ok_or_else(errors::page_not_found)?;
    }
    Ok(page)
}

/// The revisions of page `id`, newest first. 404 if there is no such page.
pub fn revisions_of(request: &Request, db: &Db, id: i64) -> Result<Page<RevisionEntry>, Problem> {
    let page = Page::select(
        request,
        is_number,
        |entry: &RevisionEntry| vec![entry.version.into()],
        |after, count| revisions::of_page(db, id, number(after, i64::MAX), count),
    )?;
    if page.items.is_empty() {
        // Every page has a first revision: either there is no such page, or the list ended here.
        pages::find(db, id)?.ok_or_else(errors::page_not_found)?;
    }
    Ok(page)
}

/// The files of page `id`, newest first.
pub fn files(request: &Request, db: &Db, id: i64) -> Result<Page<File>, Problem> {
    Page::select(
        request,
        is_number,
        |file: &File| vec![file.id.into()],
        |after, count| files::of_page(db, id, number(after, i64::MAX), count),
    )
}

/// The revisions of all pages, newest first; those by one user with `?user_id=`.
pub fn changes(request: &Request, db: &Db) -> Result<Page<RevisionEntry>, Problem> {
    Page::select(request, revisions::fits, revisions::keys, |after, count| {
        revisions::latest(db, user_id(request), after.as_deref(), count)
    })
}

/// A part of the pages that a search found.
#[derive(Debug)]
pub struct Found {
    /// The part.
    pub page: Page<SearchResult>,
    /// How many pages there are in all parts.
    pub total: i64,
    /// Whether no more pages than that match.
    pub is_exact: bool,
}

/// The pages that pass `filter` and match `wanted`, best first; without words, all that pass it, latest edit first.
pub fn search(request: &Request, db: &Db, wanted: Option<&str>, filter: Filter) -> Result<Found, Problem> {
    let (mut total, mut is_exact) = (0, true);
    let mut results = |found: search::Found| {
        (total, is_exact) = (found.total, found.is_exact);
        found.results
    };
    let page = match wanted {
        Some(wanted) => {
            check("q", wanted, rules::line::<MAX_QUERY>)?;
            Page::select(request, search::fits, search::keys, |after, count| {
                Ok::<_, store::Error>(results(search::search(db, filter, wanted, after.as_deref(), count)?))
            })?
        }
        None => {
            let fits = |keys: &[Value]| Order::LATEST.fits(keys);
            Page::select(request, fits, search::filtered_keys, |after, count| {
                Ok::<_, store::Error>(results(search::filtered(db, filter, after.as_deref(), count)?))
            })?
        }
    };
    Ok(Found { page, total, is_exact })
}

/// The tags in use, by name.
pub fn tags(request: &Request, db: &Db) -> Result<Page<Tag>, Problem> {
    Page::select(
        request,
        is_text,
        |tag: &Tag| vec![tag.name.clone().into()],
        |after, count| tags::after(db, text(after.as_deref()), count),
    )
}

/// The slugs that lead to a page beside its own, by slug.
pub fn redirects(request: &Request, db: &Db) -> Result<Page<Redirect>, Problem> {
    Page::select(
        request,
        is_text,
        |redirect: &Redirect| vec![redirect.slug.clone().into()],
        |after, count| redirects::after(db, text(after.as_deref()), count),
    )
}

/// The tasks that `?assignee=`, `?done=`, `?due_before=`, `?due_after=`, `?tag=` and `?post=` select. `me` is the user that
/// the assignee `me` stands for.
pub fn task_filter(request: &Request, me: Option<i64>) -> Result<tasks::Filter, Problem> {
    let mut filter = tasks::Filter::default();
    match query(request, "assignee").as_deref() {
        Some("me") => filter = filter.assigned_to_user(me.unwrap_or_default()),
        Some(username) => {
            check("assignee", username, rules::username)?;
            filter = filter.assigned_to(username);
        }
        None => {}
    }
    match query(request, "done").as_deref() {
        Some("true") => filter = filter.done(true),
        Some("false") => filter = filter.done(false),
        Some(_) => return Err(Problem::invalid_field("done", "must be true or false")),
        None => {}
    }
    // A day is the reader's own.
    let is_day = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() == 10);
    let (before, after) = (query(request, "due_before"), query(request, "due_after"));
    let (before_day, after_day) = (is_day(&before), is_day(&after));
    if let Some(time) = time("due_before", before, false)? {
        filter = filter.due_before(time, before_day);
    }
    if let Some(time) = time("due_after", after, true)? {
        filter = filter.due_after(time, after_day);
    }
    if let Some(tag) = known_tag(query(request, "tag"))? {
        filter = filter.tagged(&tag);
    }
    if let Some(post) = query(request, "post") {
        filter = filter.of_page(number_of(&post));
    }
    Ok(filter)
}

/// The tasks that pass `filter`, by due date; those without one come last.
pub fn tasks(request: &Request, db: &Db, filter: tasks::Filter) -> Result<Page<Task>, Problem> {
    Page::select(request, tasks::fits, tasks::keys, |after, count| {
        let filter = match after {
            Some(keys) => filter.after(&keys),
            None => filter,
        };
        tasks::list(db, filter, count)
    })
}

/// The users, oldest first; the one with a username with `?username=`.
pub fn users(request: &Request, db: &Db) -> Result<Page<UserRecord>, Problem> {
    let username = query(request, "username");
    if let Some(username) = &username {
        check("username", username, rules::username)?;
    }
    Page::select(
        request,
        is_number,
        |record: &UserRecord| vec![record.user.id.into()],
        |after, count| users::after(db, number(after, 0), username, count),
    )
}

/// The audit trail, newest first; the entries by or about one user with `?user_id=`.
pub fn audit(request: &Request, db: &Db) -> Result<Page<AuditEntry>, Problem> {
    Page::select(
        request,
        is_number,
        |entry: &AuditEntry| vec![entry.id.into()],
        |after, count| audit::before(db, number(after, i64::MAX), user_id(request), count),
    )
}

/// What was or is to be sent to webhook `id`, newest first. 404 if there is no such webhook.
pub fn deliveries(request: &Request, db: &Db, id: i64) -> Result<Page<Delivery>, Problem> {
    let page = Page::select(
        request,
        is_number,
        |delivery: &Delivery| vec![delivery.id.into()],
        |after, count| deliveries::before(db, id, number(after, i64::MAX), count),
    )?;
    if page.items.is_empty() {
        webhooks::find(db, id)?.ok_or_else(errors::webhook_not_found)?;
    }
    Ok(page)
}

/// The events that could not be handed on, newest first.
pub fn undelivered(request: &Request, db: &Db) -> Result<Page<UndeliveredEvent>, Problem> {
    Page::select(
        request,
        is_number,
        |event: &UndeliveredEvent| vec![event.id.into()],
        |after, count| undelivered::before(db, number(after, i64::MAX), count),
    )
}

/// The audit chain, oldest first; what comes after the entry with the number `?after=`.
pub fn audit_chain(request: &Request, db: &Db) -> Result<Page<ChainEntry>, Problem> {
    let read = |text: String| {
        let number = text.parse().ok().filter(|number: &i64| *number >= 0);
        number.ok_or_else(|| Problem::invalid_field("after", "must be the number of an entry, or 0"))
    };
    let from = query(request, "after").map(read).transpose()?.unwrap_or(0);
    Page::select(
        request,
        is_number,
        |entry: &ChainEntry| vec![entry.number.into()],
        |after, count| audit_chain::after(db, number(after, from), count),
    )
}

/// The events that `?type=`, `?post_id=` and `?tag=` select, after the one that `Last-Event-ID` or `?after=` names; none if
/// neither does. `confidential` is whether those for administrators are among them.
pub fn wanted_events(request: &Request, confidential: bool) -> Result<(Wanted, Option<Sequence>), Problem> {
    let last_seen = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let sequence = |text: String| text.parse::<Sequence>().map_err(|wrong| Problem::invalid_field("after", wrong));
    let after = last_seen.filter(|id| !id.is_empty()).or_else(|| query(request, "after")).map(sequence).transpose()?;
    let tag = known_tag(query(request, "tag"))?;
    let kind = query(request, "type");
    if let Some(kind) = &kind {
        check("type", kind, wiki_types::events::selector)?;
    }
    let post_id = query(request, "post_id").map(|id| number_of(&id));
    Ok((Wanted { after: after.unwrap_or_default(), confidential, kind, post_id, tag }, after))
}

/// The events that are `wanted`, oldest first.
pub fn events(request: &Request, db: &Db, wanted: Wanted) -> Result<Page<Event>, Problem> {
    let sequence = |keys: &[Value]| match keys {
        [text] => text.as_str()?.parse().ok(),
        _ => None,
    };
    Page::select(
        request,
        |keys| sequence(keys).is_some(),
        |event: &Event| vec![event.sequence.to_string().into()],
        |after, count| {
            let after = after.and_then(|keys| sequence(&keys)).unwrap_or(wanted.after);
            events::after(db, Wanted { after, ..wanted }, count)
        },
    )
}

/// A part of the inbox of user `user_id`, latest entries first; with `?unread=`, those that are unread or those that are read.
pub fn inbox(request: &Request, db: &Db, user_id: i64) -> Result<Page<InboxEntry>, Problem> {
    let unread = match query(request, "unread").as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::invalid_field("unread", "must be true or false")),
        None => None,
    };
    Page::select(
        request,
        is_number,
        |entry: &InboxEntry| vec![entry.id.into()],
        |after, count| inbox::of_user(db, user_id, unread, number(after, i64::MAX), count),
    )
}

/// Any text that can be stored: the rule for those in a list may be stricter now than it was.
fn is_text(keys: &[Value]) -> bool {
    matches!(keys, [text] if text.as_str().is_some_and(|text| rules::text(text).is_ok()))
}

/// The text in the keys of a list that is sorted by one; empty on its first page.
fn text(keys: Option<&[Value]>) -> &str {
    keys.and_then(|keys| keys.first()).and_then(Value::as_str).unwrap_or_default()
}

fn is_number(keys: &[Value]) -> bool {
    matches!(keys, [number] if number.is_i64())
}

/// The number in the keys of a list that is sorted by one; `start` on its first page.
fn number(keys: Option<Vec<Value>>, start: i64) -> i64 {
    keys.and_then(|keys| keys.first()?.as_i64()).unwrap_or(start)
}
