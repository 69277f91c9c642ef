//! Notifications: events that people find in their inboxes.
//!
//! Who is told of what is decided in the database, in the statement that has the effect. What a text mentions is read here.

use std::collections::HashMap;

use serde::Deserialize;
use wiki_types::Time;

use crate::delivery::cloud_event::Event;
use crate::store::inbox::{self, Telling};
use crate::store::{self, Db};
use crate::{markdown, tasks};

/// The most names of one version that are looked up. The database takes the first twenty that are somebody's.
const MAX_MENTIONS: usize = 100;

/// What the event of a page says that matters here.
#[derive(Deserialize)]
struct Page {
    post_id: i64,
    version: i64,
    user_id: Option<i64>,
}

/// What the event of a task says that matters here.
#[derive(Deserialize)]
struct Task {
    task_id: i64,
    post_id: i64,
    version: i64,
    done: bool,
    assignee: Option<String>,
}

/// Tells people of the events, unless they were told before.
pub fn consume(db: &Db, events: &[Event]) -> Result<(), store::Error> {
    let mut tellings: Vec<Telling> = events.iter().filter_map(telling).collect();
    let written = tellings.iter().filter(|telling| telling.watches);
    let versions: Vec<(i64, i64, Time)> =
        written.filter_map(|telling| Some((telling.post_id?, telling.version, telling.time?))).collect();
    for (post_id, version) in inbox::may_mention(db, &versions)? {
        let Some((after, before)) = inbox::texts(db, post_id, version)? else { continue };
        let names = mentioned(before.as_deref().unwrap_or_default(), &after);
        let of_this =
            |telling: &&mut Telling| telling.watches && telling.post_id == Some(post_id) && telling.version == version;
        for telling in tellings.iter_mut().filter(of_this) {
            telling.mentions.clone_from(&names);
        }
    }
    inbox::tell(db, &tellings)
}

/// What to tell of an event; nothing of most, and of one that does not say what those of its type say.
fn telling(event: &Event) -> Option<Telling> {
    // In microseconds, as the database has it.
    let time = serde_json::from_value::<Time>(event.time.clone().into()).ok()?;
    let base = Telling { id: event.id.clone(), time: Some(time), ..Telling::default() };
    let (about, what) = event.kind.strip_prefix("wasiki.")?.split_once('.')?;
    match (about, what) {
        ("page", "created" | "edited" | "renamed" | "deleted" | "restored") => {
            let Page { post_id, version, user_id } = Page::deserialize(&event.data).ok()?;
            let watches = matches!(what, "created" | "edited" | "renamed");
            Some(Telling { kind: "changed", post_id: Some(post_id), version, user_id, watches, ..base })
        }
        ("task", _) => {
            let task = Task::deserialize(&event.data).ok()?;
            let kind = match what {
                "reminder" => "reminder",
                "due" => "due",
                "overdue" => "overdue",
                "created" | "updated" | "completed" | "reopened" | "restored" => "assigned",
                _ => return None,
            };
            Some(Telling {
                kind,
                post_id: Some(task.post_id),
                version: task.version,
                task_id: Some(task.task_id),
                assignee: task.assignee,
                is_open: !task.done,
                ..base
            })
        }
        _ => None,
    }
}

/// The usernames that a page mentions more often `after` an edit than `before`, in lower case. Whose a task is, its events
/// tell.
fn mentioned(before: &str, after: &str) -> Vec<String> {
    let mut left = counted(before);
    let mut assigned = assigned(after);
    let mut new = Vec::new();
    for name in markdown::mentions(after) {
        if take(&mut assigned, &name) || take(&mut left, &name) || new.contains(&name) {
            continue;
        }
        new.push(name);
        if new.len() == MAX_MENTIONS {
            break;
        }
    }
    new
}

/// How often a page mentions whom, apart from whose its tasks are.
fn counted(content: &str) -> HashMap<String, usize> {
    let mut assigned = assigned(content);
    let mut counts = HashMap::new();
    for name in markdown::mentions(content) {
        if !take(&mut assigned, &name) {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

/// How many tasks of a page are whose.
fn assigned(content: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for name in tasks::tasks(content).into_iter().filter_map(|task| task.line.assignee) {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// Takes one of `name` away, if there is one.
fn take(counts: &mut HashMap<String, usize>, name: &str) -> bool {
    match counts.get_mut(name) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_mentioned_more_often_is_new() {
        for (before, after, new) in [
            ("", "@ada and @bob, @ada", &["ada", "bob"][..]),
            ("@ada", "@ada and @bob", &["bob"]),
            ("a\n\n@ada", "@ada\n\na b", &[]),
            ("@ada", "@ada\n\n@ada", &["ada"]),
            ("@ada @ada", "@ada", &[]),
            ("", "- [ ] Call @ada\n- [ ] Write @ada with @bob", &["bob"]),
            ("- [ ] Call @ada", "- [ ] Call @ada\n\n@ada, please", &["ada"]),
            ("`@ada`", "@ada", &["ada"]),
        ] {
            assert_eq!(mentioned(before, after), new, "{before} -> {after}");
        }
    }

    #[test]
    fn names_of_one_version_are_bounded() {
        let names: String = (0..200).map(|number| format!("@n{number} ")).collect();
        assert_eq!(mentioned("", &names).len(), MAX_MENTIONS);
    }

    #[test]
    fn events_that_nobody_is_told_of_are_passed_over() {
        let event = |kind: &str, time: &str, data| Event {
            id: "a".to_owned(),
            kind: kind.to_owned(),
            subject: String::new(),
            time: time.to_owned(),
            data,
        };
        let page = json!({"post_id": 1, "version": 2, "user_id": null});
        let task = json!({"task_id": 1, "post_id": 1, "version": 2, "done": false, "assignee": "ada", "text": "x"});
        let now = "2026-11-22T10:00:00Z";
        assert!(telling(&event("wasiki.page.edited", now, page.clone())).is_some());
        assert!(telling(&event("wasiki.task.overdue", now, task.clone())).is_some());
        for (kind, time, data) in [
            ("wasiki.page.protected", now, &page),
            ("wasiki.page.edited", "yesterday", &page),
            ("wasiki.page.edited", now, &json!({"post_id": "1", "version": 2})),
            ("wasiki.page.edited", now, &json!(null)),
            ("wasiki.task.removed", now, &task),
            ("wasiki.account.sign_in", now, &json!({"user_id": 1})),
            ("other.page.edited", now, &page),
            ("wasiki", now, &page),
        ] {
            assert_eq!(telling(&event(kind, time, data.clone())), None, "{kind} {data}");
        }
    }
}
