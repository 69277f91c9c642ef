//! Changes of tasks, which are edits of their pages, for the API and the site alike.

use http::StatusCode;
use wiki_types::rules::{self, MAX_COMMENT, MAX_CONTENT};
use wiki_types::slug::slugify;
use wiki_types::{Task, User};

use crate::auth::Context;
use crate::errors;
use crate::input::idempotency;
use crate::store::pages::{self, Created, Draft, Saved};
use crate::store::submissions::{self, Submission};
use crate::store::{revisions, tasks, users, zones};
use crate::tasks::{Change, Days, Kind, Line, added, changed};
use crate::web::Problem;

/// Times that a change is tried on the page as it is, while others save it.
pub const MAX_TRIES: usize = 20;

/// What came of a change.
#[derive(Debug)]
pub enum Changed {
    /// The task as it is now.
    Changed(Task),
    /// The task, as it is now, is at none of the versions that were seen.
    Stale(Task),
}

/// Changes task `id` by an edit of its page by user `user_id`; by nobody who is named, if there is none. `seen` are the
/// versions of the task that the change may be based on; without it, any.
///
/// Of several people who complete a task, one does, and the others find it completed.
pub fn change(
    cx: &Context,
    id: i64,
    seen: Option<&[i64]>,
    change: &Change,
    user_id: Option<i64>,
) -> Result<Changed, Problem> {
    let now = || tasks::find(cx.db, id)?.ok_or_else(errors::task_not_found);
    // Whose it may be after the change.
    let text = change.text.as_deref().map(Line::new);
    let assignee = change.assignee.as_ref().and_then(Option::as_deref).map(str::to_ascii_lowercase);
    let others: Vec<&str> = assignee
        .as_deref()
        .into_iter()
        .chain(text.as_ref().map(|text| text.assignee.as_deref().unwrap_or_default()))
        .collect();
    for _ in 0..MAX_TRIES {
        let before = tasks::locate(cx.db, id)?.ok_or_else(errors::task_not_found)?;
        if seen.is_some_and(|seen| !seen.contains(&before.version)) {
            return Ok(Changed::Stale(now()?));
        }
        let all = crate::tasks::tasks(&before.content);
        // An older version of the wiki may have written the page: then its tasks are read first.
        let Some(task) = all.get(before.place).filter(|task| task.full_key() == before.full_key) else {
            tasks::catch_up(cx.db, 1);
            continue;
        };
        let today = match change.done {
            Some(true) => zones::days(cx.db, &before.content, &others)?,
            _ => Days::default(),
        };
        let content = changed(&before.content, before.place, change, &today);
        let content = content.filter(|content| *content != before.content);
        let Some(content) = content else { return Ok(Changed::Changed(now()?)) };
        let is_done = change.done.unwrap_or(task.done);
        let what = match (task.done, is_done) {
            (false, true) => "done",
            (true, false) => "not done",
            _ => "task",
        };
        let text = change.text.clone().unwrap_or_else(|| task.line.text());
        let draft = Draft { user_id, comment: comment(what, &text), ..Draft::default() };
        match save(cx, before.post_id, before.page_version, Draft { content, ..draft })? {
            Some(_) => return Ok(Changed::Changed(now()?)),
            None => continue,
        }
    }
    Err(busy())
}

/// Adds a task to page `page` or, if none is named, to the author's own page of tasks.
pub fn add(
    cx: &Context,
    page: Option<i64>,
    line: &Line,
    user_id: Option<i64>,
    key: Option<String>,
) -> Result<Task, Problem> {
    // On the author's own page, a task is theirs, unless its line says whose it is.
    let owner = page.is_none().then(|| author(cx, user_id)).transpose()?;
    let name = owner.as_ref().and_then(|owner| owner.username.as_deref()).filter(|_| line.assignee.is_none());
    let line = &match name {
        Some(name) => line.with(Kind::Assignee, Some(name)),
        None => line.clone(),
    };
    let draft = Draft { user_id, comment: comment("new task", &line.text()), key: key.clone(), ..Draft::default() };
    for _ in 0..MAX_TRIES {
        if let Some(before) = key.as_deref().map(|key| submissions::find(cx.db, key)).transpose()?.flatten() {
            return repeated(cx, before, line);
        }
        let before = match (page, &owner) {
            (_, Some(owner)) => pages::find_by_name(cx.db, &own_slug(owner))?,
            (Some(id), None) => pages::find(cx.db, id)?,
            (None, None) => None,
        };
        let (post_id, index) = match (before, &owner) {
            (Some(before), _) => {
                let (content, index) = added(&before.content, line);
                let draft = Draft { content, ..draft.clone() };
                let Some(post_id) = save(cx, before.post_id, before.version, draft)? else { continue };
                (post_id, index)
            }
            (None, None) => return Err(errors::page_not_found()),
            (None, Some(author)) => {
                let title = format!("Tasks of {}", author.name);
                let title = title.chars().take(rules::MAX_TITLE).collect();
                let (content, index) = added("", line);
                let draft = Draft { title: Some(title), slug: Some(own_slug(author)), content, ..draft.clone() };
                match pages::create(cx.db, author.id, draft)? {
                    Created::Created(post) => (post.post_id, index),
                    Created::Repeated(before) => return repeated(cx, before, line),
                    // Somebody else has just made it.
                    Created::SlugTaken => continue,
                    Created::NoSuchUser => return Err(errors::user_not_found()),
                    Created::Unplaced(why) => return Err(errors::unplaced(why)),
                }
            }
        };
        let full_key = crate::tasks::full_key(line);
        return tasks::find_in_page(cx.db, post_id, &full_key, index)?.ok_or_else(errors::task_not_found);
    }
    Err(busy())
}

/// Saves a version of a page that follows `version`, and has the next ones of tasks that it completes. None if there is
/// another by now.
pub fn save(cx: &Context, post_id: i64, version: i64, draft: Draft) -> Result<Option<i64>, Problem> {
    if draft.content.len() > MAX_CONTENT {
        let detail = format!("The page would have more than {MAX_CONTENT} bytes, which is the limit. Split it.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let may_override = cx.identity.administers();
    match pages::save_as_it_is(cx.db, post_id, Some(vec![version]), &draft, may_override, &cx.identity.actor())? {
        Saved::Saved(post) | Saved::Unchanged(post) => Ok(Some(post.post_id)),
        Saved::Stale(_) => Ok(None),
        Saved::Refused(refusal) => Err(errors::page_refused(refusal)),
        Saved::NoSuchUser => Err(errors::user_not_found()),
        // The slug stays as it is.
        Saved::Gone | Saved::SlugTaken => Err(errors::page_not_found()),
    }
}

/// The task that the same request added before.
fn repeated(cx: &Context, before: Submission, line: &Line) -> Result<Task, Problem> {
    let full_key = crate::tasks::full_key(line);
    let made = revisions::find(cx.db, before.post_id, before.version)?;
    let made = made.map(|made| made.content).unwrap_or_default();
    let tasks = crate::tasks::tasks(&made);
    let Some(place) = tasks.iter().rposition(|task| task.full_key() == full_key) else {
        return Err(idempotency::used_for_another("task"));
    };
    let task = match tasks::find_added(cx.db, before.post_id, before.version)? {
        Some(task) => Some(task),
        None => tasks::find_in_page(cx.db, before.post_id, &full_key, place)?,
    };
    task.ok_or_else(errors::task_not_found)
}

/// The user who adds a task to their own page.
fn author(cx: &Context, user_id: Option<i64>) -> Result<User, Problem> {
    let user_id = user_id.ok_or_else(|| Problem::invalid_field("user_id", "is required"))?;
    Ok(users::find(cx.db, user_id)?.ok_or_else(errors::user_not_found)?.user)
}

/// The slug of a user's own page of tasks. If they rename it, it leads there.
fn own_slug(user: &User) -> String {
    let name = user.username.clone().unwrap_or_else(|| format!("user-{}", user.id));
    slugify(&format!("tasks-of-{name}"))
}

/// The summary of an edit: what was done with which task.
pub fn comment(what: &str, text: &str) -> String {
    let comment = format!("{what}: {text}");
    comment.chars().filter(|c| !c.is_control()).take(MAX_COMMENT).collect::<String>().trim_end().to_owned()
}

/// 409: others save the page again and again.
fn busy() -> Problem {
    Problem::new(StatusCode::CONFLICT, "Others are changing this page at the same time. Try again.")
}
