//! The tasks of a page, and what becomes of its text when one of them changes.

use std::collections::HashMap;

use chrono::NaiveDate;
use wiki_types::rules::MAX_CONTENT;
use wiki_types::{Due, Time};

use super::line::{Kind, Line};
use super::matching::{self, Place};
use crate::markdown::{ChecklistItem, MAX_BOXES, checklist};

/// The most tasks of a page that are known as such; further items of checklists are only shown.
pub const MAX_TASKS: usize = MAX_BOXES;

/// A task, as the text of a page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageTask {
    /// Whether it is done.
    pub done: bool,
    /// What it says.
    pub line: Line,
    /// The line of the page, from 1.
    pub number: usize,
    item: ChecklistItem,
}

/// The tasks of the page `content`, in the order in which it shows them.
pub fn tasks(content: &str) -> Vec<PageTask> {
    let (mut number, mut counted) = (1, 0);
    let items = checklist(content).into_iter().take(MAX_TASKS);
    items
        .map(|item| {
            // Nested items are in the order of the text, but a footnote may stand anywhere.
            if item.marker.start < counted {
                (number, counted) = (1, 0);
            }
            number += content[counted..item.marker.start].matches('\n').count();
            counted = item.marker.start;
            let start = item.marker.end;
            let source = content[start..].lines().next().unwrap_or_default();
            let on_line = item.code.iter().filter(|code| code.end <= start + source.len());
            let code: Vec<_> = on_line.map(|code| code.start - start..code.end - start).collect();
            PageTask { done: item.is_checked, line: Line::read(source, &code), number, item }
        })
        .collect()
}

impl PageTask {
    /// What it says, as texts are compared: by its words, in whatever case.
    pub fn key(&self) -> String {
        matching::key(&self.line.text())
    }

    /// The same with everything by which tasks of one text differ.
    pub fn full_key(&self) -> String {
        full_key(&self.line)
    }
}

/// What tasks are compared by: the words of the text, in whatever case, and everything by which tasks of one text differ.
pub fn full_key(line: &Line) -> String {
    let Line { due, scheduled, assignee, priority, repeat, .. } = line;
    let text = |part: Option<String>| part.unwrap_or_default();
    [
        matching::key(&line.text()),
        text(due.map(|due| due.to_string())),
        text(scheduled.map(|due| due.to_string())),
        text(assignee.clone()),
        text(priority.map(|priority| priority.to_string())),
        text(repeat.map(|repeat| repeat.to_string())),
    ]
    .join("\t")
}

/// Where tasks stand, for [`matching`].
fn places(tasks: &[PageTask]) -> Vec<Place> {
    tasks.iter().map(|task| Place { key: task.key(), full_key: task.full_key() }).collect()
}

/// What becomes of a task. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether it is done.
    pub done: Option<bool>,
    /// When it is due, if at all.
    pub due: Option<Option<Due>>,
    /// Who shall do it, if anybody.
    pub assignee: Option<Option<String>>,
    /// What it says.
    pub text: Option<String>,
}

/// The day that it is now, for each task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    /// In the wiki's time zone.
    pub of_wiki: NaiveDate,
    /// For people who have a time zone of their own, by their usernames in lower case.
    pub of_people: HashMap<String, NaiveDate>,
}

impl Default for Days {
    /// In UTC.
    fn default() -> Self {
        Self { of_wiki: Time::now().date(), of_people: HashMap::new() }
    }
}

impl Days {
    /// For a task: in the zone of its assignee or, of one that is due at a time of day, in the wiki's.
    fn of(&self, line: &Line) -> NaiveDate {
        let assignee = line.assignee.as_deref().filter(|_| line.due.is_none_or(|due| due.time().is_none()));
        assignee.and_then(|name| self.of_people.get(name)).copied().unwrap_or(self.of_wiki)
    }
}

/// Who shall do the tasks of a page that recur counted from when they are done, if anybody.
pub fn recurring(content: &str) -> Vec<Option<String>> {
    let counts =
        |line: &Line| line.repeat.is_some_and(|rule| rule.from_completion || line.due.or(line.scheduled).is_none());
    tasks(content).into_iter().filter(|task| counts(&task.line)).map(|task| task.line.assignee).collect()
}

/// The page `content` after a change of its task number `index`, from 0. None if there is no such task.
///
/// A task that recurs and is completed is followed by the next one.
pub fn changed(content: &str, index: usize, change: &Change, today: &Days) -> Option<String> {
    let tasks = tasks(content);
    let task = tasks.get(index)?;
    let mut line = task.line.clone();
    if let Some(text) = &change.text {
        line = line.with_text(text);
    }
    if let Some(assignee) = &change.assignee {
        line = line.with(Kind::Assignee, assignee.as_deref());
    }
    if let Some(due) = change.due {
        line = line.with(Kind::Due, due.map(|due| due.to_string()).as_deref());
    }
    let done = change.done.unwrap_or(task.done);
    if !done {
        line = line.with(Kind::DoneDay, None);
    }
    let mut edit = Edit::new(content);
    if done != task.done {
        edit.replace(task.item.marker.clone(), if done { "[x]" } else { "[ ]" });
    }
    let start = task.item.marker.end;
    edit.replace(start..start + task.line.source().len(), line.source());
    if done && !task.done {
        let completed = PageTask { done, line, ..task.clone() };
        edit.add_next(&completed, &tasks, today);
    }
    Some(edit.finish())
}

/// The page `after` with the next ones of tasks that recur, and which an edit of the page `before` has completed. None if it
/// has completed none.
pub fn completed(before: &str, after: &str, today: &Days) -> Option<String> {
    let new = tasks(after);
    if !new.iter().any(|task| task.done && task.line.repeat.is_some()) {
        return None;
    }
    let old = tasks(before);
    let same = matching::matched(&places(&old), &places(&new));
    let mut edit = Edit::new(after);
    for (task, same) in new.iter().zip(same) {
        if task.done && same.is_some_and(|same| !old[same].done) {
            edit.add_next(task, &new, today);
        }
    }
    // A page that would be too long stays as it was sent.
    (!edit.changes.is_empty()).then(|| edit.finish()).filter(|text| text.len() <= MAX_CONTENT)
}

/// Whether a page may have completed a task that recurs: whether [`completed`] has to look at what it was before.
pub fn may_complete(content: &str) -> bool {
    let may = content.contains("[x]") || content.contains("[X]");
    may && tasks(content).iter().any(|task| task.done && task.line.repeat.is_some())
}

/// What task number `index` of a page says, from 0.
pub fn text(content: &str, index: usize) -> Option<String> {
    tasks(content).get(index).map(|task| task.line.text())
}

/// The number of the task in `after` that is task `index` of `before`.
pub fn same(before: &str, index: usize, after: &str) -> Option<usize> {
    let (old, new) = (tasks(before), tasks(after));
    matching::matched(&places(&old), &places(&new)).into_iter().position(|same| same == Some(index))
}

/// The page `content` with one more task at its end, and the number of that task, from 0.
pub fn added(content: &str, line: &Line) -> (String, usize) {
    let newline = line_end(content);
    let body = content.trim_end();
    // A list goes on; anything else ends before a new list.
    let last = body.lines().next_back().unwrap_or_default();
    let continues = tasks(content).last().is_some_and(|task| {
        let start = content[..task.item.start].rfind('\n').map_or(0, |at| at + 1);
        task.item.end == body.len() && task.item.start == start && content[start..].starts_with("- ")
    });
    let between = match () {
        () if last.is_empty() => String::new(),
        () if continues => newline.to_owned(),
        () => newline.repeat(2),
    };
    let text = format!("{body}{between}- [ ]{}{newline}", line.source());
    let index = tasks(&text).len().saturating_sub(1);
    (text, index)
}

/// The next one of a task that recurs, as a line; none if there is none.
fn next(task: &PageTask, today: &Days) -> Option<Line> {
    let line = &task.line;
    let rule = line.repeat?;
    let reference = line.due.or(line.scheduled);
    let from = reference.filter(|_| !rule.from_completion).map_or_else(|| today.of(line), Due::day);
    let day = rule.after(from)?;
    let next = match (line.due, line.scheduled) {
        (None, Some(scheduled)) => line.with(Kind::Scheduled, Some(&scheduled.on(day).to_string())),
        (Some(due), Some(scheduled)) => {
            // As long before as this time.
            let planned = day.checked_sub_signed(due.day() - scheduled.day())?;
            let next = line.with(Kind::Due, Some(&due.on(day).to_string()));
            next.with(Kind::Scheduled, Some(&scheduled.on(planned).to_string()))
        }
        (Some(due), None) => line.with(Kind::Due, Some(&due.on(day).to_string())),
        (None, None) => line.with(Kind::Due, Some(&Due::day_of(day).to_string())),
    };
    Some(next.with(Kind::DoneDay, None))
}

/// How the lines of `content` end.
fn line_end(content: &str) -> &'static str {
    if content.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Changes of a text, each at a place of its own.
struct Edit<'a> {
    content: &'a str,
    changes: Vec<(std::ops::Range<usize>, String)>,
}

impl<'a> Edit<'a> {
    fn new(content: &'a str) -> Self {
        Self { content, changes: Vec::new() }
    }

    fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        self.changes.push((range, text.to_owned()));
    }

    /// Adds the next one of `task` below it, and below what belongs to it, unless one of `tasks` is that already.
    fn add_next(&mut self, task: &PageTask, tasks: &[PageTask], today: &Days) {
        let Some(line) = next(task, today) else { return };
        let next = PageTask { done: false, line, ..task.clone() };
        let key = next.full_key();
        if tasks.iter().any(|other| other.full_key() == key) {
            return;
        }
        let content = self.content;
        let item = &task.item;
        let start = content[..item.start].rfind('\n').map_or(0, |at| at + 1);
        // What the item stands in goes on; the mark of a list around it would begin another item of that list.
        let around = content[start..item.start].chars().map(|c| if c == '>' || c == '\t' { c } else { ' ' });
        let around: String = around.collect();
        let mark = &content[item.start..item.marker.start];
        let end = content[item.end..].find(['\r', '\n']).map_or(content.len(), |at| item.end + at);
        let text = format!("{}{around}{mark}[ ]{}", line_end(content), next.line.source());
        self.changes.push((end..end, text));
    }

    fn finish(mut self) -> String {
        // Of two at one place, the first made comes first.
        self.changes.sort_by_key(|(range, _)| (range.start, range.end));
        let mut text = String::with_capacity(self.content.len() + 100);
        let mut end = 0;
        for (range, new) in self.changes {
            text.push_str(&self.content[end..range.start]);
            text.push_str(&new);
            end = range.end;
        }
        text.push_str(&self.content[end..]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn today() -> Days {
        Days { of_wiki: "2026-12-10".parse().unwrap(), of_people: HashMap::new() }
    }

    const DONE: Change = Change { done: Some(true), due: None, assignee: None, text: None };

    fn ticked(content: &str, index: usize) -> String {
        changed(content, index, &DONE, &today()).unwrap()
    }

    #[test]
    fn tasks_know_their_lines() {
        let tasks = tasks("# T\n\n- [ ] a @ada\n  - [x] `due:x` b due:2026-12-04\r\n\n> 1. [ ] c\n");
        let seen: Vec<_> = tasks.iter().map(|task| (task.number, task.done, task.line.text())).collect();
        assert_eq!(seen, [(3, false, "a".into()), (4, true, "`due:x` b".into()), (6, false, "c".into())]);
    }

    #[test]
    fn a_task_that_recurs_is_followed_by_the_next() {
        for (before, index, after) in [
            ("- [ ] a\n- [ ] b\n", 1, "- [ ] a\n- [x] b\n"),
            (
                "- [ ] a repeat:1mo due:2026-01-31\n- [ ] b",
                0,
                "- [x] a repeat:1mo due:2026-01-31\n- [ ] a repeat:1mo due:2026-03-31\n- [ ] b",
            ),
            (
                "- [ ] a due:2026-01-31 repeat:1d!",
                0,
                "- [x] a due:2026-01-31 repeat:1d!\n- [ ] a due:2026-12-11 repeat:1d!",
            ),
            ("* [ ] a repeat:1w", 0, "* [x] a repeat:1w\n* [ ] a repeat:1w due:2026-12-17"),
            (
                "- [ ] a 🔁 every day ⏳ 2026-12-01 📅 2026-12-04\r\n  - [ ] below\r\n\r\nend",
                0,
                "- [x] a 🔁 every day ⏳ 2026-12-01 📅 2026-12-04\r\n  - [ ] below\r\n- [ ] a 🔁 every day ⏳ 2026-12-02 📅 2026-12-05\r\n\r\nend",
            ),
            (
                "> - - [ ] a due:2026-12-04T15:00 repeat:1d",
                0,
                "> - - [x] a due:2026-12-04T15:00 repeat:1d\n>   - [ ] a due:2026-12-05T15:00 repeat:1d",
            ),
            ("- [ ] a repeat:1d due:9999-12-31", 0, "- [x] a repeat:1d due:9999-12-31"),
        ] {
            assert_eq!(ticked(before, index), after);
        }
    }

    #[test]
    fn a_day_is_that_of_whose_the_task_is() {
        let of_people = HashMap::from([("ada".to_owned(), "2026-12-11".parse().unwrap())]);
        let days = Days { of_people, ..today() };
        for (before, due) in [
            ("- [ ] a @Ada repeat:1d", "due:2026-12-12"),
            ("- [ ] a @ada due:2026-12-01 repeat:1d!", "due:2026-12-12"),
            ("- [ ] a @ada due:2026-12-01T15:00 repeat:1d!", "due:2026-12-11T15:00"),
            ("- [ ] a @bob repeat:1d", "due:2026-12-11"),
            ("- [ ] a repeat:1d", "due:2026-12-11"),
        ] {
            assert_eq!(recurring(before).len(), 1);
            let after = changed(before, 0, &DONE, &days).unwrap();
            assert!(after.lines().last().unwrap().contains(due), "{after}");
        }
        assert_eq!(
            recurring("- [ ] a due:2026-12-01 repeat:1d\n- [ ] b\n- [x] c @ada repeat:1d"),
            [Some("ada".to_owned())]
        );
    }

    #[test]
    fn the_next_one_is_added_once() {
        let once = ticked("- [ ] a repeat:1d due:2026-12-04\n", 0);
        let open = changed(&once, 0, &Change { done: Some(false), ..Change::default() }, &today()).unwrap();
        assert_eq!(ticked(&open, 0), once);
        assert_eq!(completed(&once, &once, &today()), None);
        assert_eq!(completed(&open, &once, &today()), None);
    }

    #[test]
    fn an_edit_of_the_text_completes_as_well() {
        let (before, after) =
            ("- [ ] b\n- [ ] a repeat:1d due:2026-12-04\n", "- [X] a repeat:1d due:2026-12-04\n- [ ] b\n");
        let expected = "- [X] a repeat:1d due:2026-12-04\n- [ ] a repeat:1d due:2026-12-05\n- [ ] b\n";
        assert_eq!(completed(before, after, &today()).as_deref(), Some(expected));
        // Not what was new, done before, or does not recur.
        for before in ["", after] {
            assert_eq!(completed(before, after, &today()), None);
        }
        assert_eq!(completed("- [ ] a", "- [x] a", &today()), None);
        assert!(may_complete(after) && !may_complete(before) && !may_complete("- [x] a"));
    }

    #[test]
    fn a_change_leaves_the_rest_as_it_is() {
        let change = Change {
            due: Some(Due::written("2027-01-01")),
            assignee: Some(None),
            text: Some("Call".to_owned()),
            ..Change::default()
        };
        let before = "a\r\n\r\n- [ ] b @ada 📅 2026-12-04 ✅ 2026-12-03\r\n- [x] c";
        let after = "a\r\n\r\n- [ ] Call 📅 2027-01-01\r\n- [x] c";
        assert_eq!(changed(before, 0, &change, &today()).as_deref(), Some(after));
        assert_eq!(changed(before, 1, &Change::default(), &today()).as_deref(), Some(before));
        assert_eq!(changed(before, 2, &change, &today()), None);
    }

    #[test]
    fn a_task_is_added_at_the_end() {
        let line = Line::read(" new", &[]);
        for (before, after) in [
            ("", "- [ ] new\n"),
            ("# T", "# T\n\n- [ ] new\n"),
            ("- [ ] a\n\n", "- [ ] a\n- [ ] new\n"),
            ("- a\n", "- a\n\n- [ ] new\n"),
            ("- b\n  - [ ] a\r\n", "- b\n  - [ ] a\r\n\r\n- [ ] new\r\n"),
        ] {
            let (text, index) = added(before, &line);
            assert_eq!((text.as_str(), tasks(&text)[index].line.text().as_str()), (after, "new"));
        }
    }

    #[test]
    fn a_task_is_found_again_in_another_version() {
        assert_eq!(same("- [ ] a\n- [ ] b", 1, "- [ ] new\n- [ ] b\n- [ ] a"), Some(1));
        assert_eq!(same("- [ ] a\n- [ ] b", 1, "- [ ] a"), None);
    }

    proptest! {
        #[test]
        fn ticking_changes_one_box(content in "(- \\[[ x]\\] |\\[ \\] |\\t|  |> |1\\. |a|b|\\n|\\r\\n| repeat:1d| due:2026-12-04|`){0,40}", index in 0usize..8) {
            if let Some(after) = changed(&content, index, &DONE, &today()) {
                let (old, new) = (tasks(&content), tasks(&after));
                prop_assert!(new[index].done);
                let is_next = after.len() > content.len() && !old[index].done && old[index].line.repeat.is_some();
                prop_assert!(is_next || after.len() == content.len(), "{content:?} {after:?}");
                prop_assert!(completed(&after, &after, &today()).is_none());
                // Ticked again, nothing happens.
                prop_assert_eq!(changed(&after, index, &DONE, &today()), Some(after));
            }
        }
    }
}
