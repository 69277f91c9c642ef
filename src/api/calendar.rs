//! Tasks as a calendar (RFC 5545), for programs that subscribe to one.

use chrono::{Days, TimeDelta};
use http::StatusCode;
use wiki_types::settings::UTC;
use wiki_types::{Due, Priority, Task, Time};

use crate::auth::Context;
use crate::input::lists;
use crate::markdown;
use crate::store::{migrations, settings, tasks};
use crate::tasks::{Recurrence, lead_time};
use crate::web::icalendar::Calendar;
use crate::web::request::{base, query};
use crate::web::response::{self, CALENDAR};
use crate::web::{Problem, Response};

/// Tasks in the calendar: the first by due date.
const TASKS: usize = 1000;

/// Tasks as a calendar
///
/// As iCalendar writes it (RFC 5545): a VTODO for each task, and a VEVENT for each that has a date, as not every program shows
/// VTODO. By default, the open tasks of the owner of the token. Programs that subscribe to a calendar cannot send headers: they send
/// a token with the scope `read` in the address.
#[cfg_attr(test, utoipa::path(
    get, path = "/tasks.ics", operation_id = "readCalendar", tag = "Tasks",
    params(("token" = Option<String>, Query, description = "A token with the scope `read`."), ("assignee", Query),
        ("done", Query), ("due_before", Query), ("due_after", Query), ("tag", Query), ("post", Query)),
    responses((status = 200, description = "The calendar.", body = String, content_type = "text/calendar",
        headers(("ETag")))),
))]
pub fn read(cx: &Context) -> Result<Response, Problem> {
    let is_asked = |names: &[&str]| names.iter().any(|name| query(cx.request, name).is_some());
    let mut filter = lists::task_filter(cx.request, cx.identity.user_id())?;
    if let Some(id) = cx.identity.user_id().filter(|_| !is_asked(&["assignee", "tag", "post"])) {
        filter = filter.assigned_to_user(id);
    }
    if !is_asked(&["done"]) {
        filter = filter.done(false);
    }
    let tasks = tasks::list(cx.db, filter, TASKS)?;
    let begun = migrations::first_time(cx.db)?;
    let is_utc = settings::find(cx.db)?.time_zone == UTC;
    let body = calendar(&tasks, &base(cx.request), begun, is_utc).into_bytes();
    Ok(response::tagged_by_content(cx.request, response::bytes(StatusCode::OK, CALENDAR, body)))
}

/// `tasks` of the wiki at `base`, whose database was made at `begun`: no other wiki has the same. `is_utc` is whether its times are in
/// UTC.
fn calendar(tasks: &[Task], base: &str, begun: Time, is_utc: bool) -> String {
    let mut calendar = Calendar::new("-//Wasiki//Wasiki//EN");
    calendar.text("X-WR-CALNAME", "Tasks");
    for task in tasks {
        calendar.begin("VTODO");
        describe(&mut calendar, task, "todo", base, begun);
        if let Some(due) = task.due {
            date(&mut calendar, "DUE", due);
        }
        let is_before = |planned: &Due| match &task.seen {
            // A day is compared with what the page says, a time of day as the instant that it is.
            Some(seen) if planned.time().is_none() => planned < &seen.written,
            _ => task.due.is_none_or(|due| planned < &due),
        };
        if let Some(planned) = task.scheduled.filter(is_before) {
            // Both have the same type, or neither can be compared (RFC 5545, 3.6.2).
            match task.due.and_then(Due::time) {
                Some(_) => calendar.value("DTSTART", &instant(planned, ahead(task))),
                None => date(&mut calendar, "DTSTART", planned),
            }
        }
        calendar.value("STATUS", if task.done { "COMPLETED" } else { "NEEDS-ACTION" });
        if let Some(time) = task.done_time {
            calendar.value("COMPLETED", &time.basic());
        }
        remind(&mut calendar, task, "TRIGGER;RELATED=END");
        calendar.end("VTODO");
        if let Some(due) = task.due {
            calendar.begin("VEVENT");
            describe(&mut calendar, task, "event", base, begun);
            date(&mut calendar, "DTSTART", due);
            if let Some(next) = due.day().checked_add_days(Days::new(1)).filter(|_| due.time().is_none()) {
                date(&mut calendar, "DTEND", due.on(next));
            }
            // A task that is counted from its completion has no other dates yet, and a rule for instants in UTC does not follow the
            // clocks of another zone.
            let rule = task.repeat.as_deref().and_then(Recurrence::short).filter(|rule| !rule.from_completion);
            let rule = rule.filter(|_| due.time().is_none() || is_utc);
            if let Some(rule) = rule.filter(|_| !task.done) {
                calendar.value("RRULE", &rule.rrule());
            }
            calendar.value("TRANSP", "TRANSPARENT");
            remind(&mut calendar, task, "TRIGGER");
            calendar.end("VEVENT");
        }
    }
    calendar.finish()
}

/// What a task says, in both its forms.
fn describe(calendar: &mut Calendar, task: &Task, form: &str, base: &str, begun: Time) {
    calendar.value("UID", &format!("task-{}-{form}-{}@wasiki", task.id, begun.micros()));
    // When this state of it was written is not known; a time that stays lets programs keep what they have.
    calendar.value("DTSTAMP", &task.created_time.basic());
    calendar.value("SEQUENCE", &(task.version - 1).to_string());
    calendar.text("SUMMARY", markdown::plain(&task.text).text.trim());
    calendar.text("DESCRIPTION", &task.page_title);
    calendar.value("URL", &format!("{base}/posts/{}", task.post_id));
    if let Some(priority) = task.priority {
        let number = match priority {
            Priority::Highest => "1",
            Priority::High => "3",
            Priority::Medium => "5",
            Priority::Low => "7",
            Priority::Lowest => "9",
        };
        calendar.value("PRIORITY", number);
    }
}

/// An alarm before a task is due, if it asks for one.
fn remind(calendar: &mut Calendar, task: &Task, trigger: &str) {
    let minutes = task.remind.as_deref().and_then(lead_time).filter(|_| task.due.is_some() && !task.done);
    let Some(minutes) = minutes else { return };
    calendar.begin("VALARM");
    calendar.value("ACTION", "DISPLAY");
    calendar.text("DESCRIPTION", markdown::plain(&task.text).text.trim());
    calendar.value(trigger, &format!("-PT{minutes}M"));
    calendar.end("VALARM");
}

fn date(calendar: &mut Calendar, name: &str, due: Due) {
    match due.time() {
        None => calendar.value(&format!("{name};VALUE=DATE"), &due.day().format("%Y%m%d").to_string()),
        Some(_) => calendar.value(name, &instant(due, TimeDelta::zero())),
    }
}

/// How far clocks in the wiki's time zone are ahead of UTC when a task is due at a time of day.
fn ahead(task: &Task) -> TimeDelta {
    let times = task.seen.as_ref().zip(task.due).filter(|(_, due)| due.time().is_some());
    times.map(|(seen, due)| seen.written.begins() - due.begins()).unwrap_or_default()
}

/// A time of day in UTC, or the beginning of a day where clocks are so far ahead.
fn instant(due: Due, ahead: TimeDelta) -> String {
    let shift = if due.time().is_some() { TimeDelta::zero() } else { ahead };
    let begins = due.begins().checked_sub_signed(shift).unwrap_or_else(|| due.begins());
    begins.format("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use wiki_types::SeenDue;

    use super::*;

    #[test]
    fn a_task_is_a_todo_and_an_event() {
        let time = "2026-11-22T10:00:00Z";
        let task = serde_json::json!({
            "id": 7, "post_id": 1, "page_title": "List, of things", "page_slug": "list", "line": 3, "text": "Call **Ada**",
            "done": false, "due": "2026-12-04", "scheduled": "2026-12-01", "assignee": "bob", "assignee_id": 2,
            "priority": "high", "repeat": "3mo", "remind": "2d", "done_time": null, "done_by": null, "done_by_name": null,
            "version": 2, "created_time": time,
        });
        let task: Task = serde_json::from_value(task).unwrap();
        let text = calendar(std::slice::from_ref(&task), "https://wiki.example", Time::EPOCH, true);
        let lines = |form: &str| {
            format!(
                "UID:task-7-{form}-0@wasiki\r\nDTSTAMP:20261122T100000Z\r\nSEQUENCE:1\r\nSUMMARY:Call Ada\r\n\
                 DESCRIPTION:List\\, of things\r\nURL:https://wiki.example/posts/1\r\nPRIORITY:3\r\n"
            )
        };
        let alarm = |trigger: &str| {
            format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Call Ada\r\n{trigger}:-PT2880M\r\nEND:VALARM\r\n")
        };
        let expected = [
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Wasiki//Wasiki//EN\r\nX-WR-CALNAME:Tasks\r\nBEGIN:VTODO\r\n",
            &lines("todo"),
            "DUE;VALUE=DATE:20261204\r\nDTSTART;VALUE=DATE:20261201\r\nSTATUS:NEEDS-ACTION\r\n",
            &alarm("TRIGGER;RELATED=END"),
            "END:VTODO\r\nBEGIN:VEVENT\r\n",
            &lines("event"),
            "DTSTART;VALUE=DATE:20261204\r\nDTEND;VALUE=DATE:20261205\r\nRRULE:FREQ=MONTHLY;INTERVAL=3\r\nTRANSP:TRANSPARENT\r\n",
            &alarm("TRIGGER"),
            "END:VEVENT\r\nEND:VCALENDAR\r\n",
        ];
        assert_eq!(text, expected.concat());
        let timed = Task { due: Due::written("2026-12-04T15:00"), repeat: Some("3mo!".into()), ..task.clone() };
        let text = calendar(std::slice::from_ref(&timed), "", Time::EPOCH, true);
        assert!(
            text.contains("DUE:20261204T150000Z\r\nDTSTART:20261201T000000Z\r\n") && !text.contains("RRULE"),
            "{text}"
        );
        assert!(!text.contains("DTEND"));
        let seen = SeenDue {
            written: Due::written("2026-12-04T16:00").unwrap(),
            ..SeenDue::in_utc(timed.due.unwrap(), DateTime::UNIX_EPOCH)
        };
        let ahead = Task { seen: Some(seen), repeat: Some("1w".into()), ..timed };
        let text = calendar(&[ahead], "", Time::EPOCH, false);
        assert!(
            text.contains("DUE:20261204T150000Z\r\nDTSTART:20261130T230000Z\r\n") && !text.contains("RRULE"),
            "{text}"
        );
        let done = Task { done: true, due: None, done_time: Some(Time::EPOCH), ..task };
        let text = calendar(&[done], "", Time::EPOCH, true);
        assert!(text.contains("STATUS:COMPLETED\r\nCOMPLETED:19700101T000000Z\r\n"), "{text}");
        assert!(!text.contains("VEVENT") && !text.contains("VALARM"));
    }
}
