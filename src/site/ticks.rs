//! Ticking the tasks of a page where they are read.
//!
//! The form says what the reader saw: the version of the page, and which of its tasks. Sent again, it does nothing more.

use http::StatusCode;

use crate::auth::Context;
use crate::errors;
use crate::input::idempotency::Purpose;
use crate::input::tasks::{MAX_TRIES, comment, save as save_version};
use crate::site::{address, author, missing, retry};
use crate::store::pages::{self, Draft};
use crate::store::{revisions, submissions, zones};
use crate::tasks::{self, Change, Days};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

/// What a button of the form says.
struct Tick {
    /// Which of the page's tasks, from 0.
    place: usize,
    /// Whether it is done.
    done: bool,
}

impl Tick {
    fn read(form: &Form) -> Option<Self> {
        let place = |field: &str| form.text(field).parse().ok();
        let tick = place("tick").map(|place| Self { place, done: true });
        tick.or_else(|| place("untick").map(|place| Self { place, done: false }))
    }
}

/// `POST /wiki/{slug}/tasks`
pub fn tick(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let Some(page) = pages::find_by_name(cx.db, slug)? else { return missing::show(cx, slug) };
    let tick = Tick::read(&form).ok_or_else(changed_meanwhile)?;
    let name = author::of_form(cx, &form);
    if let Err(message) = author::check(cx, &name) {
        return retry::ask_for_author(cx, &form, &name, &message);
    }
    let user_id = author::user_id(cx, &name)?;
    let seen = form.number("version").unwrap_or_default();
    // The same reader, page, version and task: the same form.
    let key = format!("tick-{}-{seen}-{}-{}", page.post_id, tick.place, tick.done);
    let key = Purpose::Page.key(Some(user_id), &key);
    let place = save(cx, page.post_id, seen, &tick, user_id, &key)?;
    let here = address::page(&page.slug);
    let next = address::local(form.text("next")).unwrap_or(&here);
    let target = match place {
        Some(place) => format!("{next}#task-{}", place + 1),
        None => next.to_owned(),
    };
    Ok(author::remembering(cx, response::see_other(&target), &name))
}

/// Ticks the task that is in `tick.place` of version `seen`, wherever it is now. Returns where that is, unless the form was
/// sent before.
fn save(cx: &Context, id: i64, seen: i64, tick: &Tick, user_id: i64, key: &str) -> Result<Option<usize>, Problem> {
    if submissions::exists(cx.db, key)? {
        return Ok(None);
    }
    for _ in 0..MAX_TRIES {
        let page = pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
        let place = if page.version == seen {
            Some(tick.place)
        } else {
            let old = revisions::find(cx.db, id, seen)?.ok_or_else(changed_meanwhile)?;
            tasks::same(&old.content, tick.place, &page.content)
        };
        let place = place.ok_or_else(changed_meanwhile)?;
        let text = tasks::text(&page.content, place).ok_or_else(changed_meanwhile)?;
        let change = Change { done: Some(tick.done), ..Change::default() };
        let today = if tick.done { zones::days(cx.db, &page.content, &[])? } else { Days::default() };
        let content = tasks::changed(&page.content, place, &change, &today).ok_or_else(changed_meanwhile)?;
        if content == page.content {
            return Ok(Some(place));
        }
        let draft = Draft {
            user_id: Some(user_id),
            content,
            comment: comment(if tick.done { "done" } else { "not done" }, &text),
            key: Some(key.to_owned()),
            ..Draft::default()
        };
        if save_version(cx, id, page.version, draft)?.is_some() {
            return Ok(Some(place));
        }
    }
    Err(changed_meanwhile())
}

/// 409: the task is not in the page as it was seen.
fn changed_meanwhile() -> Problem {
    let detail = "The page was edited meanwhile, and this task is no longer in it. Open the page again.";
    Problem::new(StatusCode::CONFLICT, detail)
}
