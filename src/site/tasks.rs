//! Tasks of all pages: one's own, those of another person, of a tag, or of a page.

use askama::Template;
use http::StatusCode;
use wiki_types::{SeenDue, Task, rules};

use crate::auth::Context;
use crate::errors;
use crate::input::lists;
use crate::input::tasks::{self, Changed};
use crate::markdown;
use crate::site::{self, address, author, retry};
use crate::store::pages;
use crate::tasks::Change;
use crate::web::forms::Form;
use crate::web::request::{positive, query};
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "tasks.html")]
pub struct TasksView {
    pub whose: Whose,
    /// Whether these are done.
    pub done: bool,
    /// The tasks under their headings.
    pub groups: Vec<Group>,
    /// The time zone that times of day are in, if there are some.
    pub zone: Option<String>,
    /// The address of the list itself, to come back to.
    pub here: String,
    /// The address of the list of those that are done, or that are not.
    pub other: String,
    /// The address of the rest of the list.
    pub next: Option<String>,
}

/// Whose tasks a list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    Mine,
    Everybody,
    /// Those of a person, by their username.
    Person(String),
    /// Those of pages with a tag.
    Tag(String),
    /// Those of a page, with its number, title and slug.
    Page(i64, String, String),
}

impl Whose {
    /// The list of them that are done, or that are not.
    fn address(&self, done: bool) -> String {
        let list = match self {
            Self::Mine => address::TASKS.to_owned(),
            Self::Everybody => address::ALL_TASKS.to_owned(),
            Self::Person(username) => address::tasks_of(username),
            Self::Tag(tag) => address::tasks_tagged(tag),
            Self::Page(id, ..) => format!("{}?post={id}", address::TASKS),
        };
        match done {
            true => format!("{list}{}done=true", if list.contains('?') { '&' } else { '?' }),
            false => list,
        }
    }
}

/// Tasks under one heading.
#[derive(Debug)]
pub struct Group {
    pub id: &'static str,
    pub heading: &'static str,
    pub tasks: Vec<Row>,
}

/// A task in a list.
#[derive(Debug)]
pub struct Row {
    pub task: Task,
    /// What is to be done, without Markdown.
    pub text: String,
    /// When it is due, for people.
    pub due: Option<DueWords>,
}

/// When something is due, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWords {
    pub words: String,
    /// The same as a date.
    pub exact: String,
    pub is_late: bool,
}

impl Row {
    /// A task as it is shown.
    pub(super) fn new(task: Task) -> Self {
        let text = markdown::plain(&task.text).text.trim().to_owned();
        let due = task.seen.as_ref().map(|due| words(due, task.done));
        Self { text: if text.is_empty() { "Untitled".to_owned() } else { text }, due, task }
    }

    /// Where it stands in its page.
    pub(super) fn address(&self) -> String {
        address::page(&self.task.page_slug)
    }
}

/// When something is due, as people say it: today, tomorrow, Friday, 3 days late.
///
/// Whether it is late is told by the zone in which its day ends, and other words by the reader's. Where the one contradicts the
/// other, the date alone is said.
pub(super) fn words(seen: &SeenDue, done: bool) -> DueWords {
    let due = seen.due;
    let days = (due.day() - seen.today).num_days();
    let is_late = !done && seen.is_past;
    let contradicts = if is_late { days > 0 } else { days < 0 };
    let day = match days {
        _ if done || contradicts => due.day().format("%-d %B %Y").to_string(),
        -1 => "1 day late".to_owned(),
        ..-1 => format!("{} days late", -days),
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        2..=6 => due.day().format("%A").to_string(),
        7.. => due.day().format("%-d %B %Y").to_string(),
    };
    let words = match due.time().filter(|_| days >= 0 || done) {
        Some(time) => format!("{day} at {}", time.format("%H:%M")),
        None => day,
    };
    let words = if is_late && days >= 0 { format!("{words}, late") } else { words };
    DueWords { words, exact: exact(seen), is_late }
}

/// When something is due, as a date in the reader's time zone.
pub(super) fn exact(seen: &SeenDue) -> String {
    let begins = seen.due.begins();
    match seen.due.time() {
        Some(_) => format!("{} {}", begins.format("%-d %B %Y, %H:%M"), seen.zone),
        None => begins.format("%-d %B %Y").to_string(),
    }
}

impl TasksView {
    fn title(&self) -> String {
        match &self.whose {
            Whose::Mine => "My tasks".to_owned(),
            Whose::Everybody => "Tasks".to_owned(),
            Whose::Person(name) => format!("Tasks of {name}"),
            Whose::Tag(tag) => format!("Tasks tagged {tag}"),
            Whose::Page(_, title, _) => format!("Tasks of {title}"),
        }
    }

    /// The tasks as they are listed: by due date.
    pub(super) fn groups(tasks: Vec<Task>) -> Vec<Group> {
        let heading = |task: &Task| match &task.seen {
            _ if task.done => ("_done", "Done"),
            None => ("_no-date", "No date"),
            Some(due) if due.is_past => ("_overdue", "Overdue"),
            Some(due) if due.due.day() <= due.today => ("_today", "Today"),
            Some(_) => ("_later", "Later"),
        };
        let mut groups: Vec<Group> = Vec::new();
        for task in tasks {
            let (id, heading) = heading(&task);
            let row = Row::new(task);
            match groups.iter_mut().find(|group| group.id == id) {
                Some(group) => group.tasks.push(row),
                None => groups.push(Group { id, heading, tasks: vec![row] }),
            }
        }
        groups
    }
}

/// `GET /wiki/-/tasks`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let asked = |name: &str| query(cx.request, name).filter(|value| !value.is_empty());
    let mut filter = lists::task_filter(cx.request, cx.identity.user_id())?;
    let whose = if let Some(post) = asked("post") {
        let page = positive(&post).map(|id| pages::find(cx.db, id)).transpose()?.flatten();
        let page = page.ok_or_else(errors::page_not_found)?;
        Whose::Page(page.post_id, page.title, page.slug)
    } else if let Some(tag) = asked("tag") {
        Whose::Tag(rules::normal_tag(&tag))
    } else if let Some(username) = asked("assignee").filter(|username| username != "me") {
        Whose::Person(username)
    } else if asked("everybody").is_some() || cx.identity.account.is_none() {
        Whose::Everybody
    } else {
        filter = filter.assigned_to_user(cx.identity.account()?.user_id);
        Whose::Mine
    };
    let done = asked("done").as_deref() == Some("true");
    if asked("done").is_none() {
        filter = filter.done(false);
    }
    let list = lists::tasks(cx.request, cx.db, filter)?;
    let [here, other] = [done, !done].map(|done| whose.address(done));
    let zone = list.items.iter().filter_map(|task| task.seen.as_ref()).find(|seen| seen.due.time().is_some());
    let zone = zone.map(|seen| seen.zone.clone());
    let groups = TasksView::groups(list.items);
    site::show(cx, &TasksView { whose, done, groups, zone, here, other, next: list.next })
}

/// `POST /wiki/-/tasks`: ticks a task
///
/// The button says its number, and its version as it was seen.
pub fn tick(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let (done, value) = match (form.text("tick"), form.text("untick")) {
        ("", value) => (false, value),
        (value, _) => (true, value),
    };
    let (id, version) = value
        .split_once('.')
        .and_then(|(id, version)| Some((positive(id)?, positive(version)?)))
        .ok_or_else(errors::task_not_found)?;
    let name = author::of_form(cx, &form);
    if let Err(message) = author::check(cx, &name) {
        return retry::ask_for_author(cx, &form, &name, &message);
    }
    let user_id = author::user_id(cx, &name)?;
    let change = Change { done: Some(done), ..Change::default() };
    match tasks::change(cx, id, Some(&[version]), &change, Some(user_id))? {
        Changed::Changed(_) => {}
        // Somebody else has done the same, or this form was sent before.
        Changed::Stale(task) if task.done == done => {}
        Changed::Stale(_) => {
            let detail = "This task was changed meanwhile. Look at it and tick it again.";
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
    }
    let next = address::local(form.text("next")).unwrap_or(address::TASKS);
    Ok(author::remembering(cx, response::see_other(next), &name))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use wiki_types::Due;

    use super::*;

    #[test]
    fn people_are_told_when_something_is_due() {
        let now = "2026-12-02T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for (due, expected, late) in [
            ("2026-11-29", "3 days late", true),
            ("2026-12-01", "1 day late", true),
            ("2026-12-01T15:00", "1 day late", true),
            ("2026-12-02", "today", false),
            ("2026-12-02T11:00", "today at 11:00, late", true),
            ("2026-12-02T15:00", "today at 15:00", false),
            ("2026-12-03", "tomorrow", false),
            ("2026-12-04", "Friday", false),
            ("2026-12-08T09:30", "Tuesday at 09:30", false),
            ("2026-12-09", "9 December 2026", false),
        ] {
            let said = words(&SeenDue::in_utc(Due::written(due).unwrap(), now), false);
            assert_eq!((said.words.as_str(), said.is_late), (expected, late), "{due}");
        }
        let done = words(&SeenDue::in_utc(Due::written("2026-11-29").unwrap(), now), true);
        assert_eq!((done.words.as_str(), done.is_late), ("29 November 2026", false));
    }

    #[test]
    fn days_of_other_zones_are_neither_late_nor_ahead_of_their_time() {
        let now = "2026-12-02T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for (due, is_past, expected, group) in [
            ("2026-12-01", false, "1 December 2026", "_today"),
            ("2026-12-02", true, "today, late", "_overdue"),
            ("2026-12-03", true, "3 December 2026, late", "_overdue"),
            ("2026-12-03", false, "tomorrow", "_later"),
        ] {
            let seen = SeenDue { is_past, ..SeenDue::in_utc(Due::written(due).unwrap(), now) };
            let said = words(&seen, false);
            assert_eq!((said.words.as_str(), said.is_late), (expected, is_past), "{due}");
            let task = serde_json::json!({
                "id": 7, "post_id": 1, "page_title": "", "page_slug": "", "line": 3, "text": "", "done": false, "due": due,
                "version": 1, "created_time": "2026-11-22T10:00:00Z",
            });
            let task = Task { seen: Some(seen), ..serde_json::from_value(task).unwrap() };
            assert_eq!(TasksView::groups(vec![task])[0].id, group);
        }
        let berlin = SeenDue {
            zone: "Europe/Berlin".to_owned(),
            ..SeenDue::in_utc(Due::written("2026-12-02T15:00").unwrap(), now)
        };
        assert_eq!(words(&berlin, false).exact, "2 December 2026, 15:00 Europe/Berlin");
    }
}
