//! Check boxes of tasks: only shown, or buttons that tick them.

use std::collections::HashMap;
use std::ops::Range;

use super::escape::{self, escape};

/// The most boxes of a page that can be ticked.
pub const MAX_BOXES: usize = 1000;

/// The most characters of a task in the name of its box.
const MAX_NAME: usize = 200;

/// How the check boxes of a page are shown, and whether its sections can be edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boxes {
    /// The id of the form that they are the buttons of; none if they are only shown.
    pub form: Option<&'static str>,
    /// Who ticked them, which is shown beside them: by their places in the page, from 0.
    pub notes: HashMap<usize, Note>,
    /// When those that are open are due, where that is not as the page writes it: in the reader's time zone.
    pub times: HashMap<usize, String>,
    /// The address of the form that edits a section of the page; none if they are only read.
    pub sections: Option<String>,
}

/// Who did a task, and on which day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Their name; none if they are not known.
    pub name: Option<String>,
    pub day: String,
}

/// Writes the box of task number `index`, from 0, whose mark is at `range` of the page `source`.
pub fn write(out: &mut String, boxes: &Boxes, index: usize, done: bool, source: &str, range: &Range<usize>) {
    match boxes.form.filter(|_| index < MAX_BOXES) {
        // A button, which needs no script. `tick` is the name of what it does.
        Some(form) => {
            let line = source[range.end..].lines().next().unwrap_or_default();
            let name: String = line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_NAME).collect();
            out.extend([
                "<button type=\"submit\" class=\"box\" role=\"checkbox\" aria-checked=\"",
                if done { "true" } else { "false" },
                "\" form=\"",
                form,
                "\" name=\"",
                if done { "untick" } else { "tick" },
                "\" value=\"",
                &index.to_string(),
                "\" id=\"task-",
                &(index + 1).to_string(),
                "\" aria-label=\"",
                &escape(if name.is_empty() { "Done" } else { &name }),
                "\"></button> ",
            ]);
        }
        None => out.push_str(match done {
            true => "<input type=\"checkbox\" disabled checked aria-label=\"Done\"> ",
            false => "<input type=\"checkbox\" disabled aria-label=\"Not done\"> ",
        }),
    }
    if let Some(note) = boxes.notes.get(&index).filter(|_| done) {
        // In the direction of the wiki's own words, whatever those of the page and of the name are.
        out.push_str("<span class=\"ticked\"><bdi dir=\"ltr\">");
        if let Some(name) = &note.name {
            out.push_str("<bdi>");
            escape::push(out, name);
            out.push_str("</bdi>, ");
        }
        escape::push(out, &note.day);
        out.push_str("</bdi></span> ");
    } else if let Some(time) = boxes.times.get(&index).filter(|_| !done) {
        out.push_str("<span class=\"ticked\"><bdi dir=\"ltr\">");
        escape::push(out, time);
        out.push_str("</bdi></span> ");
    }
}
