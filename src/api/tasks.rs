//! Tasks: the items of checklists in pages.

use http::StatusCode;
use serde_json::Value;
use wiki_types::rules::{self, Wrong};
use wiki_types::tasks::MAX_TASK;
use wiki_types::{Due, Task};

use crate::auth::Context;
use crate::errors;
use crate::input::idempotency::Purpose;
use crate::input::lists;
use crate::input::tasks::{self, Changed};
use crate::store::{self, Db};
use crate::tasks::{Change, Kind, Line};
use crate::web::json::Body;
use crate::web::{Problem, Response, etag, response};

/// List tasks
///
/// By due date; those without one come last. A task is an item of a checklist in a page: `- [ ] Call Ada @bob
/// due:2026-12-04`.
#[cfg_attr(test, utoipa::path(
    get, path = "/tasks", operation_id = "listTasks", tag = "Tasks",
    params(("limit", Query), ("cursor", Query), ("assignee", Query), ("done", Query), ("due_before", Query),
        ("due_after", Query), ("tag", Query), ("post", Query)),
    responses((status = 200, description = "Tasks.", body = wiki_types::Tasks, headers(("ETag")))),
))]
pub fn list(cx: &Context) -> Result<Response, Problem> {
    let filter = lists::task_filter(cx.request, cx.identity.user_id())?;
    Ok(lists::tasks(cx.request, cx.db, filter)?.response(cx.request, "tasks"))
}

/// Read a task
#[cfg_attr(test, utoipa::path(
    get, path = "/tasks/{id}", operation_id = "readTask", tag = "Tasks",
    responses((status = 200, description = "The task.", body = Task, headers(("ETag")))),
))]
pub fn read(cx: &Context, id: i64) -> Result<Response, Problem> {
    let task = store::tasks::find(cx.db, id)?.ok_or_else(errors::task_not_found)?;
    Ok(response::unless_known(cx.request, &tag(&task), || response::json(&task)))
}

/// Add a task
///
/// To a page or, by default, to the author's own page of tasks. With an `Idempotency-Key`, the same request can be sent again:
/// within a week it adds no second task.
#[cfg_attr(test, utoipa::path(
    post, path = "/tasks", operation_id = "createTask", tag = "Tasks", request_body = wiki_types::NewTask,
    params(("Idempotency-Key", Header)),
    responses((status = 201, description = "The new task.", body = Task, headers(("ETag"))), (status = 404),
        (status = 409)),
))]
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let text = body.required_text("text", rules::line::<MAX_TASK>).unwrap_or_default();
    let due = body.text("due", due_rule);
    let assignee = body.text("assignee", rules::username);
    let post_id = body.integer("post_id");
    let user_id = body.integer("user_id");
    body.finish()?;
    let user_id = cx.identity.author(user_id)?;
    let mut line = Line::new(&text);
    if let Some(assignee) = assignee {
        line = line.with(Kind::Assignee, Some(&assignee));
    }
    if let Some(due) = due.map(|due| written(cx.db, &due)).transpose()? {
        line = line.with(Kind::Due, Some(&due.to_string()));
    }
    let key = Purpose::Task.header(cx.request, user_id)?;
    let task = tasks::add(cx, post_id, &line, user_id, key)?;
    let response = response::created(&format!("/tasks/{}", task.id), &task);
    Ok(response::tagged(response, &tag(&task)))
}

/// Change a task
///
/// An edit of its page, with a version of its own: the box, the date, the name or the text in the task's line. A change that
/// changes nothing makes no version. Completing a task that recurs adds the next one below it; of several who complete it,
/// one does.
#[cfg_attr(test, utoipa::path(
    patch, path = "/tasks/{id}", operation_id = "updateTask", tag = "Tasks", request_body = wiki_types::TaskChange,
    responses((status = 200, description = "The task as it is now.", body = Task, headers(("ETag")),
        example = json!({ "done": true, "done_time": "2026-12-03T10:00:00.000000Z", "done_by": 1,
            "done_by_name": "ada", "version": 2 })),
        (status = 409), (status = 412)),
))]
pub fn update(cx: &Context, id: i64) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    let mut body = Body::read(cx.request)?;
    let done = body.flag("done");
    let due = body.nullable_text("due", due_rule);
    let assignee = body.nullable_text("assignee", rules::username);
    let text = body.nullable_text("text", rules::line::<MAX_TASK>);
    if text == Some(None) {
        body.reject::<()>("text", "cannot be cleared; give another text instead");
    }
    let user_id = body.integer("user_id");
    body.finish()?;
    let user_id = cx.identity.author(user_id)?;
    let due = due.map(|due| due.map(|due| written(cx.db, &due)).transpose()).transpose()?;
    let change = Change { done, due, assignee, text: text.flatten() };
    match tasks::change(cx, id, seen.as_deref(), &change, user_id)? {
        Changed::Changed(task) => Ok(response::tagged(response::json(&task), &tag(&task))),
        Changed::Stale(task) => Err(stale(&task)),
    }
}

/// What is wrong with a date that is none.
const NO_DUE: &str = "must be a day, as in 2026-01-31, or a time, as in 2026-01-31T12:00:00Z";

fn due_rule(text: &str) -> Result<(), Wrong> {
    text.parse::<Due>().map(drop).map_err(|()| NO_DUE.into())
}

/// What a page says of a task that is due on this day, at this minute of the wiki's time zone, or at this instant.
fn written(db: &Db, text: &str) -> Result<Due, Problem> {
    let due = match (Due::written(text), text.parse::<Due>()) {
        (Some(due), _) => Some(due),
        // At the ends of the calendar, the minute may be in a year that pages cannot write.
        (None, Ok(instant)) => Due::written(&store::zones::minute_of_wiki(db, instant)?.to_string()),
        (None, Err(())) => None,
    };
    due.ok_or_else(|| Problem::invalid_field("due", NO_DUE))
}

fn stale(current: &Task) -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "The task was changed meanwhile. Compare with \"current\" and send the change again with its ETag.",
    )
    .with("version", current.version)
    .with("current", serde_json::to_value(current).unwrap_or(Value::Null))
}

/// The entity tag of a task.
fn tag(task: &Task) -> String {
    etag::etag(task.version, "")
}
