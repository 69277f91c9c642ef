//! The tasks of a page, as the parameters of the statements that write a page.

use serde_json::{Value, json};
use wiki_types::{Due, slug};

use crate::store::db::Param;
use crate::tasks::{self, Line, PageTask};

/// The most characters of a task's text that are kept beside the page.
const MAX_TEXT: usize = 500;

/// The tasks of a page.
#[derive(Debug)]
pub struct Entry {
    /// As a JSON array for the function `keep_tasks`; none without tasks.
    pub tasks: Option<String>,
    /// A hash of that; 0 without tasks.
    pub hash: i64,
}

impl Entry {
    /// The tasks of the page `content`.
    pub fn of(content: &str) -> Self {
        let tasks: Vec<Value> =
            tasks::tasks(content).iter().enumerate().map(|(place, task)| entry(place, task)).collect();
        let tasks = (!tasks.is_empty()).then(|| Value::from(tasks).to_string());
        let hash = tasks.as_deref().map_or(0, |tasks| slug::hash(tasks).cast_signed());
        Self { tasks, hash }
    }

    /// The parameters of `with_tasks!`, in order.
    pub fn params(self) -> [Param; 2] {
        [self.tasks.into(), self.hash.into()]
    }
}

fn entry(place: usize, task: &PageTask) -> Value {
    let Line { due, scheduled, assignee, priority, repeat, remind, done_day, .. } = &task.line;
    let instant = |due: &Option<Due>| due.map(|due| due.begins().to_rfc3339());
    let text: String = task.line.text().chars().take(MAX_TEXT).collect();
    json!({
        "place": place,
        "line": task.number,
        "text": text,
        "key": task.key(),
        "full_key": task.full_key(),
        "done": task.done,
        "due": instant(due),
        "due_is_day": due.is_none_or(|due| due.time().is_none()),
        "scheduled": scheduled.map(|due| due.to_string()),
        "assignee": assignee,
        "priority": priority,
        "repeat": repeat.map(|repeat| repeat.to_string()),
        "remind": remind,
        "done_day": instant(done_day),
    })
}

/// SQL for the hash of a page's tasks. A template has none: they are those of the pages that begin as it.
#[macro_export]
macro_rules! tasks_hash {
    ($tags:literal, $hash:literal) => {
        concat!("CASE WHEN 'template' = ANY (", $tags, ") THEN 0 ELSE ", $hash, "::bigint END")
    };
}
/// The part of a statement that keeps the tasks of the page in the table of this name, as a table with one row for each
/// page. It has to be joined to the result: what is not read does not run. `$before` is SQL for the hash of the tasks that the
/// page had. The parameters are those of [`Entry::params`].
#[macro_export]
macro_rules! with_tasks {
    ($page:literal, $before:literal, $editor:literal, $tasks:literal, $hash:literal) => {
        concat!(
            "with_tasks AS MATERIALIZED (
               SELECT CASE WHEN ",
            tasks_hash!("page.tags", $hash),
            " = ",
            $before,
            " THEN true
                 ELSE keep_tasks(page.id, page.version, ",
            $editor,
            ", page.updated_time, CASE WHEN 'template' = ANY (page.tags) THEN '[]' ELSE coalesce(",
            $tasks,
            "::text, '[]') END::jsonb) END AS are_kept
               FROM ",
            $page,
            " AS page
             )"
        )
    };
}
