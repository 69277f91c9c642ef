//! The commands for tasks: tasks, done.

use wiki_types::Task;

use crate::args::{Done, Global, Tasks};
use crate::authors::Writer;
use crate::error::Error;
use crate::lists::{page_size, print};
use crate::output;
use crate::text::one_line;
use crate::wiki::{Wiki, parse, with_query};

/// `wasiki tasks`: those of the owner of the token or, without one, everybody's.
pub fn list(wiki: &Wiki, global: &Global, args: &Tasks) -> anyhow::Result<()> {
    let limit = args.limit.unwrap_or(usize::MAX);
    let page_size = page_size(limit);
    let mut parameters = vec![("limit", page_size.as_str()), ("done", if args.done { "true" } else { "false" })];
    match &args.assignee {
        Some(name) => parameters.push(("assignee", name)),
        None if !args.all && wiki.account()?.is_some() => parameters.push(("assignee", "me")),
        None => {}
    }
    let page = args.page.as_deref().map(|page| wiki.page_number(page)).transpose()?.map(|id| id.to_string());
    let given = [("tag", &args.tag), ("due_before", &args.due_before), ("due_after", &args.due_after), ("post", &page)];
    parameters.extend(given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    let mut found = 0;
    print(wiki.list(with_query("/tasks", &parameters), "tasks"), limit, global, |task: Task| {
        found += 1;
        Ok(line(&task))
    })?;
    if found == 0 && !global.json {
        eprintln!("no tasks");
    }
    Ok(())
}

fn line(task: &Task) -> String {
    let due = task.due.map(|due| due.to_string()).unwrap_or_default();
    let assignee = task.assignee.as_deref().map(|name| format!(" @{}", one_line(name))).unwrap_or_default();
    let sign = if task.done { 'x' } else { ' ' };
    format!("{:>6}  [{sign}] {due:<16}  {}{assignee} ({})", task.id, one_line(&task.text), one_line(&task.page_slug))
}

/// `wasiki done`: ticks a task, or opens it again.
pub fn done(wiki: &Wiki, global: &Global, args: &Done) -> anyhow::Result<()> {
    let user_id = Writer::new(wiki, global.author.as_deref())?.number()?;
    let body = wiki.set_done(args.number, !args.undo, user_id).map_err(|error| match error.status() {
        Some(404) => Error::Unexpected(format!("there is no task {}", args.number)),
        _ => error,
    })?;
    if global.json {
        return Ok(output::body(&body)?);
    }
    let task: Task = parse(&body)?;
    let what = if task.done { "done" } else { "open again" };
    Ok(output::line(&format!("{what}: {} ({}, line {})", one_line(&task.text), task.page_slug, task.line))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_one_line() {
        let task = serde_json::json!({
            "id": 7, "post_id": 1, "page_title": "List", "page_slug": "list", "line": 3, "text": "Call\u{1b} Ada", "done": false,
            "due": "2026-12-04T15:00:00Z", "scheduled": null, "assignee": "bob", "assignee_id": 2, "priority": "high",
            "repeat": null, "remind": null, "done_time": null, "done_by": null, "done_by_name": null, "version": 1,
            "created_time": "2026-11-22T10:00:00Z",
        });
        let task: Task = serde_json::from_value(task).unwrap();
        assert_eq!(line(&task), "     7  [ ] 2026-12-04T15:00  Call Ada @bob (list)");
        assert_eq!(
            line(&Task { due: None, done: true, assignee: None, ..task }),
            "     7  [x]                   Call Ada (list)"
        );
    }
}
