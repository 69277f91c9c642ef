//! Views of what pages have been: the list of revisions, one of them, and what changed between two.

use askama::Template;

use crate::compare::{Difference, Hunk};
use crate::pages::parts::{self, Name, Person, Rendered};
use crate::pages::{address, write};
use crate::problem::FieldError;
use crate::time::Time;

/// The revisions of a page, newest first.
#[derive(Debug, Template)]
#[template(path = "history.html")]
pub struct History {
    /// The page.
    pub page: Name,
    /// Its current version.
    pub current: i64,
    /// Its revisions.
    pub revisions: Vec<Entry>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// A revision in the list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number, from 1.
    pub version: i64,
    /// When it was made.
    pub time: Time,
    /// By whom.
    pub author: Person,
    /// What they say they did; may be empty.
    pub comment: String,
    /// Bytes of its content.
    pub size: i64,
    /// Bytes more than in the version before.
    pub delta: i64,
}

/// An old revision.
#[derive(Debug, Template)]
#[template(path = "revision.html")]
pub struct Revision {
    /// The page, as it is called now.
    pub page: Name,
    /// Its current version.
    pub current: i64,
    /// The title it had.
    pub title: String,
    /// What it said.
    pub text: Rendered,
    /// The tags it had.
    pub tags: Vec<String>,
    /// The revision.
    pub entry: Entry,
    /// The form that goes back to it.
    pub revert: Revert,
}

/// The form that goes back to a revision.
#[derive(Debug, Default)]
pub struct Revert {
    /// What the person says they did.
    pub comment: String,
    /// What the person wants to be called.
    pub author: String,
    /// What is wrong with that.
    pub errors: Vec<FieldError>,
}

impl Revision {
    fn error(&self, field: &str) -> Option<&str> {
        write::error(&self.revert.errors, field)
    }

    fn errors(&self) -> &[FieldError] {
        &self.revert.errors
    }
}

/// What changed between two versions.
#[derive(Debug, Template)]
#[template(path = "compare.html")]
pub struct Compare {
    /// The page, as it is called now.
    pub page: Name,
    /// Its current version.
    pub current: i64,
    /// The older side; none is the nothing before the first version.
    pub from: Option<Side>,
    /// The newer side.
    pub to: Side,
    /// The differences of the content.
    pub difference: Difference,
}

/// A side of a comparison.
#[derive(Debug)]
pub struct Side {
    /// The revision.
    pub entry: Entry,
    /// Its title.
    pub title: String,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Compare {
    fn title_changed(&self) -> Option<(&str, &str)> {
        let from = self.from.as_ref()?;
        (from.title != self.to.title).then_some((&from.title, &self.to.title))
    }

    /// The tags that went and those that came.
    fn tags_changed(&self) -> Option<(Vec<&str>, Vec<&str>)> {
        let from = self.from.as_ref()?;
        let without = |tags: &'_ [String], others: &[String]| -> Vec<usize> {
            (0..tags.len()).filter(|index| !others.contains(&tags[*index])).collect()
        };
        let removed: Vec<&str> =
            without(&from.tags, &self.to.tags).into_iter().map(|index| &*from.tags[index]).collect();
        let added: Vec<&str> =
            without(&self.to.tags, &from.tags).into_iter().map(|index| &*self.to.tags[index]).collect();
        (!removed.is_empty() || !added.is_empty()).then_some((removed, added))
    }

    fn older(&self) -> i64 {
        self.from.as_ref().map_or(0, |from| from.entry.version)
    }
}

/// The heading of a hunk: which lines of the newer text it shows, or of the older if none are left.
pub(super) fn lines(hunk: &Hunk) -> String {
    let range = |mut numbers: Box<dyn Iterator<Item = usize> + '_>| {
        let first = numbers.next()?;
        let last = numbers.last().unwrap_or(first);
        Some(if first == last { format!("Line {first}") } else { format!("Lines {first}–{last}") })
    };
    range(Box::new(hunk.lines.iter().filter_map(|line| line.to_line)))
        .or_else(|| range(Box::new(hunk.lines.iter().filter_map(|line| line.from_line))))
        .unwrap_or_default()
}
